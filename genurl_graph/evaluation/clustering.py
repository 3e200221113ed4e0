"""k-means clustering of an embedding, matched with the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.evaluation.splits import check_labels
from genurl_graph.exceptions import wrong


def kmeans(z: Any, k: int, seed: int = 0, restarts: int = 10) -> npt.NDArray[np.int64]:
    """Clusters of the rows of `z` [n, d] by k-means, int64 [n]: the lowest inertia of some restarts."""
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(k, n_init=restarts, random_state=seed).fit_predict(z), dtype=np.int64)


def too_few_to_cluster(y: npt.NDArray[Any]) -> str | None:
    """Why clusters are not compared with labels [n], in words; None where they are."""
    known = y[y >= 0]
    classes = len(np.unique(known))
    if classes < 2:
        return f"no clusters: {classes} class{'es' * (classes != 1)}; it takes at least 2"
    if len(known) < 2 * classes:
        return f"no clusters: {len(known)} labelled nodes of {classes} classes; it takes two of each"
    return None


def cluster(z: Any, y: Any, seed: int = 0) -> dict[str, float]:
    """Compare k-means clusters (10 restarts, lowest inertia) with the classes.

    Parameters
    ----------
    z : array, float, shape [n, d]
    y : array, int, shape [n]
        Labels; nodes with a negative label are left out of the comparison, not of the clustering.
    seed : int
        Seed of k-means.

    Returns
    -------
    dict
        ``acc`` (accuracy after Hungarian matching), ``nmi`` (arithmetic mean) and ``ari``.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix

    y = check_labels(y, z.shape[0])
    known = y >= 0
    if not known.any():
        raise wrong("cluster", "no node with a label", "at least one")
    k = len(np.unique(y[known]))
    found = kmeans(z, k, seed)[known]
    table = contingency_matrix(y[known], found)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return {
        "acc": float(table[rows, columns].sum() / known.sum()),
        "nmi": float(normalized_mutual_info_score(y[known], found)),
        "ari": float(adjusted_rand_score(y[known], found)),
    }
