"""Trajectories with a known answer."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.temporal import Trajectory


def known(label: Tensor, noise: float, seed: int = 0, absent: float = 0.0) -> Trajectory:
    """Rows of nodes whose state in each window [n, W] picks a corner; a share of the rows is absent."""
    n, windows = label.shape
    drawn = torch.Generator().manual_seed(seed)
    kept = torch.rand(windows, n, generator=drawn) >= absent
    window, node = torch.nonzero(kept, as_tuple=True)
    corners = torch.eye(int(label.max()) + 1)
    z = corners[label[node, window]]
    z = z + noise * torch.randn(z.shape, generator=drawn)
    events = torch.randint(3, 9, (len(node),), generator=drawn).float()
    return Trajectory(node, window, z, events, torch.arange(windows + 1).double(), n)


def switched(n: int = 200, windows: int = 16, switching: int = 50, states: int = 4, seed: int = 0) -> Tensor:
    """States [n, W] of which the first nodes change once."""
    drawn = torch.Generator().manual_seed(seed)
    first = torch.randint(states, (n,), generator=drawn)
    label = first[:, None].repeat(1, windows)
    when = torch.randint(3, windows - 3, (switching,), generator=drawn)
    label[:switching] += torch.arange(windows) >= when[:, None]
    return label % states
