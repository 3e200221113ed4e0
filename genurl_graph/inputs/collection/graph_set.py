"""`GraphSet`: graphs that were read, as a data set of PyG, with their names and labels."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.index import index2ptr

from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.collection.graph_parts import GraphParts
from genurl_graph.inputs.reading import Reading
from genurl_graph.inputs.sparse import run_entries

if TYPE_CHECKING:
    import pandas as pd

    from genurl_graph.inputs.columns.plan import FeaturePlan

# Graphs that are named one by one.
MOST_NAMED = 5


@dataclasses.dataclass(frozen=True)
class GraphFacts:
    """What is known of G graphs beside their nodes and edges.

    Attributes
    ----------
    names : list of str, or None
        What they are called; None: 0 to G - 1.
    y : Tensor, int64, shape [G], or None
        Labels; -1: none.
    label_names : list of str, or None
    table, edge_table : DataFrame, N and E rows, or None
        Raw columns of the nodes, and of the edges, one graph after another, of which plans make features.
    plan : FeaturePlan or None
        What the features of the nodes were made by.
    reading : Reading
        What was read, and what was left out.
    """

    names: list[str] | None = None
    y: Tensor | None = None
    label_names: list[str] | None = None
    table: pd.DataFrame | None = None
    edge_table: pd.DataFrame | None = None
    plan: FeaturePlan | None = None
    reading: Reading = dataclasses.field(default_factory=Reading)


class GraphSet(InMemoryDataset):  # type: ignore[misc]  # PyG is untyped here
    """Graphs in memory, each of which is a row of an embedding; a `Data` each, as PyG has it.

    Parameters
    ----------
    data : Data
        The graphs one after another, as `InMemoryDataset.collate` gives them: x [N, f], edge_index int64 [2, E] of
        numbers within each graph, edge_attr, edge_weight.
    slices : dict of str to Tensor, int64 [G + 1]
        Where each graph begins in each of these.
    facts : GraphFacts, optional

    Examples
    --------
    >>> ptr = torch.tensor([0, 2, 3])
    >>> pair = GraphCollection(None, torch.tensor([[0, 1], [1, 0]]), None, None, ptr, torch.tensor([0, 2, 2]))
    >>> found = GraphSet.of(pair, GraphFacts(["hydrogen", "helium"]))
    >>> len(found), found[1].num_nodes, found[[1]].node_id
    (2, 1, ['helium'])
    """

    def __init__(self, data: Data, slices: dict[str, Tensor], facts: GraphFacts | None = None) -> None:
        super().__init__()
        self._data, self.slices, self._facts = copy.copy(data), dict(slices), facts or GraphFacts()
        self._whole: GraphCollection | None = None
        if self._facts.y is not None:
            self._data.y = self._facts.y
            self.slices["y"] = torch.arange(len(self._facts.y) + 1)
        self.name = ""

    @classmethod
    def of(cls, collection: GraphCollection, facts: GraphFacts | None = None) -> GraphSet:
        """The graphs of a collection."""
        begin = collection.node_ptr[:-1].repeat_interleave(collection.edge_ptr.diff())
        owner = torch.arange(collection.num_graphs).repeat_interleave(collection.edge_ptr.diff())
        parts = GraphParts(
            "",
            collection.sizes(),
            collection.edge_index - begin,
            owner,
            collection.x,
            collection.edge_attr,
            collection.edge_weight,
        )
        found = cls.of_parts(parts, facts)
        found._whole = collection
        return found

    @classmethod
    def of_parts(cls, parts: GraphParts, facts: GraphFacts | None = None) -> GraphSet:
        """The graphs that a reader has found and that fit together, in the dtypes that they came in."""
        zero = torch.zeros(1, dtype=torch.long)
        nodes = torch.cat([zero, parts.nodes.cumsum(0)])
        edges = torch.cat([zero, torch.bincount(parts.graph_of_edge, minlength=len(parts.nodes)).cumsum(0)])
        given = {"x": parts.x, "edge_attr": parts.edge_attr, "edge_weight": parts.edge_weight}
        held = {name: value for name, value in given.items() if value is not None}
        data = Data(edge_index=parts.edge_index, num_nodes=int(nodes[-1]), **held)
        data._num_nodes = parts.nodes.tolist()  # by which PyG knows graphs without features
        slices = {name: nodes if name == "x" else edges for name in held}
        return cls(data, slices | {"edge_index": edges}, facts)

    @property
    def collection(self) -> GraphCollection:
        """All graphs of this set, or subset, one after another."""
        return self._everything if self._indices is None else self._everything.take(self._index())

    @property
    def _everything(self) -> GraphCollection:
        if self._whole is None:
            from genurl_graph.inputs.collection.convert import as_collection

            self._whole = as_collection(GraphSet(self._data, self.slices, self._facts), at_least=0).graphs
            assert self._whole is not None
        return self._whole

    @property
    def num_graphs(self) -> int:
        """G."""
        return len(self)

    @property
    def node_id(self) -> list[str] | None:
        """Names of the graphs, which are the rows of an embedding; None: 0 to G - 1."""
        names = self._facts.names
        if self._indices is None:
            return names
        return [str(index) if names is None else names[index] for index in self._indices]

    @property
    def y(self) -> Tensor | None:
        """Labels of the graphs, int64 [G]; -1: none."""
        y = self._facts.y
        return y if y is None or self._indices is None else y[self._index()]

    @property
    def label_names(self) -> list[str] | None:
        """Names of the labels 0, 1, ..."""
        return self._facts.label_names

    @property
    def reading(self) -> Reading:
        """What was read, and what was left out."""
        return self._facts.reading

    @property
    def feature_plan(self) -> FeaturePlan | None:
        """What x was made by of `feature_table`."""
        return self._facts.plan

    @property
    def feature_table(self) -> pd.DataFrame | None:
        """Raw columns of the nodes of all graphs, one graph after another."""
        table = self._facts.table
        return table if self._indices is None or table is None else self._rows(table, self._everything.node_ptr)

    @property
    def edge_table(self) -> Any:
        """Raw columns of the edges, in the order of `edge_index`: a DataFrame, or None."""
        table = self._facts.edge_table
        return table if self._indices is None or table is None else self._rows(table, self._everything.edge_ptr)

    def _rows(self, table: pd.DataFrame, ptr: Tensor) -> pd.DataFrame:
        index = self._index()
        return table.iloc[run_entries(ptr[index], ptr.diff()[index]).numpy()].reset_index(drop=True)

    def get(self, idx: int) -> Data:
        """Graph `idx`, which may be the only one."""
        found: Data = super().get(idx) if self.len() > 1 else self._data.clone()
        return found

    def told(self, reading: Reading, **facts: Any) -> GraphSet:
        """The same graphs, with more that was read, and other `GraphFacts`."""
        found = GraphSet(
            self._data, self.slices, dataclasses.replace(self._facts, reading=self.reading + reading, **facts)
        )
        found._whole = self._whole
        return found

    def _index(self) -> Tensor:
        return torch.tensor([*self.indices()], dtype=torch.long)

    def __repr__(self) -> str:
        return f"GraphSet({len(self)})"


def as_collection_of(
    edge_index: Tensor, sizes: Tensor, x: Tensor | None = None, weight: Tensor | None = None, attr: Tensor | None = None
) -> GraphCollection:
    """Graphs of `sizes` [G] nodes, one after another, of edges [2, E] in any order, numbered over all nodes."""
    ptr = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
    n = max(int(ptr[-1]), 1)
    order = (edge_index[0] * n + edge_index[1]).argsort(stable=True)
    edges = edge_index[:, order]
    graph = torch.arange(len(sizes)).repeat_interleave(sizes)
    return GraphCollection(
        x,
        edges,
        None if attr is None else attr[order],
        None if weight is None else weight[order],
        ptr,
        index2ptr(graph[edges[0]], len(sizes)),
    )


def describe_graphs(graphs: GraphSet) -> str:
    """Sizes of the graphs in words; those without nodes are named."""
    found, names = graphs.collection, graphs.node_id
    sizes = found.sizes()
    if not len(sizes):
        return "no graphs"
    low, high = int(sizes.min()), int(sizes.max())
    typical = f"{low:,} nodes" if low == high else f"{low:,} to {high:,} nodes (median {int(sizes.median()):,})"
    empty = (sizes == 0).nonzero().flatten().tolist()
    shown = ", ".join(str(place) if names is None else names[place] for place in empty[:MOST_NAMED])
    more = f" and {len(empty) - MOST_NAMED:,} others" if len(empty) > MOST_NAMED else ""
    told = f" (without nodes: {shown}{more})" if empty else ""
    return f"{len(sizes):,} graph{'' if len(sizes) == 1 else 's'} of {typical}, {found.num_nodes:,} nodes in all{told}"
