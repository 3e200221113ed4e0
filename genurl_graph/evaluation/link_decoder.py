"""A small trained decoder: from the embeddings of two nodes to the likelihood of an edge between them.

A perceptron with one hidden layer reads the Hadamard product of the two rows, the decoder of MaskGAE (arXiv
2205.10053). The embedding is frozen.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.evaluation.splits import Pairs
from genurl_graph.exceptions import wrong
from genurl_graph.losses.terms import LossTerms
from genurl_graph.runtime.random import randint, randperm, seeded_globally
from genurl_graph.training.loop import train

HIDDEN, DROPOUT = 64, 0.3
LR, WEIGHT_DECAY, BATCH = 5e-3, 1e-2, 1024
EPOCHS, PATIENCE = 50, 10


def decoder_scores(rows: Any, edges: Tensor, val: Pairs, test: Pairs, seed: int = 0) -> tuple[Any, Any]:
    """Logits of validation and test pairs by a decoder that is trained on training edges.

    The decoder learns to tell training edges from as many other pairs, drawn anew in every epoch among all pairs
    without a training edge. Held-out edges may be among these, since the decoder does not know them. The weights of the
    epoch with the best validation AUC count; training stops after `PATIENCE` epochs without a better one.

    Parameters
    ----------
    rows : array or SciPy CSR, float32, shape [n, d]
        Embedding with rows of unit length: training edges and all others are then on one scale.
    edges : Tensor, int64, shape [2, m]
        Training edges, each once.
    val, test : Pairs
        To be scored. The labels of `test` are not read.
    seed : int

    Returns
    -------
    tuple of two arrays, float32, shapes [m_val] and [m_test]
    """
    from sklearn.metrics import roc_auc_score

    # Products of unit rows shrink with the width; on the scale of 1 the same learning rate suits every embedding.
    rows = rows * np.float32(rows.shape[1] ** 0.25)
    best: tuple[float, int, Any, Any] = (-1.0, 0, None, None)
    with seeded_globally(seed):
        decoder = EdgeDecoder(rows, edges)

        def keep_best(epoch: int, loss: float) -> None:
            nonlocal best
            found = decoder.scores(val.edge_index)
            auc = float(roc_auc_score(val.label.numpy(), found))
            if auc > best[0]:
                best = auc, epoch, found, decoder.scores(test.edge_index)
            if epoch - best[1] == PATIENCE:
                raise StopIteration

        config = TrainingConfig(epochs=EPOCHS, lr=LR, weight_decay=WEIGHT_DECAY)
        train(decoder, config, optimizer_class=torch.optim.AdamW, callbacks=[keep_best])
    return best[2:]


class EdgeDecoder(nn.Module):
    """Perceptron on products of rows; as an objective, its cross-entropy on edges and on pairs without an edge.

    Parameters
    ----------
    rows : array or SciPy CSR, float32, shape [n, d]
    edges : Tensor, int64, shape [2, m]
    """

    def __init__(self, rows: Any, edges: Tensor) -> None:
        super().__init__()
        self.rows, self.edges = rows, edges
        self.net = nn.Sequential(nn.Linear(rows.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, 1))
        self.steps = math.ceil(2 * edges.size(1) / BATCH)
        self.batches: list[tuple[Tensor, Tensor]] = []

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch of an epoch's pairs."""
        if not self.batches:
            count = self.edges.size(1)
            pairs = torch.cat([self.edges, non_edges(self.edges, self.rows.shape[0], count)], 1)
            label = (torch.arange(2 * count) < count).float()
            parts = torch.split(randperm(2 * count), BATCH)
            self.batches = [(pairs[:, part], label[part]) for part in parts]
        pairs, label = self.batches.pop(0)
        loss = nn.functional.binary_cross_entropy_with_logits(self.logits(pairs), label)
        return LossTerms(loss, loss, torch.zeros(()))

    def logits(self, pairs: Tensor) -> Tensor:
        """Logits, float32 [m], of pairs, int64 [2, m]."""
        z: Tensor = self.net(torch.from_numpy(hadamard(self.rows, pairs)))
        return z.squeeze(1)

    @torch.no_grad()
    def scores(self, pairs: Tensor) -> Any:
        """`logits` in evaluation mode, an array [m]."""
        self.eval()
        found = torch.cat([self.logits(part) for part in torch.split(pairs, BATCH, 1)])
        self.train()
        return found.numpy()


def non_edges(edges: Tensor, num_nodes: int, count: int) -> Tensor:
    """Draw random pairs of two different nodes that no edge joins, in either direction.

    Parameters
    ----------
    edges : Tensor, int64, shape [2, m]
        Each once, the smaller node first.
    num_nodes : int
    count : int
        Number of pairs. They are drawn independently of each other: one may come twice.

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
    if known.numel() >= num_nodes * (num_nodes - 1) // 2:
        raise wrong("protocol links", f"edges between all pairs of the {num_nodes} nodes", "pairs without an edge")
    found = torch.empty(0, dtype=torch.int64)
    while found.numel() < count:
        u, v = randint(num_nodes, (2, count + 16))
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
