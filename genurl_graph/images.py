"""Images as rows: pixels row by row, channels last, as the data sets read them, and as images for convolutions."""

from __future__ import annotations

import math
import re
from typing import Any

from torch import Tensor

from genurl_graph.exceptions import InputError

Shape = tuple[int, int, int]


def as_rows(X: Any) -> tuple[Any, Shape | None]:
    """Images [n, c, h, w] as rows [n, h w c], with (h, w, c); anything else as it is, with None."""
    shape = getattr(X, "shape", None)
    if shape is None or len(shape) != 4:
        return X, None
    n, c, h, w = shape
    last = X.permute(0, 2, 3, 1) if isinstance(X, Tensor) else X.transpose(0, 2, 3, 1)
    return last.reshape(n, h * w * c), (h, w, c)


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
        raise InputError(f"encoder.image: {columns} columns are no square images; expected HEIGHTxWIDTHxCHANNELS")
    if not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}x[1-9]\d{0,4}", name):
        raise InputError(f"encoder.image: found {name!r}; expected auto or HEIGHTxWIDTHxCHANNELS, such as 28x28x1")
    height, width, channels = (int(part) for part in name.split("x"))
    if height * width * channels != columns:
        raise InputError(f"encoder.image: {name} are {height * width * channels} pixels; found {columns} columns")
    return height, width, channels
