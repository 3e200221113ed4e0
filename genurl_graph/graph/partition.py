"""P by rows: which nodes' rows of a sorted list of edges each of several processes holds."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.graph.merge import MergedGraph
from genurl_graph.runtime.processes import rank, world_size


class Block(NamedTuple):
    """The nodes ``start <= i < stop``."""

    start: int
    stop: int

    def of(self, row: Tensor) -> slice:
        """Where the block's entries lie in a sorted list of nodes, int64 [E]."""
        ends = torch.tensor([self.start, self.stop], device=row.device)
        return slice(*torch.searchsorted(row.contiguous(), ends).tolist())


def own_block(num_nodes: int, *rows: Tensor) -> Block:
    """The nodes whose rows this process holds: all processes' blocks have about as many edges.

    Parameters
    ----------
    num_nodes : int
    *rows : Tensor, int64, shape [E]
        First nodes of the edges; of several lists those of all of them count.
    """
    if world_size() == 1:
        return Block(0, num_nodes)
    entries = torch.zeros(num_nodes, dtype=torch.long)
    for row in rows:
        entries += torch.bincount(row, minlength=num_nodes).cpu()
    entries = entries.cumsum(0)
    marks = entries[-1] * torch.arange(1, world_size()) // world_size()
    ends = [0, *(torch.searchsorted(entries, marks) + 1).tolist(), num_nodes]
    return Block(ends[rank()], ends[rank() + 1])


def own_edges(graph: MergedGraph, block: Block) -> tuple[Tensor, Tensor]:
    """Edges and weights of a block's rows, without those that weigh nothing; on the CPU."""
    part = block.of(graph.edge_index[0])
    edges, weight = graph.edge_index[:, part], graph.edge_weight[part]
    kept = weight > 0
    if not bool(kept.all()):
        edges, weight = edges[:, kept], weight[kept]
    return edges.cpu(), weight.cpu()


def held(graph: MergedGraph, block: Block) -> MergedGraph:
    """What a process keeps of a whole graph: the first, which writes results, all of it, others the block's rows."""
    if rank() == 0:
        return graph
    part = block.of(graph.edge_index[0])
    edges, weight, provenance = graph
    # Copies: views would keep the whole graph.
    return MergedGraph(edges[:, part].clone(), weight[part].clone(), provenance[part].clone())
