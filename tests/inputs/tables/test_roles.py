"""What a table is and what each of its columns is: names first, then values, and refused where both readings fit."""

import io

import numpy as np
import pandas as pd
import pytest

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.edges import place_edges, read_edges
from genurl_graph.inputs.tables.node_index import NodeIndex
from genurl_graph.inputs.tables.roles import decide
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


def chosen(text: str, header: bool = True, **options) -> dict | None:
    roles = decide(table(text, header), ReadOptions.of(**options))
    return dict(roles.columns) if roles.reading == "edges" else None


def read(text: str, header: bool = True, **options):
    given = ReadOptions.of(**options)
    found = table(text, header)
    edges = read_edges(found, decide(found, given), given)
    index, weight, reading = place_edges(edges, NodeIndex(edges.ids, "the nodes of the edges"))
    ids = [str(name) for name in edges.ids]
    pairs = [(ids[u], ids[v]) for u, v in index.T.tolist()]
    return pairs, None if weight is None else weight.tolist(), reading


PAIRS = [
    *(
        "source,target",
        "Source,Target",
        "src,dst",
        "from,to",
        "head,tail",
        "u,v",
        "node1,node2",
        "id_1,id_2",
        "drug1,drug2",
    ),
    *("protein_a,protein_b", "follower,followee", "FromNodeId,ToNodeId", "from_node,to_node", "SourceID,TargetID"),
    *("node_from,node_to", "idA,idB", "source_id,target_id", "gene_symbol_1,gene_symbol_2", "author1,author2"),
    *(
        "citing,cited",
        "caller,callee",
        "parent,child",
        "Person 1,Person 2",
        "Von,Nach",
        "start_node,end_node",
        "vertex0,vertex1",
    ),
]


@pytest.mark.parametrize("header", PAIRS)
def test_names_tell_an_edge_list(header: str):
    """Without any overlap of the values."""
    source, target = header.split(",")
    assert chosen(f"{header}\n1,5\n2,6\n3,7\n") == {"source": source, "target": target}
    assert chosen(f"{target},{source}\n1,5\n2,6\n3,7\n") == {"source": source, "target": target}


@pytest.mark.parametrize(
    "header",
    ["x,y", "x1,x2", "height,age", "lat,lon", "p0,p1", "width_1,width_2", "pc1,pc2", "feat_a,feat_b", "age,income"],
)
def test_measures_are_vectors_even_where_numbers_are_shared(header: str):
    assert chosen(f"{header}\n1,2\n2,3\n3,1\n1,3\n") is None


@pytest.mark.parametrize("header", ["date,open,close", "quiz,exam,essay", "a,b,c"])
def test_three_columns_of_small_numbers_are_vectors(header: str):
    assert chosen(f"{header}\n1,10,11\n2,11,12\n3,12,10\n") is None
    assert chosen("a,b,weight\n1,2,10\n2,3,11\n3,1,12\n") == {"source": "a", "target": "b", "weight": "weight"}


def test_floats_are_vectors():
    assert chosen("u,v\n0.5,1.25\n1.5,0.5\n") is None
    assert chosen("0.5,1\n1,0.5\n", header=False) is None
    assert chosen("a,b\n0.5,1\n1,0.5\n") is None


@pytest.mark.parametrize("header", [None, "V1,V2", "foo,bar", "alpha,beta"])
def test_columns_that_share_values_are_ends(header: str | None):
    rng = np.random.default_rng(0)
    pairs = rng.integers(1000, 1300, (600, 2))
    body = "".join(f"{u},{v}\n" for u, v in pairs)
    found = chosen(f"{header}\n{body}" if header else body, header is not None)
    assert list(found.values()) == (header or "1,2").split(",")


def test_names_that_are_shared_are_ends():
    assert chosen("who,whom\nann,bob\nbob,cy\ncy,ann\n") == {"source": "who", "target": "whom"}
    assert chosen("ann,likes,bob\nbob,knows,cy\ncy,likes,ann\nann,likes,cy\n", header=False) == {
        "source": "1",
        "target": "3",
    }


@pytest.mark.parametrize("header", [None, "V1,V2", "foo,bar"])
def test_whole_numbers_without_overlap_are_refused(header: str | None):
    body = "".join(f"{i},{i + 5000}\n" for i in range(1, 40))
    with pytest.raises(InputError, match="edges, or vectors such as points; expected --as edges or --as vectors"):
        chosen(f"{header}\n{body}" if header else body, header is not None)
    for reading in ("edges", "vectors"):
        assert (chosen(body, False, as_=reading) is None) == (reading == "vectors")


def test_small_numbers_that_are_equal_by_chance_are_refused():
    """Two grades of one pupil: each value occurs in both columns, and often twice in one line."""
    grades = np.random.default_rng(1).integers(1, 16, (200, 2))
    body = "".join(f"{a},{b}\n" for a, b in grades)
    with pytest.raises(InputError, match="--as edges or --as vectors"):
        chosen(body, header=False)
    with pytest.raises(InputError, match="--as edges or --as vectors"):
        chosen("math,physics\n" + body)
    loopless = "".join(f"{a},{b}\n" for a, b in grades if a != b)
    assert chosen(loopless, header=False) == {"source": "1", "target": "2"}


def test_the_user_decides():
    text = "a,b,c\n1,5,9\n2,6,8\n"
    assert chosen(text, columns={"source": "a", "target": "c"}) == {"source": "a", "target": "c"}
    with pytest.raises(InputError, match="--column target=NAME"):
        chosen(text, columns={"source": "a"})
    assert chosen("a,b\n1,5\n", columns={"target": "a"}) == {"source": "b", "target": "a"}
    assert chosen("id_1,id_2\n1,5\n", as_="vectors") is None
    assert chosen("source,target,w\n1,5,2\n", columns={"ignore": "w"}) == {"source": "source", "target": "target"}
    assert chosen("1,5,2\n2,1,3\n", False, as_="edges", columns={"weight": "3"})["weight"] == "3"


def test_names_for_nothing_are_names_of_nodes():
    assert ("NA", "None") in read("source,target\nNone,NA\nNA,null\nnull,None\n")[0]


def test_triples_without_a_header():
    text = "ann,likes,bob\nbob,likes,cy\ncy,hates,ann\n"
    assert chosen(text, header=False) == {"source": "1", "target": "3"}


def test_a_thing_and_its_property_are_refused():
    with pytest.raises(InputError, match="rows that describe one of them; expected --as edges or --as vectors"):
        chosen("city,country\nRome,Italy\nMilan,Italy\nOslo,Norway\nBergen,Norway\n")
    with pytest.raises(InputError, match="--as edges or --as vectors"):
        chosen("id,parent\n1,0\n2,0\n3,1\n4,1\n")


def test_a_log_that_begins_with_the_time():
    with pytest.raises(InputError, match="--column source=2 --column target=3"):
        chosen("20,58,63\n40,58,64\n40,63,59\n60,64,58\n60,59,63\n80,63,58\n", header=False)


# ---- further columns ----------------------------------------------------------------------------------------


def test_gephi():
    text = (
        "Source,Target,Type,Id,Label,timeset,Weight\n1,0,Undirected,0,,,1\n2,0,Undirected,1,,,8\n3,2,Undirected,3,,,6\n"
    )
    pairs, weight, reading = read(text)
    assert pairs == [("0", "1"), ("0", "2"), ("1", "0"), ("2", "0"), ("2", "3"), ("3", "2")]
    assert weight == [1, 8, 1, 8, 6, 6]
    told = "3 lines, 3 distinct pairs, undirected by Type"
    assert reading.lines[0] == f"read file.csv as edges: Source -> Target, weight Weight ({told})"
    assert reading.lines[1] == "left out: Id (id of the edge), Label (empty), timeset (empty)"
    directed = text.replace("Undirected", "Directed")
    assert read(directed)[0] == [("1", "0"), ("2", "0"), ("3", "2")]
    assert len(read(directed, directed=False)[0]) == 6
    with pytest.raises(InputError, match="directed and undirected edges in one list; expected --directed or"):
        read(text.replace("1,0,Undirected", "1,0,Directed"))


def test_a_third_column_without_a_name():
    assert chosen("1,2,3\n2,1,5\n", False) == {"source": "1", "target": "2", "weight": "3"}
    for times in ([1082040961, 1082155839], [1082040961000, 1082155839000], [20040131, 20041231]):
        text = f"1,2,{times[0]}\n2,1,{times[1]}\n"
        with pytest.raises(InputError, match=r"times or weights; expected --column time=3 or --column weight=3"):
            chosen(text, False)
        assert chosen(text, False, columns={"time": "3"}) == {"source": "1", "target": "2"}
        assert chosen(text, False, columns={"weight": "3"})["weight"] == "3"
    log = "".join(f"{i % 11},{(i * 3 + 2) % 11},{20 * i + 100}\n" for i in range(30))
    with pytest.raises(InputError, match="times or weights"):
        chosen(log, False)
    assert chosen("1,2,3,1082040961\n2,1,5,1082040962\n", False) == {"source": "1", "target": "2", "weight": "3"}


@pytest.mark.parametrize(
    "name", ["weight", "Weight", "edge_weight", "count", "rating", "n", "combined_score", "w", "strength"]
)
def test_weights_by_name(name: str):
    assert chosen(f"source,target,{name}\n1,5,2\n2,5,3\n")["weight"] == name


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("since", "2024-05-07 2024-04-06", "times; --column time=since makes events of the lines"),
        ("timestamp", "1082040961 1082155839", "times; --column time=timestamp makes events of the lines"),
        ("foo", "1082040961 1082155839", "times; --column time=foo makes events of the lines"),
        ("foo", "2024-05-07T10:00:00Z 2024-04-06T09:00:00Z", "times; --column time=foo makes events of the lines"),
        ("foo", "3 4", "numbers; --column weight=foo makes them weights"),
        ("distance", "3.5 4", "a distance, no weight"),
        ("relation", "likes hates", "text"),
    ],
)
def test_what_is_left_out_is_named(name: str, cells: str, why: str):
    one, two = cells.split()
    pairs, weight, reading = read(f"source,target,{name}\n1,5,{one}\n2,5,{two}\n")
    assert weight is None
    assert len(pairs) == 4
    assert reading.lines[1] == f"left out: {name} ({why})"
    assert reading.record["edges"]["left_out"] == {name: why}


def test_names_that_only_count_the_columns_say_nothing():
    assert chosen("V1,V2,V3\n1,2,0.5\n2,3,0.5\n3,1,1\n") == {"source": "V1", "target": "V2", "weight": "V3"}
    with pytest.raises(InputError, match="--column time=V3 or --column weight=V3"):
        chosen("V1,V2,V3\n1,2,1082040961\n2,3,1082040962\n3,1,1082040963\n")


def test_several_weights():
    assert chosen("source,target,count,weight\n1,5,2,1\n2,5,3,1\n")["weight"] == "weight"
    with pytest.raises(InputError, match="--column weight=count or --column weight=score"):
        chosen("source,target,count,score\n1,5,2,1\n2,5,3,1\n")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("-2", r"'rating'.*1 negative weight, the first \(-2\) of line 3; .*--column ignore=rating"),
        ("", r"line 3, column 3 \('rating'\): found an empty cell; .*--column ignore=rating"),
        ("heavy", r"line 3, column 3 \('rating'\): found 'heavy'"),
        ("nan", r"line 3, column 3 \('rating'\): found"),
        ("1e300", r"line 3, column 3 \('rating'\): found"),
    ],
)
def test_bad_weights(cell: str, message: str):
    text = f"source,target,rating\n1,5,1\n2,5,{cell}\n3,5,1\n"
    with pytest.raises(InputError, match=message):
        read(text)
    assert read(text, columns={"ignore": "rating"})[1] is None


def test_weights_of_zero_are_said():
    assert "1 weight of 0" in read("source,target,w\n1,5,0\n2,5,3\n")[2].lines[0]


# ---- two kinds of nodes -------------------------------------------------------------------------------------


def test_two_kinds_that_share_numbers():
    pairs, weight, reading = read(
        "userId,movieId,rating,timestamp\n1,1,4.5,964982703\n1,2,3,964982704\n2,1,5,964982705\n"
    )
    assert {("userId:1", "movieId:1"), ("movieId:2", "userId:1")} <= set(pairs)
    assert len({end for pair in pairs for end in pair}) == 4
    assert sorted(weight) == [3, 3, 4.5, 4.5, 5, 5]
    assert reading.lines[1].startswith("userId and movieId are two kinds of nodes: 2 and 2; they share names")
    assert reading.lines[2] == "left out: timestamp (times; --column time=timestamp makes events of the lines)"


def test_events_between_two_kinds_keep_their_columns_out():
    text = "student_id,course_id,grade,room\n1,10,3,a\n1,11,4,b\n2,10,5,a\n"
    assert chosen(text) == {"source": "student_id", "target": "course_id", "weight": "grade"}


def test_two_kinds_with_names_of_their_own():
    pairs, _, reading = read("user_id,item_id,rating\nuser_0,item_31,5\nuser_0,item_66,3\nuser_1,item_31,1\n")
    assert ("user_0", "item_31") in pairs
    assert "user_id -> item_id, weight rating" in reading.lines[0]
    assert reading.lines[1] == "user_id and item_id are two kinds of nodes: 2 and 2"


@pytest.mark.parametrize(
    "header", ["author1,author2", "author_id,coauthor_id", "paper_id,cited_paper_id", "user,friend"]
)
def test_one_kind_by_names(header: str):
    pairs, _, reading = read(f"{header}\n1,2\n2,3\n")
    assert ("1", "2") in pairs
    assert len(reading.lines) == 1


def test_a_node_table_with_two_ids_is_no_edge_list():
    rows = "".join(f"{i},{i % 3},{20 + i},{i * 0.5}\n" for i in range(20))
    assert chosen("customer_id,segment_id,age,bmi\n" + rows) is None
    assert chosen("id,target\n" + "".join(f"{i},{i % 3}\n" for i in range(20)), as_="vectors") is None


# ---- directions and repeats ---------------------------------------------------------------------------------


def test_repeats_are_summed_in_both_directions():
    pairs, weight, reading = read("source,target\n0,1\n1,0\n0,1\n1,2\n2,2\n")
    assert pairs == [("0", "1"), ("1", "0"), ("1", "2"), ("2", "1"), ("2", "2")]
    assert weight == [3, 3, 1, 1, 1]
    told = "5 lines, 3 distinct pairs, 1 of them in both directions, which count as one, repeats summed, 1 self loop"
    assert reading.lines[0] == f"read file.csv as edges: source -> target ({told})"
    pairs, weight, reading = read("source,target\n0,1\n1,0\n0,1\n1,2\n2,2\n", directed=True)
    assert dict(zip(pairs, weight, strict=True)) == {("0", "1"): 2, ("1", "0"): 1, ("1", "2"): 1, ("2", "2"): 1}
    assert "4 distinct pairs, repeats summed, directed" in reading.lines[0]


def test_a_list_of_both_directions_counts_each_edge_once():
    pairs, weight, reading = read("source,target,weight\n0,1,2\n1,0,2\n2,1,0.5\n1,2,0.5\n0,0,1\n")
    assert dict(zip(pairs, weight, strict=True)) == {
        ("0", "1"): 2,
        ("1", "0"): 2,
        ("2", "1"): 0.5,
        ("1", "2"): 0.5,
        ("0", "0"): 1,
    }
    assert "3 distinct pairs, each in both directions, 1 self loop" in reading.lines[0]
    assert "repeats" not in reading.lines[0]
    # One total differs: the two directions are repeats.
    assert read("source,target,weight\n0,1,2\n1,0,3\n2,1,0.5\n1,2,0.5\n")[1] == [5, 5, 1, 1]
    assert read("source,target\n0,1\n1,0\n")[1] is None


# ---- ids ----------------------------------------------------------------------------------------------------


def test_ids_keep_their_form():
    assert read("source,target\n007,100\n7,007\n")[0] == [("007", "100"), ("007", "7"), ("100", "007"), ("7", "007")]
    assert ("10", "9") in read("source,target\n10,9\n9,10\n")[0]
    assert ("1", "x") in read("source,target\n1,2\n2,x\n1,x\n")[0]


@pytest.mark.parametrize("text", ["source,target\n1,\n2,3\n", "source,target\n1,2\n,3\n"])
def test_an_end_without_an_id(text: str):
    with pytest.raises(
        InputError, match=r"line [23], column [12] \('(source|target)'\): found an empty cell; expected the id"
    ):
        read(text)


def test_an_end_with_a_fraction():
    with pytest.raises(InputError, match=r"line 3, column 2 \('target'\): found 0.5; expected the id of a node"):
        read("source,target\n1,2\n2,0.5\n", as_="edges")


def test_a_million_edges_in_about_a_second():
    import time

    rng = np.random.default_rng(0)
    found = Table("big", pd.DataFrame(rng.integers(0, 200_000, (1_000_000, 2)), columns=["id_1", "id_2"]))
    start = time.process_time()
    edges = read_edges(found, decide(found, ReadOptions()), ReadOptions())
    place_edges(edges, NodeIndex(edges.ids, ""))
    assert time.process_time() - start < 5


def test_words():
    assert names.words("FromNodeId") == ("from", "node", "id")
    assert names.words("userid") == ("user", "id")
    assert names.words("V1") == ("v", "1")
