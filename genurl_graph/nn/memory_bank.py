"""Memory bank: images of earlier batches as further nodes of a batch's graph (momentum contrast, arXiv 1911.05722)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from genurl_graph.exceptions import wrong


class Held(NamedTuple):
    """Content of a memory bank."""

    rows: Tensor  # int64 [m], numbers of the images
    features: Tensor  # float32 [m, w], by the EMA encoder
    keys: Tensor  # float32 [m, d], by the EMA projector after it


class MemoryBank(nn.Module):
    """The images of the last batches with the output of an EMA encoder for them; new ones replace the oldest.

    No image is in it twice, and none while it is in the batch itself (`forget`): it would be its own neighbour, or a
    negative of itself.

    Parameters
    ----------
    size : int
        Entries. They are empty at first.
    widths : tuple of int
        Columns of the EMA encoder's output, and of the EMA projector's.
    batch, num_images : int
        Images of a batch and in all.

    Raises
    ------
    InputError
        Fewer entries than a batch fills, or more than there are images beside a batch.
    """

    rows: Tensor
    features: Tensor
    keys: Tensor
    place: Tensor

    def __init__(self, size: int, widths: tuple[int, int], batch: int, num_images: int) -> None:
        super().__init__()
        if not batch <= size <= num_images - batch:
            some = f"or {batch} (the images of a batch) to {num_images - batch} (those that it leaves)"
            none = f"as {num_images} images are too few for any queue"
            raise wrong("neighbors.queue", size, f"0, {none if num_images < 2 * batch else some}")
        # Buffers of the checkpoint. Row -1: an empty entry.
        self.register_buffer("rows", torch.full((size,), -1, dtype=torch.long))
        self.register_buffer("features", torch.zeros(size, widths[0]))
        self.register_buffer("keys", torch.zeros(size, widths[1]))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def forget(self, rows: Tensor) -> None:
        """Empty the entries of these images."""
        self.rows[torch.isin(self.rows, rows)] = -1

    def held(self) -> Held:
        """Its content, copied."""
        filled = self.rows >= 0
        return Held(self.rows[filled], self.features[filled], self.keys[filled])

    def push(self, batch: Held) -> None:
        """Replace the oldest entries by a batch."""
        count = len(batch.rows)
        places = (self.place + torch.arange(count, device=batch.rows.device)) % len(self.rows)
        self.rows[places], self.features[places], self.keys[places] = batch
        self.place.copy_((self.place + count) % len(self.rows))
