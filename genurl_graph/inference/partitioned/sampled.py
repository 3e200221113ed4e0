"""Rows of a prepared folder as data in memory, for the evaluation of their embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from genurl_graph.inputs.partitioned import Prepared

if TYPE_CHECKING:
    from torch_geometric.data import Data

# Rows that an embedding is judged by.
MOST_ROWS = 50_000


def sampled_data(prepared: Prepared, most: int | None = MOST_ROWS) -> Data:
    """Features and labels of the first rows, which are a random sample; all rows with `most` None."""
    from torch_geometric.data import Data

    store = prepared.store
    wanted = store.num_rows if most is None else min(most, store.num_rows)
    parts = range(int(np.searchsorted(store.bounds, wanted)))

    def first(name: str) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([store.load(name, part) for part in parts])[:wanted])

    data = Data(x=first("x") if prepared.num_features else None, num_nodes=wanted)
    if prepared.manifest.labelled:
        data.y = first("y")
    return data
