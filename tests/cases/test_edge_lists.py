"""Edge lists of users: headers, names, marks, repeats and more columns than two."""

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from torch_geometric.data import Data

from genurl_graph import GenURL, datasets
from genurl_graph.exceptions import InputError
from tests.cases.conftest import arcs, blocks, edges, names, said, table

MARKS = "--decimal|--separator"


def read_or_told(path: Path, option: str, **options: Any) -> Data:
    """What was read; where it was refused, by the options of which the message has to name one."""
    with suppress(InputError):
        return datasets.read(path)
    with pytest.raises(InputError, match=option):
        datasets.read(path)
    return datasets.read(path, **options)


# ---------------------------------------------------------------- unknown-headers


def test_drugs(cases: Path, run) -> None:
    data = datasets.read(cases / "unknown-headers" / "drugs.csv")
    assert set(edges(data)) == {("11", "204"), ("11", "87"), ("204", "87"), ("31", "87"), ("11", "31")}
    words = ("embed", "--input", cases / "unknown-headers" / "drugs.csv", "--dim", 2, "--epochs", 2)
    assert "as edges: drug1 -> drug2" in run(*words).stdout


def test_a_table_of_labels_gains_no_node(cases: Path) -> None:
    folder = cases / "unknown-headers"
    data = datasets.read(folder / "lastfm_edges_head.csv", labels=folder / "lastfm_target.csv")
    assert "as edges: id_1 -> id_2" in said(data)
    assert data.num_nodes == 7624
    assert data.y.shape == (7624,)
    assert data.edge_index.size(1) == 2 * 399
    assert (int(data.y[0]), int(data.y[7])) == (8, 6)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.csv", "protein_a,protein_b\n3,5\n5,9\n9,3\n9,11\n"),
        ("e.tsv", "user_a\tuser_b\nann\tbob\nbob\tcy\ncy\tann\ncy\tdee\n"),
        ("e.txt", "FromNodeId ToNodeId\n3 5\n5 9\n9 3\n9 11\n"),
        ("e.csv", "person1,person2\nann,bob\nbob,cy\ncy,ann\ncy,dee\n"),
        ("e.csv", "citing;cited\n3;5\n5;9\n9;3\n9;11\n"),
    ],
)
def test_two_columns_of_ids_are_edges(write, name: str, text: str) -> None:
    data = datasets.read(write(name, text))
    assert data.get("x") is None
    assert len(edges(data)) == 4
    assert data.num_nodes == 4
    header = text.split("\n")[0].replace(",", " ").replace(";", " ").split()
    assert f"as edges: {header[0]} -> {header[1]}" in said(data)


def test_names_alone_are_not_read_as_two_more_nodes(write) -> None:
    # Nothing tells the first line from the others: either it is known for a header, or the user is asked.
    path = write("e.csv", "hen,chick\nann,bob\nbob,cy\ncy,ann\ncy,dee\n")
    found = read_or_told(path, "--column|--as", columns={"source": "hen", "target": "chick"})
    assert set(names(found)) in ({"ann", "bob", "cy", "dee"}, {"ann", "bob", "cy", "dee", "hen", "chick"})
    assert "as edges" in said(found)
    found = set(names(datasets.read(path, columns={"source": "hen", "target": "chick"})))
    assert found == {"ann", "bob", "cy", "dee"}


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n3,5\n1,2\n2,9\n",
        "x,y\n0.5,1.5\n1.5,2.5\n2.5,0.5\n",
        "height,weight_kg\n170.2,60.1\n181.0,75.9\n160.4,55.5\n",
    ],
)
def test_measurements_are_no_edges(write, text: str) -> None:
    data = datasets.read(write("v.csv", text))
    assert data.get("edge_index") is None
    assert data.x.shape == (3, 2)


def test_two_readings_are_refused_until_one_is_named(write) -> None:
    chance = random.Random(0)
    rows = [[chance.randint(0, 9), chance.randint(0, 9)] for _ in range(60)]
    path = write("e.csv", table(rows, "alpha,beta"))
    with pytest.raises(InputError, match="--as"):
        datasets.read(path)
    assert datasets.read(path, as_="vectors").x.shape == (60, 2)
    assert datasets.read(path, as_="edges").num_nodes == 10
    assert datasets.read(path, columns={"source": "alpha", "target": "beta"}).num_nodes == 10


def test_columns_that_count_are_vectors_where_they_are_called_so(write) -> None:
    path = write("v.csv", table([[i, (i * 7 + 1) % 40] for i in range(40)], "height,width"))
    assert datasets.read(path).x.shape == (40, 2)


@pytest.mark.parametrize("header", ["node,club", "member,group"])
def test_labels_under_an_unknown_header(write, header: str) -> None:
    links = write("e.csv", "source,target\na,b\nb,c\nc,a\n")
    data = datasets.read(links, labels=write("y.csv", f"{header}\na,red\nb,red\nc,blue\n"))
    assert data.num_nodes == 3
    assert data.label_names == ["blue", "red"]
    assert [data.label_names[code] for code in data.y] == ["red", "red", "blue"]


# ---------------------------------------------------------------- repeated-edges


def test_contacts(cases: Path, run) -> None:
    folder = cases / "repeated-edges"
    data = datasets.read(folder / "contacts.csv", labels=folder / "communities.csv")
    lines = (folder / "contacts.csv").read_text().split()[1:]
    found = edges(data)
    assert sum(found.values()) == len(lines) == 1375
    assert found["0", "2"] == lines.count("0,2") + lines.count("2,0") == 12
    result = run(
        *("embed", "--input", folder / "contacts.csv", "--labels", folder / "communities.csv"),
        *("--seed", 0, "--metrics", "m.json"),
    )
    assert f"1,375 lines, {len(found)} distinct pairs" in result.stdout
    assert json.loads(Path("m.json").read_text())["cluster"]["nmi"] >= 0.95


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("source,target\na,b\na,b\nb,a\nb,c\n", {}),
        ("source,target,weight\na,b,1\na,b,0.5\nb,a,1.5\nb,c,1\n", {}),
        ("a\tb\na\tb\nb\ta\nb\tc\n", {"as_": "edges"}),
        ("who,whom,calls\na,b,2\na,b,1\nb,c,1\n", {"columns": {"weight": "calls"}}),
    ],
)
def test_repeats_add_up(write, text: str, options: dict) -> None:
    data = datasets.read(write("e.tsv" if "\t" in text else "e.csv", text), **options)
    assert edges(data) == {("a", "b"): 3, ("b", "c"): 1}
    assert "summed" in said(data)


def test_both_directions_of_every_edge_are_one_edge_each(write) -> None:
    data = datasets.read(write("e.csv", "source,target\na,b\nb,a\nb,c\nc,b\n"))
    assert edges(data) == {("a", "b"): 1, ("b", "c"): 1}


def test_directed_lines_keep_their_direction(write) -> None:
    path = write("e.csv", "source,target\na,b\na,b\nb,a\nb,c\n")
    assert arcs(datasets.read(path, directed=True)) == {("a", "b"): 2, ("b", "a"): 1, ("b", "c"): 1}


# ---------------------------------------------------------------- hash-names


def test_tags(cases: Path) -> None:
    data = datasets.read(cases / "hash-names" / "tags.csv")
    assert set(edges(data)) == {
        ("#code", "#python"),
        ("#python", "data"),
        ("#ml", "data"),
        ("alice", "bob"),
        ("bob", "data"),
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.csv", "source,target\n#a,b\nb,#c\n%d,b\n"),
        ("e.csv", "# written by hand\nsource,target\n#a,b\nb,#c\n%d,b\n"),
        ("e.tsv", "b\t#c\n#a\tb\n%d\tb\n"),
        ("e.txt", "% sym\nb #c\n#a b\n%d b\n"),
        ("e.csv", 'source,target\n"#a","b"\nb,#c\n"%d",b\n'),
    ],
)
def test_a_comment_comes_before_the_first_row_only(write, name: str, text: str) -> None:
    assert set(edges(datasets.read(write(name, text)))) == {("#a", "b"), ("#c", "b"), ("%d", "b")}


# ---------------------------------------------------------------- decimal-comma

GERMAN = {("1", "2"): 0.5, ("2", "3"): 1.5, ("3", "4"): 0.25, ("1", "4"): 0.75}


def test_german(cases: Path, run) -> None:
    path = cases / "decimal-comma" / "edges_de.csv"
    assert edges(read_or_told(path, MARKS, separator=";", decimal=",")) == GERMAN
    words = ("embed", "--input", path, "--dim", 2, "--epochs", 2, "--separator", "semicolon", "--decimal", ",")
    assert "4 lines" in run(*words).stdout


@pytest.mark.parametrize(
    ("name", "text", "separator"),
    [
        ("e.csv", "source;target;weight\n1;2;0,5\n2;3;1,5\n3;4;0,25\n4;1;0,75\n", ";"),
        ("e.tsv", "1\t2\t0,5\n2\t3\t1,5\n3\t4\t0,25\n4\t1\t0,75\n", "\t"),
        ("e.txt", "1 2 0,5\n2 3 1,5\n3 4 0,25\n4 1 0,75\n", " "),
        ("e.csv", "1|2|0.5\n2|3|1.5\n3|4|0.25\n4|1|0.75\n", "|"),
    ],
)
def test_marks(write, name: str, text: str, separator: str) -> None:
    decimal = "," if "0,5" in text else "."
    assert edges(read_or_told(write(name, text), MARKS, separator=separator, decimal=decimal)) == GERMAN


def test_features_with_decimal_commas(write) -> None:
    path = write("v.csv", "height;width\n1,5;2,25\n2,5;0,5\n3,0;1,0\n")
    assert read_or_told(path, MARKS, separator=";", decimal=",").x.shape == (3, 2)


# ---------------------------------------------------------------- more-columns


def test_gephi(cases: Path) -> None:
    data = datasets.read(cases / "more-columns" / "gephi_edges.csv")
    assert edges(data) == {("0", "1"): 1, ("0", "2"): 8, ("0", "3"): 10, ("2", "3"): 6, ("0", "4"): 1}
    for column in ("Id", "Label", "timeset"):
        assert column in said(data)
    assert "left out" in said(data)


def test_a_time_is_no_weight(cases: Path, run) -> None:
    path = cases / "more-columns" / "collegemsg.txt"
    with pytest.raises(InputError, match="--column"):
        datasets.read(path)
    data = datasets.read(path, columns={"time": "3"}).graph(directed=False)
    assert edges(data) == {("1", "2"): 3, ("3", "4"): 1, ("2", "5"): 1, ("6", "7"): 1}
    result = run("embed", "--input", path, code=2)
    assert "--column time=3" in result.stderr
    assert result.stderr.count("\n") == 1
    run("embed", "--input", path, "--column", "time=3", "--task", "graph", "--dim", 2, "--epochs", 2)
    assert edges(datasets.read(path, columns={"ignore": "3"}, as_="edges")) == edges(data)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        (
            "Source,Target,Type,Id,Label,Interval,Weight,colour\n1,0,Undirected,0,,,1,#fff\n2,0,Undirected,1,,,8,#f00\n",
            4,
        ),
        ("id,from,to,since,weight\n0,1,0,2024-01-01,1\n1,2,0,2024-02-01,8\n", 2),
        ("from,to,relation,weight\n1,0,friend,1\n2,0,foe,8\n", 1),
    ],
)
def test_what_is_no_weight_is_left_out_by_name(write, text: str, left_out: int) -> None:
    data = datasets.read(write("e.csv", text))
    assert edges(data) == {("0", "1"): 1, ("0", "2"): 8}
    header = text.split("\n")[0].split(",")
    known = {"source", "target", "from", "to", "type", "weight"}
    others = [name for name in header if name.lower() not in known]
    assert len(others) == left_out
    assert [name for name in others if name not in said(data)] == []


@pytest.mark.parametrize(
    "text",
    [
        "a,b,1300000000\nb,c,1300000500\na,c,1300010000\nc,d,1300010900\n",
        "3 5 1082040961000\n5 9 1082155839000\n9 3 1082414391000\n9 11 1082440403000\n",
    ],
)
def test_a_third_column_of_times_is_refused(write, text: str) -> None:
    path = write("e.csv" if "," in text else "e.txt", text)
    with pytest.raises(InputError, match="--column"):
        datasets.read(path)
    assert set(edges(datasets.read(path, columns={"time": "3"}).graph(directed=False)).values()) == {1}
    assert max(edges(datasets.read(path, columns={"weight": "3"})).values()) > 1e9


def test_a_type_column_says_that_lines_have_a_direction(write) -> None:
    data = datasets.read(write("e.csv", "Source,Target,Type\n1,0,Directed\n2,0,Directed\n"))
    assert set(arcs(data)) == {("1", "0"), ("2", "0")}


# ---------------------------------------------------------------- the files of the others


def test_two_tables_of_one_kind_are_told_apart(write, run) -> None:
    # The same graph, with every fault of this page at once.
    pairs = blocks()
    rows = [[f"#{a}", f"#{b}", "0,5", i, "Undirected"] for i, (a, b) in enumerate(pairs)]
    path = write("e.csv", table([*rows, rows[0]], "Person_1;Person_2;Weight;Id;Type", ";"))
    options = {"separator": ";", "decimal": ","}
    found = edges(datasets.read(path, **options))
    assert len(found) == len(pairs)
    assert sum(found.values()) == 0.5 * len(pairs) + 0.5
    labels = write("y.csv", table([[f"#{i}", "abc"[i % 3]] for i in range(120)], "Person;team"))
    labels.write_text(labels.read_text().replace(",", ";"))
    run(
        *("embed", "--input", path, "--labels", labels, "--separator", "semicolon", "--decimal", ",", "--seed", 0),
        *("--metrics", "m.json"),
    )
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["probe"]["test"] >= 0.9
    assert metrics["reading"]["lines"]


def test_a_frame_of_edges_in_python(write) -> None:
    import pandas

    frame = pandas.DataFrame(blocks(), columns=["drug1", "drug2"])
    path = write("e.csv", frame.to_csv(index=False))
    settings = {"n_components": 4, "epochs": 3, "random_state": 0, "device": "cpu"}
    from_frame = GenURL(**settings).fit_transform(frame)
    from_file = GenURL(**settings).fit_transform(datasets.read(path))
    assert abs(from_frame - from_file.numpy()).max() < 1e-6
