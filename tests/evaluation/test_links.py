"""Link prediction: the split hides its edges, and the figures are those of the formulas."""

import random
import statistics

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.data import Data
from torch_geometric.utils import coalesce

from genurl_graph import GenURL, datasets
from genurl_graph.evaluation.link_decoder import hadamard, non_edges
from genurl_graph.evaluation.links import link_scores, link_split, ranking, training_graph
from genurl_graph.evaluation.protocols import raw_features
from genurl_graph.evaluation.splits import Pairs
from genurl_graph.exceptions import InputError

N = 90


def pairs_of(edge_index: torch.Tensor) -> set[tuple[int, int]]:
    return {(min(u, v), max(u, v)) for u, v in edge_index.T.tolist()}


def blocks(seed: int = 0) -> Data:
    """Two communities whose features tell them apart, as untidy as files are: one direction, repetitions, loops."""
    rng = np.random.default_rng(seed)
    y = np.arange(N) % 2
    u, v = np.triu_indices(N, 1)
    chosen = rng.random(len(u)) < np.where(y[u] == y[v], 0.12, 0.01)
    edges = np.stack([u[chosen], v[chosen]])
    flipped = rng.random(edges.shape[1]) < 0.5
    edges[:, flipped] = edges[::-1, flipped]
    edges = np.concatenate([edges, edges[:, :40], edges[::-1, 20:80], np.stack([np.arange(5)] * 2)], 1)
    weight = torch.from_numpy(rng.random(edges.shape[1])).float() + 0.5
    x = torch.from_numpy(rng.normal(size=(N, 6)) + 2 * y[:, None]).float()
    return Data(x=x, y=torch.from_numpy(y), edge_index=torch.from_numpy(edges.copy()), edge_weight=weight)


@pytest.fixture(scope="module")
def data() -> Data:
    return blocks()


def test_every_edge_is_on_one_side(data):
    split = link_split(data, 3)
    everything = pairs_of(data.edge_index[:, data.edge_index[0] != data.edge_index[1]])
    train, val, test = (
        pairs_of(edges)
        for edges in (split.train, *(part.edge_index[:, part.label] for part in (split.val, split.test)))
    )
    assert train | val | test == everything
    assert len(train) + len(val) + len(test) == len(everything)
    assert (len(val), len(test)) == (int(0.05 * len(everything)), int(0.1 * len(everything)))
    assert pairs_of(split.held_out) == val | test
    for part in (split.val, split.test):
        others = part.edge_index[:, ~part.label]
        assert others.size(1) == part.label.sum()
        assert (others[0] != others[1]).all()
        assert not pairs_of(others) & everything


def test_no_held_out_edge_is_left_in_either_direction(data):
    split = link_split(data, 3)
    held_out = pairs_of(split.held_out)
    # Some of them stand in the data more than once, or in both directions: else this would show little.
    copies = sum((min(e), max(e)) in held_out for e in data.edge_index.T.tolist())
    assert copies > len(held_out)
    graph = split.graph
    assert not pairs_of(graph.edge_index) & held_out
    assert pairs_of(graph.edge_index[:, graph.edge_index[0] != graph.edge_index[1]]) == pairs_of(split.train)
    given, weight = coalesce(data.edge_index, data.edge_weight)
    left = [(min(e), max(e)) not in held_out for e in given.T.tolist()]
    assert graph.edge_index.size(1) == sum(left)
    assert set(graph.keys()) == {"x", "edge_index", "edge_weight", "num_nodes"}
    # Weights stay with their edges; those of repeats are summed.
    known = {(*edge, round(w, 5)) for edge, w in zip(given.T.tolist(), weight.tolist(), strict=True)}
    found = zip(graph.edge_index.T.tolist(), graph.edge_weight.tolist(), strict=True)
    assert {(*edge, round(w, 5)) for edge, w in found} <= known


def test_one_seed_gives_one_split_and_disturbs_nobody(data):
    first = link_split(data, 1)
    torch.manual_seed(7)
    random.seed(7)
    expected = torch.rand(1).item(), random.random()
    torch.manual_seed(7)
    random.seed(7)
    again = link_split(data, 1)
    assert (torch.rand(1).item(), random.random()) == expected
    for a, b in ((first.val, again.val), (first.test, again.test)):
        assert torch.equal(a.edge_index, b.edge_index)
    other = link_split(data, 2)
    assert not torch.equal(first.held_out, other.held_out)


def fitted(graph: Data) -> GenURL:
    return GenURL(8, epochs=3, random_state=0, config={"merge.propagation_weight": 0.5, "encoder.hidden": 16}).fit(
        graph
    )


@pytest.fixture(scope="module")
def honest(data) -> tuple[torch.Tensor, GenURL]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    split = link_split(data, 0)
    model = fitted(split.graph)
    torch.set_num_threads(before)
    return split.held_out, model


def with_edges(data: Data, edges: torch.Tensor) -> Data:
    extra = torch.full((edges.size(1),), 3.0)  # heavier than all others: it would show in every weight
    return Data(
        x=data.x,
        edge_index=torch.cat([data.edge_index, edges], 1),
        edge_weight=torch.cat([data.edge_weight, extra]),
    )


def without(data: Data, edges: torch.Tensor) -> Data:
    gone = pairs_of(edges)
    kept = torch.tensor([(min(e), max(e)) not in gone for e in data.edge_index.T.tolist()])
    return Data(x=data.x, edge_index=data.edge_index[:, kept], edge_weight=data.edge_weight[kept])


LEAKS = {
    "deleted": lambda data, held: without(data, held),
    "one direction only": lambda data, held: with_edges(without(data, held), held),
    "the other direction only": lambda data, held: with_edges(without(data, held), held.flip(0)),
    "repeated and heavier": lambda data, held: with_edges(data, torch.cat([held, held, held.flip(0)], 1)),
    "half of them": lambda data, held: without(data, held[:, ::2]),
}


@pytest.mark.parametrize("leak", list(LEAKS))
def test_a_leaked_edge_changes_nothing(data, honest, one_thread, leak):
    """Whatever the input says of held-out pairs: training graph, P, propagation and embedding are the same bits."""
    held, model = honest
    changed = LEAKS[leak](data, held)
    assert changed.edge_index.size(1) != data.edge_index.size(1)
    graph = training_graph(changed, held)
    found = fitted(graph)
    expected = training_graph(data, held)
    assert torch.equal(graph.edge_index, expected.edge_index)
    assert torch.equal(graph.edge_weight, expected.edge_weight)
    for mine, theirs in zip(found.graph_[:3], model.graph_[:3], strict=True):
        assert torch.equal(mine, theirs)
    for name in ("row", "col", "weight"):
        mine, theirs = (getattr(m.model_.objective.propagation, name) for m in (found, model))
        assert torch.equal(mine, theirs)
    assert torch.equal(found.embedding_, model.embedding_)


def test_a_single_leak_would_be_seen(data, honest, one_thread):
    """The test above can fail: one held-out edge left in the training graph changes P and the embedding."""
    held, model = honest
    leaky = fitted(training_graph(data, held[:, 1:]))
    assert leaky.graph_.edge_weight.sum() != model.graph_.edge_weight.sum()
    assert not torch.equal(leaky.embedding_, model.embedding_)


def test_figures_against_a_calculator():
    scores = np.array([0.9, 0.8, 0.7, 0.7, 0.3, 0.1])
    label = np.array([1, 0, 1, 0, 0, 1], dtype=bool)
    found = ranking(scores, label)
    # Of 9 pairs of an edge and another: 0.9 wins 3; 0.7 wins over 0.3 and ties once; 0.1 wins none.
    assert found["auc"] == pytest.approx((3 + 1.5 + 0) / 9)
    # Recall grows at 0.9 (precision 1/1), at 0.7 (2/4, ties enter together) and at 0.1 (3/6).
    assert found["ap"] == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found["hits50"] is None


def test_hits_at_50():
    others = np.random.default_rng(0).permutation(100)  # the 50th best has score 50
    edges = np.array([49.5, 50, 50.5, 200, 51])
    scores, label = np.r_[edges, others], np.arange(105) < 5
    assert ranking(scores, label)["hits50"] == pytest.approx(3 / 5)
    fifty = ranking(np.r_[0.5, -1.0, np.arange(50)], np.arange(52) < 2)
    assert fifty["hits50"] == pytest.approx(1 / 2)  # above the worst of exactly 50
    assert ranking(np.r_[0.5, np.arange(49)], np.arange(50) < 1)["hits50"] is None


def test_cosine_and_inner_product_by_hand(data):
    split = link_split(data)
    z = torch.randn(N, 5, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, N + 1)[:, None]
    found = link_scores(z, split)
    u, v = split.test.edge_index
    inner = (z[u].double() * z[v].double()).sum(1)
    cosine = inner / (z[u].double().norm(dim=1) * z[v].double().norm(dim=1))
    label = split.test.label.numpy()
    assert found["inner"]["test"] == pytest.approx(ranking(inner.numpy(), label))
    assert found["cosine"]["test"] == pytest.approx(ranking(cosine.numpy(), label))
    assert found["inner"]["test"]["auc"] != found["cosine"]["test"]["auc"]
    assert list(found) == ["cosine", "inner", "decoder"]
    assert list(found["decoder"]) == ["val", "test"]


def test_end_points_have_no_order(data):
    split = link_split(data)
    flipped = split._replace(
        val=Pairs(split.val.edge_index.flip(0), split.val.label),
        test=Pairs(split.test.edge_index.flip(0), split.test.label),
    )
    z = data.x + torch.randn(N, 6, generator=torch.Generator().manual_seed(1))
    assert link_scores(z, split) == link_scores(z, flipped)


def test_sparse_rows_score_as_dense_ones(data):
    split = link_split(data)
    z = data.x * (data.x.abs() > 1)
    z[3] = 0  # has no direction
    dense, sparse = link_scores(z, split), link_scores(sp.csr_matrix(z.numpy()), split)
    for scorer in ("cosine", "inner"):
        assert sparse[scorer]["test"] == pytest.approx(dense[scorer]["test"], abs=1e-6)
    # Fifty epochs carry the last bit of a sum far; the products themselves do not differ.
    assert sparse["decoder"]["test"]["auc"] == pytest.approx(dense["decoder"]["test"]["auc"], abs=0.05)
    pairs = split.train
    np.testing.assert_array_equal(hadamard(sp.csr_matrix(z.numpy()), pairs), z[pairs[0]] * z[pairs[1]])


def bipartite() -> Data:
    rng = np.random.default_rng(0)
    u, v = np.nonzero(rng.random((100, 100)) < 0.06)
    return Data(edge_index=torch.from_numpy(np.stack([u, v + 100])), num_nodes=200)


def test_the_decoder_learns_what_a_cosine_cannot_say():
    """Edges join unlike nodes: cosine ranks them last, the decoder learns better from the training edges."""
    split = link_split(bipartite())
    side = torch.eye(2)[(torch.arange(200) >= 100).long()]
    found = link_scores(side + 0.1 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0)), split)
    # Of random pairs one half joins both sides and looks like an edge: 0.75 is all there is to be reached.
    assert found["cosine"]["test"]["auc"] < 0.4
    assert found["decoder"]["test"]["auc"] > 0.65


def test_noise_is_not_decoded(data):
    aucs = []
    for seed in range(3):
        z = torch.randn(N, 16, generator=torch.Generator().manual_seed(seed))
        aucs.append(link_scores(z, link_split(data, seed))["decoder"]["test"]["auc"])
    assert 0.38 < statistics.fmean(aucs) < 0.62


def test_test_labels_are_not_read(data):
    split = link_split(data)
    swapped = split._replace(test=Pairs(split.test.edge_index, ~split.test.label))
    found, other = (link_scores(data.x, s)["decoder"] for s in (split, swapped))
    assert other["test"]["auc"] == pytest.approx(1 - found["test"]["auc"])
    assert other["val"] == found["val"]


def test_non_edges_are_all_other_pairs_and_no_more():
    """Held-out edges are among them: who draws knows of training edges alone."""
    edges = torch.tensor([[0, 0, 2, 1], [1, 4, 3, 4]])
    drawn = non_edges(edges, 5, 500)
    assert drawn.shape == (2, 500)
    assert (drawn[0] < drawn[1]).all()
    everything = {(u, v) for u in range(5) for v in range(u + 1, 5)}
    assert pairs_of(drawn) == everything - pairs_of(edges)
    with pytest.raises(InputError, match="edges between all pairs of the 3 nodes"):
        non_edges(torch.tensor([[0, 0, 1], [1, 2, 2]]), 3, 1)


@pytest.mark.data
def test_cora_is_well_above_its_features(data_root, one_thread):
    data = datasets.load("cora", data_root)
    split = link_split(data, 0)
    assert (split.train.size(1), int(split.val.label.sum()), int(split.test.label.sum())) == (4488, 263, 527)
    small = GenURL(64, epochs=8, random_state=0, config={"encoder.hidden": 128})
    found = link_scores(small.fit_transform(split.graph), split)
    raw = link_scores(raw_features(split.graph), split)
    for scorer in ("cosine", "decoder"):
        assert found[scorer]["test"]["auc"] > 0.9
        assert found[scorer]["test"]["auc"] > raw[scorer]["test"]["auc"] + 0.08
