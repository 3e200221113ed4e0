"""Static maps: what is drawn for which labels, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.plotting import figure as plotting
from genurl_graph.plotting import panel, scatter
from genurl_graph.plotting.figure import density_image, draw, draw_panel, point_style


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)


def legend_entries(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_files_are_images_and_nothing_else_is_left(
    tmp_path: Path, points: np.ndarray, suffix: str, magic: bytes
) -> None:
    path = tmp_path / f"z{suffix}"
    scatter(torch.from_numpy(points), torch.arange(60) % 3, path=path, title="t", subtitle="s")
    assert path.read_bytes().startswith(magic)
    assert os.listdir(tmp_path) == [path.name]


def test_every_point_is_drawn_in_the_colour_of_its_class(points: np.ndarray) -> None:
    labels = np.arange(60) % 3
    figure = draw(points, labels, "title", "sub")
    (drawn,) = figure.axes[0].collections
    offsets, colours = np.asarray(drawn.get_offsets()), drawn.get_facecolors()
    back = {tuple(point): label for point, label in zip(points.tolist(), labels, strict=True)}
    drawn_labels = np.array([back[tuple(point)] for point in offsets.tolist()])
    assert sorted(map(tuple, offsets.tolist())) == sorted(map(tuple, points.tolist()))
    per_class = [np.unique(colours[drawn_labels == c], axis=0) for c in range(3)]
    assert [len(c) for c in per_class] == [1, 1, 1]
    assert len({tuple(c[0]) for c in per_class}) == 3
    # The legend shows the same colours under the same names.
    handles = figure.legends[0].legend_handles
    assert legend_entries(figure) == ["0", "1", "2"]
    for handle, colour in zip(handles, per_class, strict=True):
        np.testing.assert_allclose(handle.get_color()[:3], colour[0][:3])


def test_classes_do_not_hide_one_another(points: np.ndarray) -> None:
    figure = draw(points, np.repeat([0, 1], 30), None, None)
    colours = figure.axes[0].collections[0].get_facecolors()
    changes = (np.diff(colours, axis=0) != 0).any(axis=1).sum()
    assert changes > 5  # mixed order; sorted by class there would be one change


@pytest.mark.parametrize(
    ("labels", "legend", "axes"),
    [
        (None, 0, 1),
        (np.array(["cat", "dog"] * 30), 2, 1),
        (np.arange(60) % 20, 20, 1),
        (np.arange(60) % 21, 0, 2),
        (np.linspace(0, 1, 60), 0, 2),
        (np.repeat([1.0, 2.0], 30), 2, 1),
    ],
    ids=["none", "strings", "20 classes", "21 classes", "real numbers", "whole floats"],
)
def test_legend_or_colour_bar(points: np.ndarray, labels: np.ndarray | None, legend: int, axes: int) -> None:
    figure = draw(points, labels, None, None)
    assert len(legend_entries(figure)) == legend
    assert len(figure.axes) == axes


def test_more_points_are_smaller_and_fainter() -> None:
    sizes, alphas = zip(*(point_style(n) for n in (10, 1_000, 30_000, 1_000_000)), strict=True)
    assert list(sizes) == sorted(sizes, reverse=True)
    assert list(alphas) == sorted(alphas, reverse=True)
    assert min(sizes) >= 1
    assert min(alphas) >= 0.25


@pytest.mark.parametrize(
    ("embedding", "labels", "message"),
    [
        (np.zeros((4, 3)), None, r"shape \(4, 3\); expected \[n, 2\]"),
        (np.zeros((0, 2)), None, "n >= 1"),
        (np.array([[0, np.nan]]), None, "NaN"),
        (np.zeros((4, 2)), np.zeros(3), "labels: found shape"),
    ],
)
def test_bad_input(tmp_path: Path, embedding: np.ndarray, labels: np.ndarray | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scatter(embedding, labels, path=tmp_path / "z.png")
    with pytest.raises(InputError, match=r"\.jpeg"):
        scatter(np.zeros((4, 2)), path=tmp_path / "z.jpeg")
    assert os.listdir(tmp_path) == []


def test_many_points_are_shaded_by_density(monkeypatch: pytest.MonkeyPatch, points: np.ndarray) -> None:
    assert plotting.MAX_POINTS == 50_000
    monkeypatch.setattr(plotting, "MAX_POINTS", 59)
    figure = draw(points, np.arange(60) % 3, None, None)
    assert len(figure.axes[0].collections) == 0
    (image,) = figure.axes[0].images
    left, right, bottom, top = image.get_extent()
    assert left <= points[:, 0].min() < points[:, 0].max() <= right
    assert bottom <= points[:, 1].min() < points[:, 1].max() <= top
    assert legend_entries(figure) == ["0", "1", "2"]


def test_a_pixel_has_the_mean_colour_of_its_points_and_crowds_are_denser() -> None:
    red, blue = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    points = np.array([[0, 0]] * 3 + [[9.9, 0]] + [[0, 4.9]] * 2)
    colours = np.array([red] * 3 + [blue] + [red, blue])
    image, extent = density_image(points, colours, pixels=10)
    assert image.shape[:2] == (5, 10)
    assert extent == pytest.approx((0, 9.9, 0, 4.95))
    np.testing.assert_allclose(image[0, 0, :3], red)
    np.testing.assert_allclose(image[0, 9, :3], blue)
    np.testing.assert_allclose(image[4, 0, :3], (red + blue) / 2)
    opacity = image[[0, 4, 0], [0, 0, 9], 3]
    np.testing.assert_allclose(opacity, [1, 0.25 + 0.75 * 2 / 3, 0.25 + 0.75 / 3], rtol=1e-6)
    assert (image[..., 3] > 0).sum() == 3


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), 3e8), np.c_[np.arange(5.0), np.zeros(5)]])
def test_density_of_a_spot_or_a_line(points: np.ndarray) -> None:
    image, (left, right, bottom, top) = density_image(points, np.zeros(3), pixels=20)
    assert left < right
    assert bottom < top
    assert max(image.shape[:2]) <= 20
    assert (image[..., 3] > 0).sum() == len(np.unique(points, axis=0))


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_a_panel_has_a_map_for_each_and_one_legend(points: np.ndarray, count: int) -> None:
    figure = draw_panel({f"method {i}\n{i} s": points + i for i in range(count)}, np.arange(60) % 3, "digits")
    shown = [axes for axes in figure.axes if axes.collections]
    assert [axes.get_title() for axes in shown] == [f"method {i}\n{i} s" for i in range(count)]
    assert len(figure.legends) == 1
    assert legend_entries(figure) == ["0", "1", "2"]
    assert all(len(axes.collections[0].get_offsets()) == 60 for axes in shown)


def test_a_panel_of_real_numbers_has_one_colour_bar(points: np.ndarray) -> None:
    values = np.linspace(0, 1, 60)
    values[3] = np.nan
    figure = draw_panel({"a": points, "b": points}, values, None)
    assert len(figure.axes) == 3  # two maps and the bar
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
