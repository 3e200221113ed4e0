"""How likely a walk along recent events ends at a node: friends of friends, without a product of all pairs."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.ages import Ages

# Half-lives of the two graphs that are walked on, in windows.
WALK_HALF_LIVES = (4.0, 30.0)
WALK_COLUMNS = 2 * len(WALK_HALF_LIVES)
_LITTLE = 1e-5
# Entries of rows of the walk that are held at a time.
_ENTRIES = 1 << 24


class Walks:
    """Probabilities of walks of two and three steps from one node to another.

    A step goes to a neighbour in proportion to its decayed events, in either direction. Two steps are the share of
    resource allocation (Zhou, Lü & Zhang, Eur. Phys. J. B 71, 2009), with weights; three reach strangers' friends.

    Parameters
    ----------
    ages : Ages
        Of the events before the window.
    """

    def __init__(self, ages: Ages) -> None:
        edges, self.num_nodes = ages.edges, ages.edges.num_nodes
        self.steps = [self._step(edges.source, edges.target, torch.exp2(-ages.age / half)) for half in WALK_HALF_LIVES]

    def _step(self, source: Tensor, target: Tensor, weight: Tensor) -> sp.csr_array:
        n = self.num_nodes
        apart = source != target
        ends = torch.stack([source, target])[:, apart].numpy()
        a = sp.coo_array((weight[apart].double().numpy(), (ends[0], ends[1])), shape=(n, n)).tocsr()
        a = (a + a.T).tocsr()
        degree = np.asarray(a.sum(1)).reshape(-1)
        share = np.divide(1.0, degree, out=np.zeros(n), where=degree > 0)
        return (sp.diags_array(share) @ a).astype(np.float32).tocsr()

    def __call__(self, source: Tensor, target: Tensor) -> Tensor:
        """Logarithms of the probabilities of pairs, float32 [m, `WALK_COLUMNS`]."""
        start, row = torch.unique(source, return_inverse=True)
        found = torch.empty(len(source), WALK_COLUMNS)
        width = max(_ENTRIES // self.num_nodes, 1)
        for first in range(0, len(start), width):
            here = ((row >= first) & (row < first + width)).nonzero()[:, 0] if len(start) > width else slice(None)
            nodes = start[first : first + width].numpy()
            for column, step in enumerate(self.steps):
                two = step[nodes] @ step
                for place, walk in ((2 * column, two), (2 * column + 1, two @ step)):
                    dense = torch.from_numpy(walk.toarray())
                    found[here, place] = dense[row[here] - first, target[here]]
        return torch.log(found + _LITTLE)
