"""Feature columns as nodes: the bipartite graph of a bag of words, and the divergence that embeds it.

Whatever comes in becomes a graph, and so may the features themselves: node i is joined to each word w that it has.
Words get coordinates of their own, free ones, learned beside the encoder and dropped afterwards; a node's embedding
must then tell its words from others. Neighbours in feature space say of a node only whom it resembles most; where a
graph has few edges that is little.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genurl_graph._blocks import row_log_totals, spread
from genurl_graph._csr import csr_tensor
from genurl_graph.config import LossConfig
from genurl_graph.exceptions import InputError
from genurl_graph.losses import SUM_LOSSES, LossTerms, get_loss
from genurl_graph.pairs import EdgePattern, block_distances, edge_distances, normalize
from genurl_graph.sampling import shared_negatives
from genurl_graph.similarity import log_kernel

# Columns that every row is compared with at a step.
SAMPLED = 512


def column_similarities(x: Tensor, mass: Tensor) -> Tensor:
    """P of the edges between nodes and the columns of their features.

    ``p_iw = mass_i t_iw / sum_v t_iv`` with ``t_iw = log(n / n_w)`` where node i has the column w, and n_w nodes have
    it: TF-IDF of presence, as counts of some columns would drown the others. Columns that all nodes have say nothing
    and are no edges.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Strided or CSR, no entry below 0.
    mass : Tensor, float32, shape [n]
        What the similarities of each row add up to.

    Returns
    -------
    Tensor, float32, CSR, shape [n, f]
        Rows without a telling column are empty.
    """
    n, f = x.shape
    # A CSR matrix may store zeros.
    if x.layout == torch.sparse_csr:
        there = x.values() > 0
        row = torch.repeat_interleave(torch.arange(n), x.crow_indices().diff())[there]
        column = x.col_indices()[there]
    else:
        row, column = x.nonzero().T
    value = (n / torch.bincount(column, minlength=f).clamp_min(1)).log()[column].float()
    telling = value > 0
    row, column, value = row[telling], column[telling], value[telling]
    total = torch.zeros(n).index_add_(0, row, value)
    pointers = torch.zeros(n + 1, dtype=torch.long)
    pointers[1:] = torch.bincount(row, minlength=n).cumsum(0)
    return csr_tensor(pointers, column, value / total[row] * mass[row], (n, f))


class ColumnGraph(nn.Module):
    r"""Divergence between P on the edges (node, column) and Q of embedded nodes and columns.

    ``q_iw = kappa(d(z_i, v_w) / temperature)`` with a free vector v_w for each column, and the divergence of the edges
    among nodes. For GKL profiled by row that is ``sum_i sum_w p_iw log(p_iw / q_iw) + m_i log(sum_w q_iw / m_i)`` and a
    constant, ``m_i = sum_w p_iw``. Sums over columns are estimated from `SAMPLED` uniform ones, the same for all rows.
    GKL is that of arXiv 2110.14553; columns as nodes are ours.

    Parameters
    ----------
    p : Tensor, float32, CSR, shape [n, f]
        As from `column_similarities`.
    width : int
        Columns d of the embedding.
    loss : LossConfig
        Read as for edges among nodes, but for ``column_temperature`` in the place of ``temperature``.

    Attributes
    ----------
    mass : float
        Sum of p.

    Raises
    ------
    InputError
        The loss bce with a similarity above 1.
    """

    def __init__(self, p: Tensor, width: int, loss: LossConfig) -> None:
        super().__init__()
        n, self.num_columns = p.shape
        if loss.name == "bce" and (largest := float(p.values().max())) > 1:
            raise InputError(
                f"loss bce: the largest similarity of a node and a feature column is {largest:g}; expected "
                "probabilities, at most 1; lower merge.column_weight"
            )
        row = torch.repeat_interleave(torch.arange(n), p.crow_indices().diff())
        self.pattern = EdgePattern(torch.stack([row, p.col_indices()]), n, self.num_columns)
        self.p, self.loss, self.mass = p.values(), loss, float(p.values().sum(dtype=torch.float64))
        self.vectors = nn.Parameter(torch.randn(self.num_columns, width) / width**0.5)

    def move(self, device: torch.device) -> ColumnGraph:
        """Parameters and constants on `device`."""
        self.to(device)
        self.pattern, self.p = self.pattern.to(device), self.p.to(device)
        return self

    def forward(self, z: Tensor) -> LossTerms:
        """Loss of one step; `z` [n, d] has rows of unit length where the metric is cosine."""
        loss = self.loss
        v = normalize(self.vectors, loss.metric)
        distance = edge_distances(self.pattern, z, v, loss.metric)
        drawn = v.index_select(0, shared_negatives(self.num_columns, SAMPLED, z.device))
        share = self.num_columns / len(drawn)
        if loss.name in SUM_LOSSES:
            totals = row_log_totals(z, drawn, loss.metric, loss.column_temperature, loss.nu)
            log_q_neg, weight = spread(totals, share), 1.0
        else:
            log_q_neg, weight = self._log_q(block_distances(z, drawn, loss.metric)), share
        return get_loss(loss.name)(
            self._log_q(distance),
            self.p,
            log_q_neg,
            neg_weight=weight,
            row_pos=self.pattern.row,
            num_rows=z.size(0),
            gamma=loss.gamma,
            scale=loss.scale,
            per=loss.per,
        )

    def _log_q(self, distance: Tensor) -> Tensor:
        return log_kernel(distance / self.loss.column_temperature, self.loss.nu)
