"""`EdgeSet`: the edges of a graph, of which each is to be a row, and what is known of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from genurl_graph.inputs.edge_rows.geometry import Lines
from genurl_graph.inputs.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

    from genurl_graph.inputs.columns.plan import FeaturePlan


@dataclasses.dataclass(frozen=True, eq=False)
class EdgeEnds:
    """Where m edges begin and end, and how they lie.

    Attributes
    ----------
    ends : Tensor, int64, shape [2, m]
        Numbers of the two nodes; of an undirected edge in the order in which they came. Pairs may repeat.
    num_nodes : int
        Of the graph whose edges they are.
    directed : bool
        Whether an edge leads from its first end to its second only.
    bearings : Tensor, float32, shape [2, m], or None
        Direction, in radians, in which an edge leaves its first end, and in which it leaves its second; NaN: unknown.
    node_id : sequence, or None
        What the nodes are called; None: 0 to ``num_nodes - 1``.
    key : sequence, or None
        What tells edges between the same two nodes apart; None: nothing that the user gave.
    """

    ends: Tensor
    num_nodes: int
    directed: bool = False
    bearings: Tensor | None = None
    node_id: Sequence[Any] | None = None
    key: Sequence[Any] | None = None

    def __len__(self) -> int:
        return int(self.ends.size(1))


@dataclasses.dataclass
class EdgeSet:
    """The m edges of a graph, of which each is to be a row.

    Attributes
    ----------
    edges : EdgeEnds
        In the order in which they came; parallel edges stand apart.
    x : Tensor, float32, shape [m, f], or None
        Features of the edges: their attributes and, where it is known, their geometry.
    y : Tensor, int64, shape [m], or None
        Labels of the edges; -1: none.
    label_names : list of str, or None
    train_mask, val_mask, test_mask : Tensor, bool, shape [m], or None
        A split that came with the edges.
    middle : Tensor, float64, shape [m, 2], or None
        Where the edges lie: their middle, x and y, in the unit of the coordinates.
    lines : Lines or None
        Their courses, each from the first end of its edge to the second, to draw them by.
    degrees : bool
        Whether coordinates are longitudes and latitudes.
    reading : Reading
        What was read, and what was left out.
    feature_table : DataFrame, m rows, or None
        Raw columns of the edges, of which a plan makes features.
    feature_plan : FeaturePlan or None
        What `x` was made by of `feature_table`.
    name : str
        Of a data set.
    edge_row : Tensor, int64, shape [E], or None
        Of a PyG ``Data`` that holds undirected edges in both directions: the row of each column of its ``edge_index``.

    Examples
    --------
    >>> found = EdgeSet(EdgeEnds(torch.tensor([[0, 0, 1], [1, 1, 2]]), 3))
    >>> len(found), found
    (3, EdgeSet(3 edges, 3 nodes, 2 distinct pairs))
    """

    edges: EdgeEnds
    x: Tensor | None = None
    y: Tensor | None = None
    label_names: list[str] | None = None
    train_mask: Tensor | None = None
    val_mask: Tensor | None = None
    test_mask: Tensor | None = None
    middle: Tensor | None = None
    reading: Reading = dataclasses.field(default_factory=Reading)
    feature_table: pd.DataFrame | None = None
    feature_plan: FeaturePlan | None = None
    name: str = ""
    edge_row: Tensor | None = None
    lines: Lines | None = None
    degrees: bool = False

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def num_nodes(self) -> int:
        """Nodes of the graph whose edges these are."""
        return self.edges.num_nodes

    def count_pairs(self) -> int:
        """Pairs of nodes that have an edge, in one direction or both."""
        low, high = self.edges.ends.sort(0).values
        return int(torch.unique(low * self.edges.num_nodes + high).numel())

    def told(self, reading: Reading, **parts: Any) -> EdgeSet:
        """The same edges, with more that was read, and other parts."""
        return dataclasses.replace(self, reading=self.reading + reading, **parts)

    def __repr__(self) -> str:
        return f"EdgeSet({len(self):,} edges, {self.num_nodes:,} nodes, {self.count_pairs():,} distinct pairs)"


def names_of(edges: EdgeEnds) -> list[tuple[Any, ...]]:
    """What the edges are called: (source, target), or (source, target, key) where there are keys.

    Examples
    --------
    >>> names_of(EdgeEnds(torch.tensor([[0, 1], [1, 2]]), 3, node_id=["a", "b", "c"], key=[0, 7]))
    [('a', 'b', 0), ('b', 'c', 7)]
    """
    source, target = edges.ends.tolist()
    if edges.node_id is not None:
        source, target = ([edges.node_id[end] for end in side] for side in (source, target))
    return [*(zip(source, target, strict=True) if edges.key is None else zip(source, target, edges.key, strict=True))]


def describe_edges(edges: EdgeSet) -> str:
    """Size and kind of the edges in words."""
    held, m = edges.edges, len(edges)
    pairs = edges.count_pairs()
    loops = int((held.ends[0] == held.ends[1]).sum())
    degree = torch.bincount(held.ends.flatten(), minlength=held.num_nodes)
    idle = int((degree == 0).sum())
    parts = [f"{m:,} {'directed' if held.directed else 'undirected'} edges", f"{held.num_nodes:,} nodes"]
    parts += [f"{pairs:,} distinct pairs"] if pairs < m else []
    parts += [f"{loops:,} self loop{'s' * (loops > 1)}"] if loops else []
    parts += [f"{idle:,} node{'s' * (idle > 1)} without any"] if idle else []
    return f"{', '.join(parts)}; the most at one node: {int(degree.max()):,}"
