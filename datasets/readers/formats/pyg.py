"""What PyTorch Geometric saves: `Data`, `HeteroData`, `TemporalData`, sparse adjacencies, plain tensors."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from genurl_graph.datasets.readers.formats.arrays import TENSORS, assemble
from genurl_graph.datasets.readers.formats.graph_data import check_options, sum_repeats
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.objects.parts import WEIGHTS
from genurl_graph.inputs.objects.pyg import edges_of, other_attributes
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.safe_load import check_extent, load_tensors

if TYPE_CHECKING:
    from torch_geometric.data import Data


class _SparseStorage:
    """Stands in for ``torch_sparse.storage.SparseStorage``: its fields, none of its code."""


class _SparseTensor:
    """Stands in for ``torch_sparse.tensor.SparseTensor``."""

    storage: _SparseStorage


def read_pt(path: Path, options: ReadOptions) -> Any:
    """Read a PyG `Data`, a list of them, a dict of its tensors, or a feature matrix saved with `torch.save`.

    Only tensors, PyG's own classes and torch_sparse's `SparseTensor` are unpickled (``weights_only=True``): a file that
    holds anything else is refused, and none of its code is run. Edges may be ``edge_index`` [2, E], or sparse, under
    that name or as ``adj_t``: its entry i, j is the edge from j to i. Events of a `TemporalData` are summed over time.

    Returns
    -------
    Data or HeteroData; or list of Data
        Those of a list as they are.
    """
    check_options(options, str(path), ("graph", "vectors", "edges"), ())
    content = load_pt(path)
    return _as_list(content, path) if isinstance(content, list | tuple) else _read_one(content, path, options)


def load_pt(path: Path) -> Any:
    """What a file holds, none of whose code is run: of PyG's classes `read_pt` names those that are let in."""
    return load_tensors(path, "tensors and a PyG Data", _allowed())


def read_pt_graphs(path: Path, options: ReadOptions) -> tuple[list[Any], bool]:
    """The graphs of a file, as they are in it, and whether it holds a list of them rather than one."""
    check_options(options, str(path), ("graph", "edges"), ())
    content = load_pt(path)
    several = isinstance(content, list | tuple)
    return _as_list(content if several else [content], path), several


def _as_list(content: Sequence[Any], path: Path) -> list[Any]:
    for place, data in enumerate(content):
        if not hasattr(data, "num_nodes") or hasattr(data, "node_types"):
            raise wrong(f"{path}: graph {place}", type(data).__name__, "a PyG Data, or a list of them")
        for key, value in data.to_dict().items():
            if isinstance(value, Tensor):
                check_extent(value, path, f"{place}: {key}")
    if not content:
        raise wrong(path, "an empty list", "at least one Data")
    return [*content]


def _read_one(content: Any, path: Path, options: ReadOptions) -> Any:
    where = str(path)
    kind = "a tensor" if isinstance(content, Tensor) else f"PyG {type(content).__name__}"
    if isinstance(content, dict):
        kind = "tensors"
    if isinstance(content, Tensor):
        content = {"x": content}
    elif hasattr(content, "to_dict"):
        try:
            if hasattr(content, "node_types"):
                return _hetero(content, path)
            content = content.to_dict()
        except InputError:
            raise
        except Exception as error:  # an object whose parts are not those of a Data raises anything
            raise InputError(f"{where}: its Data is damaged, or of another version of PyG ({error})") from error
    if not isinstance(content, dict):
        raise wrong(where, f"a {type(content).__name__}", "a PyG Data, a dict of tensors or a tensor")
    parts = {str(key): value for key, value in content.items() if value is not None}
    notes: list[str] = []
    if {"src", "dst"} <= set(parts) and "edge_index" not in parts:
        parts = _events(parts, path, options, notes)
    _edges_of_sparse(parts, path, notes)
    for key, value in parts.items():
        if isinstance(value, Tensor):
            check_extent(value, path, key)
        elif key in (*TENSORS, "edge_attr"):
            raise wrong(f"{where}: {key}", f"a {type(value).__name__}", "a tensor")
        if key == "edge_attr" and value.dim() == 0:
            raise wrong(f"{where}: {key}", "a single number", "an entry for each edge")
    data = assemble(parts, where)
    data.reading = _reading(data, path, kind, notes)
    return data


def _allowed() -> list[Any]:
    from torch_geometric.data import Data, HeteroData, TemporalData
    from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
    from torch_geometric.data.storage import BaseStorage, EdgeStorage, GlobalStorage, NodeStorage

    classes: list[Any] = [Data, HeteroData, TemporalData, DataEdgeAttr, DataTensorAttr]
    classes += [BaseStorage, GlobalStorage, NodeStorage, EdgeStorage]
    # Leaving safe_globals takes its classes off the list, also those that PyG itself had put there.
    known = set(torch.serialization.get_safe_globals())
    stands_in: list[Any] = [
        (_SparseTensor, "torch_sparse.tensor.SparseTensor"),
        (_SparseStorage, "torch_sparse.storage.SparseStorage"),
    ]
    return [each for each in classes if each not in known] + stands_in


def _edges_of_sparse(parts: dict[str, Any], path: Path, notes: list[str]) -> None:
    """Put plain edges in the place of ``adj_t`` or of a sparse ``edge_index``."""
    for key in ("edge_index", "adj_t"):
        value = parts.get(key)
        sparse = isinstance(value, _SparseTensor) or (isinstance(value, Tensor) and value.layout != torch.strided)
        if not sparse or (key == "adj_t" and "edge_index" in parts):
            continue
        row, column, weight, shape = _coo(value, f"{path}: {key}")
        if len(shape) != 2 or shape[0] != shape[1]:
            raise wrong(f"{path}: {key}", f"shape {list(shape)}", "a square sparse matrix")
        del parts[key]
        parts["edge_index"] = torch.stack([column, row])
        if weight is not None and bool((weight != 1).any()):
            parts.setdefault("edge_weight", weight)
        parts.setdefault("num_nodes", int(shape[0]))
        notes.append(f"edges from {key}, a sparse matrix")


def _coo(value: Any, where: str) -> tuple[Tensor, Tensor, Tensor | None, tuple[int, ...]]:
    if isinstance(value, Tensor):
        coo = value.to_sparse_coo().coalesce()  # type: ignore[no-untyped-call]
        return coo.indices()[0], coo.indices()[1], coo.values(), tuple(value.shape)
    parts = vars(value.storage)
    column, pointers, row = (parts.get(f"_{name}") for name in ("col", "rowptr", "row"))
    shape = tuple(int(side) for side in parts.get("_sparse_sizes", ()))
    if row is None and pointers is not None:
        row = torch.repeat_interleave(torch.arange(pointers.numel() - 1), pointers[1:] - pointers[:-1])
    if row is None or column is None or row.shape != column.shape:
        raise wrong(where, "a SparseTensor without its parts", "row or rowptr, and col")
    return row, column, parts.get("_value"), shape


def _events(parts: dict[str, Any], path: Path, options: ReadOptions, notes: list[str]) -> dict[str, Any]:
    """The events of a `TemporalData` as edges."""
    ends = [parts[key] for key in ("src", "dst")]
    for key, end in zip(("src", "dst"), ends, strict=True):
        whole = isinstance(end, Tensor) and end.dim() == 1 and not end.is_complex()
        if whole:
            check_extent(end, path, key)
        if not whole or bool((end != end.long()).any()) or bool((end < 0).any()):
            raise wrong(f"{path}: {key}", "no numbers of nodes", "whole numbers >= 0, one for each event")
    if ends[0].shape != ends[1].shape:
        raise wrong(f"{path}: src and dst", f"{len(ends[0])} and {len(ends[1])} entries", "as many of both")
    source, target = (end.long().numpy() for end in ends)
    n = int(max(source.max(initial=-1), target.max(initial=-1))) + 1
    if n > 1_000_000 + 100 * len(source):
        raise wrong(path, f"{n:,} nodes, but only {len(source):,} events", "nodes numbered from 0")
    edges, weight, repeats = sum_repeats(source, target, None, n, bool(options.directed))
    notes += [f"{len(source):,} events, {repeats:,} of them repeats, summed over time"]
    left = [key for key in parts if key not in ("src", "dst", "num_nodes")]
    notes += [f"left out: {', '.join(left)}"] if left else []
    found = {"edge_index": edges, "num_nodes": n}
    return found if weight is None else found | {"edge_weight": weight}


def _hetero(data: Any, path: Path) -> Any:
    for store in data.stores:
        for key, value in store.items():
            if isinstance(value, Tensor):
                check_extent(value, path, key)
    counts = {name: int(data[name].num_nodes or 0) for name in data.node_types}
    if not sum(counts.values()):
        raise wrong(path, "zero nodes", "at least one")
    edges = {"__".join(kind): int(data[kind].num_edges) for kind in data.edge_types}
    words = [f"{count:,} {name}" for name, count in counts.items()] + [f"{count:,} {k}" for k, count in edges.items()]
    record = {"file": path.name, "format": "PyG HeteroData", "as": "graph", "nodes": counts, "edges": edges}
    data.reading = Reading((f"read {path.name} as a graph (PyG HeteroData): {', '.join(words)}",), {"input": record})
    return data


def _reading(data: Data, path: Path, kind: str, notes: list[str]) -> Reading:
    n, f = int(data.num_nodes or 0), 0 if data.x is None else int(data.x.size(1))
    parts = [f"{n:,} nodes"]
    count = None if data.edge_index is None else int(data.edge_index.size(1))
    parts += [] if count is None else [f"{count:,} directed edges"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is left out is said below
        edges = edges_of(data)
    named = [key for key in (*WEIGHTS, "edge_attr") if data.get(key) is not None]
    parts += [f"weights from {named[0]}"] if edges.weight is not None else []
    parts += [f"{f:,} features"] if f else []
    parts += ["classes from y"] if data.get("y") is not None else []
    reading = "vectors" if count is None else "graph"
    record = {"file": path.name, "format": kind, "as": reading, "nodes": n, "edges": count, "features": f}
    line = f"read {path.name} as {'a graph' if count is not None else 'vectors'} ({kind}): {', '.join(parts)}"
    others = other_attributes(data, {n, count or 0})
    said = [line, *notes, *edges.lines, *([f"left out: {', '.join(others)}"] if others else [])]
    return Reading(("; ".join(said),), {"input": record})
