"""The metric of features beside edges: Euclidean distance or cosine, whichever tells better who is joined."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genurl_graph.graph.edge_reliability import edge_auc
from genurl_graph.inputs.columns.kinds import BAG_COLUMNS

# Edges that the metrics are compared on, from both ends.
_JUDGED = 1 << 15
# The cosine has to be ahead by this edge AUC, and by so many standard errors.
AHEAD, ERRORS = 0.02, 2.0


def metric_by_edges(x: Tensor, edge_index: Tensor | None) -> str:
    """Metric of features that are no bag of words: "cosine" or "euclidean".

    Columns such as principal components, topics and embeddings of texts tell by their direction what a node is about,
    and by their length how much there was to read. Where the cosine predicts the predefined edges better than the
    Euclidean distance does, and than chance, it is the metric
    (`genurl_graph.graph.edge_reliability.edge_auc`, by `AHEAD` and by `ERRORS` standard errors over edges).

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Features, strided or CSR. Rows of fewer than 16 columns have no direction to speak of: "euclidean".
    edge_index : Tensor, int64, shape [2, E], optional
        Predefined edges, in one direction or both.

    Returns
    -------
    str
        The same for every run: no label and no seed enters it. Time O(min(E, 32768) r f), r random nodes for each edge.

    Examples
    --------
    >>> group, length = torch.arange(60) % 20, 1 + torch.arange(60.0)
    >>> path = torch.stack([torch.arange(59), torch.arange(1, 60)])
    >>> metric_by_edges(torch.eye(20)[group].roll(-1, 1), path)
    'euclidean'
    >>> same = torch.stack([torch.arange(40), torch.arange(20, 60)])
    >>> metric_by_edges(torch.eye(20)[group] * length[:, None], same)
    'cosine'
    """
    if edge_index is None or x.size(1) < BAG_COLUMNS:
        return "euclidean"
    i, j = edge_index.cpu().numpy()
    if len(i) > _JUDGED:
        drawn = np.random.default_rng(0).integers(0, len(i), _JUDGED)
        i, j = i[drawn], j[drawn]
    key = np.unique((np.minimum(i, j) * x.size(0) + np.maximum(i, j))[i != j])
    if len(key) < 2:
        return "euclidean"
    i, j = key // x.size(0), key % x.size(0)
    both = torch.from_numpy(np.stack([np.concatenate([i, j]), np.concatenate([j, i])]))
    cosine, euclidean = (
        edge_auc(x, both, metric).of_edges.view(2, -1).mean(0).double() for metric in ("cosine", "euclidean")
    )
    gain = cosine - euclidean
    ahead = float(gain.mean()) > max(AHEAD, ERRORS * float(gain.std()) / len(key) ** 0.5)
    return "cosine" if ahead and float(cosine.mean()) > 0.5 + AHEAD else "euclidean"
