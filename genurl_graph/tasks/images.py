"""Self-supervised images: "same image" edges and the neighbours of each batch, a CNN, a projector."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.encoders import IMAGES, Features, make_encoder
from genurl_graph.exceptions import InputError
from genurl_graph.graph import MergedGraph
from genurl_graph.image_batches import ImageBatches
from genurl_graph.images import image_shape, named_shape
from genurl_graph.inputs import Input
from genurl_graph.layers import RowEncoder
from genurl_graph.tasks import Problem


def definite(data: Input, config: Config) -> dict[str, Any]:
    """What "auto" means for images: dotted keys of a configuration.

    Raises
    ------
    InputError
        No images, or an encoder that reads none.
    """
    if data.types is not None or data.distances is not None or data.x is None:
        raise InputError("task images: found no pixels; expected images [n, c, h, w], or rows of pixels")
    if data.edge_index is not None:
        raise InputError("task images: found edges, which it does not read; expected images alone (or use task graph)")
    if config.encoder.name not in (*IMAGES, "module"):
        raise InputError(
            f"task images: encoder {config.encoder.name!r} reads no images; expected {', '.join(IMAGES)} or a module"
        )
    how = "none" if config.encoder.normalize == "auto" else config.encoder.normalize
    return {"encoder.image": named_shape(config.encoder.image, data.image, data.num_features), "encoder.normalize": how}


def build(data: Input, x: Tensor | None, config: Config, module: nn.Module | None = None) -> Problem:
    """Problem of self-supervised images.

    Parameters
    ----------
    data : Input
    x : Tensor
        Rows of pixels.
    config : Config
    module : nn.Module, optional
        The encoder, where it is the user's own.

    Raises
    ------
    InputError
        Unsuitable configuration.
    """
    assert x is not None
    # Convolutions read dense rows, however dark the images are.
    features = Features(x.to_dense() if x.layout == torch.sparse_csr else x)
    encoder = cast(RowEncoder, make_encoder(config, features.num_features, module=module))
    shape = image_shape(config.encoder.image, features.num_features)
    # P is made anew for every batch: there is no graph of all images.
    return Problem(ImageBatches(encoder, features, shape, config), MergedGraph.empty(), None)
