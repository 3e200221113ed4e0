"""The rows that need no training, beside every embedding of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.graph.line_graph import line_edges
from genurl_graph.inputs.edge_rows import EdgeSet

if TYPE_CHECKING:
    import scipy.sparse as sp

    from genurl_graph.evaluation.splits import Split

# Steps of label propagation, and the largest change after which there is no further one.
STEPS, SETTLED = 1000, 1e-4

Array = npt.NDArray[Any]


def line_means(data: EdgeSet) -> sp.csr_array[Any]:
    """The line graph, directions left out, with rows that sum to 1, or to 0 where an edge has no neighbour.

    Returns
    -------
    csr_array, float32, shape [m, m]
        ``A x`` is the mean of each edge's neighbours, both ends counting the same where both have any.
    """
    import scipy.sparse as sp

    edges, m = data.edges, len(data)
    found = line_edges(edges.ends, edges.num_nodes)
    row, col = (end.numpy() for end in found.edge_index)
    a = sp.csr_array((found.edge_weight.numpy(), (row, col)), shape=(m, m), dtype=np.float32)
    total = np.asarray(a.sum(1)).ravel()
    scale = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
    return sp.csr_array(a.multiply(scale[:, None]), dtype=np.float32)


def reference_embedding(name: str, data: EdgeSet) -> Array:
    """The row "raw", attributes x as they are, or "propagated": [x, A x, A² x, degree], A as `line_means`.

    Returns
    -------
    array, float32
        [m, f] and [m, 3 f + 1]. The degree is the number of different edges that share an end with it.

    Raises
    ------
    InputError
        "raw" of edges without attributes.
    """
    x = None if data.x is None else data.x.numpy()
    if name == "raw":
        if x is None:
            raise wrong("raw attributes", "edges without attributes", "attributes x [m, f]")
        return x
    a = line_means(data)
    degree = np.diff(a.indptr).astype(np.float32)[:, None]
    if x is None:
        return np.concatenate([degree, a @ degree, a @ (a @ degree)], 1)
    once = a @ x
    return np.concatenate([x, once, a @ once, degree], 1)


def majority(y: Array, split: Split) -> Array:
    """The most frequent class of the training edges, for every edge, [m]."""
    classes, counts = np.unique(y[split.train], return_counts=True)
    return np.full(len(y), classes[counts.argmax()])


def label_propagation(a: sp.csr_array[Any], y: Array, split: Split) -> Array:
    """Give every edge the class that most of its neighbours have, again and again (Zhu & Ghahramani 2002).

    ``F <- A F`` with the rows of training edges held at their labels, until nothing changes: the harmonic solution.
    Where no label arrives, the most frequent class.

    Parameters
    ----------
    a : csr_array, float32, shape [m, m]
        `line_means`.
    y : array, int, shape [m]
        Labels of training edges are read, no others.
    split : Split

    Returns
    -------
    array, int, shape [m]
    """
    classes, number = np.unique(y[split.train], return_inverse=True)
    told = np.eye(len(classes), dtype=np.float32)[number]
    found = np.zeros((len(y), len(classes)), dtype=np.float32)
    found[split.train] = told
    for _ in range(STEPS):
        later = a @ found
        later[split.train] = told
        change = np.abs(later - found).max()
        found = later
        if change < SETTLED:
            break
    guess = majority(y, split)
    return np.where(found.max(1) > 0, classes[found.argmax(1)], guess)
