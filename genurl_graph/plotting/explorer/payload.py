"""A scene as JSON that a script tag can hold: numbers as little-endian arrays in base64, text escaped."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.index import index2ptr

from genurl_graph.graph.merge import MergedGraph
from genurl_graph.plotting.explorer.colours import WHOLE, Categories, Column
from genurl_graph.plotting.explorer.drawings import Drawings
from genurl_graph.plotting.explorer.scene import Scene
from genurl_graph.plotting.explorer.sprites import Sprites
from genurl_graph.plotting.explorer.timeline import Timeline
from genurl_graph.plotting.figure import point_style

# Weights of edges are shown with two decimals: sixteen bits are enough for them.
_LEVELS = 2**16 - 1


def encode(scene: Scene) -> dict[str, Any]:
    """The scene as plain dictionaries, lists and text.

    Arrays are ``{"type": "f4", "data": base64}``; neighbour lists are compressed rows: the entries of node i are
    those from ``start[i]`` to ``start[i + 1]``.
    """
    n = len(scene.points)
    size, opacity = point_style(n)
    found: dict[str, Any] = {
        "title": scene.title,
        "notes": list(scene.notes),
        "n": n,
        "x": array(scene.points[:, 0], "f4"),
        "y": array(scene.points[:, 1], "f4"),
        # Area in points squared to a diameter in pixels of 1/96 inch; a screen is coarser than print, so more of both.
        "style": {"size": round(1.2 * float(np.sqrt(size)) * 96 / 72, 2), "opacity": round(min(1.4 * opacity, 0.9), 3)},
        "ids": None if scene.node_id is None else [str(name) for name in scene.node_id],
        "columns": [_column(one) for one in scene.columns],
        "nearest": None,
        "merged": None,
        "mergedAbout": scene.merged_about,
        "drawings": None if scene.drawings is None else _drawings(scene.drawings),
        "images": None if scene.images is None else _images(scene.images, n),
        "time": None if scene.timeline is None else _timeline(scene.timeline, n),
    }
    if scene.timeline is not None:
        found["columns"] += [{**_column(one), "rows": True} for one in scene.timeline.columns]
    for key, name in (("colour", scene.color_by), ("size", scene.size_by)):
        found[key] = next((place for place, one in enumerate(found["columns"]) if one["name"] == name), None)
    if scene.nearest is not None:
        rows = scene.nearest.cpu().numpy()
        found["nearest"] = {"k": rows.shape[1], "node": array(rows.ravel(), _index(n)), "about": scene.nearest_about}
    if scene.merged is not None:
        found["merged"] = merged_rows(scene.merged, n)
    return found


def merged_rows(graph: MergedGraph, n: int) -> dict[str, Any]:
    """Neighbours of each node, the most similar first, with edge sources (bits) and weights."""
    row, col = graph.edge_index.cpu().numpy()
    weight = graph.edge_weight.cpu().numpy().astype(np.float64)
    order = np.lexsort((col, -weight, row))
    largest = float(weight.max(initial=0.0)) or 1.0
    return {
        "start": array(index2ptr(torch.from_numpy(row[order]), n).numpy(), "u4"),
        "node": array(col[order], _index(n)),
        "bits": array(graph.provenance.cpu().numpy()[order], "u1"),
        "weight": array(np.rint(weight[order] / largest * _LEVELS), "u2"),
        "largest": largest / _LEVELS,
    }


def _timeline(found: Timeline, n: int) -> dict[str, Any]:
    """Rows of all windows, sorted by window: the node and the point of each."""
    rows = found.trajectory
    points = rows.embedding.numpy()
    contacts = found.contacts
    return {
        "names": list(found.names),
        "contacts": contacts
        and {
            "ptr": array(contacts.ptr.numpy(), "u4"),
            "node": array(contacts.node.numpy(), _index(n)),
            "count": array(contacts.number.clamp_max(_LEVELS).numpy(), "u2"),
        },
        "ptr": array(index2ptr(rows.window, rows.num_windows).numpy(), "u4"),
        "node": array(rows.node.numpy(), _index(n)),
        "x": array(points[:, 0], "f4"),
        "y": array(points[:, 1], "f4"),
    }


def _images(found: Sprites, n: int) -> dict[str, Any]:
    """One sheet of small images, and which points they are of; None: of all, in order."""
    width, height = found.tile
    return {
        "sheet": f"data:image/webp;base64,{base64.b64encode(found.sheet).decode('ascii')}",
        "width": width,
        "height": height,
        "across": found.across,
        "node": None if len(found.nodes) == n else array(found.nodes, _index(n)),
        "about": found.about,
    }


def _drawings(found: Drawings) -> dict[str, Any]:
    """Drawings of graphs: a byte for each coordinate, kind and end of an edge, the rest once a graph."""
    points = np.rint(found.points.numpy() * 255)
    return {
        "node": array(found.node_ptr.numpy(), "u4"),
        "edge": array(found.edge_ptr.numpy(), "u4"),
        "size": array(found.sizes.numpy(), "u4"),
        "x": array(points[:, 0], "u1"),
        "y": array(points[:, 1], "u1"),
        "kind": array(found.kind.numpy(), "u1"),
        "ends": array(found.ends.numpy(), "u1"),
        "kinds": list(found.kinds),
        "about": found.about,
    }


def array(values: npt.NDArray[Any], kind: str) -> dict[str, str]:
    """Numbers of a kind (f4, f8, u1, u2, u4) in base64."""
    raw = np.ascontiguousarray(values, dtype=np.dtype(f"<{kind}")).tobytes()
    return {"type": kind, "data": base64.b64encode(raw).decode("ascii")}


def script_json(content: Any) -> str:
    """JSON that neither ends the script tag it stands in nor opens a comment there, whatever text it holds.

    ``<``, ``>`` and ``&`` become escapes of JSON, as does everything beyond ASCII: line separators that parsers
    stumble over, and halves of surrogate pairs that no encoding has.
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _column(one: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "about": one.about}
    if isinstance(one, Categories):
        # Unknown values come after the last category.
        codes = np.where(one.codes < 0, len(one.names), one.codes)
        return {**found, "names": list(one.names), "values": array(codes, _index(len(one.names) + 1))}
    if one.dates:
        return {**found, "dates": True, "values": array(one.values, "f8")}
    return {**found, "values": array(one.values, "f8" if (np.abs(one.values) > WHOLE).any() else "f4")}


def _index(count: int) -> str:
    """The smallest kind that holds 0 .. count-1."""
    return "u1" if count <= 2**8 else "u2" if count <= 2**16 else "u4"
