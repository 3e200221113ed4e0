"""Published methods beside GenURL, each by one call: the rows of ``genurl-graph compare``.

`cca-ssg`, `grace`, `bgrl`, `graphmae`, `gae` and `vgae` are objectives on this package's own encoders, views and
training loop, and so is `node2vec`, with walks of its own; `dgi`, `graphcl`, `graphssl-bgrl`, `vicreg` and
`barlow` come from the optional package graphssl. Nothing heavy is imported before a baseline is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import InputError, unknown

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    # (data, seed, device) -> embedding [n, d], float32, on the CPU.
    Baseline = Callable[[Any, int, str | torch.device], Tensor]


# Name -> module with a function ``embed(name, data, seed, device, settings) -> Tensor``.
BASELINES = {
    "cca-ssg": "cca_ssg",
    "grace": "grace",
    "bgrl": "bgrl",
    "graphmae": "graphmae",
    "gae": "gae",
    "vgae": "gae",
    "dgi": "graphssl",
    "graphcl": "graphssl",
    "graphssl-bgrl": "graphssl",
    "vicreg": "graphssl",
    "barlow": "graphssl",
    "node2vec": "node2vec",
}


def get_baseline(name: str, changes: Mapping[str, Any] | None = None) -> Baseline:
    """Return the baseline called `name`, with its published settings.

    Parameters
    ----------
    name : str
        One of `BASELINES`.
    changes : mapping, optional
        Settings that differ from the published ones, ``{"epochs": 10}`` (`baseline_settings`).

    Returns
    -------
    callable
        ``baseline(data, seed, device)`` is the embedding, float32 [n, d], on the CPU. `data` is a PyG ``Data`` with
        edges and node features; node2vec reads no features, and the others of this package take every node as its own
        feature where there are none. The ``name`` of `data` selects published settings. Labels are not read.

    Raises
    ------
    InputError
        Unknown name (the nearest is named) or setting, a missing package (the message names the extra), no edges.

    Examples
    --------
    >>> z = get_baseline("grace", {"epochs": 10})(data, 0, "cpu")  # doctest: +SKIP
    """
    module = _module(name)
    baseline_settings(name, None, changes)

    def baseline(data: Any, seed: int, device: str | torch.device = "auto") -> Tensor:
        require(name)
        settings = baseline_settings(name, getattr(data, "name", None), changes)
        found: Tensor = import_module(module).embed(name, data, seed, device, settings)
        return found

    return baseline


def require(name: str) -> None:
    """Check, before any long work, that the packages of a baseline are installed; InputError says how to get them."""
    check = getattr(import_module(_module(name)), "require", None)
    if check is not None:
        check(name)


def missing_package(name: str, package: str) -> InputError:
    """The error of a baseline whose package is not installed, to be raised by the caller."""
    return InputError(
        f"{name}: needs the package {package}, which is not installed; `pip install 'genurl-graph[peers]'` brings it"
    )


def _module(name: str) -> str:
    if name not in BASELINES:
        raise unknown("baseline", name, BASELINES)
    return f"genurl_graph.baselines.{BASELINES[name]}"
