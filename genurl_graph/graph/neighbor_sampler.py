"""Sampled neighbourhoods: what the layers of a GNN multiply by where only some nodes are to be embedded.

GraphSAGE's (Hamilton et al., arXiv 1706.02216, algorithm 2), and what PyG's `NeighborLoader` samples, drawn by tensor
operations alone: that loader needs pyg-lib or torch-sparse, which are hard to come by, and works on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from genurl_graph.exceptions import wrong
from genurl_graph.graph.propagation import Norm, Propagation
from genurl_graph.inputs.sparse import csr_tensor, row_pointers, transposed
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import rand


class Layer(NamedTuple):
    """What one layer propagates over: from the nodes that it reads to those it is computed for, which come first.

    Attributes
    ----------
    operator : Tensor
        CSR [m, k] with its transpose as the attribute ``transposed``, or an edge_index from reading to written nodes.
    num_targets : int
        m.
    """

    operator: Tensor
    num_targets: int


def read_fanout(text: str, layers: int) -> list[int]:
    """``"15,10"`` as the neighbours that are drawn for each of `layers` layers, the last layer first.

    The last number holds for all further layers; numbers beyond `layers` are not needed.

    Raises
    ------
    InputError
        Not whole numbers, or one that is neither positive nor -1 (all neighbours).
    """
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = [0]
    if any(count < 1 and count != -1 for count in found):
        raise wrong(
            "sampling.fanout", repr(text), "numbers of neighbours such as 15,10, each at least 1, or -1 for all"
        )
    return (found + [found[-1]] * layers)[:layers]


class Neighborhoods(nn.Module):
    r"""Neighbours of given nodes, neighbours of those, and so on, drawn from a graph.

    The list of a node's d neighbours is cut into k equal parts, and one is drawn from each, uniformly; with d <= k all
    are taken. Every neighbour is expected k / d times (one on a cut may be drawn from both sides). Drawn neighbours
    have their weights times d / k, so that each sum over neighbours, ``sum_j w_ij h_j``, is estimated without bias,
    w_ij being the weights of the *whole* graph: GCN's symmetric ones, GraphSAGE's mean, GIN's sum (the estimator NS of
    Chen et al., arXiv 1710.10568). Each sum is, not the output of several layers with activations between them. A
    node's own part, a self loop, is never left out. GAT has no such weights: its attention is the softmax over the
    neighbours that were drawn and the node itself.

    PyG's examples leave GCN to normalise the drawn edges alone, whose degrees then are those of the sample. GraphSAGE
    takes the mean over the drawn neighbours: the same as here where all edges of a node weigh the same.

    Parameters
    ----------
    propagation : Propagation
    norm : Norm
        As of `Propagation.operator`.
    fanout : sequence of int
        Neighbours drawn for each node, by layer, the last layer first; -1: all.
    """

    def __init__(self, propagation: Propagation, norm: Norm, fanout: Sequence[int]) -> None:
        super().__init__()
        loops = propagation.is_loop
        kept = ~loops & (propagation.weight > 0)
        self.fanout = list(fanout)
        values = None if norm == "edges" else propagation.operator(norm).values()
        self.weight = None if values is None else constant(values[kept])
        self.own = constant(values[loops]) if values is not None and norm == "sym" else None
        self.col = constant(propagation.col[kept])
        self.count = constant(torch.bincount(propagation.row[kept], minlength=propagation.num_nodes))
        self.start = constant(self.count.cumsum(0) - self.count)
        # Where a node stands among those of a neighbourhood; -1 but while one is drawn.
        self.place = constant(torch.full_like(self.count, -1))

    def draw(self, seeds: Tensor) -> tuple[Tensor, list[Layer]]:
        """The nodes whose features are needed to embed `seeds`, and what the layers of a GNN propagate over.

        Parameters
        ----------
        seeds : Tensor, int64, shape [m]
            Distinct.

        Returns
        -------
        nodes : Tensor, int64, shape [k]
            The seeds first.
        layers : list of Layer
            In the order of the GNN: the first reads all nodes, the last is computed for the seeds.
        """
        nodes, ends, found = seeds, [0, len(seeds)], []
        self.place[nodes] = torch.arange(len(nodes), device=nodes.device)
        for fanout in self.fanout:
            # Each node's neighbours are drawn once: those reached earlier keep theirs.
            target, edge, factor = self._drawn(nodes[ends[-2] :], fanout)
            reached = self.col[edge]
            new = torch.unique(reached[self.place[reached] < 0])
            self.place[new] = torch.arange(len(nodes), len(nodes) + len(new), device=nodes.device)
            nodes = torch.cat([nodes, new])
            value = factor if self.weight is None else factor * self.weight[edge]
            found.append((target + ends[-2], self.place[reached], value))
            ends.append(len(nodes))
        self.place[nodes] = -1
        layers = []
        for hop in reversed(range(len(self.fanout))):
            target, source, value = (torch.cat(part) for part in zip(*found[: hop + 1], strict=True))
            targets, sources = ends[hop + 1], ends[hop + 2]
            entries = torch.stack([target, source])
            if self.weight is None:
                operator = entries.flip(0)
            else:
                operator = self._matrix(entries, value, nodes[:targets], sources)
                operator.transposed = transposed(operator)  # type: ignore[attr-defined]
            layers.append(Layer(operator, targets))
        return nodes, layers

    def _drawn(self, nodes: Tensor, fanout: int) -> tuple[Tensor, Tensor, Tensor]:
        """Entries [e] drawn for some nodes: which of these each is of, the edge, and the factor of its weight."""
        count = self.count[nodes]
        taken = count if fanout < 0 else count.clamp_max(fanout)
        owner = torch.arange(len(nodes), device=nodes.device).repeat_interleave(taken)
        part = torch.arange(len(owner), device=nodes.device) - (taken.cumsum(0) - taken)[owner]
        width = count.double() / taken.clamp_min(1)
        random = rand(len(owner), nodes.device, torch.float64)
        place = ((part + random) * width[owner]).long().minimum(count[owner] - 1)
        # All of them, not one from each part: rounding must not draw one twice.
        place = torch.where((taken == count)[owner], part, place)
        return owner, self.start[nodes][owner] + place, width[owner].float()

    def _matrix(self, entries: Tensor, values: Tensor, targets: Tensor, sources: int) -> Tensor:
        """CSR [len(targets), sources], with the nodes' own entries where there are such."""
        m = len(targets)
        if self.own is not None:
            entries = torch.cat([entries, torch.arange(m, device=targets.device).expand(2, -1)], dim=1)
            values = torch.cat([values, self.own[targets]])
        order = (entries[0] * sources + entries[1]).argsort()
        crow = row_pointers(entries[0, order], m)
        return csr_tensor(crow, entries[1, order], values[order], (m, sources))
