"""Drawings of graphs: distances as along edges, kinds, and which nodes of large graphs are drawn."""

import numpy as np
import pytest
import torch

from genurl_graph.inputs.collection.graph_set import as_collection_of
from genurl_graph.plotting.explorer import drawings as module
from genurl_graph.plotting.explorer.drawings import drawings


def collection(*graphs, x=None):
    """Undirected graphs of (nodes, pairs of nodes)."""
    sizes, ends, begin = [], [torch.zeros(2, 0, dtype=torch.long)], 0
    for size, pairs in graphs:
        ends.append(torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T + begin)
        sizes.append(size)
        begin += size
    edges = torch.cat(ends, 1)
    return as_collection_of(torch.cat([edges, edges.flip(0)], 1), torch.tensor(sizes), x)


def ring(size):
    return size, [(i, (i + 1) % size) for i in range(size)]


def points(found, graph):
    return found.points[found.node_ptr[graph] : found.node_ptr[graph + 1]].numpy()


@pytest.mark.parametrize("size", [3, 6, 12, 40])
def test_a_ring_is_drawn_as_one(size: int) -> None:
    found = drawings(collection(ring(5), ring(size)))
    at = points(found, 1)
    ends = found.ends[found.edge_ptr[1] :].numpy()
    assert len(ends) == size
    length = np.linalg.norm(at[ends[:, 0]] - at[ends[:, 1]], axis=1)
    assert length.max() < 1.2 * length.min()
    assert at.min() > -1e-5
    assert at.max() < 1 + 1e-5


def test_a_path_is_stretched_and_parts_lie_apart() -> None:
    path = 8, [(i, i + 1) for i in range(7)]
    pairs = 4, [(0, 1), (2, 3)]
    found = drawings(collection(path, pairs))
    at = points(found, 0)
    assert np.linalg.norm(at[0] - at[7]) > 0.95  # the whole width
    at = points(found, 1)
    assert min(np.linalg.norm(at[0] - at[2]), np.linalg.norm(at[1] - at[3])) > np.linalg.norm(at[0] - at[1]) > 0.1


def test_kinds_are_named_the_commonest_first() -> None:
    x = torch.eye(3)[[1, 1, 0, 1, 2]]
    found = drawings(collection((3, [(0, 1)]), (2, []), x=x), ["C", "N", "O"])
    assert found.kinds[0] == "N"
    assert [found.kinds[code] for code in found.kind] == ["N", "N", "C", "N", "O"]
    assert drawings(collection((3, [(0, 1), (1, 2)]))).kinds == ["1 neighbour", "2 neighbours"]


def test_of_a_large_graph_the_surroundings_of_its_hub_are_drawn() -> None:
    # A star at the end of a long path, and a graph without nodes.
    size = 100
    pairs = [(i, i + 1) for i in range(89)] + [(89, i) for i in range(90, size)]
    found = drawings(collection((0, []), (size, pairs)))
    assert found.sizes.tolist() == [0, size]
    assert found.node_ptr.tolist() == [0, 0, module.MOST_NODES]
    # Connected: a tree of as many nodes.
    assert len(found.ends) == module.MOST_NODES - 1
    assert int((found.kind == found.kinds.index("11 neighbours")).sum()) == 1


def test_a_page_draws_as_many_graphs_as_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DRAWN", 9)
    found = drawings(collection(ring(4), ring(5), ring(3)))
    assert found.node_ptr.tolist() == [0, 4, 9, 9]
    assert found.edge_ptr.tolist() == [0, 4, 9, 9]
    assert "the first 2 graphs" in found.about
