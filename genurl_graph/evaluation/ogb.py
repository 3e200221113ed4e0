"""The official metrics of the Open Graph Benchmark, without the side effects of its package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import InputError, wrong

Array = npt.NDArray[Any]
# (labels [m], predicted labels [m]) -> score in [0, 1]
Metric = Callable[[Array, Array], float]


def official_accuracy(name: str) -> Metric:
    """The accuracy that OGB's own ``Evaluator`` computes (Hu et al., arXiv 2005.00687).

    Parameters
    ----------
    name : str
        A node-property data set whose metric is the accuracy, such as "ogbn-arxiv". It selects the metric alone: the
        evaluator reads no data.

    Returns
    -------
    callable
        ``metric(labels, predicted)`` of two int arrays [m].

    Raises
    ------
    InputError
        A name that OGB does not know, or one with another metric.
    """
    with without_version_check():
        from ogb.nodeproppred import Evaluator
    try:
        evaluator = Evaluator(name)
    except ValueError as error:
        raise InputError(f"OGB evaluator: {' '.join(str(error).split())}") from error
    if evaluator.eval_metric != "acc":
        raise wrong(f"OGB evaluator of {name}", f"the metric {evaluator.eval_metric!r}", "'acc'")

    def metric(labels: Array, predicted: Array) -> float:
        columns = {"y_true": np.asarray(labels).reshape(-1, 1), "y_pred": np.asarray(predicted).reshape(-1, 1)}
        return float(evaluator.eval(columns)["acc"])

    return metric


@contextmanager
def without_version_check() -> Iterator[None]:
    """Context in which ``import ogb`` starts no thread that asks a package registry for a newer version.

    It asks through the package `outdated`, and does without where that is not installed: here it seems not to be.
    """
    kept = {key: sys.modules.pop(key) for key in ("outdated",) if key in sys.modules}
    sys.modules["outdated"] = None  # type: ignore[assignment]  # how Python marks a module that cannot be imported
    try:
        yield
    finally:
        del sys.modules["outdated"]
        sys.modules.update(kept)
