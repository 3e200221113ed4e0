"""A file's graph as `Data`: repeats summed, weights and attributes chosen, all of it said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.datasets.readers.checks import check_graph, check_isolated
from genurl_graph.datasets.readers.formats.file_graph import FileGraph, as_numbers, plain_name
from genurl_graph.datasets.readers.formats.node_attributes import choose_nodes, find_attribute, layout_names
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.validation import check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data

# Roles that the attributes of a graph file can have.
GRAPH_ROLES = ("weight", "id", "label", "feature", "ignore")


def to_data(graph: FileGraph, path: Path, options: ReadOptions) -> Data:
    """A checked `Data` with its `Reading`; what the user's options say about attributes goes before what is found.

    Raises
    ------
    InputError
        Zero nodes, an attribute or role that is not there, weights that are none, features or labels with gaps.
    """
    from torch_geometric.data import Data

    where, n = str(path), len(graph.ids)
    check_options(options, where, ("graph", "edges"))
    if n == 0:
        raise wrong(where, "zero nodes", "at least one")
    directed = graph.directed if options.directed is None else options.directed
    weight_name, weight = find_weights(graph, where, options)
    edges, total, repeats = sum_repeats(graph.source, graph.target, weight, n, directed)
    data = Data(edge_index=edges, num_nodes=n)
    if total is not None:
        data.edge_weight = total
    used = choose_nodes(graph, data, where, options)
    count = edges.size(1) if directed else int((edges[0] <= edges[1]).sum())
    parts = [f"{n:,} nodes, {count:,} edges ({'directed' if directed else 'undirected'})"]
    parts += [f"{counted(repeats, 'repeated edge')} summed"] if repeats else []
    parts += [f"weights from {weight_name}"] if weight_name else []
    parts += [f"names of the nodes from {used['name']}"] if used.get("name") else []
    parts += [f"classes from {used['label']}"] if used.get("label") else []
    parts += [f"features from {', '.join(used['feature'])}"] if used["feature"] else []
    line = f"read {path.name} as a graph ({graph.kind}): {', '.join(parts)}"
    told, left = left_out(graph, used, weight_name, options)
    said = [line, *graph.notes, *told]
    record = {
        "file": path.name,
        "format": graph.kind,
        "as": "graph",
        "nodes": n,
        "edges": count,
        "directed": directed,
        "repeated": repeats,
        "weight": weight_name,
        "label": used.get("label"),
        "features": used["feature"],
        "left_out": left,
    }
    data.reading = Reading(("; ".join(said), *used["told"]), {"input": record})
    check_isolated(data, where)
    return check_graph(data, where)


def check_options(
    options: ReadOptions, where: str, readings: Sequence[str], roles: Sequence[str] = GRAPH_ROLES
) -> None:
    """Refuse options that mean nothing for a file: another reading, a role that no attribute of it can have."""
    if options.reading is not None and options.reading not in readings:
        raise wrong(f"{where}: as", repr(options.reading), f"one of {', '.join(readings)} for this format")
    for role in options.columns:
        if role not in roles:
            raise unknown(f"{where}: column", role, roles)
    for what, given in (("separator", options.separator), ("decimal", options.decimal)):
        if given is not None:
            raise wrong(f"{where}: {what}", repr(given), "none: the format has its own")


def sum_repeats(
    source: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64] | None,
    n: int,
    directed: bool,
) -> tuple[Tensor, Tensor | None, int]:
    """Distinct edges of a list, the weights of its repeats summed.

    Parameters
    ----------
    source, target : arrays [m]
    weight : array [m] or None
    n : int
        Nodes.
    directed : bool
        If not, an edge is the same in either direction, unless the list holds every edge both ways with equal totals:
        then each is counted once. The result has both directions.

    Returns
    -------
    edge_index : Tensor, int64 [2, E]
    edge_weight : Tensor, float32 [E], or None
        None where there are neither weights nor repeats.
    repeats : int
        Entries of the list beyond the first of each edge.
    """
    m = len(source)
    low, high = (source, target) if directed else (np.minimum(source, target), np.maximum(source, target))
    keys, inverse = np.unique(low * n + high, return_inverse=True)
    each = np.ones(m) if weight is None else weight
    sums = np.bincount(inverse, weights=each, minlength=len(keys))
    repeats = m - len(keys)
    a, b = np.divmod(keys, max(n, 1))
    if not directed:
        plain = a != b
        forward = np.bincount(inverse, weights=np.where(source < target, each, 0.0), minlength=len(keys))
        if plain.any() and np.allclose(2 * forward[plain], sums[plain], rtol=1e-6, atol=0):
            sums[plain] /= 2
            counts = np.bincount(inverse, minlength=len(keys))
            repeats = int((counts[plain] // 2 - 1).sum() + (counts[~plain] - 1).sum())
        a, b = np.concatenate([a, b[plain]]), np.concatenate([b, a[plain]])
        sums = np.concatenate([sums, sums[plain]])
    edges = torch.from_numpy(np.stack([a, b]))
    found = None if weight is None and not repeats else torch.from_numpy(sums.astype(np.float32))
    return edges, found, repeats


def counted(count: int, what: str) -> str:
    """A number of things: "1 edge", "2 edges"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def find_weights(
    graph: FileGraph, where: str, options: ReadOptions
) -> tuple[str | None, npt.NDArray[np.float64] | None]:
    """The attribute that holds the weights, and these; 1 where an edge has none."""
    wanted = options.names("weight")
    if wanted:
        name = find_attribute(wanted[0], graph.edges, f"{where}: edge attribute")
    else:
        candidates = [
            c for c in graph.edges if plain_name(c) in graph.weight_names and c not in options.names("ignore")
        ]
        candidates.sort(key=lambda c: graph.weight_names.index(plain_name(c)))
        if not candidates:
            return None, None
        name = candidates[0]
    values = as_numbers(graph.edges[name].to_numpy())
    if values is None:
        raise wrong(f"{where}: edge attribute {name!r}", "text", f"numbers, or leave it out by --column ignore={name}")
    absent = np.isnan(values)
    if absent.any():
        values = np.where(absent, 1.0, values)
        graph.notes.append(f"weight 1 for {counted(int(absent.sum()), 'edge')} without {name}")
    refuse_signed(values, f"{where}: edge attribute {name!r}", f"--column ignore={name}")
    check_weights(values, len(values), f"{where}: edge attribute {name!r}")
    return name, values


def refuse_signed(weight: Any, what: str, option: str) -> None:
    """InputError for negative weights, with what to do about them."""
    negative = np.asarray(weight) < 0
    if negative.any():
        first = np.asarray(weight)[negative][0]
        raise wrong(
            what,
            f"{counted(int(negative.sum()), 'negative weight')} (the first: {first:g}), a signed graph",
            f"weights >= 0; keep only the positive edges, or leave the weights out by {option}",
        )


def left_out(
    graph: FileGraph, used: Mapping[str, Any], weight_name: str | None, options: ReadOptions, labels: bool = True
) -> tuple[list[str], dict[str, list[str]]]:
    """What is not read of a file's attributes, in words and by kind; `used` is of `choose_nodes`.

    `labels` says whether a node attribute can be the classes.
    """
    ignored = options.names("ignore")
    taken = {used.get("name"), used.get("same"), used.get("label"), *used["feature"], *ignored}
    left = [name for name in graph.nodes if name not in taken]
    layout = [name for name in left if name in layout_names(graph)] + graph.layout
    free = [name for name in left if name not in layout]
    edges = [name for name in graph.edges if name not in {weight_name, *used.get("edge", ()), *ignored}]
    said = []
    if free or layout:
        words = [f"{', '.join(layout)} (layout)"] if layout else []
        said.append(f"node attributes left out: {', '.join([*words, *free])}")
    if edges:
        said.append(f"edge attributes left out: {', '.join(edges)}")
    hints = _hints(graph, free, labels)
    if edges and not any(plain_name(c) in graph.weight_names for c in graph.edges):
        number = [name for name in edges if as_numbers(graph.edges[name].to_numpy()) is not None]
        hints += [f"--column weight={number[0]}"] if number else []
    found = {"nodes": free, "layout": layout, "edges": edges}
    return [*said, f"name them by {' or '.join(hints)}"] if hints else said, found


def _hints(graph: FileGraph, free: list[str], labels: bool) -> list[str]:
    """Options for attributes that could be classes or features."""
    if not labels:
        rest = [name for name in free if name not in graph.names_only]
        return [f"--column feature={','.join(rest)}"] if rest else []
    n = len(graph.ids)
    distinct = {name: len(set(map(str, graph.nodes[name]))) for name in free}
    classes = sorted((name for name in free if 1 < distinct[name] < n), key=lambda name: distinct[name])
    numeric = [name for name in free if graph.nodes[name].dtype != object]
    others = [name for name in numeric if name not in classes[:1]] or numeric
    hints = [f"--column feature={max(others, key=lambda name: distinct[name])}"] if others else []
    return hints + ([f"--column label={classes[0]}"] if classes else [])
