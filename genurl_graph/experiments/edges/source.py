"""Whether data hold edges that are rows, and whether a run wants them so."""

from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.experiments.sources import Source
    from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet

# The task of data sets, in the registry, whose edges are rows.
EDGE_TASK = "edge classification"


def is_edge_set(data: Any) -> "TypeGuard[EdgeSet]":
    """Whether `data` holds edges, each of which is a row of an embedding."""
    from genurl_graph.inputs.edge_rows import EdgeSet

    return isinstance(data, EdgeSet)


def wants_edges(source: "Source", task: str) -> bool:
    """Whether a run takes edges as rows: its task says so or, with "auto", its data are known to be such."""
    if task != "auto":
        return task == "edges"
    if source.own is not None:
        return source.options.reading == "edge-rows"
    from genurl_graph import datasets

    assert source.dataset is not None
    return datasets.info(source.dataset).task == EDGE_TASK


def line_data(edges: "EdgeSet", hub: int) -> "Data":
    """The line graph as one PyG ``Data`` whose nodes are the edges, with their features, labels and split.

    Of a street that is two edges, one in each direction, the way back has no label where there is no split: in a random
    one either would tell the class of the other. `hub` as in `genurl_graph.graph.line_graph.line_edges`.
    """
    from torch_geometric.data import Data

    from genurl_graph.evaluation.splits import default_protocol
    from genurl_graph.graph.line_graph import line_edges

    held, y = edges.edges, edges.y
    found = line_edges(held.ends, held.num_nodes, directed=held.directed, hub=hub)
    if y is not None and held.directed and default_protocol(edges) != "public":
        y = y.masked_fill(ways_back(held), -1)
    data = Data(edges.x, found.edge_index, y=y, num_nodes=len(edges), edge_weight=found.edge_weight)
    for name in ("label_names", "train_mask", "val_mask", "test_mask"):
        if (value := getattr(edges, name)) is not None:
            data[name] = value
    return data


def ways_back(edges: "EdgeEnds") -> "Tensor":
    """Edges to a node of a lower number beside which there is one in the other direction, bool [m]."""
    import torch

    source, target = edges.ends
    there, back = source * edges.num_nodes + target, target * edges.num_nodes + source
    found: Tensor = (source > target) & torch.isin(back, there)
    return found
