"""EMA encoder: a network whose weights are the running mean of another's (MoCo, arXiv 1911.05722, eq. 2)."""

from __future__ import annotations

import copy

import torch
from torch import nn


class EMAEncoder(nn.Module):
    """Follows a network: ``w <- m w + (1 - m) w'`` for its weights; its buffers (means of normalisation) are copied.

    Parameters
    ----------
    network : nn.Module
        Whose weights it starts with.
    momentum : float
        m in [0, 1); 0 is the network of the last step itself.
    """

    def __init__(self, network: nn.Module, momentum: float) -> None:
        super().__init__()
        self.network, self.momentum = copy.deepcopy(network).requires_grad_(False).eval(), momentum

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """One step of the mean."""
        for own, new in zip(self.network.parameters(), network.parameters(), strict=True):
            own.lerp_(new, 1 - self.momentum)
        for held, current in zip(self.network.buffers(), network.buffers(), strict=True):
            held.copy_(current)

    def train(self, mode: bool = True) -> EMAEncoder:
        """Stay in evaluation mode: it is read, not trained."""
        return super().train(False)
