"""Colours of classes, numbers and dates."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm, to_rgb

from genurl_graph.exceptions import InputError
from genurl_graph.plotting.palette import MAX_NAMED, MISSING, PALETTE, paint

# Machado, Oliveira and Fernandes 2009, severity 1; OKLab of Ottosson 2020.
EYES = {
    "normal": np.eye(3),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "tritanope": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.793617785, -0.0040720468],
        [1.9779984951, -2.428592205, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.808675766],
    ]
)


def smallest_distance(colours: np.ndarray, eyes: np.ndarray) -> float:
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    lab = np.cbrt(np.clip(linear @ eyes.T, 0, 1) @ TO_CONES.T) @ TO_LAB.T
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return float(distances[~np.eye(len(lab), dtype=bool)].min())


@pytest.mark.parametrize(("count", "normal", "blind"), [(10, 0.17, 0.10), (20, 0.09, 0.058), (60, 0.05, 0.031)])
def test_colours_differ_to_colour_blind_eyes_too(count: int, normal: float, blind: float) -> None:
    colours = np.array([to_rgb(one) for one in PALETTE[:count]])
    seen = {name: smallest_distance(colours, eyes) for name, eyes in EYES.items()}
    assert seen.pop("normal") > normal
    assert min(seen.values()) > blind
    usual = colormaps["tab10" if count == 10 else "tab20"](np.arange(min(count, 20)))[:, :3]
    assert min(seen.values()) > min(smallest_distance(usual, eyes) for eyes in EYES.values())


def colours_of(found, labels) -> dict:
    table: dict = {}
    for label, colour in zip(labels, found.colours.tolist(), strict=True):
        table.setdefault(label, set()).add(tuple(colour))
    assert all(len(one) == 1 for one in table.values())
    return {label: one.pop() for label, one in table.items()}


def test_a_legend_names_the_classes_that_are_there_and_the_missing() -> None:
    names = pd.Series(pd.Categorical(["b", "a", None, "b"], categories=["z", "b", "a"]), name="kind")
    found = paint(names, 4)
    assert found.title == "kind"
    assert [name for name, _ in found.entries] == ["b", "a", "missing"]
    # "z" has no point, but keeps the first colour: the same classes have the same colours in another map.
    assert colours_of(found, ["b", "a", None, "b"]) == {
        "b": to_rgb(PALETTE[1]),
        "a": to_rgb(PALETTE[2]),
        None: to_rgb(MISSING),
    }
    assert found.known.tolist() == [True, True, False, True]
    assert paint(["a", "b"], 2).known is None


def test_beyond_sixty_classes_the_largest_have_names() -> None:
    labels = [f"c{i}" for i in range(100)] + [f"c{i}" for i in range(30, 100)]
    found = paint(labels, 170)
    names = [name for name, _ in found.entries]
    assert names == [f"c{i}" for i in range(30, 30 + MAX_NAMED - 1)] + ["41 more classes, pale"]
    seen = colours_of(found, labels)
    assert len({seen[name] for name in names[:-1]}) == MAX_NAMED - 1
    assert min(min(seen[f"c{i}"]) for i in (*range(30), *range(89, 100))) >= 0.6
    assert found.known is None
    # A colour map knows them all.
    assert paint(labels, 170, "turbo").scale is not None
    assert paint(labels, 170, "turbo", title="town").title == "town (100 of them, by number)"


def test_few_of_many_categories_never_share_a_colour() -> None:
    labels = pd.Categorical(["a0", "a60", "a120"], categories=[f"a{i}" for i in range(200)])
    assert len(np.unique(paint(labels, 3).colours, axis=0)) == 3


@pytest.mark.parametrize(
    ("cmap", "expected"),
    [
        ({"a": "red", "b": (0, 0, 1), "c": "lime"}, ["red", "blue"]),
        (["red", "#0000ff"], ["red", "blue"]),
        (["red"], ["red", "red"]),
        ("tab10", ["tab:blue", "tab:orange"]),
        (colormaps["Set1"], [colormaps["Set1"](0), colormaps["Set1"](1)]),
        ("viridis", [colormaps["viridis"](0.0), colormaps["viridis"](1.0)]),
    ],
    ids=["mapping", "list", "short list", "name", "colour map", "continuous"],
)
def test_own_colours_of_classes(cmap, expected: list) -> None:
    seen = colours_of(paint(["b", "a"], 2, cmap), ["b", "a"])
    np.testing.assert_allclose([seen["a"], seen["b"]], [to_rgb(one) for one in expected], atol=1e-6)


def test_a_mapping_knows_numbers_of_classes_and_their_text() -> None:
    for cmap in ({0: "red", 1: "blue"}, {"0": "red", "1": "blue"}, {0.0: "red", 1: "blue"}):
        np.testing.assert_allclose(paint(np.array([1, 0]), 2, cmap).colours, [to_rgb("blue"), to_rgb("red")])


def test_numbers_take_the_colour_of_their_share() -> None:
    values = np.array([1.5, np.nan, 3.5, 2.5])
    found = paint(pd.Series(values, name="age"), 4)
    assert found.title == "age (grey: missing)"
    np.testing.assert_allclose(found.colours[[0, 2, 3]], colormaps["viridis"]([0.0, 1.0, 0.5])[:, :3])
    np.testing.assert_allclose(found.colours[1], to_rgb(MISSING))
    assert (found.scale.norm.vmin, found.scale.norm.vmax) == (1.5, 3.5)


@pytest.mark.parametrize(
    ("norm", "values", "share"),
    [
        (Normalize(0, 4), [1, 2], [0.25, 0.5]),
        ("linear", [0, 1, 2], [0, 0.5, 1]),
        ("log", [1.0, 10.0, 0.0, 100.0], [0, 0.5, np.nan, 1]),
        (TwoSlopeNorm(0, -1, 10), [-0.5, 5.0], [0.25, 0.75]),
    ],
)
def test_a_norm_scales_and_makes_numbers_of_classes(norm, values: list, share: list) -> None:
    found = paint(np.array(values), len(values), norm=norm, cmap="magma")
    np.testing.assert_allclose(found.share, share)
    expected = colormaps["magma"](np.nan_to_num(share))[:, :3]
    expected[np.isnan(share)] = to_rgb(MISSING)
    np.testing.assert_allclose(found.colours, expected)


def test_dates_are_a_scale_of_days() -> None:
    found = paint(pd.date_range("2020-01-01", periods=3, freq="D"), 3)
    assert found.dates
    np.testing.assert_allclose(found.share, [0, 0.5, 1])


@pytest.mark.parametrize("labels", [[None] * 3, np.full(3, np.nan), np.array([1.5, np.inf, 2.5])[[1, 1, 1]]])
def test_all_missing_is_all_grey(labels) -> None:
    found = paint(labels, 3)
    np.testing.assert_allclose(found.colours, [to_rgb(MISSING)] * 3)
    assert [name for name, _ in found.entries] == ["missing"]


@pytest.mark.parametrize(
    ("labels", "arguments", "message"),
    [
        (["a", "b"], {"cmap": {"a": "red"}}, "cmap: found no colour for 'b'; expected one for each class"),
        (list("abcd"), {"cmap": {"a": "red"}}, "no colour for 'b' and 2 more"),
        (["a", "b"], {"cmap": {"a": "red", "b": "blu"}}, "cmap: found 'blu' for 'b'; expected a colour"),
        (["a", "b"], {"cmap": []}, "no colours"),
        (["a", "b"], {"cmap": "Spectrl"}, "did you mean 'Spectral'"),
        ([0.5, 1.5], {"cmap": "virids"}, "did you mean 'viridis'"),
        ([0.5, 1.5], {"cmap": ["red", "blue"]}, "cmap: found list for labels that are numbers or dates"),
        (["a", "b"], {"norm": "log"}, "norm: found labels that are classes"),
        ([0.5, 1.5], {"norm": "logg"}, "did you mean 'log'"),
        ([0.5, 1.5], {"norm": (0, 1)}, r"norm: found \(0, 1\); expected a Normalize"),
        ([-0.5, -1.5], {"norm": LogNorm()}, "norm: found numbers that it cannot scale"),
        (None, {"cmap": "viridis"}, "cmap, norm or label: found no labels"),
        (None, {"title": "age"}, "cmap, norm or label: found no labels"),
    ],
)
def test_bad_colours(labels, arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        paint(labels, 2 if labels is None else len(labels), **arguments)
