"""Road networks in which each segment is an edge, and has a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from genurl_graph.datasets.registry import DatasetInfo, stored
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.geometry import Lines, measure, orient
from genurl_graph.inputs.reading import Reading
from genurl_graph.inputs.safe_load import load_archive

# Columns of x: middle (longitude, latitude), speed limits, points of the line less the middle, length in metres.
MIDDLE, POINTS, COLUMNS = slice(0, 2), slice(15, 55), 56
# Within which the tips of lines at one junction differ, in degrees: coordinates came as float32.
TOLERANCE = 1e-5
# What the numbers of the file stand for. 0 joins motorways, trunk, primary and secondary roads.
CLASSES = {0: "main road", 4: "tertiary", 5: "unclassified", 6: "residential", 12: "living street"}


def load_roads(entry: DatasetInfo, root: Path) -> EdgeSet:
    """Segments of roads by the junctions that they join, their class and the published split.

    x float32 [m, 56] as published: middle, one-hot speed limit, 20 points of the line less the middle, length in m.
    Each line leads from the first end of its edge to the second one, as the file's alone do not: tips are matched at
    the junctions, and bearings taken of what comes out; x stays as it is.

    Raises
    ------
    InputError
        Another file of this name, or a damaged one.
    """
    path = stored(root, entry.files[0])
    assert path is not None
    try:
        archive = load_archive(path)
        ends, x, y = archive["junction"].T, archive["x"], archive["y"]
        masks = [archive[f"{part}_mask"].astype(bool) for part in ("val", "test")]
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); expected junction, x, y, val_mask and test_mask") from error
    m = len(x)
    if x.shape != (m, COLUMNS) or ends.shape != (2, m) or not {*np.unique(y).tolist()} <= {*CLASSES}:
        seen = f"x {list(x.shape)}, {ends.shape[-1]:,} pairs of junctions, classes {np.unique(y).tolist()}"
        raise wrong(path, seen, f"x [m, {COLUMNS}], m pairs, classes among {[*CLASSES]}")
    middle = torch.from_numpy(x[:, MIDDLE].astype(np.float64))
    points = middle[:, None] + torch.from_numpy(x[:, POINTS].astype(np.float64)).reshape(m, -1, 2)
    junction = torch.from_numpy(np.ascontiguousarray(ends).astype(np.int64))
    ptr = torch.arange(m + 1) * points.size(1)
    lines, turned = orient(Lines(points.reshape(-1, 2), ptr), junction, TOLERANCE)
    found = measure(lines, degrees=True)
    val, test = (torch.from_numpy(mask) for mask in masks)
    count = int(junction.max()) + 1
    line = f"{m:,} segments between {count:,} junctions, {int(turned.sum()):,} lines turned to begin at the first one"
    return EdgeSet(
        EdgeEnds(junction, count, bearings=found.bearings),
        x=torch.from_numpy(x.astype(np.float32)),
        y=torch.from_numpy(np.searchsorted([*CLASSES], y)),
        label_names=[*CLASSES.values()],
        train_mask=~(val | test),
        val_mask=val,
        test_mask=test,
        middle=found.middle,
        lines=lines,
        degrees=True,
        reading=Reading((line,)),
    )
