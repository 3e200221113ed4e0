"""Edges as lines: which are drawn, where, and in which colours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.geometry import Lines
from genurl_graph.plotting.edges import edge_map, edge_panels

POINTS = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 60], [3, 60]], dtype=torch.float64)


def roads(degrees: bool = False) -> EdgeSet:
    """A line of two pieces, one whose place is unknown, and a straight one."""
    edges = EdgeEnds(torch.tensor([[0, 1, 2], [1, 2, 3]]), 4)
    return EdgeSet(edges, lines=Lines(POINTS, torch.tensor([0, 3, 3, 5])), degrees=degrees)


def test_each_line_has_its_course_and_the_colour_of_its_label() -> None:
    axes = edge_map(roads(), ["a", "b", "c"], cmap={"a": "red", "b": "green", "c": "blue"}, title="Roads")
    (drawn,) = axes.collections
    found = {tuple(colour[:3]): path for colour, path in zip(drawn.get_colors(), drawn.get_paths(), strict=True)}
    assert len(found) == 2
    np.testing.assert_array_equal(found[to_rgb("red")].vertices, POINTS[:3])
    np.testing.assert_array_equal(found[to_rgb("blue")].vertices, POINTS[3:])
    assert "1 edge whose place is unknown is not drawn" in [text.get_text() for text in axes.texts]
    assert axes.get_title() == "Roads"


def test_a_column_of_numbers_gets_a_colour_bar_and_edges_without_one_lie_below_in_grey() -> None:
    axes = edge_map(roads(), torch.tensor([float("nan"), 1.5, 2.25]), label="first column")
    (drawn,) = axes.collections
    np.testing.assert_array_equal(drawn.get_paths()[0].vertices, POINTS[:3])
    assert tuple(drawn.get_colors()[0][:3]) == to_rgb("#d2d2d2")
    assert [child.get_ylabel() for child in axes.child_axes] == ["first column (grey: missing)"]


def test_degrees_of_longitude_are_shorter_in_the_north() -> None:
    assert edge_map(roads()).get_aspect() == 1
    latitude = np.deg2rad(float(POINTS[:, 1].mean()))
    assert edge_map(roads(degrees=True)).get_aspect() == pytest.approx(1 / np.cos(latitude))


def test_panels_show_the_same_part_of_the_world(tmp_path: Path) -> None:
    path = tmp_path / "roads.png"
    left, right = edge_panels(roads(), {"predicted": ["a", "b", "a"], "true": ["a", "a", "b"]}, path=path)
    assert (left.get_title(), right.get_title()) == ("predicted", "true")
    assert left.get_xlim() == right.get_xlim()
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("lines", [None, Lines(POINTS[:0], torch.zeros(4, dtype=torch.int64))])
def test_edges_without_a_place_are_refused(lines: Lines | None) -> None:
    bare = roads()
    bare.lines = lines
    with pytest.raises(InputError, match="known position"):
        edge_map(bare)


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    for told, words in (({"width": 0}, "width"), ({"labels": ["a"]}, "labels"), ({"path": tmp_path / "a.gif"}, "gif")):
        with pytest.raises(InputError, match=words):
            edge_map(roads(), **told)
    with pytest.raises(InputError, match="at least one map"):
        edge_panels(roads(), {})
