"""Mean reciprocal ranks as ROLAND's and EvolveGCN's code count them, on their snapshots: to compare like with like.

Read in the code of ROLAND (You, Du & Leskovec, KDD 2022, arXiv 2208.07239; `graphgym/contrib/train/train_utils.py`,
`train_live_update_fixed_split.py` and `run/replication_configs/table2`), whose fixed split is that of EvolveGCN (Pareja
et al., AAAI 2020, arXiv 1902.10191). They differ from `genurl_graph.evaluation.temporal_links.ranking`, which counts
every pair once and leaves other right answers out of the comparison: here each source counts once, however many pairs
it has, and each snapshot once, however few events it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.history import Scorer
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.windows import Windows

# Negatives of each source, and scores that are held at a time.
SAMPLED = 1000
_ENTRIES = 1 << 21


class Snapshots(NamedTuple):
    """How ROLAND cuts a set of events.

    Attributes
    ----------
    length : float
        Of a snapshot, in seconds.
    train : float
        Share of the snapshots before validation.
    first_test : int
        The first snapshot whose ranks count.
    both_ends : bool
        Whether each event counts for both of its ends: there, events stand in the snapshot in both directions.
    """

    length: float
    train: float
    first_test: int
    both_ends: bool


# `snapshot_freq`, `split` and `start_compute_mrr` (of the snapshot before) of ROLAND's configurations; who is doubled
# stands in `roland_btc.py` and `roland_ucimsg.py`.
SNAPSHOTS = {
    "collegemsg": Snapshots(190_080.0, 0.71, 73, False),
    "bitcoin-otc": Snapshots(1_200_000.0, 0.7, 111, True),
}


class RolandFigures(NamedTuple):
    """Mean reciprocal ranks, in [0, 1]; means over snapshots of means over sources.

    Attributes
    ----------
    rows : float
        Of all non-edges (EvolveGCN's, `report_baseline_MRR`): each right target among all nodes, other right ones
        counted as rivals, mean over the targets of a source.
    best : float
        Of the best-scored right target of each source alone among `SAMPLED` drawn nodes that are none of its targets
        (ROLAND's `fast_batch_mrr_and_recall` with `mrr_method: max`); equal scores count as larger ones.
    """

    rows: float
    best: float


def snapshot_split(edges: TemporalEdges, cut: Snapshots) -> TemporalSplit:
    """Windows at multiples of the length, empty ones left out.

    Raises
    ------
    InputError
        Fewer snapshots than the test part begins at.
    """
    begins = torch.unique(torch.floor(edges.time / cut.length)) * cut.length
    if len(begins) <= cut.first_test:
        raise wrong("ROLAND's split", f"{len(begins)} snapshots", f"more than {cut.first_test}")
    ptr = torch.cat([torch.searchsorted(edges.time, begins), torch.tensor([len(edges)])])
    windows = Windows(ptr, torch.cat([begins, edges.time[-1:]]))
    return TemporalSplit(edges, windows, int(cut.train * len(begins)), cut.first_test)


def roland_figures(
    split: TemporalSplit,
    scorers: Callable[[TemporalSplit, int], Mapping[str, Scorer]],
    both_ends: bool,
    seed: int = 0,
) -> dict[str, RolandFigures]:
    """Figures of each scorer on the test snapshots.

    Parameters
    ----------
    split : TemporalSplit
        Of `snapshot_split`.
    scorers : callable
        As for `genurl_graph.evaluation.temporal_links.protocol.judge`.
    both_ends : bool
        `Snapshots.both_ends`.
    seed : int
        Of the drawn nodes.

    Examples
    --------
    >>> cut = SNAPSHOTS["bitcoin-otc"]
    >>> roland_figures(snapshot_split(edges, cut), references, cut.both_ends)["EdgeBank"].best
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for window in split.parts()["test"]:
        pairs = split.windows.events(split.edges, window).pairs()
        if both_ends:
            pairs = torch.unique(torch.cat([pairs, pairs.flip(0)], 1), dim=1)
        for name, score in scorers(split, window).items():
            generator = torch.Generator().manual_seed((seed << 20) + window)
            ranks = _of_sources(score, pairs, split.edges.num_nodes, generator)
            found.setdefault(name, []).append((float(ranks[0].mean()), float(ranks[1].mean())))
    return {name: RolandFigures(*torch.tensor(means).mean(0).tolist()) for name, means in found.items()}


def _of_sources(score: Scorer, pairs: Tensor, num_nodes: int, generator: torch.Generator) -> Tensor:
    """Both reciprocal ranks of each source of a snapshot, float64 [2, k]."""
    sources, row = torch.unique(pairs[0], return_inverse=True)
    answer = torch.zeros(len(sources), num_nodes, dtype=torch.bool)
    answer[row, pairs[1]] = True
    width = max(_ENTRIES // num_nodes, 1)
    parts = []
    for some, right in zip(torch.split(sources, width), torch.split(answer, width), strict=True):
        target = torch.arange(num_nodes).expand(len(some), -1)
        scores = score(some[:, None].expand_as(target), target)
        parts.append(torch.stack([_rows(scores, right), _best(scores, right, generator)]))
    return torch.cat(parts, 1)


def _rows(scores: Tensor, right: Tensor) -> Tensor:
    """Mean reciprocal rank of the right targets of each row among all nodes; equal scores share their mean rank."""
    order, own = scores.sort(1).values, scores.contiguous()
    below = torch.searchsorted(order, own)
    equal = torch.searchsorted(order, own, right=True) - below
    rank = scores.size(1) - below - equal + 1 + (equal - 1) / 2
    return (right / rank).sum(1) / right.sum(1)


def _best(scores: Tensor, right: Tensor, generator: torch.Generator) -> Tensor:
    """Reciprocal rank of the best right target of each row among drawn other nodes."""
    best = scores.masked_fill(~right, -torch.inf).max(1, keepdim=True).values
    drawn = torch.multinomial((~right).float(), SAMPLED, replacement=True, generator=generator)
    return 1 / (1 + (scores.gather(1, drawn) >= best).sum(1).double())
