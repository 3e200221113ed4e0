"""The encoder that a configuration describes."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.images import image_shape
from genurl_graph.nn.cnn import CNN, ModuleEncoder
from genurl_graph.nn.gnn import GNN, GNNS
from genurl_graph.nn.mlp import MLP
from genurl_graph.nn.prototypes import PrototypeMLP
from genurl_graph.nn.resnet import ResNet
from genurl_graph.nn.table import EmbeddingTable

DENSE = ("mlp", "linear", "factorized-linear")
ENCODERS = (*GNNS, "sign", *DENSE, "free")
# Encoders of rows that are images.
IMAGES = ("cnn", "resnet")


def make_encoder(
    config: Config, in_dim: int, start: Tensor | None = None, module: nn.Module | None = None
) -> nn.Module:
    """The encoder (one of `ENCODERS` or `IMAGES`) that a configuration describes.

    Parameters
    ----------
    config : Config
    in_dim : int
        Columns of the features; "sign" reads ``encoder.hops`` averages of them beside
        (`genurl_graph.graph.propagation`).
    start : Tensor, float32, shape [n, d], optional
        Initial table of "free".
    module : nn.Module, optional
        The user's own, for ``encoder.name = module``.

    Raises
    ------
    InputError
        Unknown name, or sizes that are not positive.
    """
    c = config.encoder
    if module is not None:
        return ModuleEncoder(module, in_dim, None if c.image == "rows" else image_shape(c.image, in_dim))
    for key in ("dim", "hidden", "layers"):
        if getattr(c, key) < 1:
            raise InputError(f"encoder.{key}: found {getattr(c, key)}; expected at least 1")
    if not 0 <= c.dropout < 1:
        raise InputError(f"encoder.dropout: found {c.dropout}; expected a share in [0, 1)")
    if c.name in GNNS:
        return GNN(c, in_dim)
    if c.name == "sign":
        return MLP(c, in_dim * (c.hops + 1))
    if c.name == "mlp" and c.anchors:
        return PrototypeMLP(c, in_dim)
    if c.name == "mlp":
        return MLP(c, in_dim, skip=begins_as_pca(config))
    if c.name == "linear":
        return MLP(replace(c, layers=1, dropout=0.0, norm="none"), in_dim, skip=begins_as_pca(config))
    if c.name == "factorized-linear":
        return MLP(replace(c, norm="hidden"), in_dim, linear=True, skip=begins_as_pca(config))
    if c.name == "cnn":
        return CNN(image_shape(c.image, in_dim), c.dim, hidden=c.hidden)
    if c.name == "resnet":
        return ResNet(image_shape(c.image, in_dim), c.dim, hidden=c.hidden)
    if c.name == "free":
        if start is None:
            raise InputError('encoder "free": needs initial coordinates')
        return EmbeddingTable(start)
    raise InputError(f"encoder: unknown {c.name!r}; expected one of {', '.join((*ENCODERS, *IMAGES))}")


def begins_as_pca(config: Config) -> bool:
    """Whether an MLP or a linear map, which reads principal components, starts as the first of these."""
    return config.task == "reduce" and config.encoder.normalize == "pca" and config.encoder.init == "pca"
