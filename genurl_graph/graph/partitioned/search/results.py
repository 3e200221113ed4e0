"""The neighbours of a partition as they are kept."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from genurl_graph.graph.knn import unscaled
from genurl_graph.graph.knn.rows import Frame
from genurl_graph.runtime.partitions import Store


def save_neighbors(work: Store, part: int, index: Tensor, distance: Tensor, frame: Frame) -> None:
    """Write indices [m, k], as short as their number allows, and distances [m, k] in the units of the input."""
    narrow = work.num_rows <= np.iinfo(np.int32).max
    work.save("distances", part, unscaled(distance, frame).numpy())
    work.save("neighbors", part, index.numpy().astype(np.int32 if narrow else np.int64))
