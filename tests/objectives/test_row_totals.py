"""_blocks: row totals computed by slices, against the block written out in float64."""

import pytest
import torch
from torch import Tensor

from genurl_graph.graph.affinity import log_kernel
from genurl_graph.losses.pairwise import SUM_LOSSES, get_loss
from genurl_graph.objectives import pair_distances as _blocks
from genurl_graph.objectives.pair_distances import block_distances, normalize, row_log_totals, spread

ROWS, COLUMNS = 11, 5
METRICS = pytest.mark.parametrize("metric", ["euclidean", "cosine"])


def tables(metric: str, dtype: torch.dtype = torch.float64, spread_out: float = 1.0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    drawn = (spread_out * torch.randn(n, 3, generator=g, dtype=torch.float64) for n in (ROWS, COLUMNS))
    a, b = (normalize(z, metric).to(dtype) for z in drawn)
    return a.requires_grad_(), b.requires_grad_()


def written_out(a: Tensor, b: Tensor, metric: str, temperature: float, nu: float) -> Tensor:
    return log_kernel(block_distances(a, b, metric) / temperature, nu).logsumexp(1)


@METRICS
@pytest.mark.parametrize("rows_a_slice", [1, 4, ROWS])
@pytest.mark.parametrize(("temperature", "nu"), [(0.5, 10.0), (1.0, 1.0), (2.0, 0.1)])
def test_values_and_gradients(
    metric: str, rows_a_slice: int, temperature: float, nu: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_blocks._CELLS, "cpu", rows_a_slice * COLUMNS)
    a, b = tables(metric)
    found, expected = (f(a, b, metric, temperature, nu) for f in (row_log_totals, written_out))
    torch.testing.assert_close(found, expected)
    weight = torch.linspace(-1, 2, ROWS, dtype=torch.float64)
    ours = torch.autograd.grad((found * weight).sum(), (a, b))
    reference = torch.autograd.grad((expected * weight).sum(), (a, b))
    for one, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(one, other)


def test_points_so_far_apart_that_every_similarity_underflows() -> None:
    a, b = tables("euclidean", torch.float32, spread_out=1e4)
    found = row_log_totals(a, b, "euclidean", 0.5, 10.0)
    expected = written_out(a.double(), b.double(), "euclidean", 0.5, 10.0)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)
    for grad in torch.autograd.grad(found.sum(), (a, b)):
        assert torch.isfinite(grad).all()


@METRICS
def test_the_same_point_twice_has_a_finite_gradient(metric: str) -> None:
    a, _ = tables(metric, torch.float32)
    found = row_log_totals(a, a.detach(), metric, 0.5, 10.0)
    (grad,) = torch.autograd.grad(found.sum(), a)
    assert torch.isfinite(found).all()
    assert torch.isfinite(grad).all()
    assert (found >= -1e-5).all(), "a point is similar to itself: log 1 and more"


@pytest.mark.parametrize("name", SUM_LOSSES)
@pytest.mark.parametrize("per", ["global", "row"])
def test_losses_take_totals_for_blocks(name: str, per: str) -> None:
    a, b = tables("cosine")
    g = torch.Generator().manual_seed(1)
    row = torch.arange(ROWS).repeat_interleave(2)
    edges = {"row_pos": row, "num_rows": ROWS, "per": per}
    log_q_pos, p = -torch.rand(row.numel(), generator=g).double(), torch.rand(row.numel(), generator=g).double()
    block = log_kernel(block_distances(a, b, "cosine") / 0.5, 10.0)
    expected = get_loss(name)(log_q_pos, p, block, neg_weight=7.0, **edges)
    found = get_loss(name)(log_q_pos, p, spread(row_log_totals(a, b, "cosine", 0.5, 10.0), 7.0), **edges)
    torch.testing.assert_close(torch.stack(found), torch.stack(expected))


def test_a_number_for_scale_needs_the_sum_of_q_alone() -> None:
    a, b = tables("cosine")
    block = log_kernel(block_distances(a, b, "cosine") / 0.5, 10.0)
    log_q_pos = torch.zeros(1, dtype=torch.float64)
    expected = get_loss("gkl")(log_q_pos, log_q_pos + 1, block, neg_weight=3.0, scale=0.5)
    found = get_loss("gkl")(log_q_pos, log_q_pos + 1, spread(row_log_totals(a, b, "cosine", 0.5, 10.0), 3.0), scale=0.5)
    torch.testing.assert_close(torch.stack(found), torch.stack(expected))
