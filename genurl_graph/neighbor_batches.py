"""GNNs on mini-batches of nodes, each with a sampled neighbourhood: a step costs the same whatever the graph's size."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from genurl_graph.batches import BatchObjective
from genurl_graph.distributed import one_process
from genurl_graph.encoders import GNN, NORMALIZATION
from genurl_graph.exceptions import InputError
from genurl_graph.losses import LossTerms
from genurl_graph.neighborhoods import Neighborhoods, read_fanout, require_sampler
from genurl_graph.objective import PairwiseObjective
from genurl_graph.precision import network


class NeighborBatches(BatchObjective):
    """The losses of `BatchObjective` for encoders that propagate over the graph: gcn, sage, gat and gin.

    The nodes of a batch are embedded from sampled neighbourhoods (`genurl_graph.neighborhoods`), drawn anew at every
    step. With ``self_weight`` the two ends of a pair are seen in two views, each with neighbourhoods of its own: what
    dropped edges do for steps over all nodes. After the training `embed` reads all neighbours of every node.

    Neighbours are drawn from torch's generator of the CPU.

    Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="batch"``.

    Raises
    ------
    InputError
        As `BatchObjective`, and without a graph, without PyG's sampler, for an unreadable ``fanout``, or in several
        processes.
    """

    def _prepare(self) -> None:
        one_process("GNNs in mini-batches")
        super()._prepare()
        encoder = cast(GNN, self.encoder)
        require_sampler(encoder.conv)
        if self.propagation is None:
            raise InputError(f"encoder {encoder.conv!r} needs a graph; the input has no edges")
        fanout = read_fanout(self.sampling.fanout, len(encoder.convs))
        self.neighborhoods = Neighborhoods(self.propagation, NORMALIZATION[encoder.conv], fanout)
        self.taken = 0

    def _check_encoder(self) -> None:
        if self.features is None or not isinstance(self.encoder, GNN):
            raise InputError("sampling.negatives: batches of neighbourhoods need a GNN (gcn, sage, gat or gin)")

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew; it does not depend on `progress`."""
        # Once an epoch: it reads all edges, which a step must not. A resumed run is at the beginning of an epoch, too.
        if self.taken % self.steps == 0:
            self.neighborhoods.turn()
        self.taken += 1
        return super().forward(progress)

    def embed(self) -> Tensor:
        """Embedding [n, d] of the whole input, without views, dropout or sampling."""
        return PairwiseObjective.embed(self)

    def _embedded(self, nodes: Tensor) -> Tensor:
        assert self.features is not None
        seeds, place = torch.unique(nodes, return_inverse=True)
        read, layers = self.neighborhoods.draw(seeds.cpu(), nodes.device)
        keep = self.features.mask(self.views.drop_features, nodes.device)
        return network(self.encoder, self.features.rows(read), layers, keep)[place]
