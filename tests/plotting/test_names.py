"""Names on a map: which are written, and that none lies over another."""

import numpy as np
import pytest

from genurl_graph.exceptions import InputError
from genurl_graph.plotting import scatter
from genurl_graph.plotting.names import write_names


def test_the_heaviest_names_come_first_and_none_lies_over_another() -> None:
    points = np.random.default_rng(0).random((300, 2))
    axes = scatter(points)
    weight = np.arange(300)
    written = write_names(axes, points, [f"entity {one}" for one in range(300)], weight, most=40)
    assert 10 < len(written) <= 40
    assert len({*written} & {*range(270, 300)}) > 10
    texts = [text for text in axes.texts if text.get_text().startswith("entity")]
    assert [text.get_text() for text in texts] == [f"entity {one}" for one in written]
    axes.figure.draw_without_rendering()
    boxes = np.array([text.get_window_extent().extents for text in texts])
    apart = (boxes[:, None, :2] >= boxes[None, :, 2:]) | (boxes[None, :, :2] >= boxes[:, None, 2:])
    assert (apart.any(2) | np.eye(len(boxes), dtype=bool)).all()


def test_other_counts_are_refused() -> None:
    points = np.zeros((3, 2))
    with pytest.raises(InputError, match="names"):
        write_names(scatter(points), points, ["a"])
    with pytest.raises(InputError, match="weight"):
        write_names(scatter(points), points, ["a", "b", "c"], [1])
