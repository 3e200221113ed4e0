"""Mean and deviation of the columns of an array that lies in partitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.normalize import scale_of_columns
from genurl_graph.runtime.partitions import Launcher, Store


def partition_statistics(
    launcher: Launcher, features: tuple[Store, str], *, progress: bool = False
) -> dict[str, Tensor]:
    """`genurl_graph.inputs.normalize.column_statistics` of an array float32 [m, f] by partitions.

    Each partition sums around its own mean, in float64, and the means are joined (Chan, Golub and LeVeque, COMPSTAT
    1982): equal to the statistics in memory up to rounding in float64, which float32 hardly ever shows.
    """
    store, _ = features
    found = launcher.map("column statistics", _moments, range(store.count), features, progress=progress)
    means, squares = (np.stack(values) for values in zip(*(part.value for part in found), strict=True))
    share = np.diff(store.bounds)[:, None] / store.num_rows
    mean = (share * means).sum(0)
    variance = squares.sum(0) / store.num_rows + (share * (means - mean) ** 2).sum(0)
    return scale_of_columns(torch.from_numpy(mean), torch.from_numpy(np.sqrt(variance)))


def _moments(part: int, features: tuple[Store, str]) -> tuple[Any, Any]:
    """Mean of each column, and the sum of squares around it, float64 [f] both."""
    store, name = features
    x = store.load(name, part).astype(np.float64)
    mean = x.mean(axis=0)
    x -= mean
    return mean, np.einsum("ij,ij->j", x, x)
