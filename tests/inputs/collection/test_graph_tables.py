"""Tables of the edges, nodes and labels of many graphs: who is in which graph, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.collection.tables import read_graph_tables
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.assemble import read_tables
from genurl_graph.inputs.tables.table import Table

# Graph b is a path of three, a a path of three whose first edge stands twice, c a pair.
EDGES = pd.DataFrame(
    {
        "mol": ["b", "b", "a", "a", "a", "c"],
        "source": [1, 2, 1, 1, 2, 5],
        "target": [2, 3, 2, 2, 3, 6],
        "bond": ["single", "double", "single", "single", "single", "single"],
        "weight": [1.0, 1, 2, 3, 1, 1],
    }
)
NODES = pd.DataFrame(
    {
        "mol": [*"aaabbbccdc"],
        "node": [3, 1, 2, 1, 2, 3, 5, 6, 1, 7],
        "element": [*"CNOCNOCNON"],
        "label": [*"ppqqppqqpp"],
    }
)
LABELS = pd.DataFrame({"mol": [*"dcba"], "y": [*"pqpq"]})


def read(edges=EDGES, nodes=None, labels=None, **columns):
    tables = [None if frame is None else Table(name, frame) for name, frame in (("n", nodes), ("l", labels))]
    return read_graph_tables(Table("e", edges), *tables, ReadOptions.of(columns={"graph": "mol", **columns}))


def test_the_same_id_in_two_graphs_is_two_nodes() -> None:
    found = read()
    graphs = found.collection
    assert (found.node_id, graphs.sizes().tolist()) == (["b", "a", "c"], [3, 3, 2])
    assert found[0].edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert found[1].edge_weight.tolist() == [5, 5, 1, 1]  # repeats are summed
    assert any(line == "left out: bond (text)" for line in found.reading.lines)
    assert "3 graphs of 2 to 3 nodes" in found.reading.lines[-1]


def test_features_of_edges_are_those_of_their_first_line() -> None:
    found = read(feature="bond")
    assert found.edge_table["bond"].tolist() == ["single"] * 2 + ["double"] * 2 + ["single"] * 6
    assert found[0].edge_attr.argmax(1).tolist() == [1, 1, 0, 0]
    assert found[[2, 0]].edge_table["bond"].tolist() == ["single"] * 4 + ["double"] * 2
    assert not any("left out" in line for line in found.reading.lines)


def test_rows_of_nodes_are_found_by_graph_and_id_and_may_stand_alone() -> None:
    found = read(nodes=NODES, labels=LABELS)
    assert found.node_id == ["b", "a", "c", "d"]
    assert found.collection.sizes().tolist() == [3, 3, 3, 1]
    assert found.feature_table["element"].tolist() == [*"CNO", *"CNO", *"CNN", "O"]
    # Rows are the nodes' order: node 3 of a stands first, and its only neighbour is 2.
    assert found[1].edge_index.tolist() == [[0, 1, 2, 2], [2, 2, 0, 1]]
    assert torch.equal(found.y, torch.tensor([0, 1, 1, 0]))
    assert found.label_names == ["p", "q"]
    # A label of nodes is neither a label of graphs nor a feature.
    assert any("label (a label by its name" in line for line in found.reading.lines)


def test_ids_that_no_two_graphs_share_need_no_column_of_graphs() -> None:
    shift = EDGES["mol"].map({"a": 0, "b": 10, "c": 20})
    edges = EDGES.assign(source=EDGES["source"] + shift, target=EDGES["target"] + shift)
    nodes = pd.DataFrame({"id": [11, 12, 13, 1, 2, 3, 25, 26], "f": range(8)})
    found = read(edges, nodes)
    assert found.feature_table["f"].tolist() == [*range(8)]
    with pytest.raises(InputError, match=r"n: found no column of graphs, but node '1' is in several of them"):
        read(nodes=NODES.drop(columns="mol"))
    with pytest.raises(InputError, match=r"no column of graphs, but node '99', which has no edge"):
        read(edges, pd.concat([nodes, pd.DataFrame({"id": [99], "f": [0]})]))


def test_numbered_graphs_are_in_the_order_of_their_numbers() -> None:
    numbers = EDGES["mol"].map({"a": 10, "b": 2, "c": 1})
    assert read(EDGES.assign(mol=numbers)).node_id == ["1", "2", "10"]
    assert read(EDGES.assign(mol=EDGES["mol"].map({"a": 0, "b": 2, "c": 1}))).node_id is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"labels": LABELS.assign(mol=[*"dcbx"]), "nodes": NODES},
            "l: found label of graph 'x'; expected one of the 4",
        ),
        ({"labels": LABELS[1:], "nodes": NODES}, "l: found no label of graph 'd'"),
        ({"nodes": NODES[NODES["node"] != 2]}, "whose node 'b/2' is missing; expected one of the nodes of n"),
        ({"nodes": pd.concat([NODES, NODES[:1]])}, "found node id 'a/3' more than once"),
        ({"graph": "moll"}, r"--column graph: found 'moll'; .*did you mean 'mol'"),
        ({"edges": EDGES.assign(mol=["b", None, "a", "a", "a", "c"])}, "row 1.*column 1 ('mol').*"),
    ],
)
def test_what_does_not_fit_is_named(changes, message) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        read(**changes)


@pytest.mark.parametrize(
    "names", [("mol", "source", "target"), ("graph_id", "u", "v"), ("GraphIndex", "node1", "node2")]
)
def test_a_column_of_graphs_that_nobody_speaks_of_is_asked_for(names) -> None:
    frame = EDGES[["mol", "source", "target"]].set_axis([*names], axis=1)
    with pytest.raises(InputError, match=rf"--column graph={names[0]} .* or --column ignore={names[0]}"):
        read_tables(Table("e", frame))
    one = read_tables(Table("e", frame), options=ReadOptions.of("edges", {"ignore": names[0]}))
    assert one.num_nodes == 5


def test_frames_in_python_are_fitted_and_new_ones_get_the_same_rows() -> None:
    model = GenURL(12, epochs=1, random_state=0, config={"encoder.hidden": 4, "encoder.skip": 4})
    nodes, said = NODES.drop(columns="label"), {"graph": "mol", "feature": ["element", "bond"]}
    z = model.fit((EDGES, nodes), columns=said).embedding_
    assert model.node_id_.tolist() == ["b", "a", "c", "d"]
    one = model.transform((EDGES[EDGES["mol"] == "a"], nodes[nodes["mol"] == "a"]), columns=said)
    assert np.array_equal(one, z[1:2].numpy())
    with pytest.raises(InputError, match="columns graph: found ndarray; expected a DataFrame of edges"):
        model.fit(np.zeros((3, 3)), columns={"graph": "mol"})
