"""Static maps: what is drawn for which labels, where, and what is refused."""

import gc
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genurl_graph.exceptions import InputError
from genurl_graph.plotting import canvas, panel, scatter
from genurl_graph.plotting import figure as plotting
from genurl_graph.plotting.figure import point_style


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without a display, pyplot knows of no figure, and no file is written that was not asked for."""
    plt.switch_backend("agg")
    plt.close("all")  # figures of the tests before this one
    monkeypatch.chdir(tmp_path)
    yield
    assert plt.get_fignums() == []


def legend_entries(legend) -> list[str]:
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def bar_of(ax: Axes) -> Axes | None:
    return ax.child_axes[0] if ax.child_axes else None


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_files_are_images_and_nothing_else_is_left(
    tmp_path: Path, points: np.ndarray, suffix: str, magic: bytes
) -> None:
    path = tmp_path / f"z{suffix}"
    scatter(torch.from_numpy(points), torch.arange(60) % 3, path=path, title="t", subtitle="s")
    assert path.read_bytes().startswith(magic)
    assert os.listdir(tmp_path) == [path.name]


def test_axes_come_back_and_nothing_is_written(tmp_path: Path, points: np.ndarray) -> None:
    ax = scatter(points, np.arange(60) % 3, title="title", subtitle="below")
    assert isinstance(ax, Axes)
    assert ax.get_title() == "title"
    assert [text.get_text() for text in ax.texts] == ["below"]
    assert ax.get_aspect() == 1
    assert all(isinstance(one, Axes) for one in panel({"a": points, "b": points}))
    assert os.listdir(tmp_path) == []


def test_a_figure_goes_with_its_axes(points: np.ndarray) -> None:
    ax = scatter(points, np.linspace(0, 1, 60))
    figure = weakref.ref(ax.figure)
    del ax
    gc.collect()
    assert figure() is None


def test_every_point_is_drawn_in_the_colour_of_its_class(points: np.ndarray) -> None:
    labels = np.arange(60) % 3
    ax = scatter(points, labels)
    (drawn,) = ax.collections
    offsets, colours = np.asarray(drawn.get_offsets()), drawn.get_facecolors()
    back = {tuple(point): label for point, label in zip(points.tolist(), labels, strict=True)}
    drawn_labels = np.array([back[tuple(point)] for point in offsets.tolist()])
    assert sorted(map(tuple, offsets.tolist())) == sorted(map(tuple, points.tolist()))
    per_class = [np.unique(colours[drawn_labels == c], axis=0) for c in range(3)]
    assert [len(c) for c in per_class] == [1, 1, 1]
    assert len({tuple(c[0]) for c in per_class}) == 3
    # The legend shows the same colours under the same names.
    assert legend_entries(ax.get_legend()) == ["0", "1", "2"]
    for handle, colour in zip(ax.get_legend().legend_handles, per_class, strict=True):
        np.testing.assert_allclose(handle.get_color()[:3], colour[0][:3])


def test_classes_do_not_hide_one_another_and_the_missing_lie_below(points: np.ndarray) -> None:
    colours = scatter(points, np.repeat([0, 1], 30)).collections[0].get_facecolors()
    changes = (np.diff(colours, axis=0) != 0).any(axis=1).sum()
    assert changes > 5  # mixed order; sorted by class there would be one change
    colours = scatter(points, ["a"] * 20 + [None] * 20 + ["b"] * 20).collections[0].get_facecolors()
    assert len(np.unique(colours[:20], axis=0)) == 1
    assert len(np.unique(colours[20:], axis=0)) == 2


@pytest.mark.parametrize(
    ("labels", "legend", "bar"),
    [
        (None, 0, False),
        (np.array(["cat", "dog"] * 30), 2, False),
        (np.arange(60) % 20, 20, False),
        (np.arange(60) * 3, 0, True),
        ([f"c{i}" for i in range(60)], 60, False),
        (np.linspace(0, 1, 60), 0, True),
        (np.repeat([1.0, 2.0], 30), 2, False),
        (["a", None] * 30, 2, False),
        (pd.date_range("2020", periods=60), 0, True),
    ],
    ids=["none", "strings", "20 classes", "60 numbers", "60 names", "real numbers", "whole floats", "missing", "dates"],
)
def test_legend_or_colour_bar(points: np.ndarray, labels, legend: int, bar: bool) -> None:
    ax = scatter(points, labels)
    assert len(legend_entries(ax.get_legend())) == legend
    assert (bar_of(ax) is not None) is bar
    ax = scatter(points, labels, legend=False)
    assert ax.get_legend() is None
    assert bar_of(ax) is None


def test_titles_of_bars_and_legends(points: np.ndarray) -> None:
    numbers = pd.Series(np.linspace(0, 1, 60), name="age")
    assert bar_of(scatter(points, numbers)).get_ylabel() == "age"
    assert bar_of(scatter(points, numbers, label="years")).get_ylabel() == "years"
    assert scatter(points, ["a"] * 60, label="kind").get_legend().get_title().get_text() == "kind"


def test_the_bar_of_dates_has_dates_at_its_ticks(points: np.ndarray) -> None:
    ax = scatter(points, pd.date_range("2019-06-01", "2021-06-01", periods=60))
    ax.figure.draw_without_rendering()
    assert {"2020", "2021"} < {text.get_text() for text in bar_of(ax).get_yticklabels()}


def inches(ax: Axes) -> np.ndarray:
    ax.figure.draw_without_rendering()
    return ax.get_window_extent().size / ax.figure.dpi


def test_long_legends_widen_the_figure_and_leave_the_map_its_size(points: np.ndarray) -> None:
    short = inches(scatter(points))
    np.testing.assert_allclose(inches(scatter(points, title="t " * 60, subtitle="word " * 50)), short, atol=0.15)
    long = [f"person number {i} of all those who have sat for a portrait" for i in range(40)] * 2
    for labels in (long[:60], np.arange(60) % 2, np.linspace(0, 1, 60), pd.date_range("2020", periods=60)):
        ax = scatter(points, labels, label="a title", title="title", subtitle="subtitle")
        np.testing.assert_allclose(inches(ax), short, atol=0.15)
        # All of it is on the page.
        box = ax.get_tightbbox()
        assert box.x0 > -1
        assert box.x1 < ax.figure.bbox.x1 + 1
        assert box.height < ax.figure.bbox.height + 1


def test_names_are_written_as_they_are_or_cut(points: np.ndarray) -> None:
    names = ["_hidden", "cost in $ or $", "two\nlines", "x" * 80]
    assert legend_entries(scatter(points, names * 15).get_legend()) == [
        "_hidden",
        "cost in $ or $",
        "two lines",
        "x" * 31 + "…",
    ]


def test_given_axes_are_drawn_in_and_keep_their_place(tmp_path: Path, points: np.ndarray) -> None:
    figure = Figure(figsize=(8, 4))
    left, right = figure.subplots(1, 2)
    places = [ax.get_position().bounds for ax in (left, right)]
    assert scatter(points, np.arange(60) % 3, ax=right, title="here", path="both.png") is right
    assert scatter(points, np.linspace(0, 1, 60), ax=left) is left
    figure.draw_without_rendering()
    assert [ax.get_position(original=True).bounds for ax in (left, right)] == places
    assert tuple(figure.get_size_inches()) == (8, 4)
    assert figure.get_layout_engine() is None
    assert figure.axes == [left, right]
    assert os.listdir(tmp_path) == ["both.png"]
    # Points are as large as a map of this size can have them.
    assert right.collections[0].get_sizes()[0] < scatter(points).collections[0].get_sizes()[0]


def test_given_axes_may_share_scales_or_lie_in_a_subfigure(points: np.ndarray) -> None:
    figure = Figure()
    for ax in figure.subplots(1, 2, sharex=True, sharey=True):
        scatter(points, ax=ax)
    figure.draw_without_rendering()
    (ax,) = Figure().subfigures(1, 2)[0].subplots(1, 1, squeeze=False).flat
    scatter(points, np.arange(60) % 2, ax=ax, path="sub.png")
    assert Path("sub.png").is_file()


def test_size_and_opacity(points: np.ndarray) -> None:
    (drawn,) = scatter(points, size=3.5, alpha=0.5).collections
    assert drawn.get_sizes().tolist() == [3.5]
    assert drawn.get_alpha() == 0.5


def test_more_points_are_smaller_and_fainter() -> None:
    sizes, alphas = zip(*(point_style(n) for n in (10, 1_000, 30_000, 1_000_000)), strict=True)
    assert list(sizes) == sorted(sizes, reverse=True)
    assert list(alphas) == sorted(alphas, reverse=True)
    assert min(sizes) >= 1
    assert min(alphas) >= 0.25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"embedding": np.zeros((4, 3))}, r"shape \(4, 3\); expected \[n, 2\]"),
        ({"embedding": np.zeros((0, 2))}, "n >= 1"),
        ({"embedding": np.array([[0, np.nan]])}, "NaN"),
        ({"labels": np.zeros(3)}, "labels: found shape"),
        ({"path": "z.jpeg"}, r"\.jpeg"),
        ({"size": 0}, "size: found 0; expected a number above 0"),
        ({"alpha": 2}, "alpha: found 2; expected a number from 0 to 1"),
        ({"ax": Figure().subplots(1, 2)}, "ax: found ndarray; expected one of matplotlib's Axes"),
        ({"ax": Figure()}, "ax: found Figure"),
        ({"ax": Figure().add_subplot(projection="polar")}, "ax: found polar axes"),
        ({"ax": Figure().add_subplot(projection="3d")}, "ax: found 3d axes"),
    ],
)
def test_bad_input(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scatter(**{"embedding": np.zeros((4, 2)), "path": "z.png"} | arguments)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("labels", [np.arange(60) % 3, np.linspace(0, 1, 60), ["a", None] * 30], ids=str)
def test_many_points_are_shaded_by_density(monkeypatch: pytest.MonkeyPatch, points: np.ndarray, labels) -> None:
    assert plotting.MAX_POINTS == 50_000
    few = scatter(points, labels)
    monkeypatch.setattr(plotting, "MAX_POINTS", 59)
    ax = scatter(points, labels)
    assert len(ax.collections) == 0
    (image,) = ax.images
    left, right, bottom, top = image.get_extent()
    assert left <= points[:, 0].min() < points[:, 0].max() <= right
    assert bottom <= points[:, 1].min() < points[:, 1].max() <= top
    # Points that lie alone in their pixels have the same colours either way.
    pixels = np.asarray(image.get_array())
    found = np.unique(pixels[pixels[..., -1] > 0][:, :3].round(3), axis=0)
    drawn = np.unique(few.collections[0].get_facecolors()[:, :3].round(3), axis=0)
    np.testing.assert_allclose(found, drawn, atol=2e-3)
    assert legend_entries(ax.get_legend()) == legend_entries(few.get_legend())
    assert (bar_of(ax) is None) is (bar_of(few) is None)


def test_a_pixel_of_numbers_has_the_colour_of_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotting, "MAX_POINTS", 3)
    spots = np.array([[0, 0], [0, 0], [0, 0], [1, 1]])
    pixels = scatter(spots, [0.0, 1.0, np.nan, 0.25], norm="linear").images[0].get_array()
    viridis = matplotlib.colormaps["viridis"]
    np.testing.assert_allclose(pixels[0, 0, :3], viridis(0.5)[:3], atol=1e-5)
    np.testing.assert_allclose(pixels[-1, -1, :3], viridis(0.25)[:3], atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_a_panel_has_a_map_for_each_and_one_legend(points: np.ndarray, count: int) -> None:
    drawn = panel({f"method {i}\n{i} s": points + i for i in range(count)}, np.arange(60) % 3, title="digits")
    assert [ax.get_title() for ax in drawn] == [f"method {i}\n{i} s" for i in range(count)]
    assert all(len(ax.collections[0].get_offsets()) == 60 for ax in drawn)
    figure = drawn[0].figure
    assert figure.axes == drawn
    assert figure.get_suptitle() == "digits"
    assert len(figure.legends) == 1
    assert legend_entries(figure.legends[0]) == ["0", "1", "2"]


def test_the_maps_of_a_panel_keep_their_size_beside_long_legends(points: np.ndarray) -> None:
    maps = {"a\n1 s": points, "b": points}
    short = inches(panel(maps)[0])
    for labels in ([f"a very long name indeed of number {i}" for i in range(60)], np.linspace(0, 1, 60)):
        np.testing.assert_allclose(inches(panel(maps, labels, title="t")[0]), short, rtol=0.05)


def test_a_panel_of_real_numbers_has_one_colour_bar(points: np.ndarray) -> None:
    values = np.linspace(0, 1, 60)
    values[3] = np.nan
    drawn = panel({"a": points, "b": points}, values, label="age", cmap="magma")
    figure = drawn[0].figure
    assert len(figure.axes) == 3  # two maps and the bar
    assert figure.axes[2].get_ylabel() == "age (grey: missing)"
    assert figure.legends == []


def test_panel_writes_and_refuses(tmp_path: Path, points: np.ndarray) -> None:
    panel({"a": points, "b": torch.from_numpy(points)}, path=tmp_path / "p.png", title="t")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    for embeddings, message in (
        ({}, "embeddings: found none"),
        ({"a": points, "umap\n3 s": points[1:]}, "umap: found 59 points; expected 60"),
        ({"umap\n3 s": points[:, :1]}, r"umap: found shape \(60, 1\)"),
    ):
        with pytest.raises(InputError, match=message):
            panel(embeddings, path=tmp_path / "q.png")
    assert os.listdir(tmp_path) == ["p.png"]


def test_pyplot_has_the_figure_where_it_shows_it(monkeypatch: pytest.MonkeyPatch, points: np.ndarray) -> None:
    monkeypatch.setattr(plt, "get_backend", lambda: "QtAgg")
    ax = scatter(points)
    assert plt.gcf() is ax.figure
    plt.close("all")
    scatter(points, path="saved.png")
    scatter(points, ax=Figure().add_subplot())
    assert plt.get_fignums() == []
    # A notebook shows what is saved, too.
    shell = type("Shell", (), {"kernel": object()})
    monkeypatch.setitem(canvas.sys.modules, "IPython", type("IPython", (), {"get_ipython": staticmethod(shell)}))
    scatter(points, path="saved.png")
    panel({"a": points})
    assert len(plt.get_fignums()) == 2
    plt.close("all")
