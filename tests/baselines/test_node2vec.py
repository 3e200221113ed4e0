"""node2vec: walks against their probabilities, the skip-gram loss against its sum, and where there are no edges."""

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph.baselines import get_baseline
from genurl_graph.baselines.node2vec import skip_gram_loss
from genurl_graph.baselines.walks import RandomWalks
from genurl_graph.runtime.random import seeded

# A triangle 0, 1, 2 with a tail 2, 3, 4, a pair 5, 6, and 7 without edges.
EDGES = torch.tensor([[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [5, 6]])
N = 8


def walks(p=1.0, q=1.0, weight=None):
    pairs = torch.cat([EDGES, EDGES.flip(1)])
    order = (pairs[:, 0] * N + pairs[:, 1]).argsort()
    given = torch.ones(len(EDGES)) if weight is None else torch.as_tensor(weight)
    return RandomWalks(pairs[order].T, given.repeat(2)[order], N, p, q)


def walked(start, length, seed=0, **options):
    with seeded(seed):
        return walks(**options)(torch.as_tensor(start), length)


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.25, 4.0), (1e-6, 1.0), (1e6, 1e6)])
def test_steps_are_edges_and_nodes_without_edges_stay(p, q):
    found = walked(torch.arange(N).repeat(20), 12, p=p, q=q)
    assert found.shape == (20 * N, 13)
    joined = torch.zeros(N, N, dtype=torch.bool)
    joined[EDGES[:, 0], EDGES[:, 1]] = joined[EDGES[:, 1], EDGES[:, 0]] = True
    joined[7, 7] = True
    assert joined[found[:, :-1], found[:, 1:]].all()
    assert (found[found[:, 0] == 7] == 7).all()


def test_visits_are_proportional_to_degrees():
    """The stationary distribution of a walk without bias, on the component of five nodes."""
    found = walked(torch.zeros(3000, dtype=torch.int64), 40)[:, 20:]
    share = torch.bincount(found.reshape(-1), minlength=N)[:5] / found.numel()
    torch.testing.assert_close(share, torch.tensor([2.0, 2, 3, 2, 1]) / 10, atol=0.01, rtol=0)


def test_weights_are_odds():
    found = walked(torch.zeros(4000, dtype=torch.int64), 1, weight=[3.0, 1, 1, 1, 1, 1])
    assert float((found[:, 1] == 1).float().mean()) == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(("p", "q"), [(0.5, 2.0), (4.0, 0.5), (1.0, 3.0)])
def test_second_steps_have_the_probabilities_of_the_paper(p, q):
    """From 0 to 2: back to 0 by 1 / p, to 1 (a neighbour of 0) by 1, to 3 by 1 / q; weights multiply."""
    weight = [1.0, 1, 2, 3, 1, 1]  # of 1 - 2: 2, of 2 - 3: 3
    found = walked(torch.zeros(30000, dtype=torch.int64), 2, p=p, q=q, weight=weight)
    third = found[found[:, 1] == 2][:, 2]
    odds = torch.tensor([1 / p, 2.0, 3 / q])
    share = torch.stack([(third == node).float().mean() for node in (0, 1, 3)])
    torch.testing.assert_close(share, odds / odds.sum(), atol=0.015, rtol=0)


def test_a_tiny_p_returns_and_a_huge_one_does_not():
    back = walked(torch.zeros(500, dtype=torch.int64), 10, p=1e-9)
    torch.testing.assert_close(back[:, 0:9:2], back[:, 2:11:2])
    on = walked(torch.tensor([0] * 500), 2, p=1e9)
    assert (on[:, 2] != 0).all()
    assert (walked(torch.tensor([5] * 9), 3, p=1e9)[:, 2] == 5).all()  # a dead end leaves no choice


def test_parts_of_walkers_and_seeds(monkeypatch):
    start = torch.arange(N).repeat(6)
    whole = walked(start, 6, p=0.5, q=2.0)
    torch.testing.assert_close(walked(start, 6, p=0.5, q=2.0), whole)
    assert not torch.equal(walked(start, 6, seed=1, p=0.5, q=2.0), whole)
    monkeypatch.setattr("genurl_graph.baselines.walks._ENTRIES", 7)
    torch.testing.assert_close(walked(start, 6, p=0.5, q=2.0), whole)


def test_loss_is_the_sum_over_windows():
    generator = torch.Generator().manual_seed(0)
    u = torch.randn(3, 5, 4, dtype=torch.float64, generator=generator).requires_grad_()
    v = torch.randn(2, 3, 5, 4, dtype=torch.float64, generator=generator)
    terms = skip_gram_loss(u, v, 3)
    pairs = [(i, j) for i in range(5) for j in range(i + 1, min(i + 3, 5))]
    near = [torch.sigmoid(u[m, i] @ u[m, j]).log() for m in range(3) for i, j in pairs]
    far = [torch.sigmoid(-u[m, i] @ v[k, m, j]).log() for k in range(2) for m in range(3) for i, j in pairs]
    torch.testing.assert_close(terms.attraction, -torch.stack(near).mean())
    torch.testing.assert_close(terms.repulsion, -torch.stack(far).mean())
    assert torch.autograd.gradcheck(lambda w: skip_gram_loss(w, v, 3).loss, u)


def test_two_cliques_come_apart_and_nodes_without_edges_are_no_error():
    blocks = torch.block_diag(*[torch.ones(8, 8)] * 2)
    blocks[0, 8] = blocks[8, 0] = 1
    data = Data(edge_index=(blocks - torch.eye(16)).nonzero().T, num_nodes=17)
    changes = {"dim": 8, "walk_length": 6, "context": 3, "walks": 4, "batch": 8, "epochs": 25, "lr": 0.1, "q": 0.5}
    z = get_baseline("node2vec", changes)(data, 0, "cpu")
    assert z.shape == (17, 8)
    unit = torch.nn.functional.normalize(z)
    cosine = unit @ unit.T
    assert cosine[:8, :8].mean() > cosine[:8, 8:16].mean() + 0.2
