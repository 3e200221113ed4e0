"""Measures of an embedding that read no label: what `--measures` of bench_choices.py lets choose between settings.

`hide` takes a tenth of the edges and of the feature columns away before the training; `measure` then asks what the
embedding knows of them. More is better for each measure.

edges, kNN edges
    AUC of pairs by cosine, against pairs of the same ends in another order: of the hidden edges, and of the feature
    neighbours that no edge joins, which are not hidden.
features
    Share of the hidden columns' variance that a ridge regression explains, on nodes that it was not fitted on.
alignment, uniformity
    Minus the mean squared distance of hidden edges on the sphere; minus the logarithm of the mean of ``exp(-2 d^2)``
    over random pairs (Wang & Isola, arXiv 2005.10242). "both" is their sum.
rank
    Exponential of the entropy of the singular values (RankMe, Garrido et al., arXiv 2210.02885).
stability
    Share of the nearest nodes that the embedding of the next seed has as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

# Share of edges and of columns that is hidden, columns at most, nearest nodes, and random pairs.
SHARE, MOST_COLUMNS, NEAREST, PAIRS = 0.1, 300, 10, 100_000
# Fewer columns than this all stay: each may be all that says something.
FEW_COLUMNS = 32


class Hidden(NamedTuple):
    """What a training may see, and the edges [2, h] and columns [n, c] that it may not."""

    graph: Any
    edges: Tensor
    columns: np.ndarray


def hide(data: Any, seed: int = 0) -> Hidden:
    """Take edges and columns away; of the columns, those of largest variance are looked at."""
    from torch_geometric.utils import remove_self_loops, to_undirected

    from genurl_graph.evaluation.links import training_graph
    from genurl_graph.inputs.sparse import from_scipy, to_scipy_or_numpy

    generator = torch.Generator().manual_seed(seed)
    both = to_undirected(remove_self_loops(data.edge_index)[0], num_nodes=data.num_nodes)
    once = both[:, both[0] < both[1]]
    edges = once[:, torch.rand(once.size(1), generator=generator) < SHARE]
    graph, x = training_graph(data, edges), to_scipy_or_numpy(data.x)
    hidden = torch.rand(x.shape[1], generator=generator).numpy() < (SHARE if x.shape[1] >= FEW_COLUMNS else 0.0)
    columns, kept = x[:, hidden], x[:, ~hidden]
    graph.x = torch.from_numpy(kept) if isinstance(kept, np.ndarray) else from_scipy(kept)
    columns = columns if isinstance(columns, np.ndarray) else columns.toarray()
    variance = columns.var(0)
    widest = np.argsort(-variance)[: min(MOST_COLUMNS, int((variance > 0).sum()))]
    return Hidden(graph, edges, columns[:, widest].astype(np.float64))


def measure(z: Tensor, other: Tensor, hidden: Hidden, near: Tensor) -> dict[str, float]:
    """All measures of an embedding, with that of the next seed, and feature neighbours [2, k] that no edge joins."""
    unit = torch.nn.functional.normalize(z.double(), dim=1)
    generator = torch.Generator().manual_seed(0)
    i, j = torch.randint(len(z), (2, PAIRS), generator=generator)
    spread = (unit[i] - unit[j])[i != j].square().sum(1)
    alignment = -float((unit[hidden.edges[0]] - unit[hidden.edges[1]]).square().sum(1).mean())
    uniformity = -float((-2 * spread).exp().mean().log())
    value = torch.linalg.svdvals(z.double())
    share = value / value.sum()
    return {
        "edges": auc(unit, hidden.edges, generator),
        "kNN edges": auc(unit, near, generator),
        "features": explained(z, hidden.columns),
        "alignment": alignment,
        "uniformity": uniformity,
        "both": alignment + uniformity,
        "rank": float((-(share * share.clamp_min(1e-12).log()).sum()).exp()),
        "stability": overlap(z, other),
    }


def auc(unit: Tensor, pairs: Tensor, generator: torch.Generator, against: int = 8) -> float:
    """Share of pairs with a larger cosine than the same node has with another pair's end; ties count one half."""
    if not pairs.size(1):
        return 0.5
    i, j = torch.cat([pairs, pairs.flip(0)], 1)
    near, won, counted = (unit[i] * unit[j]).sum(1), 0.0, 0
    for _ in range(against):
        k = j[torch.randperm(len(j), generator=generator)]
        far = (unit[i] * unit[k]).sum(1)
        kept = (k != i) & (k != j)
        won += float((0.5 + 0.5 * (near - far)[kept].sign()).sum())
        counted += int(kept.sum())
    return won / counted


def explained(z: Tensor, columns: np.ndarray) -> float:
    """Variance of columns that a ridge regression on standardised z explains: two halves, each fitted on the other."""
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import StandardScaler

    if not columns.shape[1]:
        return 0.0
    read = StandardScaler().fit_transform(z.double().numpy())
    half = np.random.default_rng(0).permutation(len(read)) % 2 == 0
    left = np.zeros(columns.shape[1])
    for fitted in (half, ~half):
        model = RidgeCV(alphas=np.logspace(1, 5, 9)).fit(read[fitted], columns[fitted])
        left += ((columns[~fitted] - model.predict(read[~fitted])) ** 2).sum(0)
    return float(1 - left.sum() / ((columns - columns.mean(0)) ** 2).sum())


def overlap(z: Tensor, other: Tensor) -> float:
    """Share of the `NEAREST` nodes by cosine that two embeddings have in common, of 2,000 nodes at most."""
    some = torch.randperm(len(z), generator=torch.Generator().manual_seed(0))[:2000]
    lists = []
    for part in (z, other):
        unit = torch.nn.functional.normalize(part, dim=1)
        cosine = unit[some] @ unit.T
        cosine[torch.arange(len(some)), some] = -2.0
        lists.append(cosine.topk(NEAREST).indices)
    return float((lists[0].unsqueeze(2) == lists[1].unsqueeze(1)).any(2).double().mean())
