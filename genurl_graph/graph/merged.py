"""The merged graph: edges, their weights and their sources, and the same as SciPy, networkx and PyG hold it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_lists import BLOCK, align_blocks, values_at

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array
    from torch_geometric.data import Data

PREDEFINED = 1
"""Edge source bit: a predefined edge."""
FEATURE = 2
"""Edge source bit: a kNN edge of the features."""
PATH = 4
"""Edge source bit: no edge of either graph but a shortest path over them (``how="geodesic"``)."""


# What `MergedGraph.to_networkx` and its `repr` call the source of an edge.
SOURCES = {PREDEFINED: "predefined", FEATURE: "kNN", PREDEFINED | FEATURE: "both", PATH: "path"}

# Edges that are summed at a time.
_STEP = 4 * BLOCK


class MergedGraph(NamedTuple):
    """A graph with the source of every edge.

    Edges are sorted by row, without self loops. An undirected edge is held in both directions, as PyG holds it; `repr`
    and `summary` count it once.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, E]
    edge_weight : Tensor, float32, shape [E]
    provenance : Tensor, uint8, shape [E]
        Edge source: a bit mask of `PREDEFINED`, `FEATURE` and `PATH`.
    num_nodes : int

    Examples
    --------
    >>> edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> graph = MergedGraph(edges, torch.ones(4), torch.tensor([1, 1, 2, 2], dtype=torch.uint8), num_nodes=4)
    >>> graph
    MergedGraph(4 nodes, 2 edges: 1 predefined, 1 kNN)
    >>> graph.to_scipy().shape, graph.to_data()
    ((4, 4), Data(edge_index=[2, 4], num_nodes=4, edge_weight=[4], edge_provenance=[4]))
    >>> print(graph.to_networkx("abcd"))
    Graph with 4 nodes and 2 edges
    """

    edge_index: Tensor
    edge_weight: Tensor
    provenance: Tensor
    num_nodes: int

    @classmethod
    def empty(cls, num_nodes: int) -> MergedGraph:
        """A graph without edges, for recipes that build P anew for every batch."""
        return cls(torch.empty(2, 0, dtype=torch.long), torch.empty(0), torch.empty(0, dtype=torch.uint8), num_nodes)

    def __repr__(self) -> str:
        counts = self._counts()
        total, by_source = int(counts.sum()), list(edge_counts(counts).values())
        # Bits and names are in one order; the rest are pairs that only a path connects.
        kinds = zip([*by_source, total - sum(by_source)], SOURCES.values(), strict=True)
        listed = ", ".join(f"{count:,} {name}" for count, name in kinds if count)
        return f"MergedGraph({self.num_nodes:,} nodes, {total:,} edges{f': {listed}' if listed else ''})"

    def cpu(self) -> MergedGraph:
        """The same graph, on the CPU."""
        return MergedGraph(self.edge_index.cpu(), self.edge_weight.cpu(), self.provenance.cpu(), self.num_nodes)

    def to_scipy(self) -> csr_array:
        """The weights as a SciPy matrix, float32 [n, n]; entry (i, j) is the edge from node i to node j."""
        from scipy.sparse import csr_array

        row, col = self.edge_index.cpu().numpy()
        return csr_array((self.edge_weight.cpu().numpy(), (row, col)), shape=(self.num_nodes, self.num_nodes))

    def to_networkx(self, names: Sequence[Any] | None = None) -> networkx.Graph:
        """The graph of networkx, whose edges have the attributes ``weight`` and ``source``.

        Parameters
        ----------
        names : sequence of n hashable objects, optional
            What the nodes are called, such as ``model.node_id_``; by default their numbers.

        Returns
        -------
        networkx.Graph
            Every node, isolated ones too. A ``DiGraph`` where an edge lacks its inverse or weighs more than it.
            ``source`` is "predefined", "kNN", "both", or "path" for pairs that only a shortest path connects.

        Raises
        ------
        InputError
            Names that are not n, or not all different.
        """
        import networkx

        called = range(self.num_nodes) if names is None else list(names)
        if len(called) != self.num_nodes or len(set(called)) != self.num_nodes:
            raise wrong("names", f"{len(set(called))} different names", f"{self.num_nodes}, one for each node")
        matrix = self.to_scipy()
        graph = networkx.Graph() if (matrix != matrix.T).nnz == 0 else networkx.DiGraph()
        graph.add_nodes_from(called)
        parts = (self.edge_index[0], self.edge_index[1], self.edge_weight, self.provenance)
        for i, j, weight, bits in zip(*(part.tolist() for part in parts), strict=True):
            graph.add_edge(called[i], called[j], weight=weight, source=SOURCES[bits & ~PATH or PATH])
        return graph

    def to_data(self) -> Data:
        """The graph as PyG ``Data`` with ``edge_index``, ``edge_weight`` and ``edge_provenance``, as
        `genurl_graph.graph.transforms.MergeFeatureEdges` writes them."""
        from torch_geometric.data import Data

        return Data(
            edge_index=self.edge_index,
            edge_weight=self.edge_weight,
            edge_provenance=self.provenance,
            num_nodes=self.num_nodes,
        )

    def summary(self) -> dict[str, int]:
        """Number of undirected edges by source: ``n_predefined``, ``n_feature`` (kNN edges only) and ``n_both``."""
        return edge_counts(self._counts())

    def _counts(self) -> Tensor:
        """Number of undirected edges by bits of their source, int64 [8]."""
        row, col = self.edge_index
        size = int(self.edge_index.max()) + 1 if row.numel() else 0
        # A directed edge may lack its inverse, so that pairs are counted: each in the block of rows of its larger end.
        marks = [*torch.unique(row[::_STEP]).tolist(), size]
        counts = torch.zeros(8, dtype=torch.long, device=row.device)
        for low, high in pairwise(marks):
            start, end = torch.searchsorted(row, torch.tensor([low, high], device=row.device)).tolist()
            down = start + (col[start:end] < row[start:end]).nonzero()[:, 0]
            up = (row[:end] < col[:end]).logical_and_(col[:end] >= low).logical_and_(col[:end] < high).nonzero()[:, 0]
            up = up[col[up].sort(stable=True).indices]
            for (_, one, two), a, b in align_blocks(self.edge_index[:, down], self.edge_index[:, up].flip(0), size):
                sources = values_at(self.provenance[down[a]], one) | values_at(self.provenance[up[b]], two)
                counts += torch.bincount(sources, minlength=len(counts))
        return counts

    def total_weight(self) -> float:
        """Sum of all weights, in float64."""
        # In parts: torch makes a float64 copy of what it sums.
        return math.fsum(float(part.sum(dtype=torch.float64)) for part in torch.split(self.edge_weight, _STEP))

    def similarities(self) -> tuple[Tensor, Tensor]:
        """Edges and weights without those that weigh nothing, on the CPU: P, as objectives read it."""
        edges, weight = self.edge_index, self.edge_weight
        kept = weight > 0
        if not bool(kept.all()):
            edges, weight = edges[:, kept], weight[kept]
        return edges.cpu(), weight.cpu()

    def weight_shares(self) -> dict[str, float]:
        """Share of the total weight by edge source: ``mass_predefined``, ``mass_feature`` (only), ``mass_both``."""
        totals = torch.zeros(8, dtype=torch.float64, device=self.edge_weight.device)
        parts = (torch.split(values, _STEP) for values in (self.provenance, self.edge_weight))
        for sources, weight in zip(*parts, strict=True):
            totals += torch.bincount(sources, weight.double(), minlength=len(totals))
        return weight_shares(totals)


def edge_counts(counts: Tensor) -> dict[str, int]:
    """`MergedGraph.summary` of the number of undirected edges by source, int64 [8]."""
    kinds = {"n_predefined": PREDEFINED, "n_feature": FEATURE, "n_both": PREDEFINED | FEATURE}
    return {name: int(counts[[bits, bits | PATH]].sum()) for name, bits in kinds.items()}


def weight_shares(totals: Tensor) -> dict[str, float]:
    """`MergedGraph.weight_shares` of the total weight by source, float64 [8]."""
    share = (totals / (totals.sum() or 1.0)).tolist()
    return {
        "mass_predefined": share[PREDEFINED],
        "mass_feature": share[FEATURE],
        "mass_both": share[PREDEFINED | FEATURE],
    }
