"""A graph of planted communities whose edges have attributes that tell, or do not tell, which join one community."""

from __future__ import annotations

import torch
from torch import Tensor


def planted_edges(
    num_nodes: int = 600, communities: int = 4, inside: float = 0.6, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Edges [2, m], each once with ends i < j; whether each joins one community, bool [m]; communities [n]."""
    drawn = torch.Generator().manual_seed(seed)
    y = torch.arange(num_nodes) % communities
    count = 8 * num_nodes
    first = torch.randint(num_nodes, (count,), generator=drawn)
    step = torch.randint(1, num_nodes // communities, (count,), generator=drawn) * communities
    apart = torch.randint(1, communities, (count,), generator=drawn)
    outside = torch.rand(count, generator=drawn) > inside
    second = (first + step + torch.where(outside, apart, 0)) % num_nodes
    low, high = torch.stack([first, second]).sort(0).values
    keys = torch.unique((low * num_nodes + high)[low != high])
    ends = torch.stack([keys // num_nodes, keys % num_nodes])
    return ends, y[ends[0]] == y[ends[1]], y


def signs(same: Tensor, right: float = 0.85, seed: int = 1) -> Tensor:
    """Whether an edge joins one community, wrong for a share of them, as a column of 1 and -1, beside one of noise."""
    drawn = torch.Generator().manual_seed(seed)
    told = torch.where(torch.rand(len(same), generator=drawn) < right, same, ~same)
    return torch.stack([2.0 * told - 1, torch.randn(len(same), generator=drawn)], 1)
