"""Tests of strokes: edges that go straight on, end to end."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.graph.line_graph.strokes import OWN, WIDEST, stroke_features, stroke_width, strokes


def streets(width: int, height: int) -> tuple[torch.Tensor, int, torch.Tensor]:
    """Segments of a grid of streets, and their bearings: rows first, then columns."""
    number = torch.arange(width * height).reshape(height, width)
    along = torch.stack([number[:, :-1].reshape(-1), number[:, 1:].reshape(-1)])
    up = torch.stack([number[:-1].reshape(-1), number[1:].reshape(-1)])
    east = torch.zeros(along.size(1))
    north = torch.full((up.size(1),), math.pi / 2)
    first = torch.cat([east, north])
    return torch.cat([along, up], 1), width * height, torch.stack([first, first + math.pi])


def same_parts(first: torch.Tensor, second: torch.Tensor) -> bool:
    return bool(torch.equal(first[:, None] == first, second[:, None] == second))


def test_each_street_of_a_grid_is_a_stroke():
    ends, n, bearings = streets(5, 4)
    found = strokes(ends, n, bearings)
    street = torch.cat([torch.arange(4).repeat_interleave(4), 4 + torch.arange(5).repeat(3)])
    assert same_parts(found, street)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 6.28), st.integers(2, 6), st.integers(2, 6))
def test_strokes_depend_neither_on_order_nor_on_direction_nor_on_north(seed, turn, width, height):
    ends, n, bearings = streets(width, height)
    generator = torch.Generator().manual_seed(seed)
    bearings = bearings + 0.2 * torch.randn(bearings.shape, generator=generator)
    found = strokes(ends, n, bearings)
    order = torch.randperm(ends.size(1), generator=generator)
    flip = torch.rand(ends.size(1), generator=generator) < 0.5
    flipped, turned = (torch.where(flip, part.flip(0), part)[:, order] for part in (ends, bearings + turn))
    assert same_parts(found[order], strokes(flipped, n, turned))


def test_both_directions_of_a_street_are_in_one_stroke():
    ends, n, bearings = streets(4, 4)
    found = strokes(torch.cat([ends, ends.flip(0)], 1), n, torch.cat([bearings, bearings.flip(0)], 1))
    m = ends.size(1)
    assert torch.equal(found[:m], found[m:])
    assert same_parts(found[:m], strokes(ends, n, bearings))


def test_a_turn_ends_a_stroke_and_so_does_what_nobody_knows():
    ends = torch.tensor([[0, 1], [1, 2]])
    for turn, joined in ((0.6, True), (1.0, False), (math.nan, False)):
        bearings = torch.tensor([[0.0, turn], [math.pi, turn + math.pi]])
        found = strokes(ends, 3, bearings)
        assert bool(found[0] == found[1]) is joined


def test_features_of_a_stroke_are_counts_and_means():
    ends, n, bearings = streets(4, 2)
    x = torch.arange(ends.size(1)).float()[:, None]
    found = stroke_features(ends, n, bearings, x)
    assert found.shape == (ends.size(1), stroke_width(1))
    assert found[:3, 0].tolist() == pytest.approx([math.log(3)] * 3)
    assert found[:3, 1].tolist() == pytest.approx([math.log(4)] * 3)
    # Four streets cross each of the long ones.
    assert found[:3, 2].tolist() == pytest.approx([math.log1p(4 / 3)] * 3)
    assert found[:3, OWN].tolist() == [1, 1, 1]
    assert torch.equal(stroke_features(ends, n, bearings, x.to_sparse_csr()), found)
    assert stroke_features(ends, n, bearings, torch.zeros(ends.size(1), WIDEST + 1)).size(1) == OWN
