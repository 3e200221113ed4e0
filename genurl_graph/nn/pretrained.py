"""Features from a trained network, of images or of rows, for the graph and for P."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.exceptions import InputError, unknown, wrong
from genurl_graph.inputs.input import as_input
from genurl_graph.nn.cnn import in_parts, output_width
from genurl_graph.nn.features import Features
from genurl_graph.nn.layers import evaluating
from genurl_graph.runtime.progress import new_bar


def features_of(module: nn.Module, X: Any, *, batch_size: int = 64, progress: bool = False) -> Tensor:
    """Output of a network for images, in batches, in evaluation mode and without gradients.

    Parameters
    ----------
    module : nn.Module
        Maps images [B, c, h, w], or rows [B, f], to features [B, d]. It computes where its parameters are, and is left
        in the mode that it was in.
    X : array or Tensor [n, c, h, w], torch Dataset of images, Data with ``image_shape``, or rows [n, f]
        As in `GenURL.fit`.
    batch_size : int
    progress : bool
        Show a progress bar on stderr (only on a terminal).

    Returns
    -------
    Tensor, float32, shape [n, d], on the CPU

    Raises
    ------
    InputError
        No images, or images that the network cannot read.

    Examples
    --------
    >>> vectors = features_of(network, images)
    >>> z = GenURL(n_components=2).fit_transform(vectors)
    """
    if batch_size < 1:
        raise wrong("batch_size", batch_size, "at least 1")
    data = as_input(X, at_least=1)
    if data.x is None:
        raise wrong("features_of", "edges alone", "images, or rows of features")
    x = data.x.to_dense() if data.x.layout == torch.sparse_csr else data.x
    output_width(module, data.num_features, data.image)
    kind = next(module.parameters(), x)
    batches = new_bar(progress, iterable=torch.split(x, batch_size), desc="features", unit="batch")
    with evaluating(module):
        parts = (in_parts(module, Features(rows.to(kind.device)), data.image, whole=True) for rows in batches)
        return torch.cat([part.float().cpu() for part in parts])


class Standardised(nn.Module):
    """A network behind the subtraction of a mean and the division by a deviation, one for each channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.view(-1, 1, 1))
        self.register_buffer("std", std.view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Features [B, d] of images [B, c, h, w] in [0, 1]."""
        found: Tensor = self.network((images - self.mean) / self.std)
        return found


def timm_backbone(name: str, channels: int) -> nn.Module:
    """A trained network of timm's without its classifier, behind the standardisation that it was trained with.

    Parameters
    ----------
    name : str
        As of ``timm.create_model``; timm fetches the weights where it has not got them yet.
    channels : int
        Of the images. timm adapts the first layer to other numbers than three.

    Raises
    ------
    InputError
        timm is not installed, has no such network, or cannot get its weights.
    """
    try:
        import timm
    except ImportError as error:
        raise InputError(f"backbone {name!r}: needs timm: pip install 'genurl-graph[images]' ({error})") from error
    known = timm.list_models(pretrained=True)
    if name not in known and name.partition(".")[0] not in {each.partition(".")[0] for each in known}:
        raise unknown("backbone", name, known)
    try:
        network = timm.create_model(name, pretrained=True, num_classes=0, in_chans=channels)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"backbone {name!r}: timm cannot load it ({error})") from error
    mean, std = (torch.tensor(network.pretrained_cfg[key], dtype=torch.float32) for key in ("mean", "std"))
    if channels != len(mean):
        mean, std = (part.mean().repeat(channels) for part in (mean, std))
    return Standardised(network, mean, std)
