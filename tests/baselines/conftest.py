"""A graph small enough for written-out formulas."""

import pytest
import torch
from torch_geometric.data import Data


@pytest.fixture
def graph() -> Data:
    """Two groups of nodes with words and edges of their own, as sparse as bags of words are."""
    generator = torch.Generator().manual_seed(0)
    n, f = 40, 60
    y = torch.arange(n) % 2
    x = (torch.rand(n, f, generator=generator) < 0.05).float()
    x[torch.arange(n), y * 30 + torch.randint(30, (n,), generator=generator)] = 1.0
    same = y[:, None] == y[None]
    linked = (torch.rand(n, n, generator=generator) < torch.where(same, 0.15, 0.01)).triu(1)
    edges = linked.nonzero().T
    return Data(x=x, edge_index=torch.cat([edges, edges.flip(0)], dim=1), y=y)
