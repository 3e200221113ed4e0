"""Self-supervised images: "same image" edges and the neighbours of each batch, a CNN, a projector."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.inputs.images import image_shape, named_shape
from genurl_graph.inputs.input import Input
from genurl_graph.nn.build import IMAGES, make_encoder
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
    return TrainingProblem(ImageObjective(encoder, features, shape, config), MergedGraph.empty(data.num_nodes), None)


def resolve_images(data: Input, config: Config) -> dict[str, Any]:
    """Image shape and normalisation of images: dotted keys; InputError if there are none to read."""
    if data.types is not None or data.distances is not None or data.x is None:
        raise wrong("task images", "no pixels", "images [n, c, h, w], or rows of pixels")
    if data.edge_index is not None:
        raise wrong("task images", "edges, which it does not read", "images alone (or use task graph)")
    name, how = config.encoder.name, config.encoder.normalize
    if name not in (*IMAGES, "module"):
        raise wrong("task images: encoder", f"{name!r}, which reads no images", f"{', '.join(IMAGES)} or a module")
    shape = named_shape(config.encoder.image, data.image, data.num_features)
    return {"encoder.image": shape, "encoder.normalize": "none" if how == "auto" else how}
