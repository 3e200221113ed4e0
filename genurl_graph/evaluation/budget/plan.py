"""What an evaluation looks at, chosen by an estimate of its cost from sizes alone.

The clock of a busy machine must not decide which number is reported. So the cost is estimated from numbers of nodes,
columns, classes and splits, by constants that were measured once on one core, and the same sizes lead to the same plan
on every machine. Whatever is left out is said (`Plan.cuts`); regularisation strengths never are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from genurl_graph.config.choices import ProtocolName
from genurl_graph.evaluation.splits import count_splits, labels_of, splits

# Estimated seconds on one core. What is promised is 15 seconds, or a tenth of the run: the rest is for slower machines.
BUDGET = 10.0
# Columns beyond which reference rows are projected where the whole protocol costs too much.
WIDE = 256
# Steps of L-BFGS over all strengths: of an embedding, of features as they are, of propagated ones.
STEPS = {"embedding": 250, "features": 600, "propagated": 1_000}
# Seconds of a step: its fixed part, that of a training number and class (dense, sparse), that of a coefficient.
STEP, DENSE, SPARSE, COEFFICIENT = 3.5e-4, 3.3e-10, 1e-9, 1e-7
# Seconds of a class, and of its training numbers, where five folds choose (one-vs-rest, protocol random-10).
CROSSED, CROSSED_NUMBER = 0.1, 2e-6
# Seconds to standardise a number, of a pair of nodes in the vote, and of a number and class in ten runs of k-means.
STANDARDISE, PAIR, CLUSTER = 1.2e-8, 1.8e-8, 6e-8
# Share of the budget that k-means may have, and the numbers of nodes that are tried where one split costs too much.
CLUSTER_SHARE = 0.25
NODES = (200_000, 100_000, 50_000, 20_000, 10_000, 5_000)
# Labelled nodes that a class has, on average, in a sample of the nodes.
NODES_A_CLASS = 40


class Width(NamedTuple):
    """Size of one row of a table: a matrix whose probe is part of the evaluation."""

    columns: int
    nonzeros: float
    """Stored numbers of a node; as many as columns in dense matrices."""
    kind: str
    """A key of `STEPS`."""

    def projected(self, columns: int | None) -> Width:
        """The size on so many principal components, where the matrix is wider and no embedding."""
        if columns is None or self.columns <= columns or self.kind == "embedding":
            return self
        return Width(columns, columns, self.kind)

    def seconds(self, train: float, nodes: float, classes: int, crossed: bool = False) -> float:
        """Estimate of the probe of one split, whose penalty is chosen on validation nodes or by cross-validation."""
        if crossed:
            return classes * (CROSSED + CROSSED_NUMBER * train * self.nonzeros)
        number = DENSE if self.nonzeros == self.columns else SPARSE
        step = STEP + number * train * self.nonzeros * classes + COEFFICIENT * self.columns * classes
        return STEPS[self.kind] * step + STANDARDISE * nodes * self.nonzeros


class Plan(NamedTuple):
    """How much of an evaluation is done.

    Attributes
    ----------
    splits : int
        The first so many of the protocol's.
    of : int
        Splits of the whole protocol.
    columns : int or None
        Principal components in whose place reference rows stand that have more columns; None: all as they are.
    nodes : int or None
        Nodes at random, the same for all rows, that splits are made of; None: all.
    clustered : int or None
        Nodes at random that k-means sees; None: all.
    budget : float or None
        Estimated seconds that this was planned for; None: the whole protocol, whatever it takes.
    """

    splits: int
    of: int
    columns: int | None = None
    nodes: int | None = None
    clustered: int | None = None
    budget: float | None = BUDGET

    @classmethod
    def recorded(cls, record: Mapping[str, Any]) -> Plan:
        """The plan out of a metrics file."""
        return cls(**{key: record[key] for key in cls._fields})

    def cuts(self, n: int, widths: Mapping[str, Width], titles: Mapping[str, str]) -> list[str]:
        """What is left out of n nodes and rows of these sizes, in words."""
        found = []
        wide = [titles.get(name, name) for name, width in widths.items() if width != width.projected(self.columns)]
        if wide:
            found.append(f"{' and '.join(wide)}: first {self.columns} principal components")
        if self.nodes is not None:
            found.append(f"{self.nodes:,} random nodes of {n:,}")
        if self.splits < self.of:
            found.append(f"accuracy over {self.splits} of {self.of} splits into training and test labels")
        if self.clustered is not None:
            found.append(f"k-means of {self.clustered:,} random nodes")
        return found


def plan_probes(
    data: Any, protocol: ProtocolName, widths: Mapping[str, Width], *, seed: int = 0, budget: float | None = BUDGET
) -> Plan:
    """Choose how much of a protocol is done within a budget of estimated seconds.

    First wide reference rows are projected; then there are fewer splits; last, where one split of all nodes costs too
    much, splits of a sample of the nodes. Nothing is left out where the whole protocol fits.

    Parameters
    ----------
    data : Data
        With labels, and with masks for the protocol "public".
    protocol : str
        As in `genurl_graph.evaluation.splits.splits`.
    widths : mapping of str to Width
        All rows; "embedding" is the one that is voted about and clustered, too.
    seed : int
        Of the splits, whose sizes are looked at.
    budget : float, optional
        None: the whole protocol.

    Returns
    -------
    Plan
    """
    y = labels_of(data)
    of = count_splits(protocol, data)
    if budget is None:
        return Plan(of, of, budget=None)
    first = next(splits(protocol, data, seed=seed))
    n, classes, crossed = len(y), len(np.unique(y[y >= 0])), protocol == "random-10"

    def split_seconds(share: float, columns: int | None) -> float:
        train, test, nodes = share * len(first.train), share * len(first.test), share * n
        rows = [width.projected(columns).seconds(train, nodes, classes, crossed) for width in widths.values()]
        return sum(rows) + PAIR * train * test

    clustered = nodes_to_cluster(n, widths["embedding"].columns, classes, budget)
    left = budget - cluster_seconds(clustered or n, widths["embedding"].columns, classes)
    if of * split_seconds(1, None) <= left:
        return Plan(of, of, clustered=clustered, budget=budget)
    columns = WIDE if any(width != width.projected(WIDE) for width in widths.values()) else None
    nodes = _largest(n, classes, lambda size: split_seconds(size / n, columns) <= left)
    repeats = min(of, max(1, int(left / split_seconds(nodes / n, columns))))
    return Plan(repeats, of, columns, None if nodes == n else nodes, clustered, budget)


def cluster_seconds(n: int, columns: int, classes: int) -> float:
    """Estimate of ten runs of k-means."""
    return CLUSTER * n * (columns + 20) * classes


def nodes_to_cluster(n: int, columns: int, classes: int, budget: float | None) -> int | None:
    """Nodes at random that k-means sees within its share of a budget; None: all."""
    if budget is None:
        return None
    share = CLUSTER_SHARE * budget
    found = _largest(n, classes, lambda size: cluster_seconds(size, columns, classes) <= share)
    return None if found == n else found


def _largest(n: int, classes: int, fits: Callable[[int], bool]) -> int:
    sizes = [n, *(size for size in NODES if NODES_A_CLASS * classes <= size < n)]
    return next((size for size in sizes if fits(size)), sizes[-1])
