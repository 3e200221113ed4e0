"""A small trained decoder: from the embeddings of two nodes to how likely an edge joins them.

A perceptron with one hidden layer reads the Hadamard product of the two rows, the decoder of MaskGAE (arXiv
2205.10053). The embedding is frozen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from genurl_graph.exceptions import InputError
from genurl_graph.runtime.devices import seeded

if TYPE_CHECKING:
    from genurl_graph.evaluation.splits import Pairs

HIDDEN, DROPOUT = 64, 0.3
LR, WEIGHT_DECAY, BATCH = 5e-3, 1e-2, 1024
EPOCHS, PATIENCE = 50, 10


def decoder_scores(rows: Any, train: Tensor, val: Pairs, test: Pairs, seed: int = 0) -> tuple[Any, Any]:
    """Logits of validation and test pairs by a decoder that was trained on training edges.

    It learns to tell training edges from as many pairs that are drawn anew in every epoch among all pairs without a
    training edge; held-out edges may be among these, since the decoder does not know them. Kept are the
    weights of the epoch with the best validation AUC; after `PATIENCE` epochs without a better one it stops.

    Parameters
    ----------
    rows : array or SciPy CSR, float32, shape [n, d]
        Embedding with rows of unit length: training edges and all others are then on one scale.
    train : Tensor, int64, shape [2, m]
        Training edges, each once.
    val, test : Pairs
        To be scored. The labels of `test` are not read.
    seed : int

    Returns
    -------
    tuple of two arrays, float32, shapes [m_val] and [m_test]
    """
    from sklearn.metrics import roc_auc_score

    d = rows.shape[1]
    # Products of unit rows shrink with the width; on the scale of 1 the same learning rate suits every embedding.
    rows = rows * np.float32(d**0.25)
    label = val.label.numpy()
    best: tuple[float, tuple[Any, Any]] | None = None
    since = 0
    with seeded(seed):
        net = nn.Sequential(nn.Linear(d, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, 1))
        optimizer = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
        for _ in range(EPOCHS):
            _epoch(net, optimizer, rows, train)
            found = _logits(net, rows, val.edge_index)
            auc = float(roc_auc_score(label, found))
            since += 1
            if best is None or auc > best[0]:
                best, since = (auc, (found, _logits(net, rows, test.edge_index))), 0
            if since == PATIENCE:
                break
    assert best is not None
    return best[1]


def non_edges(edges: Tensor, num_nodes: int, count: int) -> Tensor:
    """Random pairs of two different nodes that no edge joins, in either direction.

    Parameters
    ----------
    edges : Tensor, int64, shape [2, m]
        Each once, the smaller node first.
    num_nodes : int
    count : int
        Pairs wanted. They are drawn independently of each other: one may come twice.

    Returns
    -------
    Tensor, int64, shape [2, count]
        The smaller node first.

    Raises
    ------
    InputError
        Every pair of nodes is an edge.
    """
    known = edges[0] * num_nodes + edges[1]
    free = num_nodes * (num_nodes - 1) // 2 - known.numel()
    if free <= 0:
        raise InputError(f"protocol links: all pairs of the {num_nodes} nodes are edges; expected some that are not")
    found = torch.empty(0, dtype=torch.int64)
    while found.numel() < count:
        u, v = torch.randint(num_nodes, (2, count + 16))
        keys = torch.minimum(u, v) * num_nodes + torch.maximum(u, v)
        found = torch.cat([found, keys[(u != v) & ~torch.isin(keys, known)]])
    found = found[:count]
    return torch.stack([found // num_nodes, found % num_nodes])


def hadamard(rows: Any, edge_index: Tensor) -> Any:
    """Products ``z_u * z_v`` of the rows of pairs: a dense array [m, d], also of sparse rows."""
    u, v = edge_index.numpy()
    if isinstance(rows, np.ndarray):
        return rows[u] * rows[v]
    return rows[u].multiply(rows[v]).toarray()


def _epoch(net: nn.Module, optimizer: torch.optim.Optimizer, rows: Any, train: Tensor) -> None:
    net.train()
    pairs = torch.cat([train, non_edges(train, rows.shape[0], train.size(1))], 1)
    label = (torch.arange(pairs.size(1)) < train.size(1)).float()
    for batch in torch.split(torch.randperm(pairs.size(1)), BATCH):
        logits = net(torch.from_numpy(hadamard(rows, pairs[:, batch]))).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, label[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


@torch.no_grad()
def _logits(net: nn.Module, rows: Any, edge_index: Tensor) -> Any:
    net.eval()
    parts = [net(torch.from_numpy(hadamard(rows, part))).squeeze(1) for part in torch.split(edge_index, BATCH, 1)]
    return torch.cat(parts).numpy()
