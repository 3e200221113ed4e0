"""Whether edges show groups of nodes at all, by eigenvalues of the Bethe Hessian."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

# An eigenvalue over r^2 shows a group below ``2 n^(-2/3) - CLEAR``: of 8 graphs without groups each, of 40 to 3,000
# nodes, the lowest was 0.28 (40 nodes), 0.05 (200) and -0.00 (600 and 3,000).
CLEAR = 0.03


def has_communities(edge_index: Tensor, num_nodes: int) -> bool:
    """Whether the edges show groups of nodes, by eigenvalues of the Bethe Hessian (Saade et al., arXiv 1406.1880).

    ``H(r) = (r^2 - 1) I - r A + D`` with ``r^2 = sum d^2 / sum d - 1`` has a negative eigenvalue for every group that
    can be found at all, the first of which is the graph itself; those of ``H(-r)`` show groups that avoid each other.
    """
    import scipy.sparse as sp
    from scipy.sparse.linalg import eigsh

    row, col = edge_index.cpu().numpy()
    degree = np.bincount(row, minlength=num_nodes).astype(np.float64)
    kept = degree > 0
    if num_nodes < 4 or kept.sum() < 4:
        return False
    place = kept.cumsum() - 1
    n, degree = int(kept.sum()), degree[kept]
    a = sp.csr_array((np.ones(len(row)), (place[row], place[col])), shape=(n, n))
    square = max(float((degree**2).sum() / degree.sum()) - 1, 1.0)
    r = math.sqrt(square)
    start = np.random.default_rng(0).standard_normal(n)
    for sign, allowed in ((1, 1), (-1, 0)):
        hessian = sp.diags_array(square - 1 + degree) - sign * r * a
        if n <= 64:
            values = np.linalg.eigvalsh(hessian.toarray())
        else:
            # Of the negative matrix the largest are found faster than of itself the smallest.
            values = -eigsh(-hessian, k=2, which="LA", v0=start, tol=1e-3, return_eigenvectors=False)
        if int((values < (2 * n ** (-2 / 3) - CLEAR) * square).sum()) > allowed:
            return True
    return False
