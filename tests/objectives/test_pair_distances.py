"""pairs: products and distances of edges, values and gradients, against dense float64 references."""

import pytest
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.objectives.pair_distances import (
    WIDE,
    EdgePattern,
    block_distances,
    edge_distances,
    edge_products,
    normalize,
    view_distances,
)

NARROW_AND_WIDE = pytest.mark.parametrize("d", [2, WIDE - 1, WIDE, 40])
METRICS = pytest.mark.parametrize("metric", ["euclidean", "cosine"])
N = 15


def pattern(seed: int = 0, share: float = 0.3) -> EdgePattern:
    """Directed, with self pairs; node 3 has no edge out and none in."""
    wanted = torch.rand(N, N, generator=torch.Generator().manual_seed(seed)) < share
    wanted[3], wanted[:, 3] = False, False
    return EdgePattern(wanted.nonzero().t(), N)


def tables(d: int, metric: str = "euclidean", dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(d)
    a, b = (normalize(torch.randn(N, d, generator=g, dtype=torch.float64), metric).to(dtype) for _ in range(2))
    return a.requires_grad_(), b.requires_grad_()


def all_distances(a: Tensor, b: Tensor, metric: str) -> Tensor:
    if metric == "cosine":
        return 1 - a @ b.t()
    return (a[:, None] - b[None]).square().sum(-1)


def assert_same(found: Tensor, expected: Tensor, inputs: tuple[Tensor, Tensor], seed: int = 0) -> None:
    """Values, and gradients under random weights of the entries."""
    torch.testing.assert_close(found, expected)
    weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    ours = torch.autograd.grad((found * weight).sum(), inputs)
    reference = torch.autograd.grad((expected * weight).sum(), inputs)
    for one, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(one, other)


@NARROW_AND_WIDE
def test_edge_products(d: int) -> None:
    edges, (a, b) = pattern(), tables(d)
    assert_same(edge_products(edges, a, b), (a @ b.t())[edges.row, edges.col], (a, b))


@NARROW_AND_WIDE
@METRICS
def test_both_orders_of_two_views_are_the_distances_of_each(d: int, metric: str) -> None:
    drawn = torch.rand(N, N, generator=torch.Generator().manual_seed(1)) < 0.2
    edges, (a, b) = EdgePattern((drawn | drawn.t()).nonzero().t(), N), tables(d, metric)
    found = torch.stack(view_distances(edges, a, b, metric))
    expected = torch.stack([edge_distances(edges, a, b, metric), edge_distances(edges, b, a, metric)])
    assert_same(found, expected, (a, b))


def test_both_orders_need_both_directions_of_each_edge() -> None:
    a, b = tables(40, "cosine")
    with pytest.raises(InputError, match="without its reverse"):
        view_distances(pattern(), a, b, "cosine")


@NARROW_AND_WIDE
@METRICS
def test_edge_distances(d: int, metric: str) -> None:
    edges, (a, b) = pattern(), tables(d, metric)
    assert_same(edge_distances(edges, a, b, metric), all_distances(a, b, metric)[edges.row, edges.col], (a, b))


@NARROW_AND_WIDE
@METRICS
def test_block_distances(d: int, metric: str) -> None:
    a, b = tables(d, metric)
    assert_same(block_distances(a, b[4:9], metric), all_distances(a, b, metric)[:, 4:9], (a, b))


def test_one_table_on_both_sides_collects_both_gradients() -> None:
    edges, (z, _) = pattern(), tables(WIDE)
    off = edges.row != edges.col
    found, expected = edge_distances(edges, z, z, "euclidean"), all_distances(z, z, "euclidean")
    (ours,) = torch.autograd.grad(found[off].log().sum(), z)
    (reference,) = torch.autograd.grad(expected[edges.row, edges.col][off].log().sum(), z)
    torch.testing.assert_close(ours, reference)


def test_gradcheck_of_the_sampled_product() -> None:
    edges, (a, b) = pattern(share=0.1), tables(WIDE)
    assert torch.autograd.gradcheck(lambda x, y: edge_products(edges, x, y), (a, b))


@NARROW_AND_WIDE
def test_float32_distances_are_never_negative(d: int) -> None:
    edges = pattern()
    z = (torch.randn(1, d, generator=torch.Generator().manual_seed(0)) * 100).expand(N, d).contiguous()
    for distance in (edge_distances(edges, z, z, "euclidean"), block_distances(z, z, "euclidean")):
        assert float(distance.min()) >= 0
        assert float(distance.max()) < 1e-6 * float(z[0].square().sum()) * 10


def test_matrix_and_its_transpose() -> None:
    edges = pattern()
    values = torch.arange(1.0, edges.col.numel() + 1)
    dense = torch.zeros(N, N)
    dense[edges.row, edges.col] = values
    assert torch.equal(edges.matrix(values).to_dense(), dense)
    assert torch.equal(edges.transposed(values).to_dense(), dense.t())
    assert torch.equal(edges.to(torch.device("cpu")).matrix(values).to_dense(), dense)


def test_no_edges() -> None:
    edges, (a, b) = EdgePattern(torch.empty(2, 0, dtype=torch.long), N), tables(WIDE)
    found = edge_distances(edges, a, b, "euclidean")
    assert found.shape == (0,)
    found.sum().backward()
    assert a.grad is not None
    assert not a.grad.any()


def test_normalize() -> None:
    z = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert torch.equal(normalize(z, "cosine"), torch.tensor([[0.6, 0.8], [0.0, 0.0]]))
    assert normalize(z, "euclidean") is z
