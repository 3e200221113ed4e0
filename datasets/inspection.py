"""What a user's file would be read as, with a preview; nothing is embedded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genurl_graph.datasets.edge_rows.figures import edge_figures, first_edge_rows
from genurl_graph.datasets.event_figures import event_figures, first_events
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.collection.graph_set import GraphSet
from genurl_graph.inputs.edge_rows.edge_set import EdgeSet
from genurl_graph.inputs.reading import ROLES, ReadOptions
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.triples import TripleSet
from genurl_graph.inputs.triples.figures import first_triples, triple_figures

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.inputs.columns.plan import FeaturePlan
    from genurl_graph.inputs.tables.table import Table

# Rows, edges and nodes of a preview, feature columns of a node, columns of a row, characters of a cell or a line, and
# bytes of a file that is no table.
ROWS, COLUMNS, MOST_COLUMNS, WIDTH, SIZE = 5, 6, 12, 80, 1 << 16
QUANTILES = {"least": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "most": 1.0}


def inspect(
    path: Path,
    features: Path | None = None,
    labels: Path | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> dict[str, Any]:
    """Say what a file would be read as.

    Parameters
    ----------
    path, features, labels, options
        As `genurl_graph.datasets.readers.read` takes them.

    Returns
    -------
    dict
        JSON. file; error, the message of a file that is refused, else None; lines and reading, what is said of what
        was read; columns, a record each; nodes and edges, the first of each; graph, its figures; of many graphs instead
        first_graphs and graphs, their figures; of events with a time first_events and events, of typed edges
        first_triples and triples, of edges that are rows first_edge_rows and edge_rows; rows, the first of the file as
        they stand, and note, which says why there are none.
    """
    from genurl_graph.datasets import read
    from genurl_graph.datasets.readers.events import first_block, is_large

    found: dict[str, Any] = {"file": str(path), "error": None, "lines": [], "reading": {}, "columns": []}
    found |= {"nodes": [], "edges": [], "graph": None, "first_graphs": [], "graphs": None}
    found |= {"first_events": [], "events": None, "first_triples": [], "triples": None}
    found |= {"first_edge_rows": [], "edge_rows": None}
    data = None
    try:
        data = read(path, features, labels, **options.given())
    except InputError as error:
        found["error"] = str(error)
    plan = None if data is None else getattr(data, "feature_plan", None)
    parts = next((parts for kind, parts in FIGURES.items() if isinstance(data, kind)), None)
    if parts is not None:
        assert data is not None
        found |= {"lines": list(data.reading.lines), "reading": dict(data.reading.record)}
        found |= {name: figures(data) for name, figures in parts.items()}
        if isinstance(data, TripleSet):
            plan = data.modalities[0].plan if len(data.modalities) == 1 else None
    elif data is not None:
        reading = data.get("reading")
        if reading is not None:
            found |= {"lines": list(reading.lines), "reading": dict(reading.record)}
        found |= {"nodes": first_nodes(data), "edges": first_edges(data), "graph": graph_figures(data)}
    tables = {file: _table(file, options) for file in (features, labels) if file is not None}
    block = first_block(path, options) if isinstance(data, EventSet) and is_large(path) else None
    tables = {path: _table(path, options) if block is None else block, **tables}
    if block is not None:
        found["lines"].append(f"the columns are described by the first {len(block.frame):,} lines")
    for file, table in tables.items():
        if table is not None:
            found["columns"] += describe_columns(table, file.name, found["reading"], plan)
    return found | _first_rows(path, tables[path], refused=data is None)


def describe_columns(
    table: Table, file: str, record: Mapping[str, Any], plan: FeaturePlan | None
) -> list[dict[str, Any]]:
    """Say of each column what it holds and what becomes of it.

    Parameters
    ----------
    table : Table
    file : str
        Name of its file, by which `record` tells what was read of it.
    record : mapping
        Of a `Reading`; empty where the file is refused.
    plan : FeaturePlan or None

    Returns
    -------
    list of dict
        file; column; role, one of `genurl_graph.inputs.reading.ROLES`, or "" if nobody knows; kind, of its cells;
        missing and distinct cells; becomes, in words.
    """
    from genurl_graph.inputs.tables.values import is_missing, kind_of

    mine = [told for told in record.values() if isinstance(told, dict) and told.get("file") == file]
    fates = {} if plan is None else {column.name: column.line().partition(": ")[2] for column in plan.columns}
    found = []
    for name in table.frame.columns:
        cells, missing = table.frame[name], is_missing(table.frame[name])
        role, becomes = "", ""
        for told in mine:
            role = next((each for each in ROLES if told.get(each) == name), role)
            if name in told.get("left_out", {}):
                role, becomes = "ignore", f"left out, {told['left_out'][name] or 'not asked for'}"
            elif not role and told.get("as") in ("features", "vectors", "edge rows"):
                role, becomes = "feature", fates.get(name, "number, as it is")
        found.append(
            {
                "file": file,
                "column": table.called(name),
                "role": role,
                "kind": kind_of(cells),
                "missing": int(missing.sum()),
                "distinct": int(cells[~missing].nunique()),
                "becomes": becomes,
            }
        )
    return found


def graph_figures(data: Data) -> dict[str, Any] | None:
    """Figures of a graph; None without edges.

    Returns
    -------
    dict
        nodes; edges, each pair of nodes once unless the graph is directed; directed; components, of the undirected
        graph; largest, nodes of the largest of them; isolated, nodes without an edge to another; self_loops; repeats,
        lines of the file that name a pair once more; total_weight; degree, quantiles of the number of neighbours.
    """
    import torch
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if data.get("edge_index") is None:
        return None
    n = int(data.num_nodes or 0)
    source, target = data.edge_index.numpy()
    weight = data.get("edge_weight")
    total = torch.ones(len(source)) if weight is None else weight.double()
    loops = source == target
    pairs = np.unique(np.minimum(source, target) * n + np.maximum(source, target))
    arcs = np.unique(source * n + target)
    directed = len(arcs) != 2 * len(pairs) - len(np.unique(source[loops]))
    between = coo_array((np.ones(len(source)), (source, target)), shape=(n, n))
    count, component = connected_components(between, directed=False)
    ends = np.divmod(pairs[pairs // n != pairs % n], n)
    degree = np.bincount(np.concatenate(ends), minlength=n)
    return {
        "nodes": n,
        "edges": len(arcs) if directed else len(pairs),
        "directed": bool(directed),
        "components": int(count),
        "largest": int(np.bincount(component).max()) if n else 0,
        "isolated": int((degree == 0).sum()),
        "self_loops": int(loops.sum()),
        "repeats": _repeats(data),
        # Both directions of an undirected edge are one edge.
        "total_weight": float(total.sum() if directed else (total.sum() + total[torch.from_numpy(loops)].sum()) / 2),
        "degree": {name: float(np.quantile(degree, q)) for name, q in QUANTILES.items()} if n else {},
    }


def graphs_figures(graphs: GraphSet) -> dict[str, Any]:
    """Figures of many graphs.

    Returns
    -------
    dict
        graphs; nodes, edges, of all; directed; empty, graphs without nodes; size, quantiles of the number of nodes.
    """
    found = graphs.collection
    loops = int((found.edge_index[0] == found.edge_index[1]).sum())
    directed = has_directions(found)
    sizes = found.sizes().numpy()
    return {
        "graphs": found.num_graphs,
        "nodes": found.num_nodes,
        "edges": found.num_edges if directed else (found.num_edges + loops) // 2,
        "directed": directed,
        "empty": int((sizes == 0).sum()),
        "size": {name: float(np.quantile(sizes, q, method="lower")) for name, q in QUANTILES.items()},
    }


def has_directions(graphs: GraphCollection) -> bool:
    """Whether some edge stands one way only."""
    edges, n = graphs.edge_index, max(graphs.num_nodes, 1)
    # Edges are sorted by source and target.
    return not np.array_equal(np.sort((edges[1] * n + edges[0]).numpy()), (edges[0] * n + edges[1]).numpy())


def first_graphs(graphs: GraphSet) -> list[list[Any]]:
    """The first graphs below a header: name, nodes, edges as `graphs_figures` counts them, label if any."""
    found, names, y, label_names = graphs.collection, graphs.node_id, graphs.y, graphs.label_names
    rows: list[list[Any]] = [["graph", "nodes", "edges", *([] if y is None else ["label"])]]
    source, target = found.edge_index
    counted = np.ones(len(source), dtype=bool) if has_directions(found) else (source <= target).numpy()
    for place in range(min(ROWS, found.num_graphs)):
        row: list[Any] = [str(place) if names is None else names[place]]
        edges = slice(*found.edge_ptr[place : place + 2].tolist())
        row += [int(found.node_ptr[place + 1] - found.node_ptr[place]), int(counted[edges].sum())]
        rows.append([*row, *([] if y is None else [label_of(int(y[place]), label_names)])])
    return rows


def label_of(code: int, names: list[str] | None) -> str:
    """A label in words; "" for none."""
    return "" if code < 0 else str(code) if names is None else names[code]


def _repeats(data: Data) -> int:
    reading = data.get("reading")
    told = {} if reading is None else reading.record.get("edges", {})
    if not {"lines", "pairs"} <= told.keys():
        return 0
    once = 2 * told["pairs"] - told.get("self_loops", 0) if told.get("both_directions") else told["pairs"]
    return int(told["lines"] - once)


def first_edges(data: Data) -> list[list[Any]]:
    """The first edges by the names of their ends, with weights if there are any; an undirected one stands once."""
    if data.get("edge_index") is None:
        return []
    source, target = data.edge_index.numpy()[:, : 100 * ROWS]
    names, weight = data.get("node_id"), data.get("edge_weight")
    arcs = set(zip(source.tolist(), target.tolist(), strict=True))
    found: list[list[Any]] = []
    for place, (a, b) in enumerate(zip(source.tolist(), target.tolist(), strict=True)):
        if a > b and (b, a) in arcs:
            continue
        ends = [str(end) if names is None else str(names[end]) for end in (a, b)]
        found.append([*ends, *([] if weight is None else [float(weight[place])])])
        if len(found) == ROWS:
            break
    return found


def first_nodes(data: Data) -> list[list[Any]]:
    """The first nodes below a header: id, label if there are labels, and the first features."""
    names, y, label_names, x = (data.get(key) for key in ("node_id", "y", "label_names", "x"))
    plan = data.get("feature_plan")
    titles = [] if x is None else [*(plan.names if plan is not None else map(str, range(1, x.size(1) + 1)))][:COLUMNS]
    found: list[list[Any]] = [["id", *([] if y is None else ["label"]), *titles]]
    for node in range(min(ROWS, int(data.num_nodes or 0))):
        row: list[Any] = [str(node) if names is None else str(names[node])]
        if y is not None:
            row.append(label_of(int(y[node]), label_names))
        if x is not None:
            row += [float(value) for value in x[node].to_dense().flatten()[:COLUMNS]]
        found.append(row)
    return found


# Of what is no single graph: the keys of `inspect`, and what makes their values.
FIGURES: dict[type, dict[str, Callable[[Any], Any]]] = {
    GraphSet: {"first_graphs": first_graphs, "graphs": graphs_figures},
    EventSet: {"first_events": first_events, "events": event_figures},
    TripleSet: {"first_triples": first_triples, "triples": triple_figures},
    EdgeSet: {"first_edge_rows": first_edge_rows, "edge_rows": edge_figures},
}


def _table(path: Path, options: ReadOptions) -> Table | None:
    """The raw columns of a table; None for other files, and for what cannot be read as one."""
    from genurl_graph.datasets.readers import TABLE_SUFFIXES
    from genurl_graph.datasets.readers.compressed import plain_suffix
    from genurl_graph.datasets.readers.formats import find_format
    from genurl_graph.datasets.readers.node_tables import read_any_table

    try:
        if path.is_file() and find_format(path) is None and plain_suffix(path) in TABLE_SUFFIXES:
            return read_any_table(path, options)
    except InputError:
        pass
    return None


def _first_rows(path: Path, table: Table | None, refused: bool) -> dict[str, Any]:
    """The first rows of a table; of another file that is refused the first lines, or a note that there are none."""
    if table is not None:
        rows = table.frame.head(ROWS).astype(object).to_numpy().tolist()
        header = [table.called(name) for name in table.frame.columns]
        return {"rows": [[str(cell)[:WIDTH] for cell in row[:MOST_COLUMNS]] for row in (header, *rows)], "note": None}
    if not refused:
        return {"rows": [], "note": None}
    from genurl_graph.datasets.readers.compressed import unpacked

    if path.is_dir() or not path.exists():
        return {"rows": [], "note": "a folder" if path.is_dir() else "there is no such file"}
    try:
        with unpacked(path) as stream:
            content = stream.read(SIZE)
    except InputError as error:
        return {"rows": [], "note": str(error)}
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in content and not wide:
        return {"rows": [], "note": f"{path.stat().st_size:,} bytes that are no text"}
    lines = content.decode("utf-16" if wide else "utf-8-sig", errors="replace").splitlines()
    return {"rows": [[line[:WIDTH]] for line in lines[: ROWS + 1]], "note": None if lines else "an empty file"}
