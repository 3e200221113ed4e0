"""PyG's ``.pt`` files as graphs, one a file or a list in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from genurl_graph.datasets.readers.formats.pyg import read_pt_graphs
from genurl_graph.inputs.collection.graph_parts import check_ends
from genurl_graph.inputs.collection.graph_set import GraphFacts, GraphSet, describe_graphs
from genurl_graph.inputs.collection.pyg_graphs import from_list
from genurl_graph.inputs.reading import Reading, ReadOptions

if TYPE_CHECKING:
    from torch import Tensor

# Parts of a `Data` that are read of each graph.
READ = ("x", "edge_index", "adj_t", "edge_attr", "edge_weight", "weight", "num_nodes", "y")


def read_pt_files(files: Sequence[Path], names: Sequence[str], folder: Path, options: ReadOptions) -> GraphSet:
    """The graphs of ``.pt`` files: a `Data` each, called as its file is, or lists, called ``file/0``, ``file/1``."""
    graphs: list[Any] = []
    called: list[str] = []
    for file, name in zip(files, names, strict=True):
        found, several = read_pt_graphs(file, options)
        graphs += found
        called += [f"{name}/{place}" for place in range(len(found))] if several else [name]
    return as_graph_set(graphs, called, folder if len(files) > 1 else files[0])


def as_graph_set(graphs: Sequence[Any], names: list[str] | None, path: Path) -> GraphSet:
    """A list of `Data` as a set: features, edges and their attributes as they are, y [1] as the label of the graph.

    Raises
    ------
    InputError
        Graphs of different widths; the message names one.
    """
    held = []
    for place, graph in enumerate(graphs):
        one = graph.__class__(**{key: graph[key] for key in READ if graph.get(key) is not None})
        one.graph_id = str(place) if names is None else names[place]
        held.append(one)
    parts = from_list(held, ReadOptions(), "list of Data")
    check_ends(parts)
    y, left = _labels(held)
    others = set().union(*(graph.to_dict() for graph in graphs)) - {*READ, "reading"}
    left = [*left, *sorted(others)]
    made = GraphSet.of_parts(parts, GraphFacts(names, y))
    edges = int(parts.edge_index.size(1))
    line = f"read {path.name} as graphs (PyG Data): {describe_graphs(made)}, {edges:,} directed edges"
    line += "" if parts.x is None else f", {parts.x.shape[1]:,} features"
    line += "" if parts.edge_attr is None else f", {parts.edge_attr.shape[1]:,} features of the edges"
    line += "" if parts.edge_weight is None else ", weights of the edges"
    line += "" if y is None else ", classes from y"
    line += f"; left out: {', '.join(left)}" if left else ""
    record = {"file": path.name, "format": "PyG Data", "as": "graphs", "graphs": len(graphs), "left_out": left}
    return made.told(Reading((line,), {"input": record}))


def _labels(graphs: Sequence[Any]) -> tuple[Tensor | None, list[str]]:
    """The class of each graph, where all have one whole number, and why y is left out else."""
    known = [graph.get("y") for graph in graphs]
    if all(each is None for each in known):
        return None, []
    if any(not hasattr(each, "numel") or each.numel() != 1 for each in known):
        return None, ["y (not one number for each graph)"]
    y = torch.stack([each.reshape(()) for each in known])
    if bool((y != y.round()).any()) or y.is_complex():
        return None, ["y (numbers, no classes)"]
    codes = torch.unique(y, return_inverse=True)[1] if bool((y < 0).any()) else y
    return codes.long(), []
