"""What real graphs have, end to end: one-way edges, duplicates, isolated nodes, components, edge features."""

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

from genurl_graph import GenURL
from genurl_graph.nn.build import ENCODERS
from genurl_graph.nn.gnn import GNNS

N = 40
CONFIG = {"merge.evidence": "none", "encoder.hidden": 8, "sampling.n_negatives": 16, "neighbors.n_neighbors": 5}


def model(**changes):
    return GenURL(4, epochs=3, random_state=0, config=CONFIG | {k.replace("__", "."): v for k, v in changes.items()})


def features(seed=0):
    return torch.rand(N, 6, generator=torch.Generator().manual_seed(seed))


def one_way(seed=0, count=60, nodes=N):
    """Edges without repeats, each in one direction."""
    drawn = torch.randint(nodes, (2, count), generator=torch.Generator().manual_seed(seed)).sort(0).values
    return torch.unique(drawn[:, drawn[0] != drawn[1]], dim=1)


def same(data, other, **changes):
    torch.testing.assert_close(model(**changes).fit(data).embedding_, model(**changes).fit(other).embedding_)


@pytest.mark.parametrize(
    "change",
    [
        lambda edges: to_undirected(edges, num_nodes=N),
        lambda edges: edges.flip(0),
        lambda edges: torch.cat([edges, edges, torch.arange(0, N, 3).expand(2, -1)], 1),
    ],
    ids=["both ways", "other way", "duplicates and self loops"],
)
def test_an_edge_holds_both_ways_and_once(change):
    same(Data(x=features(), edge_index=one_way()), Data(x=features(), edge_index=change(one_way())))


def test_weights_matter_by_their_ratio_alone():
    edges = one_way()
    weight = 0.1 + torch.rand(edges.size(1), generator=torch.Generator().manual_seed(1))
    data = Data(x=features(), edge_index=edges, edge_weight=weight)
    same(data, Data(x=features(), edge_index=edges, edge_attr=4 * weight[:, None]))
    plain = model().fit(Data(x=features(), edge_index=edges)).embedding_
    assert not torch.allclose(model().fit(data).embedding_, plain)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("x", [True, False], ids=["features", "bare"])
def test_isolated_nodes_and_components(encoder, x):
    """Three components, nine nodes without an edge; one of them has an edge of weight zero."""
    parts = [one_way(seed, 20, 10) + 10 * seed for seed in range(3)]
    edges = torch.cat([*parts, torch.tensor([[0], [31]])], 1)
    weight = torch.ones(edges.size(1))
    weight[-1] = 0.0
    data = Data(x=features() if x else None, edge_index=edges, edge_weight=weight, num_nodes=N)
    found = model(encoder__name=encoder, encoder__structure="random_walk").fit(data)
    assert found.embedding_.shape == (N, 4)
    assert torch.isfinite(found.embedding_).all()
    summary = found.graph_summary_
    assert summary["n_components_before"] >= 3 + 9 - 1
    assert summary["n_components_after"] <= summary["n_components_before"]
    if x:
        assert summary["n_components_after"] < 5  # kNN edges reach every node
    if encoder != "free":
        torch.testing.assert_close(found.transform(data), found.embedding_, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("how", ["mix", "union", "geodesic"])
def test_hardly_any_edges(how):
    data = Data(x=features(), edge_index=torch.tensor([[0], [1]]))
    assert torch.isfinite(model(merge__how=how).fit(data).embedding_).all()


@pytest.mark.parametrize("encoder", GNNS)
def test_a_new_graph_may_have_isolated_nodes_only(encoder):
    found = model(encoder__name=encoder).fit(Data(x=features(), edge_index=one_way()))
    z = found.transform(Data(x=features(1), edge_index=torch.empty(2, 0, dtype=torch.long)))
    assert torch.isfinite(z).all()
