"""A table with a line for each edge: what its columns are taken for, and what is refused."""

import pandas as pd
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows.edge_set import EdgeSet, names_of
from genurl_graph.inputs.edge_rows.tables import read_edge_row_tables
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import Table

ROADS = pd.DataFrame(
    {
        "u": [10, 10, 11, 12],
        "v": [11, 11, 12, 10],
        "key": [0, 1, 0, 0],
        "lanes": [1.0, 2.0, None, 3.0],
        "highway": ["residential", "primary", "['residential', 'tertiary']", "residential"],
        "osmid": [901, 902, 903, 904],
        "geometry": ["LINESTRING (0 0, 1 1)", None, "LINESTRING Z (1 2 5, 1 1 7)", ""],
    }
)
NODES = pd.DataFrame(
    {"osmid": [13, 12, 11, 10], "x": [5.0, 1, 1, 0], "y": [5.0, 2, 1, 0], "street_count": [1, 2, 3, 4]}
)


def read(frame=ROADS, nodes=None, labels=None, directed=None, **columns) -> EdgeSet:
    tables = [None if each is None else Table(name, each) for name, each in (("nodes", nodes), ("labels", labels))]
    return read_edge_row_tables(Table("roads", frame), *tables, ReadOptions.of(columns=columns, directed=directed))


def test_parallel_edges_stand_apart_in_the_order_of_the_table() -> None:
    found = read()
    assert names_of(found.edges) == [(10, 11, 0), (10, 11, 1), (11, 12, 0), (12, 10, 0)]
    assert not found.edges.directed
    assert read(directed=True).edges.directed
    assert "taken for undirected" in found.reading.lines[0]
    assert "osmid (id of the edge)" in found.reading.lines[-1]


def test_a_label_is_no_feature_and_every_column_is_accounted_for() -> None:
    found = read(label="highway")
    assert found.y.tolist() == [1, 0, 1, 1]
    assert found.label_names == ["primary", "residential"]
    assert "highway" not in found.feature_table
    told = {"highway", "osmid", "u", "v", "key", "geometry", *found.feature_table}
    assert {*ROADS} <= told
    assert len(found.x) == 4
    assert bool(found.x.isfinite().all())


def test_nodes_tell_where_edges_without_a_line_are_and_turn_lines_the_other_way() -> None:
    found = read(nodes=NODES)
    assert found.num_nodes == 4  # one has no edge
    # From the first end on: the line of the third edge runs from 12 to 11.
    assert found.edges.bearings[0].tolist() == pytest.approx([0.7854, 0.7854, 1.5708, -2.0344], abs=1e-3)
    assert found.middle[2].tolist() == [1, 1.5]
    assert found.feature_table["length"].tolist() == pytest.approx([2**0.5, 2**0.5, 1, 5**0.5])
    assert "nodes: street_count (attribute of a node)" in found.reading.lines[-1]


def test_longitudes_are_no_plain_numbers() -> None:
    found = read(nodes=NODES.rename(columns={"x": "lon", "y": "lat"}))
    assert float(found.feature_table["length"][2]) == pytest.approx(111_195, rel=1e-3)
    assert any("degrees, lengths in metres" in line for line in found.reading.lines)
    assert any("plain numbers; named lon and lat they are degrees" in line for line in read(nodes=NODES).reading.lines)


def test_the_user_leaves_out_lines_and_chooses_features() -> None:
    assert read(ignore=["geometry"]).edges.bearings is None
    chosen = read(feature=["lanes", "length"])
    assert [*chosen.feature_table] == ["lanes", "length"]
    assert "highway (not asked for)" in chosen.reading.lines[-1]


def test_labels_of_another_table_find_their_edges_in_any_order() -> None:
    ends = ROADS[["u", "v", "key"]].assign(kind=["a", "b", "c", "d"])
    for rows in ([0, 1, 2, 3], [3, 1, 0, 2]):
        found = read(labels=ends.iloc[rows])
        assert [found.label_names[code] for code in found.y] == ["a", "b", "c", "d"]
    plain = read(labels=pd.DataFrame({"kind": ["b", "a", "a", "b"]}))
    assert plain.y.tolist() == [1, 0, 0, 1]
    with pytest.raises(InputError, match="the edge 10 -> 11 more than once; expected each edge once: --column key"):
        read(labels=ends.drop(columns="key"))
    with pytest.raises(InputError, match="no label of the edge 12 -> 10 -> 0"):
        read(labels=ends.iloc[:3])


def test_a_split_comes_along() -> None:
    found = read(ROADS.assign(split=["train", "test", "train", "val"]))
    assert found.test_mask.tolist() == [False, True, False, False]
    assert found.val_mask.tolist() == [False, False, False, True]
    masked = read(ROADS.assign(train_mask=["True", "False", "False", "True"]))
    assert masked.train_mask.tolist() == [True, False, False, True]
    assert all("mask" not in name for name in masked.feature_table)


@pytest.mark.parametrize(
    ("frame", "said", "message"),
    [
        (ROADS.assign(u=[10, None, 11, 12]), {}, r"row 1, column 1 \('u'\): found an empty cell"),
        (ROADS.assign(lanes=["1", "2", "2", "two"]), {}, r"row 3.*'two'.*--column ignore=lanes"),
        (ROADS, {"feature": ["osmid", "width"]}, "width"),
        (ROADS, {"key": "u"}, "an end of the edges"),
        (
            ROADS[["lanes", "highway", "osmid"]],
            {},
            "no columns that must be the ends .*--column source=... and --column tar",
        ),
        (ROADS.assign(geometry=["LINESTRING (a b, 1 1)", None, None, None]), {}, "could not convert string to float"),
    ],
)
def test_what_cannot_be_read_is_refused(frame, said, message) -> None:
    with pytest.raises(InputError, match=message):
        read(frame, **said)


def test_an_edge_to_a_node_that_the_table_of_nodes_does_not_have() -> None:
    with pytest.raises(InputError, match=r"row 3: found the node '12'; expected one of the ids of nodes$"):
        read(ROADS.iloc[[0, 1, 0, 3]], NODES[NODES.osmid != 12])


def test_ids_of_nodes_beside_the_ends_are_no_features() -> None:
    count = 60
    frame = pd.DataFrame({"u": range(1000, 1000 + count), "v": range(1001, 1001 + count), "lanes": [1, 2] * 30})
    found = read(frame.assign(u_original=frame.v, width=torch.rand(count).numpy()))
    assert [*found.feature_table] == ["lanes", "width"]


def test_counts_are_no_ids_of_nodes_that_are_numbered_from_0() -> None:
    frame = pd.DataFrame({"u": range(60), "v": [*range(1, 60), 0], "minutes": [(7 * i) % 50 for i in range(60)]})
    assert read(frame).x.shape == (60, 1)
    named = frame.assign(u="n" + frame.u.astype(str), v="n" + frame.v.astype(str), near="n" + frame.minutes.astype(str))
    assert [*read(named).feature_table] == ["minutes"]


def test_lines_of_several_parts_are_no_geometry_and_that_is_said() -> None:
    found = read(ROADS.assign(geometry="MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"))
    assert found.edges.bearings is None
    assert any("no geometry: no cell of geometry" in line for line in found.reading.lines)
