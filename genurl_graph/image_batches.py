"""Self-supervised images: two views of each image of a batch, and the neighbours of each image among the others.

The graph of a batch of B images has 2 B nodes, their views. Views of one image are joined by a predefined edge of
weight 1, views of neighbouring images by feature edges of weight ``merge.feature_weight`` times their calibrated
similarity. Neighbours are found by pixels, or by a slow copy of the encoder (``neighbors.source``). One and the same P
thus says what augmentations say (SimCLR, arXiv 2002.05709) and what neighbours say; with the loss infonce and no
feature edges this *is* SimCLR, with barlow it is Barlow Twins (arXiv 2103.03230).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from genurl_graph.augment import check_views, random_view
from genurl_graph.batches import LEAST_STEPS, embed_rows
from genurl_graph.block_loss import batch_similarities, block_terms, check_batch_neighbors
from genurl_graph.config import Config
from genurl_graph.distributed import one_process
from genurl_graph.exceptions import InputError
from genurl_graph.images import Shape, as_images, as_rows
from genurl_graph.layers import Features, RowEncoder, projector
from genurl_graph.losses import LossTerms, barlow_terms, get_loss
from genurl_graph.momentum import MomentumCopy
from genurl_graph.objective import check_kernel

# Columns of what the projector makes, where pairs are compared.
PROJECTED = 128


class ImageBatches(nn.Module):
    """Encoder, projector and images; called, it is the loss of one batch.

    Parameters
    ----------
    encoder : RowEncoder
        Reads rows of pixels.
    features : Features
        All images as rows of pixels [n, h w c], channels last.
    shape : (height, width, channels)
    config : Config
        Resolved.

    Attributes
    ----------
    steps : int
        Batches of an epoch, as of `genurl_graph.batches.BatchObjective`.

    Raises
    ------
    InputError
        Fewer images than a batch holds, or an option out of range.
    """

    def __init__(self, encoder: RowEncoder, features: Features, shape: Shape, config: Config) -> None:
        super().__init__()
        one_process("the task images")
        n, size = features.num_nodes, config.sampling.batch_size
        if not 2 <= size <= n:
            raise InputError(
                f"sampling.batch_size: found {size} for {n} images; expected 2 to {n}"
                + (f" (set sampling.batch_size={n}, or give more images)" if n < size else "")
            )
        check_views(config.images)
        self.encoder, self.features, self.shape, self.config = encoder, features, shape, config
        self.size, self.num_nodes = size, n
        self.steps = max(math.ceil(n / size), LEAST_STEPS)
        self.loss, self.weight = config.loss, config.merge.feature_weight
        width = self.loss.projector
        if width < 0:
            raise InputError(f"loss.projector: found {width}; expected a width, or 0 for no projector")
        self.projector = projector(encoder.width, width, PROJECTED) if width else nn.Identity()
        self.slow: MomentumCopy | None = None
        if self.loss.name == "barlow":
            return
        check_kernel(self.loss)
        get_loss(self.loss.name)
        if not 0 <= self.weight < math.inf:
            raise InputError(f"merge.feature_weight: found {self.weight}; expected a finite number >= 0")
        if self.weight > 0:
            check_batch_neighbors(config.neighbors, size)
            if config.neighbors.source != "features":
                self.slow = MomentumCopy(encoder, config.encoder.momentum)

    def move(self, device: torch.device) -> ImageBatches:
        """Parameters and images on `device`."""
        self.to(device)
        self.features = self.features.to(device)
        return self

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew without replacement."""
        rows = torch.randperm(self.num_nodes, device=self.features.x.device)[: self.size]
        batch = self.features.rows(rows)
        images = as_images(batch.x, self.shape)
        views = torch.cat([random_view(images, self.config.images) for _ in range(2)])
        z = self.projector(self.encoder(Features(as_rows(views)[0])))
        if self.loss.name == "barlow":
            first, second = z.chunk(2)
            return barlow_terms(first, second, self.loss.offdiagonal)
        return block_terms(z, *self.graph(batch, progress), self.loss)

    @torch.no_grad()
    def graph(self, batch: Features, progress: float = 0.0) -> tuple[Tensor, Tensor]:
        """P of the views of a batch: edges [2, E] among 2 B nodes, the first views of all images before the second."""
        size, device = batch.num_nodes, batch.x.device
        own = torch.arange(size, device=device)
        same = torch.stack([torch.cat([own, own + size]), torch.cat([own + size, own])])
        p = batch.x.new_ones(2 * size)
        if self.weight == 0:
            return same, p
        edges, near = self.neighbors(batch, progress)
        shift = torch.tensor([[[0], [0]], [[0], [size]], [[size], [0]], [[size], [size]]], device=device)
        among = (edges + shift).transpose(0, 1).reshape(2, -1)
        return torch.cat([same, among], 1), torch.cat([p, (self.weight * near).repeat(4)])

    def neighbors(self, batch: Features, progress: float) -> tuple[Tensor, Tensor]:
        """Feature edges [2, E] among the images of a batch, and their similarities [E]."""
        share = {"features": 0.0, "encoder": 1.0, "both": progress}[self.config.neighbors.source]
        if self.slow is not None:
            self.slow.follow(self.encoder)
        parts = [(1 - share, batch.x)] if share < 1 else []
        if share > 0 and self.slow is not None:
            parts.append((share, self.slow.network(batch)))
        p = batch.x.new_zeros(batch.num_nodes, batch.num_nodes)
        for weight, vectors in parts:
            edges, near = batch_similarities(vectors, self.config.neighbors, self.config.similarity)
            p[edges[0], edges[1]] += weight * near
        edges = p.nonzero().T
        return edges, p[edges[0], edges[1]]

    def embed(self) -> Tensor:
        """Embedding [n, d] of all images as they are, without the projector."""
        return embed_rows(self.encoder, self.features, self.features.x.device)
