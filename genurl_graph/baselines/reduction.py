"""Published dimension reductions beside GenURL, each with the defaults of its package.

`umap` (umap-learn), `tsne` (openTSNE), `pacmap`, `torchdr-umap` (TorchDR) and `pca` (scikit-learn). Nothing is imported
before it is used, so that a comparison can tell the time of the import from that of the method.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import InputError

# (vectors [n, f], dimensions, seed, threads, device) -> embedding [n, d], float32.
Reducer = Callable[[Any, int, int, int, str], Any]

# Name -> module to import, and package that brings it.
REDUCERS = {
    "umap": ("umap", "umap-learn"),
    "tsne": ("openTSNE", "openTSNE"),
    "pacmap": ("pacmap", "pacmap"),
    "torchdr-umap": ("torchdr", "torchdr"),
    "pca": ("sklearn.decomposition", "scikit-learn"),
}


def get_reducer(name: str, changes: Mapping[str, Any] | None = None) -> Reducer:
    """The reduction called `name`.

    Parameters
    ----------
    name : str
        One of `REDUCERS`.
    changes : mapping, optional
        Settings that differ from the package's defaults (`genurl_graph.baselines.baseline_settings`), ``{"n_neighbors":
        30}``.

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
    function = _FUNCTIONS[name]

    def reduce(x: Any, dim: int, seed: int, threads: int, device: str = "auto") -> Any:
        import numpy as np

        np.random.seed(seed)  # noqa: NPY002  (the generator that these packages draw from)
        try:
            found = np.ascontiguousarray(function(x, dim, seed, threads, device, settings), dtype=np.float32)
        except Exception as error:  # whatever the package makes of too few points or columns
            shape = " x ".join(map(str, x.shape))
            raise InputError(
                f"{name}: {REDUCERS[name][1]} failed on {shape} vectors, {dim} dimensions wanted "
                f"({type(error).__name__}: {error})"
            ) from error
        if found.shape != (len(x), dim) or not np.isfinite(found).all():
            raise InputError(
                f"{name}: {REDUCERS[name][1]} returned shape {found.shape}, or numbers that are not finite"
            )
        return found

    return reduce


def import_reducer(name: str) -> None:
    """Import what a reduction needs."""
    require_reducer(name)
    import_module(REDUCERS[name][0])


def require_reducer(name: str) -> None:
    """Check that the package of a reduction is installed, without importing it; InputError that says how to get it."""
    if name not in REDUCERS:
        near = difflib.get_close_matches(name, REDUCERS, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"peer: unknown {name!r}; expected one of {', '.join(REDUCERS)}{hint}")
    module, package = REDUCERS[name]
    if find_spec(module.partition(".")[0]) is None:
        raise InputError(
            f"{name}: needs the package {package}, which is not installed; pip install 'genurl-graph[peers]' brings it"
        )


def _umap(x: Any, dim: int, seed: int, threads: int, device: str, settings: dict[str, Any]) -> Any:
    from umap import UMAP

    return UMAP(n_components=dim, **settings).fit_transform(x)


def _tsne(x: Any, dim: int, seed: int, threads: int, device: str, settings: dict[str, Any]) -> Any:
    from openTSNE import TSNE

    # Few points bear no large perplexity; the package would say so and go on with this value.
    perplexity = min(settings["perplexity"], max(1.0, (len(x) - 1) / 3))
    changed = {**settings, "perplexity": perplexity}
    return TSNE(n_components=dim, random_state=seed, n_jobs=threads, **changed).fit(x)


def _pacmap(x: Any, dim: int, seed: int, threads: int, device: str, settings: dict[str, Any]) -> Any:
    from pacmap import PaCMAP

    return PaCMAP(n_components=dim, **settings).fit_transform(x)


def _torchdr_umap(x: Any, dim: int, seed: int, threads: int, device: str, settings: dict[str, Any]) -> Any:
    from torchdr import UMAP

    return UMAP(n_components=dim, random_state=seed, device=device, **settings).fit_transform(x)


def _pca(x: Any, dim: int, seed: int, threads: int, device: str, settings: dict[str, Any]) -> Any:
    from sklearn.decomposition import PCA

    return PCA(dim, random_state=seed).fit_transform(x)


_FUNCTIONS = {"umap": _umap, "tsne": _tsne, "pacmap": _pacmap, "torchdr-umap": _torchdr_umap, "pca": _pca}
