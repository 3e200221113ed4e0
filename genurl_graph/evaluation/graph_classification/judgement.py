"""The protocol `graphs`: accuracy of classifiers of whole graphs, of an embedding and of the rows beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from genurl_graph.evaluation.budget.clock import Clock
from genurl_graph.evaluation.budget.plan import BUDGET
from genurl_graph.evaluation.graph_classification.few_labels import few_labels
from genurl_graph.evaluation.graph_classification.figures import FIGURES, REFERENCES
from genurl_graph.evaluation.graph_classification.folds import (
    FOLDS,
    INNER_BEYOND,
    inner_folds,
    inner_pairs,
    stratified_folds,
    too_few_graphs,
)
from genurl_graph.evaluation.graph_classification.references import as_row, reference
from genurl_graph.evaluation.graph_classification.rows import COMPONENTS, Row
from genurl_graph.evaluation.graph_classification.svm import KERNELS, STRENGTHS, nested_svm
from genurl_graph.evaluation.ranks import sample_rows
from genurl_graph.evaluation.splits import check_labels
from genurl_graph.inputs.collection import GraphCollection

# Graphs at random that are looked at where all are too many; the first also without a budget, for a kernel's memory.
SIZES = (20_000, 5_000, 2_000, 1_000, 500, 300)
# Seconds of a fit, of a pair of graphs in a kernel, of a number in a linear machine.
FIT, PAIR, NUMBER = 2e-3, 3.2e-8, 1.2e-7


class GraphPlan(NamedTuple):
    """How much of the protocol is done.

    Attributes
    ----------
    inner : int
        Other folds that choose the penalty for each fold, of 9.
    graphs : int or None
        Graphs at random that are looked at, the same for all rows; None: all.
    figures : tuple of str
        Of `FIGURES`.
    budget : float or None
        Estimated seconds that this was planned for; None: the whole protocol.
    """

    inner: int
    graphs: int | None = None
    figures: tuple[str, ...] = tuple(FIGURES)
    budget: float | None = None

    def cuts(self, n: int) -> list[str]:
        """What is left out of n graphs, in words."""
        found = [] if self.graphs is None else [f"{self.graphs:,} random graphs of {n:,}"]
        whole = inner_folds(n if self.graphs is None else self.graphs)
        found += [f"{self.inner} of {whole} inner folds"] if self.inner < whole else []
        return found + ([] if "few" in self.figures else [f"no figure of {FIGURES['few']}"])


def plan_graphs(n: int, rows: int, classes: int, budget: float | None = BUDGET) -> GraphPlan:
    """Choose how much of the protocol is done, by sizes alone (`genurl_graph.evaluation.budget.plan`).

    Parameters
    ----------
    n, rows, classes : int
        Labelled graphs, rows of the table, different labels.
    budget : float, optional
        Estimated seconds. None: the whole protocol, on at most 20,000 graphs.
    """
    sizes = [n, *(size for size in SIZES if size < n)] if n <= SIZES[0] else [*SIZES]
    if budget is None:
        return GraphPlan(inner_folds(sizes[0]), None if sizes[0] == n else sizes[0])
    svms = tuple(KERNELS)
    for size in sizes:
        for inner in dict.fromkeys((inner_folds(size), INNER_BEYOND, 2)):
            fits, train = len(inner_pairs(inner)) * len(STRENGTHS) + FOLDS, 0.8 * size
            square = PAIR * train**2 * min(2, classes - 1)
            linear = NUMBER * train * COMPONENTS / 2 * (classes if classes > 2 else 1)
            if rows * fits * (2 * FIT + square + linear) <= budget:
                return GraphPlan(inner, None if size == n else size, svms, budget)
    return GraphPlan(2, None if sizes[-1] == n else sizes[-1], svms, budget)


def graph_figures(
    row: Row, y: Any, seed: int, plan: GraphPlan, told: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Figures of one row, accuracies in [0, 1]; `told` is called after each.

    Parameters
    ----------
    row : Row
        Of all graphs.
    y : array, int, shape [G]
        Negative: no label; such graphs are left out.
    seed : int
        Of folds and draws.
    plan : GraphPlan
    """
    y = np.asarray(y).reshape(-1)
    chosen = np.flatnonzero(y >= 0)
    if plan.graphs is not None:
        chosen = chosen[sample_rows(len(chosen), plan.graphs, seed).numpy()]
    row, y = row.take(chosen), y[chosen]
    found: dict[str, float] = {}
    fold = stratified_folds(y, seed)
    # Products this small lose more by threads than they gain.
    with threadpool_limits(1):
        for kernel in KERNELS:
            if kernel in plan.figures:
                found[kernel] = nested_svm(row, y, fold, plan.inner, kernel)
                told()
        if "few" in plan.figures:
            found["few"] = few_labels(row, y, seed)
            told()
    return found


def judge_graphs(
    z: Any,
    y: Any,
    collection: GraphCollection | None,
    seed: int,
    budget: float | None = BUDGET,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Judge an embedding of whole graphs by their labels, and the rows without training on the same folds.

    Parameters
    ----------
    z : Tensor or array, float, shape [G, d]
    y : Tensor or array, int, shape [G]; None: no labels
    collection : GraphCollection, optional
        The graphs, for the rows `REFERENCES`; None: the embedding alone.
    seed : int
        Of folds, draws and untrained weights.
    budget : float, optional
        As in `plan_graphs`.
    clock : Clock, optional
        Shows progress.

    Returns
    -------
    dict
        ``graphs``: row > `FIGURES` > accuracy, the embedding as "genurl"; None where labels are too few.
        ``evaluation``: the plan, and ``left_out``, in words. ``left_out``: None, or why there are no figures.
    """
    if y is None:
        return _nothing("no labels, so no evaluation", budget)
    y = check_labels(y, len(z))
    why = too_few_graphs(y)
    if why is not None:
        return _nothing(why, budget)
    names = ("genurl", *(REFERENCES if collection is not None else ()))
    plan, clock = plan_graphs(int((y >= 0).sum()), len(names), len(np.unique(y[y >= 0])), budget), clock or Clock()
    done, found = 0, {}

    def told() -> None:
        nonlocal done
        done += 1
        clock.show(done / (len(names) * len(plan.figures)))

    for name in names:
        own = z if name == "genurl" or collection is None else reference(name, collection, seed)
        found[name] = graph_figures(as_row(name, own, y), y, seed, plan, told)
    record = {**plan._asdict(), "left_out": plan.cuts(int((y >= 0).sum()))}
    return {"graphs": found, "evaluation": record, "left_out": None}


def mean_ranks(tables: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Mean over data sets of each row's rank by accuracy, 1 for the best, ties sharing theirs.

    Parameters
    ----------
    tables : mapping of data set to mapping of row to accuracy
        Rows that a data set lacks are left out of all.

    Examples
    --------
    >>> mean_ranks({"a": {"x": 0.9, "y": 0.8}, "b": {"x": 0.7, "y": 0.7}})
    {'x': 1.25, 'y': 1.75}
    """
    from scipy.stats import rankdata

    common = [row for row in next(iter(tables.values()), {}) if all(row in table for table in tables.values())]
    ranks = [rankdata([-table[row] for row in common]) for table in tables.values()]
    return dict(zip(common, np.mean(ranks, axis=0).tolist(), strict=True)) if common else {}


def _nothing(why: str, budget: float | None) -> dict[str, Any]:
    return {"graphs": None, "evaluation": {"budget": budget, "left_out": []}, "left_out": {"graphs": why}}
