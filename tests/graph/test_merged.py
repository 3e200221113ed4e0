"""The merged graph as text, as a matrix, and as the graphs of networkx and PyG."""

import networkx
import numpy as np
import pytest
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.merged import FEATURE, PATH, PREDEFINED, MergedGraph

# A path of predefined edges 0 - 1 - 2, a kNN edge 1 - 2 that both have, and one 2 - 3; node 4 is alone.
GIVEN, NEAR = torch.tensor([[0, 1], [1, 2]]), torch.tensor([[1, 2], [2, 3]])


def merged(**options: object) -> MergedGraph:
    near: Tensor = torch.tensor([0.5, 0.25])
    return merge_graphs(GIVEN, None, NEAR, near, num_nodes=5, how="mix", **options)  # type: ignore[arg-type]


def test_repr_counts_an_edge_once_whatever_its_directions_are() -> None:
    assert repr(merged()) == "MergedGraph(5 nodes, 3 edges: 1 predefined, 1 kNN, 1 both)"
    assert repr(merged(directed="keep")) == repr(merged())
    assert repr(MergedGraph.empty(7)) == "MergedGraph(7 nodes, 0 edges)"
    near = torch.tensor([1.0, 1.0])
    paths = merge_graphs(GIVEN, None, NEAR, near, num_nodes=1_000, how="geodesic", cutoff=2.0)
    assert repr(paths) == "MergedGraph(1,000 nodes, 5 edges: 1 predefined, 1 kNN, 1 both, 2 path)"


def test_scipy_has_every_node_and_both_directions() -> None:
    expected = np.zeros((5, 5), dtype=np.float32)
    for (i, j), weight in {(0, 1): 1, (1, 2): 1.5, (2, 3): 0.25}.items():
        expected[i, j] = expected[j, i] = weight
    found = merged().to_scipy()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.toarray(), expected)


def test_networkx_knows_names_weights_and_sources() -> None:
    found = merged().to_networkx("abcde")
    assert type(found) is networkx.Graph
    assert [*found] == [*"abcde"]
    assert {edge: tuple(said.values()) for *edge, said in found.edges(data=True) for edge in [tuple(edge)]} == {
        ("a", "b"): (1.0, "predefined"),
        ("b", "c"): (1.5, "both"),
        ("c", "d"): (0.25, "kNN"),
    }
    assert [*merged().to_networkx()] == [0, 1, 2, 3, 4]
    # Of a pair that a path connects, and an edge that is the shortest path itself.
    bits = torch.tensor([PATH, PATH, PREDEFINED | FEATURE, PREDEFINED | FEATURE], dtype=torch.uint8)
    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    sources = networkx.get_edge_attributes(MergedGraph(edges, torch.ones(4), bits, 3).to_networkx(), "source")
    assert sources == {(0, 1): "path", (1, 2): "both"}


def test_a_directed_graph_stays_directed() -> None:
    found = merged(directed="keep").to_networkx()
    assert type(found) is networkx.DiGraph
    assert {*found.edges} == {(0, 1), (1, 2), (2, 1), (2, 3), (3, 2)}


@pytest.mark.parametrize("names", ["abcd", "abcda"])
def test_names_have_to_fit(names: str) -> None:
    with pytest.raises(InputError, match="names: found 4 different names; expected 5, one for each node"):
        merged().to_networkx(names)


def test_data_is_what_pyg_reads() -> None:
    graph = merged()
    data = graph.to_data()
    assert (data.num_nodes, data.num_edges, data.is_undirected()) == (5, 6, True)
    assert data.has_isolated_nodes()
    assert torch.equal(data.edge_weight, graph.edge_weight)
    assert torch.equal(data.edge_provenance, graph.provenance)
