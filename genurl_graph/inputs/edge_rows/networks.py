"""Edges of a networkx graph, each a row: those of OSMnx and momepy as they are."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows.assemble import Source, assemble
from genurl_graph.inputs.edge_rows.attributes import check_features, without_ends
from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.place import MADE, Space, coordinates_of, find_coordinates, is_degrees
from genurl_graph.inputs.edge_rows.row_labels import labels_of_edges
from genurl_graph.inputs.edge_rows.wkt import find_geometry, read_lines
from genurl_graph.inputs.objects.frames import in_python
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.assemble import TableLike
from genurl_graph.inputs.tables.table import Table


def from_networkx(graph: Any, options: ReadOptions) -> EdgeSet:
    """Edges of a ``Graph``, ``DiGraph``, ``MultiGraph`` or ``MultiDiGraph`` in the order of ``graph.edges``.

    Attributes of the edges are features, parallel edges have their keys, an attribute of lines and the coordinates of
    the nodes (``x`` and ``y``, ``lon`` and ``lat``, ``pos``, or nodes that are pairs of numbers) tell where they lie,
    and ``graph.graph["crs"]`` in which unit.

    Raises
    ------
    InputError
        As of `genurl_graph.inputs.edge_rows.assemble.assemble`.
    """
    strange = next((r for r in options.columns if r not in ("key", "label", "feature", "ignore", "time", "id")), None)
    if strange is not None:
        raise wrong("columns", f"{strange} for a graph of networkx", "key, label, feature, id, time or ignore")
    kind = f"networkx {type(graph).__name__}"
    multi = bool(graph.is_multigraph())
    triples = [*graph.edges(keys=True, data=True)] if multi else [*graph.edges(data=True)]
    nodes = [*graph.nodes]
    position = dict(zip(nodes, range(len(nodes)), strict=True))
    sides = [
        np.fromiter(map(position.__getitem__, map(itemgetter(i), triples)), np.int64, len(triples)) for i in (0, 1)
    ]
    with in_python():
        return edges_of_parts(
            kind,
            np.stack(sides),
            nodes,
            pd.DataFrame([*map(itemgetter(-1), triples)], index=pd.RangeIndex(len(triples))),
            pd.DataFrame([*map(itemgetter(1), graph.nodes(data=True))], index=pd.RangeIndex(len(nodes))),
            options,
            key=[*map(itemgetter(2), triples)] if multi else None,
            directed=bool(graph.is_directed()),
            crs=graph.graph.get("crs"),
        )


def edges_of_parts(
    kind: str,
    ends: Any,
    nodes: Sequence[Any],
    attributes: pd.DataFrame,
    of_nodes: pd.DataFrame,
    options: ReadOptions,
    *,
    key: Sequence[Any] | None,
    directed: bool,
    crs: Any = None,
    notes: tuple[str, ...] = (),
    labels: TableLike | None = None,
) -> EdgeSet:
    """Edges of a graph whose parts are known, as libraries and files of graphs have them.

    Parameters
    ----------
    kind : str
        What it was read from.
    ends : int64 array, shape [2, m]
        Positions of the nodes.
    nodes : sequence, n
        What they are called.
    attributes, of_nodes : DataFrame, m and n rows
    key : sequence, m, or None
    directed : bool
        What the graph says of itself; ``options.directed`` has the last word.
    crs : object, optional
        Reference system of the coordinates.
    notes : tuple of str
        What the user should know beside.
    labels : Table or NodeTable, optional
        Labels of the edges, a row each in their order.
    """
    if not len(attributes):
        raise wrong(kind, "no edges", "at least 2, of which each is a row")
    attributes = attributes.set_axis([*map(str, attributes.columns)], axis=1)
    of_nodes = of_nodes.set_axis([*map(str, of_nodes.columns)], axis=1)
    said_key = next((name for name in options.names("key") if name in attributes), None)
    if said_key is not None:
        key, attributes = attributes[said_key].tolist(), attributes.drop(columns=said_key)
    line = find_geometry(attributes)
    lines = None if line is None else read_lines(attributes[line], f"{kind}: {line}")
    rest = attributes if line is None else attributes.drop(columns=line)
    if line in options.names("ignore"):
        lines = None
    place, degrees, by, taken = _coordinates(nodes, of_nodes)
    known = is_degrees(crs)
    by = " and ".join(each for each in (line if lines is not None else "", by) if each)
    left = {f"{name} of the nodes": "attribute" for name in of_nodes if name not in taken}
    plain = [*nodes] == [*range(len(nodes))]
    edges = EdgeEnds(
        torch.from_numpy(np.ascontiguousarray(ends)),
        len(nodes),
        directed if options.directed is None else options.directed,
        node_id=None if plain else [*nodes],
        key=key,
    )
    check_features(options, [*rest, *MADE], kind)
    facts = [*notes, *([f"coordinates of {_short(crs)}"] if known is not None else [])]
    said = f"read {kind} as edges that are rows" + (f" ({', '.join(facts)})" if facts else "")
    record: dict[str, object] = {"as": "edge rows", "object": kind, "edges": len(rest), "nodes": len(nodes)}
    record |= {"directed": edges.directed, "geometry": line}
    space = Space(lines, place, degrees if known is None else known, by)
    source = Source(edges, Table(kind, rest), space, said, record, left, lenient=True)
    rest_options = without_ends(options, {"key": said_key, "geometry": line})
    return assemble(source, rest_options, labels_of_edges(labels, Table(kind, rest), options))


def _coordinates(nodes: Sequence[Any], of_nodes: pd.DataFrame) -> tuple[Any, bool | None, str, tuple[str, ...]]:
    """Where nodes are, whether in degrees, what says so, and the attributes of the nodes that it takes."""
    pair = find_coordinates(of_nodes)
    if pair is not None:
        return coordinates_of(of_nodes, pair), pair[2], f"{pair[0]}, {pair[1]} of the nodes", pair[:2]
    held = "pos" in of_nodes
    given = [*of_nodes["pos"]] if held else [*nodes]
    if not given or not all(map(_is_point, given)):
        return None, None, "", ()
    place = torch.tensor([[float(value) for value in point[:2]] for point in given], dtype=torch.float64)
    return place, None, "pos of the nodes" if held else "the names of the nodes", ("pos",) if held else ()


def _is_point(value: Any) -> bool:
    pair = isinstance(value, tuple | list | np.ndarray) and len(value) in (2, 3)
    return pair and all(isinstance(each, Real) for each in value) and any(isinstance(e, float) for e in value)


def _short(crs: Any) -> str:
    code = getattr(crs, "to_string", None)
    text = str(code() if code is not None else crs)
    return text if len(text) <= 40 else f"{text[:37]}..."
