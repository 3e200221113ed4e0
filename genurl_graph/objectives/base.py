"""What objectives share: the interface that the loop calls, batches, kernel and divergence, sums over processes."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from genurl_graph.config.parameters import LossConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.affinity import log_kernel
from genurl_graph.graph.propagation import Propagation
from genurl_graph.losses.pairwise import get_loss
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.layers import evaluating, measured_norms
from genurl_graph.nn.mlp import RowEncoder
from genurl_graph.nn.table import EmbeddingTable, PositionTable
from genurl_graph.runtime.processes import world_size
from genurl_graph.runtime.random import randperm

Encoder = GNN | RowEncoder | EmbeddingTable | PositionTable

# Steps of an epoch at least: few samples make few batches.
LEAST_STEPS = 20

# Rows that an encoder reads at a time outside the training: its layers then take some 100 MB.
EMBEDDED_ROWS = 1 << 16


class Objective(nn.Module):
    """One step of the training: called with the progress in [0, 1), it returns the loss. Subclasses add `forward`.

    Constants are buffers (`genurl_graph.runtime.devices.constant`), so that ``objective.to(device)`` moves them as well
    and checkpoints hold what is trained alone.

    Parameters
    ----------
    encoder : nn.Module
        As in `genurl_graph.nn.build`; called as ``encoder(features, operator, keep)``.
    features : Features or None
        What the encoder reads; None for an embedding table.
    propagation : Propagation or None
        What a GNN propagates over.
    num_nodes : int

    Attributes
    ----------
    steps : int
        Calls that make an epoch.
    """

    steps = 1
    size: int

    def __init__(
        self, encoder: nn.Module, features: Features | None, propagation: Propagation | None, num_nodes: int
    ) -> None:
        super().__init__()
        self.encoder = cast(Encoder, encoder)
        self.features, self.propagation, self.num_nodes = features, propagation, num_nodes

    @property
    def device(self) -> torch.device:
        """Where batches are drawn and losses computed."""
        return next(self.parameters()).device

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step; `progress` is the share of the epochs that is over."""
        raise NotImplementedError

    def embed(self) -> Tensor:
        """Embedding [n, d] of the whole input, without views or dropout."""
        if isinstance(self.encoder, RowEncoder):
            assert self.features is not None
            return embed_rows(self.encoder, self.features, self.device)
        if isinstance(self.encoder, GNN):
            # Running means are of views, and of few steps of them: the columns of the embedding get deviation 1.
            with measured_norms(self.encoder):
                self.encoder(self.features, self.encoder.operator(self.propagation))
        z = embed_all(self.encoder, self.features, self.propagation)
        positions = self.encoder.structure if isinstance(self.encoder, GNN) else None
        return z if positions is None else torch.cat([z, positions.table], 1)

    def _divide(self, batch_size: int) -> None:
        """Set the size of a batch, and the steps of an epoch: all nodes once, but at least `LEAST_STEPS` batches."""
        # Every process has an equal share.
        self.size = min(batch_size, self.num_nodes) // world_size() * world_size()
        if self.size < 2 * world_size():
            raise wrong("sampling.batch_size", f"{batch_size} for {self.num_nodes} samples", "2 for each process")
        self.steps = max(math.ceil(self.num_nodes / self.size), LEAST_STEPS)

    def _batch(self) -> Tensor:
        """Numbers of the nodes of a batch, int64 [B], drawn anew without replacement."""
        return randperm(self.num_nodes, self.device)[: self.size]


def embed_all(encoder: Encoder, features: Features | None, propagation: Propagation | None) -> Tensor:
    """Embedding [n, d] by an encoder that reads the whole input at once, in evaluation mode."""
    with evaluating(encoder):
        z: Tensor = encoder(features, encoder.operator(propagation))
        if isinstance(encoder, GNN) and encoder.components is not None:
            assert features is not None
            z = torch.cat([z, encoder.components(features, propagation)], 1)
    # An embedding table returns its own parameter: what leaves here is a copy.
    return z.detach().clone()


def embed_rows(encoder: nn.Module, features: Features, device: torch.device) -> Tensor:
    """Embedding [n, d] by an encoder that reads each row alone, `EMBEDDED_ROWS` at a time; on `device`."""
    parts = torch.arange(features.num_nodes, device=device).chunk(-(-features.num_nodes // EMBEDDED_ROWS))
    with evaluating(encoder):
        first = _rows_embedded(encoder, features.rows(parts[0]))
        # Filled part by part: `torch.cat` would hold everything twice.
        z = first.new_empty(features.num_nodes, first.size(1))
        z[parts[0]] = first
        for part in parts[1:]:
            z[part] = _rows_embedded(encoder, features.rows(part))
    return z


def _rows_embedded(encoder: nn.Module, features: Features) -> Tensor:
    z: Tensor = encoder(features, None)
    skip = encoder.components if isinstance(encoder, RowEncoder) else None
    return z if skip is None else torch.cat([z, skip(features, None)], 1)


def log_q(distance: Tensor, loss: LossConfig) -> Tensor:
    """``log kappa`` of distances, as the loss wants the kernel."""
    return log_kernel(distance / loss.temperature, loss.nu)


def divergence(
    loss: LossConfig, log_q_pos: Tensor, p: Tensor, log_q_neg: Tensor, row: Tensor, num_rows: int, **pairs: Any
) -> LossTerms:
    """The loss that `loss` names, of edges with first nodes `row` [E] and of sampled pairs, as `pairs` weighs them."""
    return get_loss(loss.name)(
        log_q_pos,
        p,
        log_q_neg,
        row_pos=row,
        num_rows=num_rows,
        gamma=loss.gamma,
        scale=loss.scale,
        per=loss.per,
        **pairs,
    )


def divided(terms: LossTerms, by: float) -> LossTerms:
    """Each of the terms, divided by a number."""
    return LossTerms(*(term / by for term in terms))


def summed(first: LossTerms, second: LossTerms) -> LossTerms:
    """The sum of two losses, term by term."""
    return LossTerms(*map(torch.add, first, second))


def added_up(terms: LossTerms) -> LossTerms:
    """Shares of a loss as its total, whose gradient, averaged over the processes as DDP does, is the total's."""
    processes = world_size()
    if processes == 1:
        return terms
    own = torch.stack(list(terms))
    total = own.detach().clone()
    dist.all_reduce(total)
    return LossTerms(*(total + processes * (own - own.detach())))
