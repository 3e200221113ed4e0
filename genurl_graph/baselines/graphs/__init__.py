"""Published methods for whole graphs beside GenURL: rows of ``genurl-graph compare --task graphs``.

`graphcl`, `infograph` and `graphmae` are objectives on this package's training loop. `wl` is the kernel of the optional
package grakel, by which that of `genurl_graph.graph.descriptors`, which ``compare`` shows, can be checked: the values
are the same. Nothing heavy is imported before a baseline is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import unknown

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from genurl_graph.inputs.collection import GraphCollection

    # (collection, seed, device) -> embedding [G, d], float32, or kernel [G, G], float64, on the CPU.
    GraphBaseline = Callable[[GraphCollection, int, str | torch.device], Tensor]

# Name -> module with a function ``embed(name, collection, seed, device, settings) -> Tensor``.
GRAPH_BASELINES = {
    "graphcl": "graphcl",
    "infograph": "infograph",
    "graphmae": "graphmae",
    "wl": "weisfeiler_lehman",
}

# Those that give similarities of all pairs of graphs, for a support vector machine with a given kernel; no seed changes
# them.
KERNELS = ("wl",)


def get_graph_baseline(name: str, changes: Mapping[str, Any] | None = None) -> GraphBaseline:
    """Return the baseline of whole graphs called `name`, with one configuration for all data sets.

    Parameters
    ----------
    name : str
        One of `GRAPH_BASELINES`.
    changes : mapping, optional
        Settings that differ from the defaults, ``{"epochs": 10}`` (`genurl_graph.baselines.settings`).

    Returns
    -------
    callable
        ``baseline(collection, seed, device)`` is the embedding, float32 [G, d], on the CPU; of `KERNELS`, the kernel,
        float64 [G, G]. Labels, directions, weights and attributes of edges are not read.

    Raises
    ------
    InputError
        Unknown name (the nearest is named) or setting, a missing package (the message names the extra), fewer than two
        graphs that have nodes.

    Examples
    --------
    >>> z = get_graph_baseline("infograph", {"epochs": 10})(collection, 0, "cpu")  # doctest: +SKIP
    """
    module = _module(name)
    settings = baseline_settings(name, None, changes, task="graphs")

    def baseline(collection: GraphCollection, seed: int, device: str | torch.device = "auto") -> Tensor:
        require_graph_baseline(name)
        found: Tensor = import_module(module).embed(name, collection, seed, device, settings)
        return found

    return baseline


def require_graph_baseline(name: str) -> None:
    """Check, before any long work, that the packages of a baseline are installed; InputError says how to get them."""
    check = getattr(import_module(_module(name)), "require", None)
    if check is not None:
        check(name)


def _module(name: str) -> str:
    if name not in GRAPH_BASELINES:
        raise unknown("baseline of whole graphs", name, GRAPH_BASELINES)
    return f"genurl_graph.baselines.graphs.{GRAPH_BASELINES[name]}"
