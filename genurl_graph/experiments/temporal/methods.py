"""Scorers of the protocol temporal-links by the names of methods, each fitted on the events before the test."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from genurl_graph.baselines.temporal import TEMPORAL_BASELINES, get_temporal_baseline
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.probe_table import REFERENCE
from genurl_graph.experiments.runs import Order

if TYPE_CHECKING:
    from genurl_graph.evaluation.temporal_links.fitted_score import Positions
    from genurl_graph.evaluation.temporal_links.history import Scorer
    from genurl_graph.evaluation.temporal_links.protocol import Figures, TemporalSplit
    from genurl_graph.inputs.temporal.event_set import EventSet

# The score that is fitted for GenURL, by what came before alone: what the embedding adds is told by the difference.
HISTORY = "history"
TRAINED = tuple(TEMPORAL_BASELINES)
# Rows without training, by what the protocol calls them. Nothing but the negatives changes with their seed.
UNTRAINED = {
    "edgebank": "EdgeBank",
    "edgebank-recent": "EdgeBank, last 3 windows",
    "adamic-adar": "Adamic-Adar, last window",
    "degree": "degree product",
    "degree-recent": "degree product, last 3 windows",
    "recency": "last seen, then degree",
}


class Judged(NamedTuple):
    """Figures of a method on the windows of the test, and what its training took."""

    figures: "Figures"
    seconds: float
    cpu_seconds: float


def judge_method(order: Order, data: "EventSet", split: "TemporalSplit", seed: int) -> Judged:
    """Fit a method, and judge it by the protocol; the clocks stand still while it is judged."""
    from genurl_graph.evaluation.temporal_links.protocol import judge

    wall, cpu = time.perf_counter(), time.process_time()
    scorer = fit_method(order, data, split, seed)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    return Judged(judge(split, lambda _, window: {"": scorer(window)}, seed=seed)[""], *spent)


def fit_method(order: Order, data: "EventSet", split: "TemporalSplit", seed: int) -> "Callable[[int], Scorer]":
    """The score of a window's pairs, by the window's number; what is trained sees no event of the test."""
    from genurl_graph.evaluation.temporal_links.fitted_score import FittedScore
    from genurl_graph.evaluation.temporal_links.protocol import references

    if order.method in UNTRAINED:
        title = UNTRAINED[order.method]
        return lambda window: references(split, window)[title]
    if order.method in TRAINED:
        trained = get_temporal_baseline(order.method, order.changes)(split, seed, order.model["device"])
        return lambda window: trained.scorer(split, window)
    positions = genurl_positions(order.model, data, split, seed) if order.method == REFERENCE else None
    return FittedScore.fit(split, positions, seed).scorer


def genurl_positions(model: dict[str, Any], data: "EventSet", split: "TemporalSplit", seed: int) -> "Positions":
    """Where GenURL says that nodes are before a window from validation on.

    The model is fitted to the windows before validation, and embeds each later one without being trained again.

    Parameters
    ----------
    model : dict
        Options of the model (`genurl_graph.experiments.models.make_estimator`).
    data : EventSet
        The events of the split.
    split : TemporalSplit
    seed : int

    Returns
    -------
    callable
        ``positions(window)``: vectors [n, d] by the events before it, and which nodes have one, bool [n].
    """
    from genurl_graph.inputs.temporal.windows import duration

    # A length stays what it is; of a number, or of the default, as many as there are before validation.
    text = model["windows"]
    if duration(text, data.unit) is None and not (text == "auto" and data.unit == "snapshots"):
        text = str(split.first_val)
    ptr = split.windows.ptr.tolist()
    estimator = make_estimator(**{**model, "windows": text}, seed=seed).fit(data.between(0, ptr[split.first_val]))
    # How many windows of the trajectory lie before each window; one without events has none.
    before = {split.first_val: estimator.trajectory_.num_windows}
    for window in range(split.first_val, len(ptr) - 2):
        if ptr[window] < ptr[window + 1]:
            estimator.update(data.between(ptr[window], ptr[window + 1]), windows=1)
        before[window + 1] = estimator.trajectory_.num_windows
    trajectory = estimator.trajectory_
    return lambda window: trajectory.before(before[window])
