"""Dimension reductions out of other packages: what they are called with, and what happens where they are absent.

UMAP compiles for most of a minute at its first call, so that stand-ins answer for the packages here, except for what
is quick (openTSNE and scikit-learn). The defaults that the settings repeat are compared with the real signatures.
"""

import inspect
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from genurl_graph.baselines.reduction import REDUCERS, get_reducer, import_reducer, require_reducer
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import InputError


def lacking(name: str) -> bool:
    return find_spec(REDUCERS[name][0].partition(".")[0]) is None


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("umap", {"n_components": 3, "n_neighbors": 15, "min_dist": 0.1}),
        ("pacmap", {"n_components": 3, "n_neighbors": 7}),
        (
            "torchdr-umap",
            {
                "n_components": 3,
                "n_neighbors": 30,
                "min_dist": 0.1,
                "max_iter": 1000,
                "random_state": 4,
                "device": "cpu",
            },
        ),
    ],
)
def test_packages_are_called_with_their_defaults(monkeypatch, x: np.ndarray, name: str, expected: dict) -> None:
    called = {}

    class Stub:
        def __init__(self, **arguments) -> None:
            called.update(arguments)

        def fit_transform(self, given):
            assert given is x
            return np.random.random((len(given), called["n_components"]))  # noqa: NPY002

    module = ModuleType(REDUCERS[name][0])
    setattr(module, REDUCERS[name][2], Stub)
    module.__spec__ = SimpleNamespace()  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, REDUCERS[name][0], module)
    reduce = get_reducer(name, {"n_neighbors": "7"} if name == "pacmap" else None)
    z = reduce(x, 3, 4, 1, "cpu")
    assert called == expected
    assert z.dtype == np.float32
    assert z.shape == (40, 3)
    np.testing.assert_array_equal(reduce(x, 3, 4, 1, "cpu"), z)  # NumPy's generator is seeded
    assert not np.array_equal(reduce(x, 3, 5, 1, "cpu"), z)


def test_pca_is_scikit_learns(x: np.ndarray) -> None:
    from sklearn.decomposition import PCA

    np.testing.assert_allclose(get_reducer("pca")(x, 2, 0, 1), PCA(2).fit_transform(x), rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(lacking("tsne"), reason="openTSNE is not installed: pip install 'genurl-graph[peers]'")
def test_tsne_keeps_clusters_apart_and_repeats_by_seed(x: np.ndarray) -> None:
    y = np.arange(40) % 2
    x = x + 20 * y[:, None]
    reduce = get_reducer("tsne", {"n_iter": 100})
    z = reduce(x, 2, 0, 1)
    assert (z.shape, z.dtype) == ((40, 2), np.float32)
    between = np.linalg.norm(z[y == 0].mean(0) - z[y == 1].mean(0))
    assert between > z[y == 0].std() + z[y == 1].std()
    np.testing.assert_array_equal(reduce(x, 2, 0, 1), z)


@pytest.mark.parametrize("name", ["tsne", "pacmap"])
def test_settings_are_the_installed_defaults(name: str) -> None:
    """Of the packages whose import is quick; UMAP's and TorchDR's take seconds."""
    if lacking(name):
        pytest.skip(f"{REDUCERS[name][1]} is not installed: pip install 'genurl-graph[peers]'")
    parameters = inspect.signature(getattr(import_module(REDUCERS[name][0]), REDUCERS[name][2])).parameters
    for key, value in baseline_settings(name).items():
        assert parameters[key].default == value


@pytest.mark.parametrize("name", REDUCERS)
def test_an_absent_package_names_the_extra(monkeypatch, name: str) -> None:
    monkeypatch.setattr("genurl_graph.baselines.reduction.find_spec", lambda module: None)
    for call in (require_reducer, get_reducer, import_reducer):
        with pytest.raises(InputError, match=rf"{name}: needs the package {REDUCERS[name][1]}.*genurl-graph\[peers\]"):
            call(name)


def test_what_a_package_makes_of_bad_input_is_quoted(monkeypatch, x: np.ndarray) -> None:
    with pytest.raises(
        InputError, match=r"pca: scikit-learn failed on 40 x 6 vectors, 7 dimensions wanted .ValueError: n_"
    ):
        get_reducer("pca")(x, 7, 0, 1)
    monkeypatch.setattr("sklearn.decomposition.PCA.fit_transform", lambda self, x: x[:, :2] * np.nan)
    with pytest.raises(InputError, match=r"pca: scikit-learn returned .*not finite"):
        get_reducer("pca")(x, 2, 0, 1)
