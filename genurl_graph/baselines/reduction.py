"""Published dimension reductions beside GenURL, each with the defaults of its package.

`umap` (umap-learn), `tsne` (openTSNE), `pacmap`, `torchdr-umap` (TorchDR) and `pca` (scikit-learn). Nothing is imported
before it is used, so that a comparison can tell the time of the import from that of the method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from genurl_graph.baselines import missing_package
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import InputError, unknown

# (vectors [n, f], dimensions, seed, threads, device) -> embedding [n, d], float32.
Reducer = Callable[[Any, int, int, int, str], Any]

# Name -> module to import, package that brings it, and class.
REDUCERS = {
    "umap": ("umap", "umap-learn", "UMAP"),
    "tsne": ("openTSNE", "openTSNE", "TSNE"),
    "pacmap": ("pacmap", "pacmap", "PaCMAP"),
    "torchdr-umap": ("torchdr", "torchdr", "UMAP"),
    "pca": ("sklearn.decomposition", "scikit-learn", "PCA"),
}


def get_reducer(name: str, changes: Mapping[str, Any] | None = None) -> Reducer:
    """Return the reduction called `name`.

    Parameters
    ----------
    name : str
        One of `REDUCERS`.
    changes : mapping, optional
        Settings that differ from the package's defaults (`baseline_settings`), ``{"n_neighbors": 30}``.

    Returns
    -------
    callable
        ``reduce(x, dim, seed, threads, device)`` is the embedding, float32 [n, dim], of vectors x, float32 [n, f].

        UMAP and PaCMAP give up parallel work as soon as they get a seed. They do not get one here, since their speed
        is what is compared: NumPy's global generator is seeded instead, which fixes them in part. openTSNE's default
        is one thread; it gets as many as the others.

    Raises
    ------
    InputError
        Unknown name (the nearest is named), unknown setting, or a missing package (the message names the extra). On
        call: the package failed, which is quoted, or its embedding is not finite.
    """
    require_reducer(name)
    settings = baseline_settings(name, None, changes)
    module, package, class_name = REDUCERS[name]

    def reduce(x: Any, dim: int, seed: int, threads: int, device: str = "auto") -> Any:
        import numpy as np

        np.random.seed(seed)  # noqa: NPY002  (the generator that these packages draw from)
        try:
            arguments = _arguments(name, settings, len(x), seed, threads, device)
            model = getattr(import_module(module), class_name)(n_components=dim, **arguments)
            z = model.fit(x) if name == "tsne" else model.fit_transform(x)
            found = np.ascontiguousarray(z, dtype=np.float32)
        except Exception as error:  # whatever the package makes of too few points or columns
            shape = " x ".join(map(str, x.shape))
            raise InputError(
                f"{name}: {package} failed on {shape} vectors, {dim} dimensions wanted "
                f"({type(error).__name__}: {error})"
            ) from error
        if found.shape != (len(x), dim) or not np.isfinite(found).all():
            raise InputError(f"{name}: {package} returned shape {found.shape}, or numbers that are not finite")
        return found

    return reduce


def import_reducer(name: str) -> None:
    """Import what a reduction needs."""
    require_reducer(name)
    import_module(REDUCERS[name][0])


def require_reducer(name: str) -> None:
    """Check that the package of a reduction is installed, without importing it; InputError that says how to get it."""
    if name not in REDUCERS:
        raise unknown("baseline", name, REDUCERS)
    module, package, _ = REDUCERS[name]
    if find_spec(module.partition(".")[0]) is None:
        raise missing_package(name, package)


def _arguments(name: str, settings: dict[str, Any], n: int, seed: int, threads: int, device: str) -> dict[str, Any]:
    """Arguments of a reduction's class beside ``n_components``."""
    match name:
        case "tsne":
            # Few points bear no large perplexity; the package would say so and go on with this value.
            perplexity = min(settings["perplexity"], max(1.0, (n - 1) / 3))
            return settings | {"perplexity": perplexity, "random_state": seed, "n_jobs": threads}
        case "torchdr-umap":
            return settings | {"random_state": seed, "device": device}
        case "pca":
            return settings | {"random_state": seed}
        case _:
            return settings
