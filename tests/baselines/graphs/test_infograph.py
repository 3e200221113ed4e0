"""InfoGraph: the estimator against its formula, pair by pair, and what the encoder learns of it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.baselines.graphs.common import prepare
from genurl_graph.baselines.graphs.infograph import InfoGraph, jensen_shannon_loss
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.runtime.random import seeded
from genurl_graph.training.loop import train


def softplus(t: float) -> float:
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.integers(0, 4), min_size=2, max_size=5).filter(sum))
def test_loss_is_the_formula(seed, sizes):
    generator = torch.Generator().manual_seed(seed)
    graph = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    local = torch.randn(sum(sizes), 3, dtype=torch.float64, generator=generator)
    whole = torch.randn(len(sizes), 3, dtype=torch.float64, generator=generator)
    own = [softplus(-float(a @ whole[g])) for a, g in zip(local, graph.tolist(), strict=True)]
    others = [
        softplus(float(a @ b))
        for a, g in zip(local, graph.tolist(), strict=True)
        for k, b in enumerate(whole)
        if k != g
    ]
    found = jensen_shannon_loss(local, whole, graph)
    assert float(found.attraction) == pytest.approx(sum(own) / len(own))
    assert float(found.repulsion) == pytest.approx(sum(others) / len(others))
    assert float(found.loss) == pytest.approx(float(found.attraction + found.repulsion))


def test_gradients_are_those_of_the_formula():
    generator = torch.Generator().manual_seed(0)
    graph = torch.tensor([0, 0, 1, 2])
    local, whole = (torch.randn(n, 2, dtype=torch.float64, generator=generator).requires_grad_() for n in (4, 3))
    torch.autograd.gradcheck(lambda a, b: jensen_shannon_loss(a, b, graph).loss, (local, whole))


def test_loss_falls_and_all_weights_learn(rings_and_stars):
    given_ = prepare("infograph", rings_and_stars, "ones", "cpu")
    with seeded(0):
        torch.manual_seed(0)
        objective = InfoGraph(given_, baseline_settings("infograph", None, {"hidden": 8, "batch": 30}, task="graphs"))
        history = train(objective, TrainingConfig(epochs=40, lr=1e-2))
    # Without information, T = 0 everywhere: 2 log 2.
    assert history[-1] < 1.2 < history[0]
    assert [name for name, p in objective.named_parameters() if p.grad is None] == []


def test_the_order_of_nodes_means_nothing(rings_and_stars):
    given_ = prepare("infograph", rings_and_stars, "ones", "cpu")
    torch.manual_seed(0)
    objective = InfoGraph(given_, baseline_settings("infograph", None, {"hidden": 8}, task="graphs")).eval()
    before = objective.embed()
    # Nodes of each graph in reverse.
    n, graph = given_.num_nodes, given_.graph_of_node()
    new = given_.node_ptr[graph] + given_.node_ptr[graph + 1] - 1 - torch.arange(n)
    edges = new[given_.edge_index]
    edges = edges[:, (edges[0] * n + edges[1]).argsort()]
    objective.collection = given_._replace(x=given_.x[new], edge_index=edges)
    torch.testing.assert_close(objective.embed(), before)
