"""AnnData's .h5ad: a neighbour graph of cells, their features and classes; needs the extra ``anndata``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genurl_graph.datasets.readers.checks import as_features, check_graph, encode_labels
from genurl_graph.datasets.readers.formats.graph_data import check_options, refuse_signed
from genurl_graph.datasets.readers.sparse_parts import adjacency_edges
from genurl_graph.exceptions import InputError, unknown, wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.safe_load import check_compressed, physical_memory, readable
from genurl_graph.inputs.validation import check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data


def read_h5ad(path: Path, options: ReadOptions) -> Data:
    """Read cells with the edges ``obsp["connectivities"]`` and the features ``obsm["X_pca"]``, else ``X``.

    ``--column label=NAME`` takes a column of ``obs`` as classes; ``feature`` names ``X``, a key of ``obsm``, or columns
    of ``obs``; ``weight`` another key of ``obsp``. ``--as vectors`` leaves the edges out.

    Raises
    ------
    InputError
        Without the extra; for a name that is not there; for links to other files, which are not followed.
    """
    try:
        import anndata  # noqa: F401
        import h5py
    except ImportError as error:
        raise InputError(f"{path}: AnnData needs the extra: pip install 'genurl-graph[anndata]'") from error
    where = str(path)
    check_options(options, where, ("graph", "vectors"), ("weight", "label", "feature", "ignore"))
    with readable(path, "an AnnData file"), h5py.File(path, "r") as file:
        return _read(file, path, options)


def _read(file: Any, path: Path, options: ReadOptions) -> Data:
    from torch_geometric.data import Data

    where = str(path)
    if "obs" not in file:
        raise wrong(where, "no obs", "the parts of an AnnData file")
    obs = _element(file, "obs", where)
    n = len(obs)
    keys = {part: [*file[part]] if part in file else [] for part in ("obsp", "obsm")}
    data = Data(num_nodes=n, node_id=[*map(str, obs.index)])
    facts, used = [f"{n:,} nodes"], set()
    graph = _graph_key(keys["obsp"], options, where)
    if graph is not None:
        matrix = _element(file, f"obsp/{graph}", where).tocoo()
        matrix.sum_duplicates()
        refuse_signed(matrix.data, f"{where}: obsp {graph!r}", "--as vectors")
        check_weights(matrix.data, matrix.nnz, f"{where}: obsp {graph!r}")
        data.edge_index, data.edge_weight = adjacency_edges(matrix)
        count = int((data.edge_index[0] <= data.edge_index[1]).sum())
        facts += [f"{count:,} edges", f"weights from obsp {graph}"]
    name, x = _features(file, keys["obsm"], obs, options, where)
    if name is not None:
        data.x = as_features(x, f"{where}: {name}")
        facts.append(f"{data.x.size(1):,} features from {name}")
    for label in options.names("label"):
        if label not in obs:
            raise unknown(f"{where}: obs column", label, [*map(str, obs)])
        data.y, names = encode_labels(_labels(obs[label], f"{where}: obs column {label!r}"), f"{where}: {label}")
        used.add(label)
        facts.append(f"classes from {label}")
        if names is not None:
            data.label_names = names
    left = [
        str(each) for each in obs if each not in used | set(options.names("feature")) | set(options.names("ignore"))
    ]
    line = f"read {path.name} as {'vectors' if graph is None else 'a graph'} (AnnData): {', '.join(facts)}"
    if left:
        line += f"; obs columns left out: {', '.join(left)}"
        line += "" if used else f"; name the classes by --column label={left[-1]}"
    others = [f"obsp {key}" for key in keys["obsp"] if key != graph]
    others += [f"obsm {key}" for key in keys["obsm"] if f"obsm {key}" != name]
    others += ["X"] if "X" in file and name != "X" else []
    line += f"; also left out: {', '.join(others)}" if others else ""
    record: dict[str, Any] = {
        "file": path.name,
        "format": "AnnData",
        "as": "vectors" if graph is None else "graph",
        "nodes": n,
    }
    record |= {"weight": graph, "features": name, "label": [*used], "left_out": left}
    data.reading = Reading((line,), {"input": record})
    return check_graph(data, where)


def _graph_key(keys: list[str], options: ReadOptions, where: str) -> str | None:
    """The key of ``obsp`` whose entries are similarities."""
    for key in options.names("weight"):
        if key not in keys:
            raise unknown(f"{where}: obsp", key, keys)
        return key
    if options.reading == "vectors":
        return None
    found = [key for key in keys if key == "connectivities" or key.endswith("_connectivities")]
    if len(found) > 1 and "connectivities" not in found:
        raise wrong(f"{where}: obsp", ", ".join(found), "one of them, by --column weight=NAME")
    if not found and options.reading == "graph":
        raise wrong(f"{where}: obsp", ", ".join(keys) or "no graph", "connectivities, or --column weight=NAME")
    return None if not found else "connectivities" if "connectivities" in found else found[0]


def _features(file: Any, obsm: list[str], obs: Any, options: ReadOptions, where: str) -> tuple[str | None, Any]:
    """Name and matrix of the features, if there are any."""
    wanted = options.names("feature")
    if not wanted:
        wanted = ("X_pca",) if "X_pca" in obsm else ("X",) if "X" in file else ()
    if not wanted:
        return None, None
    if len(wanted) == 1 and wanted[0] in obsm:
        return f"obsm {wanted[0]}", _element(file, f"obsm/{wanted[0]}", where)
    if wanted == ("X",) and "X" in file:
        return "X", _element(file, "X", where)
    for name in wanted:
        if name not in obs:
            raise unknown(f"{where}: column feature", name, ["X", *obsm, *map(str, obs)])
        if obs[name].dtype.kind not in "biuf":
            raise wrong(f"{where}: obs column {name!r}", f"type {obs[name].dtype}", "numbers for a feature")
    return f"obs {', '.join(wanted)}", obs[list(wanted)].to_numpy(np.float64)


def _labels(column: Any, what: str) -> Any:
    if column.isna().any():
        raise wrong(what, f"no value in {int(column.isna().sum())} rows", "a class in every row")
    return column.to_numpy() if column.dtype.kind in "biuf" else np.array([*map(str, column)])


def _element(file: Any, key: str, where: str) -> Any:
    """A part of the file by anndata's own reader, after a look at what it would take and where it lies."""
    from anndata.io import read_elem

    total = sum(_checked(file, key, where))
    if total > physical_memory() // 2:
        raise wrong(f"{where}: {key}", f"{total:,} bytes", "at most half of this machine's memory")
    found = read_elem(file[key])
    if hasattr(found, "check_format"):
        check_compressed(found)
    return found


def _checked(file: Any, key: str, where: str) -> Iterator[int]:
    """Bytes of each array at or below `key`; InputError for one that lies in another file or elsewhere in this one."""
    import h5py

    parent, names = file, key.split("/")
    for name in names:
        link = parent.get(name, getlink=True)
        if link is None:
            raise wrong(where, f"no {key}", "one")
        if not isinstance(link, h5py.HardLink):
            raise wrong(f"{where}: {key}", "a link to elsewhere", "the data themselves: links are not followed")
        parent = parent[name]
    if isinstance(parent, h5py.Dataset):
        if parent.external or parent.is_virtual:
            raise wrong(f"{where}: {key}", "data in another file", "the data themselves: links are not followed")
        yield int(parent.size or 0) * max(parent.dtype.itemsize, 8)
        return
    if len(names) > 8:
        raise wrong(f"{where}: {key}", "groups within groups", "the parts of an AnnData file")
    for name in parent:
        yield from _checked(file, f"{key}/{name}", where)
