"""Clusters of rows against the states of nodes: in each window alone, and over all windows together."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from genurl_graph.evaluation.clustering import kmeans
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.trajectory import Trajectory

# Starts of k-means.
RESTARTS = 3


def window_clusters(trajectory: Trajectory, label: Tensor, seed: int = 0) -> dict[str, float]:
    """How well k-means clusters match labels, as normalised mutual information (arithmetic mean) in [0, 1].

    Parameters
    ----------
    trajectory : Trajectory
        Its rows are clustered at unit length, as many clusters as there are labels in each window, or in all.
    label : Tensor, int64, shape [R]
        Rows with a negative label are left out.
    seed : int
        Of k-means.

    Returns
    -------
    dict
        ``window``: mean over the windows with two labels at least, weighted by their rows; ``joint``: of one clustering
        of all rows, where a cluster has to mean the same in every window.

    Raises
    ------
    InputError
        Labels of another number of rows, or no window with two labels.
    """
    from sklearn.metrics import normalized_mutual_info_score

    if label.shape != trajectory.node.shape:
        raise wrong("label", f"shape {list(label.shape)}", f"[{len(trajectory.node)}], one for each row")
    z, y = normalize(trajectory.embedding, dim=1).numpy(), label.numpy()

    def nmi(rows: np.ndarray) -> float | None:
        rows = rows[y[rows] >= 0]
        k = len(np.unique(y[rows]))
        if k < 2:
            return None
        return float(normalized_mutual_info_score(y[rows], kmeans(z[rows], k, seed, restarts=RESTARTS)))

    every = np.arange(len(y))
    found = [(nmi(every[rows]), rows.stop - rows.start) for rows in map(trajectory.rows, range(trajectory.num_windows))]
    shares = [(value, rows) for value, rows in found if value is not None]
    joint = nmi(every)
    if not shares or joint is None:
        raise wrong("label", "no window with two labels", "at least one")
    return {"window": sum(v * m for v, m in shares) / sum(m for _, m in shares), "joint": joint}


def identity(trajectory: Trajectory, y: Tensor, seed: int = 0) -> dict[str, float]:
    """Whether the time-invariant part tells who a node is.

    Parameters
    ----------
    trajectory : Trajectory
    y : Tensor, int64, shape [n]
        What each node is for good, or for most of the time; negative: unknown.
    seed : int
        Of k-means and of the split.

    Returns
    -------
    dict
        ``nmi`` of k-means on the invariant part at unit length, and ``probe``: accuracy of logistic regression fitted
        on a tenth of the nodes that have a label and events, on the others.

    Raises
    ------
    InputError
        Labels of another number of nodes, or fewer than two of them among nodes with events.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import normalized_mutual_info_score

    if len(y) != trajectory.num_nodes:
        raise wrong("y", f"{len(y):,} labels", f"one for each of {trajectory.num_nodes:,} nodes")
    rows = torch.unique(trajectory.node)
    rows = rows[y[rows] >= 0]
    label = y[rows].numpy()
    k = len(np.unique(label))
    if k < 2:
        raise wrong("y", f"{k} different labels", "at least two, of nodes with events")
    z = normalize(trajectory.invariant()[rows], dim=1).numpy()
    nmi = float(normalized_mutual_info_score(label, kmeans(z, k, seed, restarts=RESTARTS)))
    order = np.random.default_rng(seed).permutation(len(rows))
    # One node of each label at least.
    _, one = np.unique(label[order], return_index=True)
    few = np.union1d(order[one], order[: len(order) // 10])
    others = np.setdiff1d(order, few)
    if not len(others):
        return {"nmi": nmi, "probe": float("nan")}
    model = LogisticRegression(C=10.0, max_iter=500).fit(z[few], label[few])
    return {"nmi": nmi, "probe": float(model.score(z[others], label[others]))}
