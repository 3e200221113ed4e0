"""What was read, as a matrix to compare with the library's own reading."""

from collections.abc import Callable

import numpy as np
import pytest
from torch_geometric.data import Data


@pytest.fixture
def adjacency() -> Callable[[Data], np.ndarray]:
    """Function that gives the weights [n, n] of a `Data`."""

    def of(data: Data) -> np.ndarray:
        found = np.zeros((data.num_nodes, data.num_nodes))
        values = np.ones(data.num_edges) if data.get("edge_weight") is None else data.edge_weight.numpy()
        np.add.at(found, tuple(data.edge_index.numpy()), values)
        return found

    return of
