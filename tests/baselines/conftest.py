"""Graphs small enough for written-out formulas."""

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


@pytest.fixture(scope="module")
def planted() -> Data:
    """Four groups of 60 nodes; a few of 300 columns are likelier in a group, and most edges stay inside."""
    generator = torch.Generator().manual_seed(1)
    n, f = 240, 300
    y = torch.arange(n) % 4
    likelier = torch.arange(f) % 10 == y[:, None]
    x = (torch.rand(n, f, generator=generator) < torch.where(likelier, 0.15, 0.05)).float()
    same = y[:, None] == y[None]
    linked = (torch.rand(n, n, generator=generator) < torch.where(same, 0.05, 0.01)).triu(1)
    edges = linked.nonzero().T
    return Data(x=x, edge_index=torch.cat([edges, edges.flip(0)], dim=1), y=y)
