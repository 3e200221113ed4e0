"""Published methods for typed edges beside GenURL: rows of ``genurl-graph compare --task triples``.

Both are written from their equations, over the same tables, loss and batches. Nothing heavy is imported before a
baseline is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import unknown

if TYPE_CHECKING:
    import torch

    from genurl_graph.baselines.triples.model import EntityModel
    from genurl_graph.inputs.triples import TripleSet

    # (data, seed, device) -> scores of the entities at either end of any typed edge.
    TripleBaseline = Callable[[TripleSet, int, str | torch.device], EntityModel]

# Name -> module with a class of that name in ``MODEL``.
TRIPLE_BASELINES = {"distmult": "distmult", "transe": "transe"}


def get_triple_baseline(name: str, changes: Mapping[str, Any] | None = None) -> TripleBaseline:
    """Return the baseline of typed edges called `name`, with one configuration for all data sets.

    Parameters
    ----------
    name : str
        One of `TRIPLE_BASELINES`.
    changes : mapping, optional
        Settings that differ from the defaults, ``{"epochs": 3}`` (`genurl_graph.baselines.settings`).

    Returns
    -------
    callable
        ``baseline(data, seed, device)`` trains on ``data.triples`` and keeps the parameters of the epoch whose mean
        reciprocal rank on ``data.valid`` is the best; without a validation part those of the last epoch. The result is
        what `genurl_graph.evaluation.triples.protocol.judge_triples` takes.

    Raises
    ------
    InputError
        Unknown name (the nearest is named) or setting.

    Examples
    --------
    >>> distmult = get_triple_baseline("distmult", {"epochs": 3})(data, 0, "cpu")  # doctest: +SKIP
    >>> judge_triples(distmult, data).mrr  # doctest: +SKIP
    """
    if name not in TRIPLE_BASELINES:
        raise unknown("baseline of typed edges", name, TRIPLE_BASELINES)
    settings = baseline_settings(name, None, changes, task="triples")

    def baseline(data: TripleSet, seed: int, device: str | torch.device = "auto") -> EntityModel:
        from genurl_graph.baselines.triples.training import fit

        model = import_module(f"genurl_graph.baselines.triples.{TRIPLE_BASELINES[name]}").MODEL
        return fit(name, model, data, seed, device, settings)

    return baseline
