"""The paths of nodes: which are drawn, in which direction, under which name."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.patches import ArrowStyle

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.temporal.paths import paths


def names_of(axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_the_node_that_moves_most_is_named_and_drawn_from_first_to_last(trajectory: Trajectory) -> None:
    axes = paths(trajectory, count=1, names=[f"node {i}" for i in range(20)], title="Title")
    assert names_of(axes) == ["node 3"]
    _, ring, dot = axes.collections
    own = trajectory.embedding[trajectory.node == 3].numpy()
    np.testing.assert_allclose(ring.get_offsets()[0], own[0], rtol=1e-6)
    np.testing.assert_allclose(dot.get_offsets()[0], own[-1], rtol=1e-6)
    steps = [text for text in axes.texts if not text.get_text()]
    assert len(steps) == 5
    # Each arrow begins where the one before ended, and is no fainter.
    for step, (begin, end) in enumerate(itertools.pairwise(own)):
        np.testing.assert_allclose(steps[step].xyann, begin, rtol=1e-6)
        np.testing.assert_allclose(steps[step].xy, end, rtol=1e-6)
    strengths = [step.arrow_patch.get_alpha() for step in steps]
    assert strengths == sorted(strengths)
    assert isinstance(steps[2].arrow_patch.get_arrowstyle(), ArrowStyle.CurveFilledB)  # a head at the end alone
    assert "moves most" in axes.figure.get_supxlabel()


def test_chosen_nodes_and_labels_of_the_map(trajectory: Trajectory) -> None:
    axes = paths(trajectory, [7, 3, 5], np.arange(20) % 2)
    assert names_of(axes) == ["7", "3", "5"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0", "1"]
    assert len(np.unique(axes.collections[0].get_facecolors(), axis=0)) == 2


def test_names_do_not_overlap(trajectory: Trajectory, tmp_path: Path) -> None:
    # Twelve ways that end in one place.
    z = trajectory.embedding.clone()
    z[trajectory.window == 5] = torch.tensor([10.0, 10.0])
    crowd = trajectory._replace(embedding=z)
    axes = paths(crowd, list(range(8, 20)), names=[f"a longer name {i}" for i in range(20)], path="p.png")
    axes.figure.draw_without_rendering()  # as it is on the screen again
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert len(boxes) == 12
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    pairs = [(one, other) for i, one in enumerate(boxes) for other in boxes[:i]]
    assert not any(
        min(one.x1, other.x1) - max(one.x0, other.x0) > 1 and min(one.y1, other.y1) - max(one.y0, other.y0) > 1
        for one, other in pairs
    )
    assert (tmp_path / "p.png").stat().st_size > 10_000


def test_where_nothing_moves_it_says_so() -> None:
    still = Trajectory(
        torch.arange(3), torch.zeros(3).long(), torch.rand(3, 2), torch.ones(3), torch.zeros(2).double(), 3
    )
    assert "No node moves" in paths(still).figure.get_supxlabel()


def test_bad_input(trajectory: Trajectory) -> None:
    for given, match in (
        ({"nodes": [20]}, "nodes.*20"),
        ({"nodes": []}, "nodes"),
        ({"nodes": list(range(20)) * 2}, "1 to 20"),
        ({"count": 0}, "count"),
        ({"names": ["a"]}, "names"),
    ):
        with pytest.raises(InputError, match=match):
            paths(trajectory, **given)
