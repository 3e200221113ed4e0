"""Encoders of images, and of other rows: a small CNN, a small ResNet, and any module of the user's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.images import Shape, as_images
from genurl_graph.nn.features import Features
from genurl_graph.nn.layers import evaluating
from genurl_graph.nn.mlp import RowEncoder
from genurl_graph.runtime.random import global_draws

# Rows that are encoded at a time outside training: the maps of all images at once would take gigabytes.
PART = 1024
# Pixels a side that a convolution does not halve any more, and that an image has at least.
LEAST_SIDE = 4


class ImageEncoder(RowEncoder):
    """Encoder of images by `layers`, which subclasses set; parameters are those of `CNN`.

    Raises
    ------
    InputError
        Images that are too small, or channels that cannot be halved twice.
    """

    layers: nn.Module

    def __init__(self, dim: int, shape: Shape, hidden: int) -> None:
        super().__init__(dim)
        name = type(self).__name__.lower()
        if min(shape[:2]) < LEAST_SIDE:
            raise wrong(f"encoder {name}", f"images of {shape[0]} x {shape[1]}", f"{LEAST_SIDE} x {LEAST_SIDE}")
        if hidden % 4:
            raise wrong("encoder.hidden", hidden, f"a multiple of 4 for a {name}")
        self.shape = shape

    def forward(self, features: Features, graph: Any = None, keep: Tensor | None = None) -> Tensor:
        """Embedding [n, dim] of rows of pixels [n, h w c]."""
        return in_parts(self.layers, features, self.shape, keep, self.training)


class CNN(ImageEncoder):
    """Three 3 x 3 convolutions, each with batch normalisation and ReLU, and a linear map of all that they see.

    Convolutions halve the image as long as its shorter side exceeds 4 pixels; what is larger after them is averaged to
    4 x 4. Where something is in the image thus counts, unlike after a mean over all of it.

    Parameters
    ----------
    shape : (height, width, channels)
    dim : int
        Columns of the embedding.
    hidden : int
        Channels of the last convolution, a multiple of 4; the others have a quarter and half of them. 128 make 93,000
        parameters for grey images, and at most 2,049 for each column of the embedding.
    """

    def __init__(self, shape: Shape, dim: int, *, hidden: int = 128) -> None:
        super().__init__(dim, shape, hidden)
        widths = (shape[2], hidden // 4, hidden // 2, hidden)
        layers: list[nn.Module] = []
        size = shape[:2]
        for before, after in pairwise(widths):
            step, size = halved(size)
            layers += [
                nn.Conv2d(before, after, 3, stride=step, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        left = (min(size[0], LEAST_SIDE), min(size[1], LEAST_SIDE))
        # Even where it changes nothing, its backward pass takes a tenth of the time.
        layers += [nn.AdaptiveAvgPool2d(left)] if left != size else []
        layers += [nn.Flatten(), nn.Linear(hidden * left[0] * left[1], dim)]
        self.layers = nn.Sequential(*layers)


class ResNet(ImageEncoder):
    """Small residual network (arXiv 1512.03385).

    A convolution, three residual blocks of two convolutions each, the mean over the image and a linear map.

    The first convolution and the last two blocks halve the image as long as its shorter side exceeds 4 pixels.

    Parameters
    ----------
    shape : (height, width, channels)
    dim : int
        Columns of the embedding.
    hidden : int
        Channels of the last block, a multiple of 4; the others have a quarter and half of them. 112 make 235,000
        parameters for grey images, and 113 for each column of the embedding.
    """

    def __init__(self, shape: Shape, dim: int, *, hidden: int = 112) -> None:
        super().__init__(dim, shape, hidden)
        first, second = hidden // 4, hidden // 2
        stem, size = halved(shape[:2])
        middle, size = halved(size)
        last, _ = halved(size)
        self.layers = nn.Sequential(
            nn.Conv2d(shape[2], first, 3, stride=stem, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            Block(first, first, 1),
            Block(first, second, middle),
            Block(second, hidden, last),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(hidden, dim),
        )


class Block(nn.Module):
    """``relu(x + f(x))``, f two convolutions; x by a convolution of one pixel where its shape changes."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        same = stride == 1 and before == after
        shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))
        self.keep: nn.Module = nn.Identity() if same else shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Maps [n, before, h, w] to [n, after, h / stride, w / stride]."""
        return torch.relu(self.keep(x) + self.change(x))


class ModuleEncoder(RowEncoder):
    """Any module as encoder.

    Parameters
    ----------
    module : nn.Module
        Maps rows [n, f], or images [n, c, h, w], to an embedding [n, d], each alone.
    in_dim : int
        Columns f.
    shape : (height, width, channels) or None
        Of images; None: it reads rows.

    Raises
    ------
    InputError
        It does not give rows of numbers for rows.
    """

    def __init__(self, module: nn.Module, in_dim: int, shape: Shape | None) -> None:
        super().__init__(output_width(module, in_dim, shape))
        self.module, self.shape = module, shape

    def forward(self, features: Features, graph: Any = None, keep: Tensor | None = None) -> Tensor:
        """Embedding [n, d]."""
        with global_draws():  # where dropout of the user's draws from
            return in_parts(self.module, features, self.shape, keep, self.training)


def halved(size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """Stride of the next convolution on maps of that height and width, and what it leaves of them."""
    step = 2 if min(size) > LEAST_SIDE else 1
    return step, (-(-size[0] // step), -(-size[1] // step))


def in_parts(
    module: nn.Module, features: Features, shape: Shape | None, keep: Tensor | None = None, whole: bool = False
) -> Tensor:
    """``module(rows)`` of all rows at once (`whole`) or of `PART` at a time, as images where there is a shape."""
    x = features.x.to_dense() if features.x.layout == torch.sparse_csr else features.x
    x = x if keep is None else x * keep
    parts = [x] if whole else [x[start : start + PART] for start in range(0, len(x), PART)]
    return torch.cat([module(part if shape is None else as_images(part, shape)) for part in parts])


def output_width(module: nn.Module, in_dim: int, shape: Shape | None) -> int:
    """Columns of the output of `module` for rows; InputError if that is no matrix with as many rows."""
    kind = next((p for p in module.parameters()), torch.empty(0))
    rows = Features(torch.zeros(2, in_dim, device=kind.device))
    try:
        with evaluating(module):
            found = in_parts(module, rows, shape)
    except (RuntimeError, ValueError, TypeError) as error:
        what = f"rows [n, {in_dim}]" if shape is None else f"images [n, {shape[2]}, {shape[0]}, {shape[1]}]"
        raise InputError(f"{type(module).__name__}: cannot read {what}: {error}") from error
    if found.dim() != 2 or len(found) != 2:
        raise wrong(type(module).__name__, f"output {list(found.shape)} for 2 rows", "[2, d]")
    return int(found.size(1))
