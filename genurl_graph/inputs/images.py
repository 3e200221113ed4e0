"""Images as rows: pixels row by row, channels last, as the data sets read them, and as images for convolutions."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong

Shape = tuple[int, int, int]


def as_rows(X: Any) -> tuple[Any, Shape | None]:
    """Images [n, c, h, w] as rows [n, h w c], with (h, w, c); anything else as it is, with None."""
    shape = getattr(X, "shape", None)
    if shape is None or len(shape) != 4:
        return X, None
    n, c, h, w = shape
    last = X.permute(0, 2, 3, 1) if isinstance(X, Tensor) else X.transpose(0, 2, 3, 1)
    return last.reshape(n, h * w * c), (h, w, c)


def stacked(dataset: Any) -> Tensor:
    """The images of a torch ``Dataset`` in one Tensor.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        With a length; its items are images, or begin with one: Tensors or arrays [c, h, w], or PIL images, whose bytes
        become numbers in [0, 1]. Labels and whatever else an item holds are left alone.

    Returns
    -------
    Tensor, float32, shape [n, c, h, w]

    Raises
    ------
    InputError
        No length, no images, or images of different sizes or numbers of channels; the first such item is named.
    """
    name = type(dataset).__name__
    if not hasattr(dataset, "__len__"):
        raise wrong(name, "a dataset without a length", "one with a length, whose items have numbers")
    images: list[Tensor] = []
    for number in range(len(dataset)):
        item = dataset[number]
        image = _as_tensor(item[0] if isinstance(item, tuple | list) else item)
        if image is None or image.dim() != 3:
            raise wrong(f"{name}: item {number}", "no image", "a Tensor [c, h, w] or a PIL image")
        if images and image.shape != images[0].shape:
            found, first = ("x".join(map(str, i.shape)) for i in (image, images[0]))
            raise wrong(f"{name}: item {number}", f"an image {found}", f"{first} as the first one (one size and mode)")
        images.append(image)
    if not images:
        raise wrong(name, "no images", "at least one")
    return torch.stack(images)


def _as_tensor(image: Any) -> Tensor | None:
    if isinstance(image, Tensor):
        return image.detach().float()
    if not isinstance(image, np.ndarray):
        if not hasattr(image, "getbands"):
            return None
        pixels = np.asarray(image)
        image = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    found = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
    return found / 255 if image.dtype == np.uint8 else found


def as_images(rows: Tensor, shape: Shape) -> Tensor:
    """Rows [n, h w c] as images [n, c, h, w]."""
    return rows.view(len(rows), *shape).permute(0, 3, 1, 2)


def image_shape(name: str, columns: int) -> Shape:
    """Height, width and channels of rows of `columns` pixels.

    Parameters
    ----------
    name : str
        "28x28x1", or "auto": square images, of one channel if the number of columns is a square, else of three.
    columns : int

    Raises
    ------
    InputError
        Not such a name, another number of pixels, or nothing that "auto" recognises.
    """
    if name == "auto":
        for channels in (1, 3):
            side = math.isqrt(columns // channels)
            if side * side * channels == columns:
                return side, side, channels
        raise wrong("encoder.image", f"{columns} columns, which are no square images", "HEIGHTxWIDTHxCHANNELS")
    if not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}x[1-9]\d{0,4}", name):
        raise wrong("encoder.image", repr(name), "auto or HEIGHTxWIDTHxCHANNELS, such as 28x28x1")
    height, width, channels = (int(part) for part in name.split("x"))
    if height * width * channels != columns:
        raise wrong("encoder.image", f"{columns} columns", f"{height * width * channels}, the pixels of {name}")
    return height, width, channels


def named_shape(name: str, known: Shape | None, columns: int) -> str:
    """`image_shape` by name, "28x28x1"; "auto" takes the shape that is `known`, if any."""
    return "x".join(map(str, known if known is not None and name == "auto" else image_shape(name, columns)))
