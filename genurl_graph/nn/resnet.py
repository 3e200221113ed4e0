"""A small residual network (arXiv 1512.03385) for images of some 30 pixels a side."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.inputs.images import Shape
from genurl_graph.nn.cnn import check_image, halved, in_parts
from genurl_graph.nn.features import Features
from genurl_graph.nn.mlp import RowEncoder


class ResNet(RowEncoder):
    """A convolution, three residual blocks of two convolutions each, mean over the image, a linear map.

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
        super().__init__(dim)
        check_image("resnet", shape, hidden)
        self.shape = shape
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

    def forward(self, features: Features, graph: Any = None, keep: Tensor | None = None) -> Tensor:
        """Embedding [n, d] of rows of pixels [n, h w c]."""
        return in_parts(self.layers, features, self.shape, keep, self.training)


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
