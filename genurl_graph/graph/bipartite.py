"""Feature columns as nodes: the bipartite graph of a bag of words, and the divergence that embeds it.

Whatever comes in becomes a graph, and so may the features themselves: node i is joined to each word w that it has.
Words get coordinates of their own, free ones, learned beside the encoder and dropped afterwards; a node's embedding
must then tell its words from others. Neighbours in feature space say of a node only whom it resembles most; where a
graph has few edges that is little.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.sparse import csr_tensor


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
