"""Published methods beside GenURL, each by one call: the rows of ``genurl-graph compare``.

`cca-ssg`, `grace`, `gae` and `vgae` are objectives on this package's own encoders, views and training loop; `dgi`,
`graphcl`, `bgrl`, `vicreg` and `barlow` come from the optional package graphssl, `node2vec` from PyG. Nothing heavy is
imported before a peer is used.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    # (data, seed, device) -> embedding [n, d], float32, on the CPU.
    Peer = Callable[[Any, int, str | torch.device], Tensor]


# Name -> module and function ``(name, data, seed, device, settings) -> Tensor``.
BASELINES = {
    "cca-ssg": "cca_ssg:embed",
    "grace": "grace:embed",
    "gae": "gae:embed",
    "vgae": "gae:embed",
    "dgi": "graphssl:embed",
    "graphcl": "graphssl:embed",
    "bgrl": "graphssl:embed",
    "vicreg": "graphssl:embed",
    "barlow": "graphssl:embed",
    "node2vec": "node2vec:embed",
}


def get_baseline(name: str, changes: Mapping[str, Any] | None = None) -> Peer:
    """The peer called `name`, with its published settings.

    Parameters
    ----------
    name : str
        One of `BASELINES`.
    changes : mapping, optional
        Settings that differ from the published ones, ``{"epochs": 10}`` (`baseline_settings`).

    Returns
    -------
    callable
        ``peer(data, seed, device)`` is the embedding, float32 [n, d], on the CPU. `data` is a PyG ``Data`` with edges
        and, except for node2vec, gae, vgae, grace and cca-ssg (which then take every node as its own feature), node
        features; its ``name`` selects published settings. Labels are not read.

    Raises
    ------
    InputError
        Unknown name (the nearest is named) or setting, a missing package (the message names the extra), no edges.
    """
    _known(name)
    baseline_settings(name, None, changes)

    def peer(data: Any, seed: int, device: str | torch.device = "auto") -> Tensor:
        require(name)
        module, function = BASELINES[name].split(":")
        embed = getattr(import_module(f"genurl_graph.baselines.{module}"), function)
        found: Tensor = embed(name, data, seed, device, baseline_settings(name, getattr(data, "name", None), changes))
        return found

    return peer


def require(name: str) -> None:
    """Check, before any long work, that what a peer needs is installed; InputError that says how to get it."""
    _known(name)
    module = import_module(f"genurl_graph.baselines.{BASELINES[name].split(':')[0]}")
    check = getattr(module, "require", None)
    if check is not None:
        check(name)


def _known(name: str) -> None:
    if name not in BASELINES:
        near = difflib.get_close_matches(name, BASELINES, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"peer: unknown {name!r}; expected one of {', '.join(BASELINES)}{hint}")
