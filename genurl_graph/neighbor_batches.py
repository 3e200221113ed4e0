"""GNNs on mini-batches of nodes, each with a sampled neighbourhood: a step costs the same whatever the graph's size."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from genurl_graph.batches import BatchObjective
from genurl_graph.distributed import one_process
from genurl_graph.encoders import GNN, NORMALIZATION
from genurl_graph.exceptions import InputError
from genurl_graph.neighborhoods import Neighborhoods, read_fanout
from genurl_graph.objective import PairwiseObjective
from genurl_graph.precision import network


class NeighborBatches(BatchObjective):
    """The losses of `BatchObjective` for encoders that propagate over the graph: gcn, sage, gat and gin.

    The nodes of a batch are embedded from sampled neighbourhoods (`genurl_graph.neighborhoods`), drawn anew at every
    step. With ``self_weight`` the two ends of a pair are seen in two views, each with neighbourhoods of its own: what
    dropped edges do for steps over all nodes. After the training `embed` reads all neighbours of every node.

    Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="batch"``.

    Raises
    ------
    InputError
        As `BatchObjective`, and without a graph, for an unreadable ``fanout``, or in several processes.
    """

    def _prepare(self) -> None:
        one_process("GNNs in mini-batches")
        super()._prepare()
        encoder = cast(GNN, self.encoder)
        if self.propagation is None:
            raise InputError(f"encoder {encoder.conv!r} needs a graph; the input has no edges")
        fanout = read_fanout(self.sampling.fanout, len(encoder.convs))
        self.neighborhoods = Neighborhoods(self.propagation, NORMALIZATION[encoder.conv], fanout)

    def _check_encoder(self) -> None:
        if self.features is None or not isinstance(self.encoder, GNN):
            raise InputError("sampling.negatives: batches of neighbourhoods need a GNN (gcn, sage, gat or gin)")

    def move(self, device: torch.device) -> NeighborBatches:
        """Parameters and constants on `device`."""
        super().move(device)
        self.neighborhoods = self.neighborhoods.to(device)
        return self

    def embed(self) -> Tensor:
        """Embedding [n, d] of the whole input, without views, dropout or sampling."""
        return PairwiseObjective.embed(self)

    def _embedded(self, nodes: Tensor) -> Tensor:
        assert self.features is not None
        seeds, place = torch.unique(nodes, return_inverse=True)
        read, layers = self.neighborhoods.draw(seeds)
        keep = self.features.mask(self.views.drop_features, nodes.device)
        return network(self.encoder, self.features.rows(read), layers, keep)[place]
