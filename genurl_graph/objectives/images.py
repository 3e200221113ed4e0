"""Self-supervised images: two views of each image of a batch, and the neighbours of each image among the others.

The graph of a batch of B images has 2 B nodes, their views. Views of one image are joined by a predefined edge of
weight 1, views of neighbouring images by kNN edges of weight ``merge.feature_weight`` times their calibrated
similarity. Neighbours are found by pixels, or by an EMA encoder (``neighbors.source``). One P thus holds what
augmentations say (SimCLR, arXiv 2002.05709) and what neighbours say. With the loss infonce and no kNN edges this *is*
SimCLR, with barlow it is Barlow Twins (arXiv 2103.03230).

With a memory bank (``neighbors.queue``) the images of earlier batches are further nodes of the graph, embedded by an
EMA copy of encoder and projector. Views are compared with them, and neighbours are searched among them. They themselves
are not trained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.images import Shape, as_images, as_rows
from genurl_graph.losses.barlow import barlow_terms
from genurl_graph.losses.pairwise import get_loss
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.ema import EMAEncoder
from genurl_graph.nn.features import Features
from genurl_graph.nn.layers import projector
from genurl_graph.nn.memory_bank import Held, MemoryBank
from genurl_graph.nn.mlp import RowEncoder
from genurl_graph.objectives.base import Objective
from genurl_graph.objectives.batch_graph import (
    batch_similarities,
    block_terms,
    check_batch_neighbors,
    of_both_views,
    same_sample,
)
from genurl_graph.objectives.views import random_view
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import one_process

# Columns of what the projector makes, where pairs are compared.
PROJECTED = 128


class ImageObjective(Objective):
    """Loss of a batch of images, of which an encoder and a projector see two views each.

    Parameters
    ----------
    encoder : RowEncoder
        Reads rows of pixels.
    features : Features
        All images as rows of pixels [n, h w c], channels last.
    shape : (height, width, channels)
    config : Config
        Resolved.

    Raises
    ------
    InputError
        Fewer images than a batch holds, or an option out of range.
    """

    def __init__(self, encoder: RowEncoder, features: Features, shape: Shape, config: Config) -> None:
        one_process("the task images")
        n, size, near = features.num_nodes, config.sampling.batch_size, config.neighbors
        if size > n:
            expected = f"2 to {n} (set sampling.batch_size={n}, or give more images)"
            raise wrong("sampling.batch_size", f"{size} for {n} images", expected)
        super().__init__(encoder, features, None, n)
        self._divide(size)
        self.config, self.loss, self.shape, self.weight = config, config.loss, shape, config.merge.feature_weight
        width = self.loss.projector
        self.projector = projector(encoder.width, width, PROJECTED) if width else nn.Identity()
        self.slow: EMAEncoder | None = None
        self.slow_projector: EMAEncoder | None = None
        self.queue: MemoryBank | None = None
        if self.loss.name == "barlow":
            if near.queue:
                raise wrong("neighbors.queue", near.queue, "0 with barlow, which has no Q")
            return
        get_loss(self.loss.name)
        if self.weight > 0:
            check_batch_neighbors(near, size)
        if near.queue or (self.weight > 0 and near.source != "features"):
            self.slow = EMAEncoder(encoder, config.encoder.momentum)
        if near.queue:
            self.queue = MemoryBank(near.queue, (encoder.width, PROJECTED if width else encoder.width), size, n)
            self.slow_projector = EMAEncoder(self.projector, config.encoder.momentum)

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew without replacement."""
        assert self.features is not None
        rows = self._batch()
        batch = self.features.rows(rows)
        images = as_images(batch.x, self.shape)
        views = torch.cat([random_view(images, self.config.images) for _ in range(2)])
        z = network(self.projector, network(self.encoder, Features(as_rows(views)[0])))
        if self.loss.name == "barlow":
            first, second = z.chunk(2)
            return barlow_terms(first, second, self.loss.offdiagonal)
        slow = self.ema_features(batch)
        if self.queue is None or slow is None:
            return block_terms(z, *self.graph(batch, slow, progress), self.loss)
        self.queue.forget(rows)
        held = self.queue.held()
        terms = block_terms(z, *self.graph(batch, slow, progress, held), self.loss, held.keys)
        self.queue.push(Held(rows, slow, self.ema_keys(slow)))
        return terms

    @torch.no_grad()
    def ema_features(self, batch: Features) -> Tensor | None:
        """Output of the EMA encoder, which takes a step first, for the images of a batch; None if there is none."""
        if self.slow is None:
            return None
        self.slow.follow(self.encoder)
        return network(self.slow.network, batch)

    @torch.no_grad()
    def ema_keys(self, slow: Tensor) -> Tensor:
        """Output of the EMA projector, which takes a step first, for that of the EMA encoder."""
        assert self.slow_projector is not None
        self.slow_projector.follow(self.projector)
        return network(self.slow_projector.network, slow)

    @torch.no_grad()
    def graph(
        self, batch: Features, slow: Tensor | None = None, progress: float = 0.0, held: Held | None = None
    ) -> tuple[Tensor, Tensor]:
        """P of the views of a batch.

        Parameters
        ----------
        batch : Features
            B images.
        slow : Tensor [B, w], optional
            Output of the EMA encoder for them.
        progress : float
        held : Held, optional
            Content of the memory bank.

        Returns
        -------
        edge_index : Tensor, int64, shape [2, E]
            Among 2 B nodes, the first views of all images before the second. The nodes after these are the memory
            bank's: edges lead to them, and none begins there.
        p : Tensor, float32, shape [E]
        """
        size, device = batch.num_nodes, batch.x.device
        same = same_sample(size, device)
        p = batch.x.new_ones(2 * size)
        if self.weight == 0:
            return same, p
        edges, near = self.neighbors(batch, slow, progress, held)
        # An edge among images is one of both views of each end; the memory bank has one node for an image.
        queued = edges[1] >= size
        within, beyond = edges[:, ~queued], edges[:, queued]
        among, weights = of_both_views(within, near[~queued], size)
        # Nodes of the memory bank come after both views.
        outward = torch.cat([beyond + torch.tensor([[0], [size]], device=device), beyond + size], 1)
        weights = torch.cat([weights, near[queued].repeat(2)])
        return torch.cat([same, among, outward], 1), torch.cat([p, self.weight * weights])

    def neighbors(
        self, batch: Features, slow: Tensor | None = None, progress: float = 0.0, held: Held | None = None
    ) -> tuple[Tensor, Tensor]:
        """kNN edges [2, E] from the images of a batch to each other and to those of the memory bank, and their p [E].

        Neighbours and p are those of the graph of all these images, without the rows of the memory bank.
        """
        assert self.features is not None
        share = {"features": 0.0, "encoder": 1.0, "both": progress}[self.config.neighbors.source]
        parts = []
        if share < 1:
            pixels = batch.x if held is None else torch.cat([batch.x, self.features.rows(held.rows).x])
            parts.append((1 - share, pixels))
        if share > 0 and slow is not None:
            parts.append((share, slow if held is None else torch.cat([slow, held.features])))
        p = batch.x.new_zeros(batch.num_nodes, len(parts[0][1]))
        for weight, vectors in parts:
            edges, near = batch_similarities(vectors, self.config.neighbors, self.config.similarity)
            of_batch = edges[0] < batch.num_nodes
            edges, near = edges[:, of_batch], near[of_batch]
            p[edges[0], edges[1]] += weight * near
        edges = p.nonzero().T
        return edges, p[edges[0], edges[1]]
