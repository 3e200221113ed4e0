"""Many points as an image: each pixel shows how many points lie in it, and of which colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def density_image(points: Array, colours: Array, pixels: int = 600) -> tuple[Array, tuple[float, float, float, float]]:
    """Two-dimensional histogram of points, coloured.

    A pixel has the mean colour of its points. Its opacity is the share of occupied pixels that hold as many points or
    fewer (histogram equalisation), from a quarter up, so that single points stay visible beside the densest spots.

    Parameters
    ----------
    points : array, float, shape [n, 2]
    colours : array, float, shape [n, 3] or [3]
        Red, green and blue in [0, 1] of each point, or of all.
    pixels : int
        Of the longer side.

    Returns
    -------
    image : array, float32, shape [height, width, 4]
        Red, green, blue and opacity; the first row is the lowest, empty pixels are transparent.
    extent : (left, right, bottom, top)
        Coordinates of the image's borders, as ``imshow(origin="lower", extent=...)`` wants them.
    """
    points = np.asarray(points, dtype=np.float64)
    low, high = points.min(0), points.max(0)
    # Points on one spot, or on a line along an axis, still have a pixel around them.
    step = max(float((high - low).max()) / pixels, 1e-9 * float(np.abs(points).max())) or 1.0
    cells = np.minimum(((points - low) / step).astype(np.int64), pixels - 1)
    width, height = (int(size) for size in cells.max(0) + 1)
    flat = cells[:, 1] * width + cells[:, 0]
    counts = np.bincount(flat, minlength=width * height)
    image = np.zeros((width * height, 4), dtype=np.float32)
    occupied = counts > 0
    for channel in range(3):
        if colours.ndim == 1:
            image[occupied, channel] = colours[channel]
        else:
            total = np.bincount(flat, weights=colours[:, channel], minlength=width * height)
            image[occupied, channel] = total[occupied] / counts[occupied]
    levels, level = np.unique(counts[occupied], return_inverse=True)
    shares = np.cumsum(np.bincount(level)) / occupied.sum()
    image[occupied, 3] = 0.25 + 0.75 * shares[level] if len(levels) > 1 else 1.0
    left, bottom = (float(value) for value in low)
    return np.clip(image, 0, 1).reshape(height, width, 4), (left, left + width * step, bottom, bottom + height * step)
