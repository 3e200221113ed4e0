"""The node-feature bipartite graph of a bag of words, which merging can add to P (``merge.column_weight``).

Node i is joined to each feature column w that it has. Columns have an embedding table of their own, which is learned
beside the encoder and dropped afterwards: the embedding of a node must distinguish its columns from others. kNN edges
relate a node only to its most similar nodes, which is little information where a graph has few edges.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.sparse import csr_tensor


def column_similarities(x: Tensor, row_weight: Tensor) -> Tensor:
    """P of the edges between nodes and the columns of their features.

    ``p_iw = m_i t_iw / sum_v t_iv`` with the row's total m_i and ``t_iw = log(n / n_w)`` where node i has the column w,
    which n_w nodes have: TF-IDF of presence, since counts of a few columns would dominate the others. Columns that all
    nodes have carry no information and are no edges.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Strided or CSR, no entry below 0.
    row_weight : Tensor, float32, shape [n]
        Total weight m_i of each row.

    Returns
    -------
    Tensor, float32, CSR, shape [n, f]
        Rows without an informative column are empty.
    """
    from torch_geometric.index import index2ptr

    n, f = x.shape
    # A CSR matrix may store zeros.
    if x.layout == torch.sparse_csr:
        there = x.values() > 0
        row = torch.repeat_interleave(torch.arange(n), x.crow_indices().diff())[there]
        column = x.col_indices()[there]
    else:
        row, column = x.nonzero().T
    value = (n / torch.bincount(column, minlength=f).clamp_min(1)).log()[column].float()
    informative = value > 0
    row, column, value = row[informative], column[informative], value[informative]
    total = torch.zeros(n).index_add_(0, row, value)
    return csr_tensor(index2ptr(row, n), column, value / total[row] * row_weight[row], (n, f))
