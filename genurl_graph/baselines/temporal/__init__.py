"""Published methods for dynamic graphs beside GenURL: rows of ``genurl-graph compare --task temporal``.

`tgn` is made of PyG's parts, and so is the encoder of `graphmixer`. Both are trained on the events before validation;
what they say of a later window they say by the events before it. Nothing heavy is imported before a baseline is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import unknown

if TYPE_CHECKING:
    import torch

    from genurl_graph.baselines.temporal.predictor import Predictor
    from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit

    # (split, seed, device) -> scores of the pairs of any window.
    TemporalBaseline = Callable[[TemporalSplit, int, str | torch.device], Predictor]

# Name -> module with a function ``build(edges, settings, scale) -> TemporalModel``.
TEMPORAL_BASELINES = {"tgn": "tgn", "graphmixer": "graphmixer"}


def get_temporal_baseline(name: str, changes: Mapping[str, Any] | None = None) -> TemporalBaseline:
    """Return the baseline of dynamic graphs called `name`, with one configuration for all data sets.

    Parameters
    ----------
    name : str
        One of `TEMPORAL_BASELINES`.
    changes : mapping, optional
        Settings that differ from the defaults, ``{"epochs": 3}`` (`genurl_graph.baselines.settings`).

    Returns
    -------
    callable
        ``baseline(split, seed, device)`` trains on the events before validation and keeps the parameters of the epoch
        whose average precision on the validation windows is the best. The result is what
        `genurl_graph.evaluation.temporal_links.protocol.judge` takes.

    Raises
    ------
    InputError
        Unknown name (the nearest is named) or setting.

    Examples
    --------
    >>> tgn = get_temporal_baseline("tgn", {"epochs": 3})(split, 0, "cpu")  # doctest: +SKIP
    >>> judge(split, tgn.scorers)["tgn"].mrr  # doctest: +SKIP
    """
    if name not in TEMPORAL_BASELINES:
        raise unknown("baseline of dynamic graphs", name, TEMPORAL_BASELINES)
    settings = baseline_settings(name, None, changes, task="temporal")

    def baseline(split: TemporalSplit, seed: int, device: str | torch.device = "auto") -> Predictor:
        from genurl_graph.baselines.temporal.predictor import fit

        build = import_module(f"genurl_graph.baselines.temporal.{TEMPORAL_BASELINES[name]}").build
        return fit(name, build, split, seed, device, settings)

    return baseline
