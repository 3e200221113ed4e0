"""The encoder that a configuration describes."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.config.choices import DenseName, words
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.images import image_shape
from genurl_graph.nn.cnn import CNN, ModuleEncoder, ResNet
from genurl_graph.nn.gnn import GNN, GNNS
from genurl_graph.nn.mlp import MLP
from genurl_graph.nn.prototypes import PrototypeMLP
from genurl_graph.nn.skip import Skip
from genurl_graph.nn.table import EmbeddingTable, PositionTable
from genurl_graph.runtime.random import global_draws

DENSE = words(DenseName)
ENCODERS = (*GNNS, "sign", *DENSE, "free")
# Encoders of rows that are images.
IMAGES = {"cnn": CNN, "resnet": ResNet}


@global_draws()
def make_encoder(
    config: Config,
    in_dim: int,
    start: Tensor | None = None,
    module: nn.Module | None = None,
    columns: int | None = None,
    num_nodes: int | None = None,
    edge_columns: int = 1,
) -> nn.Module:
    """The encoder (one of `ENCODERS` or `IMAGES`) that a configuration describes.

    Parameters
    ----------
    config : Config
    in_dim : int
        Columns of the features; "sign" reads ``encoder.hops`` averages of them beside
        (`genurl_graph.graph.propagation`).
    start : Tensor, float32, shape [n, d], optional
        Initial embedding table of "free".
    module : nn.Module, optional
        The user's own, for ``encoder.name = module``.
    columns : int, optional
        The first of the columns, which ``encoder.skip`` takes components of; by default all.
    num_nodes : int, optional
        Of the graph whose positions are ``encoder.structure_columns``.
    edge_columns : int
        Columns of the edges that "gine" and "gatv2" read, their weight included.

    Raises
    ------
    InputError
        Unknown name, or "free" without initial coordinates.
    """
    c = config.encoder
    if module is not None:
        return ModuleEncoder(module, in_dim, None if c.image == "rows" else image_shape(c.image, in_dim))
    if c.name in (*GNNS, "sign"):
        trained = replace(c, dim=trained_columns(config))
        encoder = MLP(trained, in_dim * (c.hops + 1)) if c.name == "sign" else GNN(trained, in_dim, edge_columns)
        if c.skip:
            read, unit = in_dim if columns is None else columns, c.normalize in ("rows", "unit")
            encoder.components = Skip(read, int(c.skip), skip_blocks(config) - 1, c.skip_deviation, unit)
        if isinstance(encoder, GNN) and c.structure_columns and num_nodes is not None:
            encoder.structure = PositionTable(num_nodes, int(c.structure_columns), c.structure_deviation)
        return encoder
    if c.name == "mlp" and c.anchors:
        return PrototypeMLP(c, in_dim)
    if c.name in DENSE:
        if c.name == "linear":
            c = replace(c, layers=1, dropout=0.0, norm="none")
        factorized = c.name == "factorized-linear"
        c = replace(c, norm="hidden") if factorized else c
        return MLP(c, in_dim, linear=factorized, skip=begins_as_pca(config))
    if c.name in IMAGES:
        return IMAGES[c.name](image_shape(c.image, in_dim), c.dim, hidden=c.hidden)
    if c.name == "free":
        if start is None:
            raise wrong("encoder free", "no initial coordinates", "some")
        return EmbeddingTable(start)
    raise unknown("encoder", c.name, (*ENCODERS, *IMAGES))


def trained_columns(config: Config) -> int:
    """Columns of the embedding that the main network trains: those that the other parts leave."""
    c = config.encoder
    return c.dim - int(c.skip) * skip_blocks(config) - int(c.structure_columns)


def skip_blocks(config: Config) -> int:
    """Blocks of `genurl_graph.nn.skip.Skip`: the features, and their average over each number of steps.

    Features that stand apart are not averaged: the edges do not confirm them.
    """
    c = config.encoder
    if c.beside == "apart":
        return 1
    return 1 + (c.hops if c.name == "sign" else c.layers)


def begins_as_pca(config: Config) -> bool:
    """Whether an MLP or a linear map, which reads principal components, starts as the first of these."""
    return config.task == "reduce" and config.encoder.normalize == "pca" and config.encoder.init == "pca"
