import math

import pytest
import torch
import torch.nn.functional as F

from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.graph.triples.near_rows import NearRows
from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.triples import Triples
from genurl_graph.nn.triples import TripleEncoder
from genurl_graph.objectives.triples import TripleObjective

N, R, D = 30, 3, 8


def problem(near: NearRows | None = None, **settings):
    torch.manual_seed(0)
    rows = RelationRows.of(Triples.of(torch.stack([torch.randint(k, (120,)) for k in (N, R, N)], 1), N, R))
    config = load_preset("triples").override(
        {"sampling.negatives": "all", "sampling.n_negatives": N - 1, "sampling.batch_size": 10_000, **settings}
    )
    encoder = TripleEncoder(torch.randn(N, D), torch.randn(2 * R, D))
    return TripleObjective(encoder, rows, near, config.loss, config.sampling, config.triples), rows, config


def dense(objective: TripleObjective, rows: RelationRows, power: float) -> torch.Tensor:
    """GKL over all entities, row by row."""
    scores = objective.encoder.tail_scores(rows.entity, rows.relation)
    total, weight = 0.0, 0.0
    for number in range(len(rows)):
        ends = rows.other[rows.start[number] : rows.start[number + 1]]
        p = torch.full((len(ends),), 1 / len(ends))
        row_weight = len(ends) ** power
        total = total + row_weight * (p * (p.log() - scores[number].log_softmax(0)[ends])).sum()
        weight += row_weight
    return total / weight


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_loss_of_all_rows_is_the_divergence(power):
    objective, rows, _ = problem(**{"triples.row_power": power})
    found = objective(0.0).loss
    expected = dense(objective, rows, power)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    ours, reference = (torch.autograd.grad(loss, objective.encoder.table)[0] for loss in (found, expected))
    torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-6)


def test_sampled_entities_stand_for_all():
    objective, *_ = problem()
    exact = float(objective(0.0).loss)
    sampled, *_ = problem(**{"sampling.negatives": "shared", "sampling.n_negatives": 4000})
    assert float(sampled(0.0).loss) == pytest.approx(exact, abs=0.15)


def test_near_entities_are_drawn_together():
    edges = torch.tensor([[0, 0, 1, 2], [1, 2, 0, 0]])
    near = NearRows.of(edges, torch.tensor([0.3, 0.2, 0.5, 0.5]))
    objective, rows, config = problem(near)
    plain, *_ = problem()
    z = F.normalize(objective.encoder.table, dim=1)
    log_q = -(config.loss.nu + 1) * torch.log1p((1 - z @ z.T) / config.loss.temperature / config.loss.nu)
    log_q = log_q.masked_fill(torch.eye(N, dtype=torch.bool), -math.inf).log_softmax(1)
    p = near.p / 0.5
    expected = 5 * (0.5 * p * (p.log() - log_q[edges[0], edges[1]])).sum() / len(rows.other)
    found = objective(0.0).loss - plain(0.0).loss
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)
    sampled, *_ = problem(near, **{"sampling.negatives": "shared", "sampling.n_negatives": 4000})
    assert float(sampled.near(sampled.encoder.table, torch.arange(N).repeat(100), 3).loss) == pytest.approx(
        float(expected), rel=0.05
    )


def test_losses_that_need_a_bound_are_refused():
    with pytest.raises(InputError, match="gkl or kl"):
        problem(**{"loss.name": "bce"})
