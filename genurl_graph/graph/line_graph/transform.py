"""The line graph of a PyG graph, with everything that its edges carry."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from genurl_graph.exceptions import wrong
from genurl_graph.graph.line_graph.edges import HUB, line_edges
from genurl_graph.inputs.objects.pairs import pair_directions
from genurl_graph.inputs.reading import Reading
from genurl_graph.inputs.validation import check_edges

# Labels of edges, by preference, and what becomes the features of the line graph.
LABELS, FEATURES = ("edge_y", "edge_label", "y"), ("edge_attr", "edge_weight")
_MASKS = ("train_mask", "val_mask", "test_mask")


@functional_transform("genurl_line_graph")
class LineGraph(BaseTransform):  # type: ignore[misc]
    """The line graph of a ``Data``: its edges become nodes, with all that is known of them.

    PyG's own ``LineGraph`` gives a clique to every hub, and drops labels, masks and the numbers of the edges. The
    result holds:

    * ``edge_index``, ``edge_weight``: of `genurl_graph.graph.line_graph.line_edges`;
    * ``x``: ``edge_attr``, then ``edge_weight``;
    * ``y``: ``edge_y``, ``edge_label``, or ``y`` where it has the length of the edges;
    * ``edge_id`` [m]: the data's own, or the first column of ``edge_index`` that the edge is;
    * ``edge_row`` [E]: the row of each column of ``edge_index``, so that ``out[data.edge_row]`` joins back;
    * ``ends`` [m, 2]: the nodes that the edge joins;
    * all other attributes of the edges, such as ``key`` and ``train_mask``, under their names; ``edge_train_mask``, as
      ``train_mask``;
    * ``pos``: the middle between the ends, where nodes have positions;
    * ``reading``: what was read as what, and what was left out (attributes of nodes, such as ``x``).

    Parameters
    ----------
    directed : bool, optional
        None: the graph is undirected if every edge is stored in both directions, as often and with the same attributes,
        and then each edge is one row; it is directed otherwise. False: as None, but where edges are stored once each
        column is a row. True: each column is a row, followed by those that begin where it ends.
    hub, straight, seed
        As in `genurl_graph.graph.line_graph.line_edges`. `straight` takes bearings from ``pos`` [n, 2].

    Examples
    --------
    >>> import torch
    >>> length = torch.tensor([3.0, 3.0, 5.0, 5.0])
    >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), edge_attr=length, num_nodes=3)
    >>> roads = LineGraph()(path)
    >>> roads.x.tolist(), roads.edge_index.tolist(), roads.edge_row.tolist()
    ([[3.0], [5.0]], [[0, 1], [1, 0]], [0, 0, 1, 1])
    """

    def __init__(self, directed: bool | None = None, hub: int = HUB, straight: float = 0.0, seed: int = 0) -> None:
        self.directed = directed
        self.hub = hub
        self.straight = straight
        self.seed = seed

    def forward(self, data: Data) -> Data:
        """The line graph of `data`, which stays as it is."""
        if not isinstance(data, Data) or data.get("edge_index") is None:
            found = "no edge_index" if isinstance(data, Data) else type(data).__name__
            raise wrong("LineGraph", found, "a Data with edge_index")
        n = int(data.num_nodes or 0)
        edges, _ = check_edges(data.edge_index, n)
        held, left_out = _attributes(data)
        rows = _rows(edges, n, held, self.directed)
        pos = data.get("pos")
        ends = edges[:, rows.edge_id]
        bearings = _bearings(pos, ends) if self.straight else None
        line = line_edges(
            ends,
            n,
            directed=rows.directed,
            hub=self.hub,
            bearings=bearings,
            straight=self.straight,
            seed=self.seed,
        )
        out = Data(edge_index=line.edge_index, edge_weight=line.edge_weight, num_nodes=len(rows.edge_id))
        features = [_columns(held.pop(name), name) for name in FEATURES if name in held]
        if features:
            out.x = torch.cat(features, dim=1)[rows.edge_id]
        label = next((name for name in LABELS if name in held), None)
        out.edge_id, out.edge_row, out.ends = rows.edge_id, rows.row, ends.T.contiguous()
        for name, value in held.items():
            plain = name.removeprefix("edge_")
            out["y" if name == label else plain if plain in _MASKS else name] = _taken(value, rows.edge_id)
        if pos is not None:
            out.pos = (pos[ends[0]] + pos[ends[1]]) / 2
        out.reading = _told(rows, out, self.hub, label, left_out)
        return out

    def __repr__(self) -> str:
        return f"{type(self).__name__}(directed={self.directed}, hub={self.hub}, straight={self.straight:g})"


def line_graph(
    data: Data, *, directed: bool | None = None, hub: int = HUB, straight: float = 0.0, seed: int = 0
) -> Data:
    """The line graph of a PyG graph: `LineGraph`, called at once."""
    found: Data = LineGraph(directed, hub, straight, seed)(data)
    return found


class _Rows(NamedTuple):
    """First column of each row [m], the row of each column [E], whether edges have a direction, and why."""

    edge_id: Tensor
    row: Tensor
    directed: bool
    why: str


def _rows(edges: Tensor, num_nodes: int, held: dict[str, Any], directed: bool | None) -> _Rows:
    every = torch.arange(edges.size(1), device=edges.device)
    if directed:
        return _Rows(every, every, True, "directed, as asked")
    told = {name: value for name, value in held.items() if name != "edge_id"}
    paired = pair_directions(edges, num_nodes, told)
    if paired is None:
        why = "directed, as not every edge is stored in both directions"
        return _Rows(every, every, directed is None, why if directed is None else "undirected, each stored once")
    paired.check(directed)
    if paired.differs:
        return _Rows(every, every, True, f"directed, as {paired.differs} differs between the two directions")
    return _Rows(paired.edge_id, paired.row, False, "undirected, stored in both directions")


def _attributes(data: Data) -> tuple[dict[str, Any], list[str]]:
    """What the edges carry, and names of what is left out."""
    held: dict[str, Any] = {}
    left_out: list[str] = []
    # Labels of other pairs than those of `edge_index`.
    others = {"edge_label", "edge_label_index"} if "edge_label_index" in data else set()
    for name, value in data.to_dict().items():
        if name in ("edge_index", "adj_t", "pos", "num_nodes", "reading"):
            continue
        if name not in others and data.is_edge_attr(name):
            held[name] = value
        elif isinstance(value, Tensor | np.ndarray | list | tuple):
            left_out.append(name)
    return held, left_out


def _columns(value: Any, name: str) -> Tensor:
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "biuf" or array.ndim > 2:
        raise wrong(name, f"{array.dtype} of shape {list(array.shape)}", "numbers [E] or [E, a]")
    columns = torch.as_tensor(value).float()
    return columns[:, None] if columns.dim() == 1 else columns


def _taken(value: Any, edge_id: Tensor) -> Any:
    """The entries of the rows."""
    if isinstance(value, list | tuple):
        return [value[column] for column in edge_id.tolist()]
    return value[edge_id.cpu().numpy()] if isinstance(value, np.ndarray) else value[edge_id.to(value.device)]


def _bearings(pos: Tensor | None, ends: Tensor) -> Tensor:
    """Direction in which each edge leaves either end towards the other, float32 [2, m]; NaN: both are one point."""
    if pos is None or pos.dim() != 2 or pos.size(1) != 2:
        found = "no pos" if pos is None else f"pos of shape {list(pos.shape)}"
        raise wrong("straight", f"data with {found}", "pos [n, 2], or straight=0")
    way = (pos[ends[1]] - pos[ends[0]]).double()
    bearing = torch.stack([torch.atan2(sign * way[:, 1], sign * way[:, 0]) for sign in (1, -1)])
    return bearing.masked_fill((way == 0).all(1), torch.nan).float()


def _told(rows: _Rows, out: Data, hub: int, label: str | None, left_out: list[str]) -> Reading:
    first, second = out.ends.T
    # What leaves a node, or meets there: a self loop once.
    at = first if rows.directed else torch.cat([first, second[second != first]])
    hubs = int((torch.bincount(at) > hub + (0 if rows.directed else 1)).sum())
    facts = [f"{len(rows.edge_id):,} edges are its nodes ({rows.why})", f"{out.num_edges:,} directed edges among them"]
    facts += [f"sampled at {hubs:,} nodes of more than {hub}"] if hubs else []
    lines = [f"read Data as a line graph: {', '.join(facts)}"]
    lines += [f"labels: {label}"] if label else []
    lines += [f"left out: {', '.join(left_out)} (of the nodes)"] if left_out else []
    record = {"as": "line graph", "edges": len(rows.edge_id), "directed": rows.directed, "left_out": left_out}
    return Reading(tuple(lines), {"line graph": record})
