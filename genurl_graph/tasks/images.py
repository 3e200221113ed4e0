"""Self-supervised images: "same image" edges and the neighbours of each batch, a CNN, a projector."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.inputs.images import image_shape
from genurl_graph.inputs.input import Input
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.nn.mlp import RowEncoder
from genurl_graph.objectives.images import ImageObjective
from genurl_graph.tasks import TrainingProblem


def build(data: Input, x: Tensor | None, config: Config, module: nn.Module | None = None) -> TrainingProblem:
    """Problem of self-supervised images; `x` are rows of pixels, `module` is the encoder if it is the user's own."""
    assert x is not None
    # Convolutions read dense rows, however dark the images are.
    features = Features(x.to_dense() if x.layout == torch.sparse_csr else x)
    encoder = cast(RowEncoder, make_encoder(config, features.num_features, module=module))
    shape = image_shape(config.encoder.image, features.num_features)
    # P is made anew for every batch: there is no graph of all images.
    return TrainingProblem(ImageObjective(encoder, features, shape, config), MergedGraph.empty(), None)
