"""Measures of lines: against what a ruler says, and what must not change them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.inputs.edge_rows.geometry import METRES, Geometry, Lines, measure, orient


def lines_of(*lines: list[tuple[float, float]]) -> Lines:
    ptr = torch.tensor([0, *(len(line) for line in lines)]).cumsum(0)
    return Lines(torch.tensor([point for line in lines for point in line], dtype=torch.float64).reshape(-1, 2), ptr)


def test_an_angle_a_loop_a_point_and_nothing() -> None:
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]
    found = measure(
        lines_of([(0, 0), (3, 0), (3, 4)], square, [], [(2, 2)], [(5, 5), (5, 5), (5, 7)], [(1, 1), (1, 1)])
    )
    assert found.length.tolist() == pytest.approx([7, 4, math.nan, math.nan, 2, 0], nan_ok=True)
    assert found.straightness.tolist() == pytest.approx([5 / 7, 0, math.nan, math.nan, 1, 0], nan_ok=True)
    assert found.bearings[:, 0].tolist() == pytest.approx([0, -math.pi / 2])
    assert found.bearings[:, 4].tolist() == pytest.approx([math.pi / 2, -math.pi / 2])  # by the piece that has a length
    assert found.middle[[0, 1, 4]].tolist() == [[3, 0.5], [1, 1], [5, 6]]
    assert found.middle[5].tolist() == [1, 1]
    assert found.axis[1].tolist() == [0, 0]
    assert found.axis[4].tolist() == pytest.approx([-1, 0])
    for unknown in (2, 3):
        assert bool(torch.cat([found.middle[unknown], found.axis[unknown], found.bearings[:, unknown]]).isnan().all())


def test_degrees_are_metres_on_the_sphere_and_longitudes_shrink_towards_the_pole() -> None:
    found = measure(
        lines_of([(15, 60), (15.01, 60)], [(15, 60), (15, 60.01)], [(15, 60), (15.01, 60.005)]), degrees=True
    )
    assert found.length[:2].tolist() == pytest.approx([METRES * 0.005, METRES * 0.01], rel=1e-3)
    # As far east as north.
    assert float(found.bearings[0, 2]) == pytest.approx(math.pi / 4, abs=1e-3)


points = st.tuples(st.integers(-50, 50), st.integers(-50, 50))
drawn = st.lists(st.lists(points, min_size=2, max_size=6), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(drawn, st.floats(0, 2 * math.pi))
def test_turning_the_plane_turns_bearings_and_nothing_else(raw: list[list[tuple[int, int]]], angle: float) -> None:
    lines = lines_of(*raw)
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    before, after = measure(lines), measure(Lines(lines.points @ turn, lines.ptr))
    same(before.length, after.length)
    same(before.straightness, after.straightness)
    same(before.middle @ turn, after.middle)
    same((before.bearings + angle).cos(), after.bearings.cos(), 1e-5)


@settings(max_examples=60, deadline=None)
@given(drawn)
def test_a_line_that_runs_the_other_way_is_the_same_line(raw: list[list[tuple[int, int]]]) -> None:
    lines = lines_of(*raw)
    before = measure(lines)
    after: Geometry = measure(lines.turned(torch.ones(len(lines), dtype=torch.bool)))
    same(before.length, after.length)
    same(before.axis, after.axis)
    same(before.middle, after.middle)
    assert torch.equal(before.bearings.flip(0).nan_to_num(9), after.bearings.nan_to_num(9))


def test_lines_find_their_nodes_without_knowing_where_they_are() -> None:
    generator = torch.Generator().manual_seed(0)
    place = torch.rand(200, 2, generator=generator).double()
    ends = torch.randint(200, (2, 900), generator=generator)
    ends = ends[:, ends[0] != ends[1]]
    right = Lines.between(place[ends[0]], place[ends[1]])
    wrong = torch.rand(len(right), generator=generator) < 0.5
    found, turned = orient(right.turned(wrong), ends)
    assert torch.equal(turned, wrong)
    assert torch.equal(found.points, right.points)


def test_a_lone_line_stays() -> None:
    lines = lines_of([(0, 0), (1, 0)], [])
    found, turned = orient(lines, torch.tensor([[0, 0], [1, 2]]))
    assert turned.tolist() == [False, False]
    assert torch.equal(found.points, lines.points)


def same(a: torch.Tensor, b: torch.Tensor, within: float = 1e-6) -> None:
    assert torch.allclose(a, b, atol=within, rtol=1e-6, equal_nan=True)


def test_the_axis_of_a_grid_has_no_rounding_errors() -> None:
    start = torch.tensor([[15.1, 58.4], [15.1, 58.4], [15.3, 58.7]]).double()
    end = torch.tensor([[15.1, 58.9], [15.7, 58.4], [15.2, 58.7]]).double()
    found = measure(Lines.between(start, end), degrees=True).axis
    assert found.tolist() == [[-1, 0], [1, 0], [1, 0]]
