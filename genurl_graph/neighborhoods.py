"""Sampled neighbourhoods: what the layers of a GNN multiply by where only some nodes are to be embedded.

PyG's `NeighborSampler` draws them, the one that its `NeighborLoader` iterates over (Hamilton et al., arXiv 1706.02216,
algorithm 2). It needs pyg-lib or torch-sparse, which neither PyG nor this package brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph._csr import csr_tensor, transposed
from genurl_graph.exceptions import InputError
from genurl_graph.propagation import Norm, Propagation


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


def sampler() -> str | None:
    """The package by which PyG samples neighbours here, "pyg-lib" or "torch-sparse"; None if there is neither."""
    from torch_geometric import typing

    if typing.WITH_PYG_LIB:
        return "pyg-lib"
    return "torch-sparse" if typing.WITH_TORCH_SPARSE else None


def require_sampler(encoder: str) -> None:
    """InputError where PyG cannot sample neighbours for `encoder`."""
    if sampler() is None:
        raise InputError(
            f"sampling.negatives: found batch with the encoder {encoder!r}, whose neighbours PyG draws by pyg-lib or "
            "torch-sparse, and neither is installed; expected one of them, or the encoder sign, which needs none"
        )


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
        raise InputError(
            f"sampling.fanout: found {text!r}; expected numbers of neighbours such as 15,10, each at least 1, or -1 "
            "for all"
        )
    return (found + [found[-1]] * layers)[:layers]


class Neighborhoods:
    r"""Neighbours of given nodes, neighbours of those, and so on, drawn without replacement from a graph.

    A node of d neighbours of which k are drawn has their weights times d / k. Each sum over neighbours,
    ``sum_j w_ij h_j``, is then estimated without bias, w_ij being the weights of the *whole* graph: GCN's symmetric
    ones, GraphSAGE's mean, GIN's sum (the estimator NS of Chen et al., arXiv 1710.10568). Each sum is, not the output
    of several layers with activations between them. A node's own part, a self loop, is never left out. GAT has no
    such weights: its attention is the softmax over the neighbours that were drawn and the node itself.

    PyG's examples leave GCN to normalise the drawn edges alone, whose degrees then are those of the sample. GraphSAGE
    takes the mean over the drawn neighbours: the same as here where all edges of a node weigh the same.

    Parameters
    ----------
    propagation : Propagation
        On the CPU, where the neighbours are drawn.
    norm : Norm
        As of `Propagation.operator`.
    fanout : sequence of int
        Neighbours drawn for each node, by layer, the last layer first; -1: all.
    """

    def __init__(self, propagation: Propagation, norm: Norm, fanout: Sequence[int]) -> None:
        from torch_geometric.data import Data
        from torch_geometric.sampler import NeighborSampler

        loops = propagation.is_loop
        kept = ~loops & (propagation.weight > 0)
        self.row, self.col = propagation.row[kept], propagation.col[kept]
        self.fanout = list(fanout)
        self.weight, self.own = None, None
        if norm != "edges":
            values = propagation.operator(norm).values()
            self.weight, self.own = values[kept], values[loops] if norm == "sym" else None
        # PyG sorts by the node that is written to, its edge_index[1]; the graph is symmetric.
        edges = Data(edge_index=torch.stack([self.col, self.row]), num_nodes=propagation.num_nodes)
        self.sampler = NeighborSampler(edges, self.fanout, is_sorted=True)
        self.start = self.sampler.colptr
        self.count = self.start.diff()
        self.order = torch.arange(len(self.row))

    def turn(self) -> None:
        """Bring the neighbours of each node to another place in its list, by a random rotation.

        torch-sparse draws the last places of a list less often than the first (its issue 385: of two neighbours it
        never draws the second one alone). With places that are random themselves all are drawn equally often.
        """
        shift = (torch.rand(len(self.count), dtype=torch.float64) * self.count).long()
        start = self.start[self.row]
        place = torch.arange(len(self.row)) - start + shift[self.row]
        self.order = start + place % self.count[self.row]
        self.sampler.row = self.col[self.order]

    def draw(self, seeds: Tensor, device: torch.device) -> tuple[Tensor, list[Layer]]:
        """The nodes whose features are needed to embed `seeds`, and what the layers of a GNN propagate over.

        Parameters
        ----------
        seeds : Tensor, int64, shape [m]
            Distinct.
        device : torch.device
            Of the result.

        Returns
        -------
        nodes : Tensor, int64, shape [k]
            The seeds first.
        layers : list of Layer
            In the order of the GNN: the first reads all nodes, the last is computed for the seeds.
        """
        from torch_geometric.sampler import NodeSamplerInput

        found = self.sampler.sample_from_nodes(NodeSamplerInput(input_id=None, node=seeds))
        source, target, nodes = found.row, found.col, found.node
        value = None
        if self.weight is not None:
            drawn = torch.bincount(target, minlength=len(nodes)).clamp_min(1)
            value = self.weight[self.order[found.edge]] * (self.count[nodes] / drawn)[target]
        # Nodes come in the order of their distance: where those of each distance end.
        ends = [len(seeds)]
        for _ in self.fanout:
            reached = source[target < ends[-1]]
            ends.append(max(ends[-1], int(reached.max()) + 1 if reached.numel() else 0))
        layers = []
        for targets, sources in reversed(list(pairwise(ends))):
            used = target < targets
            entries = torch.stack([target[used], source[used]])
            if value is None:
                operator = entries.flip(0).to(device)
            else:
                operator = self._matrix(entries, value[used], nodes[:targets], sources).to(device)
                operator.transposed = transposed(operator)  # type: ignore[attr-defined]
            layers.append(Layer(operator, targets))
        return nodes.to(device), layers

    def _matrix(self, entries: Tensor, values: Tensor, targets: Tensor, sources: int) -> Tensor:
        """CSR [len(targets), sources], with the nodes' own entries where there are such."""
        m = len(targets)
        if self.own is not None:
            entries = torch.cat([entries, torch.arange(m).expand(2, -1)], dim=1)
            values = torch.cat([values, self.own[targets]])
        order = (entries[0] * sources + entries[1]).argsort()
        crow = torch.zeros(m + 1, dtype=torch.long)
        crow[1:] = torch.bincount(entries[0], minlength=m).cumsum(0)
        return csr_tensor(crow, entries[1, order], values[order], (m, sources))
