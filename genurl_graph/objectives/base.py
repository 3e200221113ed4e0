"""What objectives share."""

from __future__ import annotations

import math

import torch
import torch.distributed as dist
from torch import Tensor

from genurl_graph.config.parameters import LossConfig
from genurl_graph.exceptions import InputError
from genurl_graph.graph.propagation import Propagation
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.mlp import RowEncoder
from genurl_graph.nn.table import EmbeddingTable
from genurl_graph.runtime.processes import world_size


def added_up(terms: LossTerms) -> LossTerms:
    """Shares of a loss as its total, whose gradient, averaged over the processes as DDP does, is the total's."""
    processes = world_size()
    if processes == 1:
        return terms
    own = torch.stack(list(terms))
    total = own.detach().clone()
    dist.all_reduce(total)
    return LossTerms(*(total + processes * (own - own.detach())))


Encoder = GNN | RowEncoder | EmbeddingTable

METRICS = ("euclidean", "cosine")


@torch.no_grad()
def embed_all(encoder: Encoder, features: Features | None, propagation: Propagation | None) -> Tensor:
    """What `encoder` makes of the whole input, in evaluation mode."""
    training = encoder.training
    encoder.eval()
    z: Tensor = encoder(features, encoder.operator(propagation))
    encoder.train(training)
    # A free table returns its own parameter: what leaves here is a copy.
    return z.detach().clone()


def check_kernel(loss: LossConfig) -> None:
    """InputError for a metric or a kernel of the embedding that cannot be."""
    if loss.metric not in METRICS:
        raise InputError(f"loss.metric: unknown {loss.metric!r}; expected euclidean or cosine")
    for name in ("temperature", "column_temperature", "exaggeration", "nu"):
        if not 0 < getattr(loss, name) < math.inf:
            raise InputError(f"loss.{name}: found {getattr(loss, name)}; expected a finite number > 0")
