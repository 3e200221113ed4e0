"""Trajectories that need no training: the rows beside every result on nodes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.windows import Windows


def references(edges: TemporalEdges, windows: Windows, columns: int, half_life: float = 0.5) -> dict[str, Trajectory]:
    """Spectral rows of each (node, window) in which the node has an event, by name.

    * "spectral, each window": leading eigenvectors of each window's graph alone, each window rotated onto the one
      before it by the nodes that both have (Schoenemann, Psychometrika 31, 1966; of embeddings over time: Hamilton et
      al., ACL 2016, arXiv 1605.09096).
    * "spectral, all windows": those of the graph of all events, the same in every window.
    * "spectral, decayed": means of the latter over the neighbours so far, whose events count half after `half_life`
      windows; a node is its own neighbour, as if by one event.

    Parameters
    ----------
    edges : TemporalEdges
    windows : Windows
    columns : int
        Eigenvectors: as many as groups are looked for.
    half_life : float

    Examples
    --------
    >>> references(events.edges, windows, 5)["spectral, each window"].embedding.shape
    """
    n = edges.num_nodes
    key, counts = _rows(edges, windows)
    window, node = key // n, key % n
    whole = spectral(adjacency(edges), columns)
    alone, decayed = np.zeros((len(key), whole.shape[1])), np.zeros((len(key), whole.shape[1]))
    before: np.ndarray | None = None
    past = sp.csr_array((n, n))
    for w, graph in enumerate(_graphs(edges, windows)):
        rows = torch.nonzero(window == w)[:, 0].numpy()
        past = past * 2 ** (-1 / half_life) + graph
        if not len(rows):
            continue
        here = node[torch.from_numpy(rows)].numpy()
        found = np.zeros((n, whole.shape[1]))
        part = spectral(graph[here][:, here], columns)
        found[here, : part.shape[1]] = part
        if before is not None:
            left, _, right = np.linalg.svd(found.T @ before)
            found = found @ left @ right
        before, alone[rows] = found, found[here]
        own = past + sp.eye_array(n)
        decayed[rows] = (own @ whole)[here] / own.sum(1)[here, None]

    def trajectory(z: np.ndarray) -> Trajectory:
        return Trajectory(node, window, torch.from_numpy(z).float(), counts, windows.starts, n)

    return {
        "spectral, each window": trajectory(alone),
        "spectral, all windows": trajectory(whole[node.numpy()]),
        "spectral, decayed": trajectory(decayed),
    }


def adjacency(edges: TemporalEdges) -> sp.csr_array:
    """Events between two nodes, either direction, [n, n]."""
    one, other = edges.source.numpy(), edges.target.numpy()
    half = sp.coo_array((np.ones(len(one)), (one, other)), shape=(edges.num_nodes,) * 2).tocsr()
    return sp.csr_array(half + half.T)


def spectral(graph: sp.csr_array, columns: int) -> np.ndarray:
    """Leading eigenvectors of the regularised normalised adjacency matrix, [n, at most columns]; the mean square is 1.

    ``(D + t)^-1/2 A (D + t)^-1/2``, t the mean degree (Qin & Rohe, NeurIPS 2013, arXiv 1309.4111).
    """
    from sklearn.utils.extmath import randomized_svd

    degree = np.asarray(graph.sum(1)).ravel()
    scale = 1 / np.sqrt(degree + max(degree.mean(), 1e-12))
    scaled = sp.diags_array(scale) @ graph @ sp.diags_array(scale)
    vectors, _, _ = randomized_svd(scaled, min(columns, len(degree)), n_iter=7, random_state=0)
    return np.asarray(vectors * np.sqrt(len(degree)))


def _graphs(edges: TemporalEdges, windows: Windows) -> Iterator[sp.csr_array]:
    return (adjacency(windows.events(edges, w)) for w in range(len(windows)))


def _rows(edges: TemporalEdges, windows: Windows) -> tuple[Tensor, Tensor]:
    """Window and node of each row as one number, ascending, int64 [R], and how many ends of events it has."""
    window = torch.arange(len(windows)).repeat_interleave(windows.ptr.diff())
    ends = torch.cat([window * edges.num_nodes + end for end in (edges.source, edges.target)])
    key, counts = torch.unique(ends, return_counts=True)
    return key, counts.float()
