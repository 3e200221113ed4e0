"""Tables of nodes beside edges, and tables of vectors: ids, labels, features, and what is left out."""

import io

import numpy as np
import pandas as pd
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.assemble import read_tables
from genurl_graph.inputs.tables.nodes import read_nodes
from genurl_graph.inputs.tables.table import Table


def table(text: str, header: bool = True, name: str = "file.csv") -> Table:
    """A table as the reader of files makes it, in small."""
    frame = pd.read_csv(io.StringIO(text), header=0 if header else None, keep_default_na=False, dtype=str)
    for column in frame.columns:
        padded = frame[column].str.fullmatch(r"[+-]?0\d+").any()
        numbers = None if padded else pd.to_numeric(frame[column], errors="coerce")
        frame[column] = frame[column].astype(object) if numbers is None or numbers.isna().any() else numbers
    if not header:
        frame.columns = [str(i + 1) for i in range(frame.shape[1])]
    return Table(name, frame, header, lambda row: f"line {row + 1 + header}")


EDGES = "source,target\nann,bob\nbob,cy\n"


def read(text: str, features: str | None = None, labels: str | None = None, **options):
    tables = [
        None if each is None else table(each, name=name) for each, name in ((features, "f.csv"), (labels, "l.csv"))
    ]
    return read_tables(table(text, name="e.csv"), *tables, ReadOptions.of(**options))


def raw(data) -> list:
    """Feature columns before any plan."""
    return data.feature_table.columns.tolist() if "feature_table" in data else data.x.tolist()


def said(data) -> str:
    return "\n".join(data.reading.lines)


# ---- ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["id", "name", "node_id", "customer_id", "who", "", "Unnamed: 0"])
def test_rows_are_matched_by_the_column_that_holds_the_ids(column: str):
    data = read(EDGES, f"height,{column}\n1.5,cy\n2.5,ann\n3.5,bob\n4.5,dora\n")
    assert data.node_id == ["cy", "ann", "bob", "dora"]
    assert data.edge_index.tolist() == [[0, 1, 2, 2], [2, 2, 0, 1]]
    assert raw(data) in (["height"], [[1.5], [2.5], [3.5], [4.5]])
    assert f"ids in {column}" in said(data)


def test_the_values_win_over_the_name():
    """`id` counts the rows; the edges speak of `customer`."""
    data = read(EDGES, "id,customer,height\n7,cy,1\n8,ann,2\n9,bob,3\n")
    assert data.node_id == ["cy", "ann", "bob"]
    numbers = read("source,target\n50,60\n60,70\n", "id,customer_id,height\n1,60,1\n2,50,2\n3,70,3\n")
    assert numbers.node_id == ["60", "50", "70"]


def test_the_user_wins_over_both():
    with pytest.raises(InputError, match=r"f.csv: found|e.csv: line 2: found edge ann -> bob"):
        read(EDGES, "id,customer,height\n7,cy,1\n8,ann,2\n9,bob,3\n", columns={"id": "id"})


def test_rows_without_ids_are_in_order_and_it_is_said():
    data = read("source,target\n0,1\n1,2\n", "height,age\n1.5,2\n1.25,3\n1.75,9\n")
    assert "node_id" not in data
    assert "no ids: the rows are the nodes in order" in said(data)
    with pytest.raises(InputError, match="edge 1 -> 3, whose node '3' is missing; expected one of the rows 0 to 2"):
        read("source,target\n0,1\n1,3\n", "height,age\n1.5,2\n1.25,3\n1.75,9\n")


def test_nodes_without_a_row_are_refused_and_rows_without_an_edge_are_isolated_nodes():
    with pytest.raises(InputError, match=r"e.csv: line 3: found edge bob -> cy, whose node 'cy' is missing"):
        read(EDGES, "id,height\nann,1\nbob,2\n")
    assert read(EDGES, "id,height\nann,1\nbob,2\ncy,3\ndora,4\n").num_nodes == 4
    with pytest.raises(InputError, match="node id 'ann' more than once"):
        read(EDGES, "id,height\nann,1\nann,2\ncy,3\n")


def test_padded_ids_stay_text():
    data = read("source,target\n007,100\n007,7\n", "id,height\n7,1\n007,2\n100,3\n")
    assert data.node_id == ["7", "007", "100"]
    with pytest.raises(InputError, match="whose node '1' is missing"):
        read("source,target\n1,7\n7,1\n", "id,height\n007,1\n01,2\n")


# ---- labels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["label", "Label", "class", "target", "y", "labels"])
def test_a_label_is_no_feature(column: str):
    data = read(f"{column},p0,p1\n1,0.5,0.25\n0,0.25,0.5\n1,0.75,0.5\n")
    assert data.x.shape == (3, 2)
    assert data.y.tolist() == [1, 0, 1]
    assert f"labels in {column} (2 classes)" in said(data)
    other = read(f"{column},p0,p1\n1,0.5,0.25\n0,0.25,0.5\n1,0.75,0.5\n", labels="label\n5\n6\n7\n")
    assert other.x.shape == (3, 2)
    assert other.y.tolist() == [5, 6, 7]
    assert f"left out of e.csv: {column}" in said(other)


def test_a_column_with_the_name_of_the_labels_is_no_feature():
    data = read("id,age,segment\n0,5.5,a\n1,6.5,b\n2,3.5,a\n", labels="id,segment\n2,a\n1,b\n0,a\n")
    assert raw(data) in (["age"], [[5.5], [6.5], [3.5]])
    assert data.label_names == ["a", "b"]


def test_what_only_looks_like_a_label():
    assert "y" not in read("x,y\n0.5,1.5\n2.5,1\n0,1\n")
    assert read("x,y\n0.5,1.5\n2.5,1\n0,1\n").x.shape == (3, 2)
    regression = read("a,b,target\n0.5,1,0.25\n2.5,1,0.75\n1.5,2,0.25\n")
    assert "y" not in regression
    assert any(
        "target (a label by its name, but its numbers are no classes)" in line for line in regression.reading.lines
    )
    titles = read(EDGES, "Id,Label,size\nann,Ann A.,1\nbob,Bob B.,2\ncy,Cy C.,3.5\n")
    assert "y" not in titles
    assert "Label (a label by its name, but another one in each row)" in said(titles)


def test_what_may_be_a_label_is_no_feature_until_the_user_says_so():
    flowers = "length,width,species\n5.5,3.5,a\n4.5,3,b\n6.5,3.25,a\n6.25,3,b\n"
    data = read(flowers)
    assert data.x.shape == (4, 2)
    assert "species (may be the labels: --column label=species or feature=species)" in said(data)
    assert read(flowers, columns={"label": "species"}).label_names == ["a", "b"]
    assert "species" in read(flowers, columns={"feature": ["length", "width", "species"]}).feature_table
    plain = table(flowers.partition("\n")[2], header=False)
    assert read_tables(plain).x.shape == (4, 2)
    assert read_tables(plain, options=ReadOptions.of(columns={"label": "3"})).y.tolist() == [0, 1, 0, 1]


def test_the_label_that_the_user_names():
    nodes = "customer_id,age,segment,label\nann,31.5,x,1\nbob,30.5,y,0\ncy,7.5,x,0\n"
    data = read(EDGES, nodes, columns={"label": "segment"})
    assert data.y.tolist() == [0, 1, 0]
    assert data.label_names == ["x", "y"]
    assert raw(data) in (["age"], [[31.5], [30.5], [7.5]])
    again = read(EDGES, nodes, nodes, columns={"label": "segment"})
    assert torch.equal(again.y, data.y)
    assert torch.equal(again.x, data.x)
    with pytest.raises(InputError, match=r"--column label: found 'segmnt'; .*did you mean 'segment'"):
        read(EDGES, nodes, columns={"label": "segmnt"})


@pytest.mark.parametrize(
    "labels",
    ["node,community\ncy,b\nann,a\nbob,b\n", "id,target\ncy,2\nann,1\nbob,2\n", "club,member\n2,cy\n1,ann\n2,bob\n",
     "who,segment,label,joined\ncy,9,2,x\nann,9,1,y\nbob,9,2,z\n"],
)  # fmt: skip
def test_tables_of_labels(labels: str):
    data = read(EDGES, "id,height\nann,1.5\nbob,2\ncy,3\n", labels)
    assert [data.y[i] == data.y[1] for i in range(3)] == [False, True, True]


def test_labels_of_one_column_and_without_a_header():
    edges = table("source,target\n0,1\n1,2\n")
    assert read_tables(edges, None, table("4\n5\n4\n", header=False)).y.tolist() == [4, 5, 4]
    assert read_tables(edges, None, table("2,5\n1,4\n0,4\n", header=False)).y.tolist() == [5, 4, 4]
    assert read_tables(edges, None, table("label\n4\n5\n4\n")).y.tolist() == [4, 5, 4]


def test_a_table_of_many_columns_is_no_table_of_labels_until_one_is_named():
    nodes = "id,country,segment\nann,DE,x\nbob,FR,y\ncy,FR,x\n"
    with pytest.raises(InputError, match="the labels: country, segment; expected --column label=NAME"):
        read(EDGES, labels=nodes)
    assert read(EDGES, labels=nodes, columns={"label": "segment"}).label_names == ["x", "y"]


def test_rows_without_a_label_are_left_to_the_evaluation():
    data = read(EDGES, labels="id,label\nann,\nbob,x\ncy,y\n")
    assert data.y.tolist() == [-1, 0, 1]
    assert "labels in label (2 classes, 1 row without one)" in said(data)
    assert read(EDGES, labels="id,label\nann,3\nbob,\ncy,5\n").y.tolist() == [3, -1, 5]
    with pytest.raises(InputError, match=r"l.csv: line 3, column 2 \('label'\): found label 1.5"):
        read(EDGES, labels="id,label\nann,1\nbob,1.5\ncy,2\n")
    with pytest.raises(InputError, match="no label in any row"):
        read(EDGES, labels="id,label\nann,\nbob,\ncy,\n")


def test_the_table_of_nodes_that_gephi_writes():
    nodes = "Id,Label,timeset,modularity_class\nann,Ann,,1\nbob,Bob,,0\ncy,Cy,,1\n"
    data = read(EDGES, labels=nodes)
    assert data.y.tolist() == [1, 0, 1]
    assert "labels in modularity_class (2 classes)" in said(data)
    with pytest.raises(InputError, match=r"no feature columns .*modularity_class: may be the labels: --column label="):
        read(EDGES, nodes.replace(",timeset", "").replace(",,", ","))


def test_a_column_that_tells_the_labels_in_other_words_is_no_feature():
    rows = "".join(f"{i},{i * 1.5},{'pq'[i % 2]},{'uvw'[i % 3]},{(i % 2) + 7}\n" for i in range(12))
    edges = "source,target\n" + "".join(f"{i},{(i + 1) % 12}\n" for i in range(12))
    nodes = "id,age,sector,colour,sector_code\n" + rows
    data = read(edges, nodes, columns={"label": "sector"})
    assert data.feature_table.columns.tolist() == ["age", "colour"]
    assert "left out of f.csv: sector_code (tells the labels in other words)" in said(data)


def test_rows_count_from_1_where_the_ids_do():
    features = "height,age\n1.5,2\n1.25,3\n1.75,9\n"
    data = read("source,target\n1,2\n2,3\n", features)
    assert data.node_id == ["1", "2", "3"]
    assert "row 1 of f.csv is node 1" in said(data)
    with pytest.raises(InputError, match="rows 0 to 2"):
        read("source,target\n0,2\n2,3\n", features)


# ---- features -----------------------------------------------------------------------------------------------


def test_columns_of_every_kind_are_accounted_for():
    nodes = (
        "customer_id,age,country,segment,joined,note,active\n"
        "ann,31.5,DE,x,2022-11-02,a long story about a shop,yes\n"
        "bob,,FR,y,2019-11-25,another story of some other shop,no\n"
        "cy,7.5,,x,2020-04-06,a third story which nobody has read,yes\n"
    )
    data = read(EDGES, nodes, columns={"label": "segment"})
    assert data.feature_table.columns.tolist() == ["age", "country", "joined", "note", "active"]
    assert data.feature_table["age"].tolist()[::2] == [31.5, 7.5]
    assert np.isnan(data.feature_table["age"][1])
    assert torch.equal(data.x, data.feature_plan.apply(data.feature_table, "x"))
    for column in ("age", "country", "joined", "note", "active", "segment", "customer_id"):
        assert column in said(data)
    chosen = read(EDGES, nodes, columns={"label": "segment", "feature": ["age", "active"]})
    assert chosen.feature_table.columns.tolist() == ["age", "active"]
    ignored = read(EDGES, nodes, columns={"ignore": ["note", "joined", "segment"]})
    assert ignored.feature_table.columns.tolist() == ["age", "country", "active"]


def test_a_table_follows_the_order_of_the_nodes():
    edges = Table("e", pd.DataFrame({"source": ["a"], "target": ["b"]}))
    nodes = pd.DataFrame({"id": ["b", "c", "a"], "f": [1, 2, 3], "g": ["u", "v", "u"]})
    data = read_tables(edges, Table("n", nodes))
    assert data.node_id == ["b", "c", "a"]
    assert data.feature_table["g"].tolist() == ["u", "v", "u"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [("x", r"line 3, column 2 \('b'\): found 'x'; expected a finite number as in most rows.*--column ignore=b"),
     ("inf", r"line 3, column 2 \('b'\): found 'inf'; expected a finite number"),
     ("1e300", r"line 3, column 2 \('b'\): found '1e\+300'")],
)  # fmt: skip
def test_a_slip_in_a_column_of_numbers(cell: str, message: str):
    with pytest.raises(InputError, match=message):
        read(f"a,b\n1.5,2\n2.5,{cell}\n3,4\n")


def test_dataframes_with_dtypes():
    frame = pd.DataFrame(
        {
            "id": pd.array(["u", "v", "w"], dtype="string"),
            "kind": pd.Categorical(["p", "q", "p"]),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "when": pd.to_datetime(["2020-01-01", "2021-06-01", None]),
            "flag": [True, False, True],
        }
    )
    data = read_tables(Table("frame", frame))
    assert data.node_id == ["u", "v", "w"]
    assert bool(torch.isfinite(data.x).all())


def test_nothing_but_ids_is_refused():
    with pytest.raises(InputError, match="no feature columns beside the ids"):
        read(EDGES, "id\nann\nbob\ncy\n")
    with pytest.raises(InputError, match="no feature columns beside the ids and labels"):
        read("id,target\n0,1\n1,0\n2,1\n")


@pytest.mark.parametrize("role", ["weight", "source"])
def test_a_role_of_edges_in_the_wrong_file(role: str):
    with pytest.raises(InputError, match=rf"--column {role}=height: found column 'height' in another file alone"):
        read(EDGES, "id,height\nann,1\nbob,2\ncy,3\n", columns={role: "height"})


def test_features_of_vectors_are_refused():
    with pytest.raises(InputError, match=r"--as vectors makes e\.csv the features"):
        read(EDGES, "id,height\nann,1\nbob,2\ncy,3\n", as_="vectors")


def test_labels_tell_edges_from_points():
    body = "a,b\n1,2\n0,3\n"
    assert read(body, labels="label\n0\n1\n2\n3\n").num_nodes == 4
    rng = np.random.default_rng(0)
    many = "".join(f"{a},{b + 500}\n" for a, b in rng.integers(100, 140, (40, 2)))
    assert read("a,b\n" + many, labels="label\n" + "0\n1\n" * 20).x.shape == (40, 2)


def test_read_nodes_alone():
    found = read_nodes(table("id,a\n1,2\n2,3\n"), ReadOptions())
    assert found.ids.tolist() == [1, 2]
    assert found.frame["a"].tolist() == [2, 3]


def test_y_beside_x_is_a_coordinate():
    points = "x,y\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(40))
    data = read(points, as_="vectors")
    assert list(data.x.shape) == [40, 2]
    assert data.get("y") is None


def test_what_may_be_a_label_is_a_feature_where_the_labels_are_known_unless_it_was_computed():
    edges = "source,target\n" + "".join(f"n{i},n{i + 1}\n" for i in range(20))
    nodes = "name,segment,category,cluster\n" + "".join(
        f"n{i},{'ab'[i % 2]},{'kl'[i % 3 // 2]},{i % 4}\n" for i in range(21)
    )
    data = read(edges, nodes, columns={"label": "segment"})
    assert raw(data) == ["category"]
    assert "cluster" in said(data)
