"""Many points as an image of their density."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Extent = tuple[float, float, float, float]


def density_image(
    points: Array, colours: Array, pixels: int = 600, weight: Array | None = None
) -> tuple[Array, Extent]:
    """Two-dimensional histogram of points as a coloured image.

    A pixel has the mean colour of its points, as datashader's ``count_cat`` gives it. Its opacity is the share of
    occupied pixels that hold as many points or fewer (histogram equalisation), from a quarter up, so that single points
    stay visible beside the densest spots.

    Parameters
    ----------
    points : array, float, shape [n, 2]
    colours : array, float, shape [n, c] or [c]
        In [0, 1]: red, green and blue of each point, or of all; or anything else of which there is a mean.
    pixels : int
        Of the longer side.
    weight : array, float, shape [n], optional
        Of each point in the mean, above 0.

    Returns
    -------
    image : array, float32, shape [height, width, c + 1]
        Mean colour and opacity; the first row is the lowest, empty pixels are transparent.
    extent : (left, right, bottom, top)
        Coordinates of the image's borders, as ``imshow(origin="lower", extent=...)`` wants them.

    Examples
    --------
    >>> image, extent = density_image(points, np.array([0.2, 0.4, 0.6]), pixels=300)
    >>> axes.imshow(image, origin="lower", extent=extent)
    """
    points = np.asarray(points, dtype=np.float64)
    colours = np.broadcast_to(colours, (len(points), np.shape(colours)[-1]))
    low, high = points.min(0), points.max(0)
    # Points on one spot, or on a line along an axis, still have a pixel around them.
    step = max(float((high - low).max()) / pixels, 1e-9 * float(np.abs(points).max())) or 1.0
    pixel = np.minimum(((points - low) / step).astype(np.int64), pixels - 1)
    width, height = (int(size) for size in pixel.max(0) + 1)
    flat = pixel[:, 1] * width + pixel[:, 0]
    counts = np.bincount(flat, minlength=width * height)
    occupied = counts > 0
    total = counts if weight is None else np.bincount(flat, weights=weight, minlength=width * height)
    channels = colours.shape[1]
    image = np.zeros((width * height, channels + 1), dtype=np.float32)
    for channel in range(channels):
        values = colours[:, channel] if weight is None else colours[:, channel] * weight
        summed = np.bincount(flat, weights=values, minlength=width * height)
        image[occupied, channel] = summed[occupied] / total[occupied]
    levels, level = np.unique(counts[occupied], return_inverse=True)
    shares = np.cumsum(np.bincount(level)) / occupied.sum()
    image[occupied, channels] = 0.25 + 0.75 * shares[level] if len(levels) > 1 else 1.0
    left, bottom = (float(value) for value in low)
    image = np.clip(image, 0, 1).reshape(height, width, channels + 1)
    return image, (left, left + width * step, bottom, bottom + height * step)
