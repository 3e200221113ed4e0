"""Where edges lie, by the lines that they came with and the coordinates of their nodes, and what that tells of them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.inputs.edge_rows.geometry import Geometry, Lines, measure, orient

# Pairs of columns that hold the coordinates of nodes, and whether they are degrees; None: the names do not tell.
PAIRS: tuple[tuple[str, str, bool | None], ...] = (
    ("lon", "lat", True),
    ("lng", "lat", True),
    ("long", "lat", True),
    ("longitude", "latitude", True),
    ("x", "y", None),
    ("easting", "northing", False),
)
_DEGREES = re.compile(r"epsg:+(?:\d*:)?(4326|4258|4269|4267|4283|7844)\b|crs:?84|proj=longlat|^\s*GEOG", re.IGNORECASE)
# Columns that are made of the lines.
MADE = ("length", "straightness", "axis_cos", "axis_sin")


class Space(NamedTuple):
    """What is known of where things are.

    Attributes
    ----------
    lines : Lines or None
        Of the edges, as they came.
    nodes : Tensor, float64, shape [n, 2], or None
        NaN where a node has no coordinates.
    degrees : bool or None
        Whether coordinates are longitudes and latitudes; None: nobody said, and they are taken as plain numbers.
    by : str
        Where the coordinates come from, for the user.
    """

    lines: Lines | None = None
    nodes: Tensor | None = None
    degrees: bool | None = None
    by: str = ""


def find_coordinates(frame: pd.DataFrame) -> tuple[str, str, bool | None] | None:
    """The two columns of numbers that are coordinates by their names, and whether these are degrees."""
    named = {str(name).strip().lower(): str(name) for name in frame.columns}
    for first, second, degrees in PAIRS:
        if first in named and second in named:
            cells = [pd.to_numeric(frame[named[each]], errors="coerce") for each in (first, second)]
            if all(each.notna().any() for each in cells):
                return named[first], named[second], degrees
    return None


def coordinates_of(frame: pd.DataFrame, pair: tuple[str, str, bool | None]) -> Tensor:
    """float64 [n, 2] of two columns; NaN where a cell is no number."""
    columns = [pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64, na_value=np.nan) for name in pair[:2]]
    return torch.from_numpy(np.stack(columns, 1))


def is_degrees(crs: Any) -> bool | None:
    """Whether a reference system of coordinates has longitudes and latitudes; None where it says nothing.

    Examples
    --------
    >>> is_degrees("epsg:4326"), is_degrees("EPSG:32633"), is_degrees(None)
    (True, False, None)
    """
    if crs is None or crs == "" or str(crs).lower() == "none":
        return None
    own = getattr(crs, "is_geographic", None)
    return bool(own) if own is not None else _DEGREES.search(str(crs)) is not None


def locate(space: Space, ends: Tensor) -> tuple[Lines, Geometry, str] | None:
    """Measure edges by their lines or, where one is missing, by a straight line between its nodes.

    Lines are turned to begin where their edge does: by the coordinates of the nodes or, without these, by where the
    lines of one node meet.

    Parameters
    ----------
    space : Space
    ends : Tensor, int64, shape [2, m]

    Returns
    -------
    lines : Lines
    geometry : Geometry
    said : str
        What was taken, for the user. None in place of all where nothing is known.
    """
    straight = None
    if space.nodes is not None:
        straight = Lines.between(space.nodes[ends[0]], space.nodes[ends[1]])
    lines, turned, filled = space.lines, 0, 0
    if lines is None:
        lines, facts = straight, ["straight lines between the nodes"]
    elif space.nodes is not None:
        lines, turned = _towards(lines, space.nodes, ends)
        lines, filled = _filled(lines, straight)
        facts = [f"{len(lines) - filled:,} lines", *([f"{filled:,} straight ones between nodes"] if filled else [])]
    else:
        lines, which = orient(lines, ends)
        turned, facts = int(which.sum()), [f"{int((lines.ptr.diff() > 1).sum()):,} lines"]
    if lines is None or not bool((lines.ptr.diff() > 1).any()):
        return None
    unknown = int((lines.ptr.diff() < 2).sum())
    facts += [f"{turned:,} of them turned to begin at the first end"] if turned else []
    facts += [f"{unknown:,} edges whose place is unknown"] if unknown else []
    unit: dict[bool | None, str] = {True: "degrees, lengths in metres", False: "lengths in their unit"}
    facts.append(unit.get(space.degrees, "plain numbers; named lon and lat they are degrees"))
    return lines, measure(lines, bool(space.degrees)), f"geometry by {space.by}: {', '.join(facts)}"


def geometry_columns(found: Geometry, frame: pd.DataFrame) -> pd.DataFrame:
    """`MADE` as columns, but those whose names `frame` has, and a length that an attribute already is."""
    axis = found.axis.numpy()
    made = dict(zip(MADE, (found.length.numpy(), found.straightness.numpy(), axis[:, 0], axis[:, 1]), strict=True))
    known = {str(name).lower() for name in frame.columns}
    if any(name.endswith(("length", "_len")) for name in known):
        made.pop("length")
    return pd.DataFrame({name: cells for name, cells in made.items() if name not in known}, index=frame.index)


def nodes_of_tips(lines: Lines) -> tuple[Tensor, Tensor]:
    """Nodes of lines that come without names of their ends: tips at one point are one node.

    Returns
    -------
    ends : Tensor, int64, shape [2, m]
        Edges without a line have nodes of their own.
    place : Tensor, float64, shape [n, 2]
    """
    tips = lines.tips()
    flat = tips.reshape(-1, 2)
    unknown = flat.isnan().any(1)
    own = torch.where(unknown, torch.arange(len(flat)) + 1, torch.zeros(len(flat), dtype=torch.long))
    keyed = torch.cat([flat.nan_to_num(0.0), own[:, None].double()], 1)
    place, node = torch.unique(keyed, dim=0, return_inverse=True)
    xy = torch.where((place[:, 2] > 0)[:, None], torch.full_like(place[:, :2], float("nan")), place[:, :2])
    return node.reshape(2, -1), xy


def _towards(lines: Lines, nodes: Tensor, ends: Tensor) -> tuple[Lines, int]:
    """Lines in the direction in which their tips are nearer to the ends of their edges."""
    tips, place = lines.tips(), nodes[ends]
    right, wrong = ((tips - each).norm(dim=2).sum(0) for each in (place, place.flip(0)))
    which = wrong < right  # of NaN: no
    return lines.turned(which), int(which.sum())


def _filled(lines: Lines, straight: Lines | None) -> tuple[Lines, int]:
    """Lines of which those without points are replaced by straight ones."""
    count = lines.ptr.diff()
    absent = count < 2
    if straight is None or not bool(absent.any()):
        return lines, 0
    held = straight.ptr.diff()
    keep = torch.repeat_interleave(~absent, count)
    take = torch.repeat_interleave(absent, held)
    edge = torch.arange(len(lines))
    line = torch.cat([torch.repeat_interleave(edge, count)[keep], torch.repeat_interleave(edge, held)[take]])
    points = torch.cat([lines.points[keep], straight.points[take]])
    order = line.argsort(stable=True)
    size = torch.where(absent, held, count)
    ptr = torch.cat([size.new_zeros(1), size.cumsum(0)])
    return Lines(points[order], ptr), int((absent & (held > 1)).sum())
