"""`GraphSet`: graphs that were read, as a data set of PyG, with their names and labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.index import index2ptr

from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.reading import Reading
from genurl_graph.inputs.sparse import run_entries

if TYPE_CHECKING:
    import pandas as pd

    from genurl_graph.inputs.columns.plan import FeaturePlan


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
    table : DataFrame, N rows, or None
        Raw columns of the nodes, one graph after another, of which `plan` made the features.
    plan : FeaturePlan or None
    reading : Reading
        What was read, and what was left out.
    """

    names: list[str] | None = None
    y: Tensor | None = None
    label_names: list[str] | None = None
    table: pd.DataFrame | None = None
    plan: FeaturePlan | None = None
    reading: Reading = dataclasses.field(default_factory=Reading)


class GraphSet(InMemoryDataset):  # type: ignore[misc]  # PyG is untyped here
    """Graphs in memory, each of which is a row of an embedding; a `Data` each, as PyG has it.

    Parameters
    ----------
    collection : GraphCollection
    facts : GraphFacts, optional

    Examples
    --------
    >>> ptr = torch.tensor([0, 2, 3])
    >>> pair = GraphCollection(None, torch.tensor([[0, 1], [1, 0]]), None, None, ptr, torch.tensor([0, 2, 2]))
    >>> found = GraphSet(pair, GraphFacts(["hydrogen", "helium"]))
    >>> len(found), found[1].num_nodes, found[[1]].node_id
    (2, 1, ['helium'])
    """

    def __init__(self, collection: GraphCollection, facts: GraphFacts | None = None) -> None:
        super().__init__()
        self._all, self._facts = collection, facts or GraphFacts()
        self.name = ""
        begin = collection.node_ptr[:-1].repeat_interleave(collection.edge_ptr.diff())
        parts = {"x": collection.x, "edge_attr": collection.edge_attr, "edge_weight": collection.edge_weight}
        held = {name: value for name, value in parts.items() if value is not None}
        data = Data(edge_index=collection.edge_index - begin, num_nodes=collection.num_nodes, **held)
        data._num_nodes = collection.sizes().tolist()  # by which PyG knows graphs without features
        self.slices = {name: collection.node_ptr if name == "x" else collection.edge_ptr for name in held}
        self.slices["edge_index"] = collection.edge_ptr
        if self._facts.y is not None:
            data.y = self._facts.y
            self.slices["y"] = torch.arange(collection.num_graphs + 1)
        self._data = data

    @property
    def collection(self) -> GraphCollection:
        """All graphs of this set, or subset, one after another."""
        return self._all if self._indices is None else self._all.take(self._index())

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
        if table is None or self._indices is None:
            return table
        index = self._index()
        rows = run_entries(self._all.node_ptr[index], self._all.sizes()[index])
        return table.iloc[rows.numpy()].reset_index(drop=True)

    def get(self, idx: int) -> Data:
        """Graph `idx`, which may be the only one."""
        found: Data = super().get(idx) if self.len() > 1 else self._data.clone()
        return found

    def with_labels(self, y: Tensor, label_names: Sequence[str] | None, reading: Reading | None = None) -> GraphSet:
        """The same graphs with these labels, int64 [G]."""
        names = None if label_names is None else [*label_names]
        told = self.reading if reading is None else self.reading + reading
        found = GraphSet(self._all, dataclasses.replace(self._facts, y=y, label_names=names, reading=told))
        found.name = self.name
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


def is_graph_set(data: Any) -> bool:
    """Whether `data` holds whole graphs, each of which is a row of an embedding."""
    return isinstance(data, GraphSet)
