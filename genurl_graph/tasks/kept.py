"""What an interrupted run has found before its training began, for the run that goes on."""

from __future__ import annotations

from typing import NamedTuple

import torch

from genurl_graph.checkpoint import Checkpoint
from genurl_graph.distributed import rank
from genurl_graph.neighbors import Neighbors


class Kept(NamedTuple):
    """The neighbours of a run, beside its checkpoint: a run that goes on does not search them again."""

    checkpoint: Checkpoint
    resume: bool

    def neighbors(self, device: torch.device) -> Neighbors | None:
        """What the interrupted run found, if it got as far."""
        return self.checkpoint.neighbors(device) if self.resume else None

    def alone(self) -> bool:
        """Whether the interrupted run got no further than its search."""
        return self.checkpoint.exists() and not self.checkpoint.trained()

    def save(self, found: Neighbors) -> None:
        """Keep them; of several processes the first does."""
        if rank() == 0:
            self.checkpoint.save_neighbors(found)
