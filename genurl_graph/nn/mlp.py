"""Encoders that read each row alone: the multilayer perceptron."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.graph.propagation import Propagation
from genurl_graph.nn.features import Features, InputLayer
from genurl_graph.nn.layers import SILENT, PReLU, dropout, normalisation
from genurl_graph.nn.skip import Skip


class RowEncoder(nn.Module):
    """Encoder that reads each row alone, whatever graph there is, as mini-batches need it
    (`genurl_graph.objectives.mini_batch`).

    Parameters
    ----------
    width : int
        Columns of its output.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.components: Skip | None = None

    def operator(self, propagation: Propagation | None, drop_edges: float = 0.0) -> None:
        """None: it propagates over nothing."""
        return


class MLP(RowEncoder):
    """Multi-layer perceptron; the same call as `genurl_graph.nn.gnn.GNN`, the graph is ignored.

    Parameters
    ----------
    config : EncoderConfig
        Read as by `genurl_graph.nn.gnn.GNN`.
    in_dim : int
        Number of input columns.
    linear : bool
        No activations: a linear map in factors ("factorized linear" of TLDR, arXiv 2110.09455).
    skip : bool
        The encoder starts as the first `dim` input columns, and learns what to change: a single layer by its weights,
        several by a linear map beside them, while they are nearly silent at first.
    """

    def __init__(self, config: EncoderConfig, in_dim: int, *, linear: bool = False, skip: bool = False) -> None:
        super().__init__(config.dim)
        dim, norm = config.dim, config.norm
        self.dropout = config.dropout
        widths = [config.hidden] * (config.layers - 1) + [dim]
        self.input = InputLayer(in_dim, widths[0], bias=True)
        linears = [nn.Linear(a, b) for a, b in pairwise(widths)]
        self.linears = nn.ModuleList(linears)
        self.norms = nn.ModuleList([normalisation(norm, width, output=False) for width in widths[:-1]])
        self.output_norm = normalisation(norm, dim, output=True)
        self.acts = nn.ModuleList([nn.Identity() if linear else PReLU() for _ in widths[:-1]])
        self.skip = InputLayer(in_dim, dim, bias=False) if skip and linears else None
        if skip:
            with torch.no_grad():
                first = self.input if self.skip is None else self.skip
                first.weight.copy_(torch.eye(in_dim, dim))
                if self.skip is not None:
                    linears[-1].weight.mul_(SILENT)

    def forward(self, features: Features, graph: Any = None, keep: Tensor | None = None) -> Tensor:
        """Embedding [n, dim]."""
        h: Tensor = self.input(features, keep)
        for linear, norm, act in zip(self.linears, self.norms, self.acts, strict=True):
            h = linear(dropout(act(norm(h)), self.dropout, self.training))
        if self.skip is not None:
            h = h + self.skip(features, keep)
        z: Tensor = self.output_norm(h)
        return z
