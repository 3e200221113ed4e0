"""Images of earlier batches as further nodes of a batch's graph: the queue of momentum contrast (arXiv 1911.05722)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from genurl_graph.exceptions import InputError


class Held(NamedTuple):
    """Content of a queue."""

    rows: Tensor  # int64 [m], numbers of the images
    features: Tensor  # float32 [m, w], by the slow encoder
    keys: Tensor  # float32 [m, d], by the slow projector after it


class MemoryBank(nn.Module):
    """The images of the last batches with what a slow copy of the network made of them; the oldest gives way.

    No image is in it twice, and none while it is in the batch itself (`forget`): it would be its own neighbour, or a
    negative of itself.

    Parameters
    ----------
    size : int
        Places. They are empty at first.
    widths : tuple of int
        Columns of what is kept of each image: of the slow encoder's output, and of the slow projector's.
    batch, num_images : int
        Images of a batch and in all.

    Raises
    ------
    InputError
        Fewer places than a batch fills, or more than there are images beside a batch.
    """

    rows: Tensor
    features: Tensor
    keys: Tensor
    place: Tensor

    def __init__(self, size: int, widths: tuple[int, int], batch: int, num_images: int) -> None:
        super().__init__()
        if not batch <= size <= num_images - batch:
            raise InputError(
                f"neighbors.queue: found {size}; expected 0, or {batch} (the images of a batch) to "
                f"{num_images - batch} (those that it leaves)"
                + (f"; {num_images} images are too few for any queue" if num_images < 2 * batch else "")
            )
        # Buffers, so that a checkpoint has them. Row -1: an empty place.
        self.register_buffer("rows", torch.full((size,), -1, dtype=torch.long))
        self.register_buffer("features", torch.zeros(size, widths[0]))
        self.register_buffer("keys", torch.zeros(size, widths[1]))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def forget(self, rows: Tensor) -> None:
        """Empty the places of these images."""
        self.rows[torch.isin(self.rows, rows)] = -1

    def held(self) -> Held:
        """What is in it, copied."""
        filled = self.rows >= 0
        return Held(self.rows[filled], self.features[filled], self.keys[filled])

    def push(self, batch: Held) -> None:
        """Put a batch in the place of the oldest."""
        count = len(batch.rows)
        places = (self.place + torch.arange(count, device=batch.rows.device)) % len(self.rows)
        self.rows[places], self.features[places], self.keys[places] = batch
        self.place.copy_((self.place + count) % len(self.rows))
