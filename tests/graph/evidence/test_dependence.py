"""Columns that depend on each other: shown by correlations or by groups, never by noise, in whatever order or units."""

import pytest
import torch

from genurl_graph.graph.evidence.dependence import dependence


def table(kind: str, n: int = 400, f: int = 12) -> torch.Tensor:
    g = torch.Generator().manual_seed(3)
    x = torch.randn(n, f, generator=g)
    if kind == "groups":
        x = x + 0.5 * torch.randn(5, f, generator=g)[torch.arange(n) % 5]
    elif kind == "one factor":
        x = x + 0.5 * torch.randn(n, 1, generator=g)
    return x


def of(x: torch.Tensor, consistency: float = 0.5) -> float:
    return dependence(x, torch.ones(x.size(1), dtype=torch.bool), consistency)


def test_noise_depends_on_nothing_and_groups_and_factors_do() -> None:
    assert of(table("noise")) == 0
    assert of(table("groups")) == 1
    assert of(table("one factor")) == 1


def test_units_signs_and_orders_do_not_matter() -> None:
    x = table("one factor", f=4)
    x[:, 0] = x[:, 0].exp()
    weaker = 0.4 * x + table("noise", f=4)
    expected = of(weaker)
    turned = weaker[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))].flip(1) * 1000 - 5
    assert of(turned) == pytest.approx(expected, abs=1e-9)
    assert of(-weaker) == pytest.approx(expected, abs=1e-9)


def test_consistency_speaks_where_correlations_cannot() -> None:
    x = table("noise")
    assert [of(x, value) for value in (0.503, 0.51, 0.52, 0.53, 0.9)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert of(x[:, :1]) == 0
    assert of(table("groups").to_sparse_csr()) == 0
    live = torch.arange(12) < 1
    assert dependence(table("groups"), live, 0.5) == 0


def test_false_alarms_are_rare() -> None:
    found = [of(torch.randn(60, 20, generator=torch.Generator().manual_seed(seed))) for seed in range(200)]
    assert sum(value > 0 for value in found) <= 2
