"""Small multiples: what stands in which panel, in which colour and place."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.palette import MISSING
from genurl_graph.plotting.temporal.windows import choose_windows, window_panels
from tests.plotting.temporal.conftest import planted


def drawn(axes) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places and colours of the points of a panel, layer by layer."""
    return [(np.asarray(layer.get_offsets()), layer.get_facecolors()) for layer in axes.collections]


def test_a_panel_has_its_active_nodes_and_in_grey_where_the_others_last_were(trajectory: Trajectory) -> None:
    panels = window_panels(trajectory)
    assert len(panels) == 6
    (first,) = drawn(panels[0])
    np.testing.assert_allclose(np.sort(first[0], 0), np.sort(trajectory.embedding[:20].numpy(), 0), rtol=1e-6)
    grey, active = drawn(panels[4])
    # Node 7, seen in window 0 only, stands where it was.
    np.testing.assert_allclose(grey[0], trajectory.embedding[7:8].numpy(), rtol=1e-6)
    from matplotlib.colors import to_rgb

    np.testing.assert_allclose(grey[1][0, :3], to_rgb(MISSING))
    assert len(active[0]) == 19
    assert panels[4].get_title() == "window 4, from 3.456e+05\n19 nodes"


def test_all_panels_have_the_same_axes_and_colours(trajectory: Trajectory) -> None:
    labels = pd.Series(["a", "b"] * 10, name="kind")
    panels = window_panels(trajectory, labels, unit="seconds")
    panels[0].figure.draw_without_rendering()
    limits = {(axes.get_xlim(), axes.get_ylim()) for axes in panels}
    assert len(limits) == 1
    ((left, right), (bottom, top)), points = limits.pop(), trajectory.embedding.numpy()
    assert left < points[:, 0].min()
    assert right > points[:, 0].max()
    assert bottom < points[:, 1].min()
    assert top > points[:, 1].max()
    assert right - left == pytest.approx(top - bottom)
    # A node keeps its colour in all windows.
    node = np.round(drawn(panels[5])[-1][0][:, 0]).astype(int)
    colour = drawn(panels[5])[-1][1]
    assert len(np.unique(colour[node % 2 == 0], axis=0)) == len(np.unique(colour[node % 2 == 1], axis=0)) == 1
    legend = panels[0].figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]
    assert legend.get_title().get_text() == "kind"


def test_labels_of_rows_change_with_time(trajectory: Trajectory) -> None:
    panels = window_panels(trajectory, np.where(trajectory.window < 3, "early", "late"))
    early, late = drawn(panels[0])[-1][1], drawn(panels[5])[-1][1]
    assert len(np.unique(early, axis=0)) == len(np.unique(late, axis=0)) == 1
    assert (early[0] != late[0]).any()


def test_numbers_get_one_colour_bar(trajectory: Trajectory) -> None:
    panels = window_panels(trajectory, np.linspace(0, 1, 20), label="age")
    assert len(panels[0].figure.axes) == len(panels) + 1
    assert panels[0].figure.axes[-1].get_ylabel() == "age"


def test_of_many_windows_twelve_are_drawn_and_it_says_so() -> None:
    long = planted(windows=40, nodes=8)
    empty = long.window != 39
    long = long._replace(
        node=long.node[empty], window=long.window[empty], embedding=long.embedding[empty], events=long.events[empty]
    )
    chosen, note = choose_windows(long)
    assert len(chosen) == 12
    assert (chosen[0], chosen[-1]) == (0, 38)
    assert {*np.diff(chosen)} <= {3, 4}
    assert note == "12 of 39 windows with events, evenly chosen; 1 window without events left out."
    panels = window_panels(long, subtitle="below")
    assert len(panels) == 12
    assert note in " ".join(panels[0].figure.get_supxlabel().split())


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_a_file_is_written_and_nothing_else(tmp_path: Path, trajectory: Trajectory, suffix: str, magic: bytes) -> None:
    window_panels(trajectory, path=f"w{suffix}", title="Title")
    assert (tmp_path / f"w{suffix}").read_bytes().startswith(magic)
    assert os.listdir(tmp_path) == [f"w{suffix}"]


def test_bad_input(trajectory: Trajectory) -> None:
    with pytest.raises(InputError, match=r"labels.*3.*20, one for each node, or 115, one for each row"):
        window_panels(trajectory, [0, 1, 2])
    with pytest.raises(InputError, match=r"trajectory.*\[n, 2\]"):
        window_panels(trajectory._replace(embedding=torch.zeros(115, 3)))
    with pytest.raises(InputError, match="unit"):
        window_panels(trajectory, unit="weeks")
