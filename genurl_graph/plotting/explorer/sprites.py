"""Small copies of the images that points are, or belong to, on one sheet."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.images import Shape

# Longest side of an image on the sheet: the largest of these that the pixels of the sheet allow.
SIDES = (96, 64, 48, 32, 24, 16)
MOST_PIXELS = 8_000_000
# Of WebP: at 80, a digit of 28 x 28 pixels takes about 300 bytes.
QUALITY, LOSSLESS_BELOW = 80, 16


class Sprites(NamedTuple):
    """One sheet with small images of some or all points, row by row.

    Attributes
    ----------
    sheet : bytes
        A WebP image.
    tile : (int, int)
        Width and height of each small image.
    across : int
        Images in a row of the sheet.
    nodes : array, int64, shape [m]
        Which points these are of, ascending.
    about : str
        One line: of how many points, and how large.
    """

    sheet: bytes
    tile: tuple[int, int]
    across: int
    nodes: npt.NDArray[np.int64]
    about: str

    def check(self, n: int) -> None:
        """Check that these are of n points; InputError where they are not."""
        if len(self.nodes) and int(self.nodes.max()) >= n:
            raise wrong("images", f"one of point {int(self.nodes.max())}", f"points 0 to {n - 1}")


def sprites_of_pixels(rows: Tensor, shape: Shape) -> Sprites:
    """Small copies of images whose pixels are rows.

    Parameters
    ----------
    rows : Tensor, shape [n, h * w * c]
        As `genurl_graph.inputs.images` has them: row by row, channels last. Pixels between 0 and 1, or up to the
        largest one, which becomes white.
    shape : (int, int, int)
        Height, width and channels.

    Examples
    --------
    >>> found = sprites_of_pixels(torch.rand(5, 64), (8, 8, 1))
    >>> found.tile, found.across, found.about
    ((8, 8), 3, 'Images of 8 x 8 pixels')
    """
    from PIL import Image

    height, width, channels = shape
    largest = max(float(rows.max()) if rows.numel() else 1.0, 1.0)

    def image_of(node: int) -> Any:
        levels = (rows[node].float() / largest * 255).round().clamp(0, 255).byte().numpy()
        image = levels.reshape(height, width, channels)
        return Image.fromarray(image[:, :, 0] if channels < 3 else image[:, :, :3])  # the others are no colours

    return _sheet(np.arange(len(rows)), len(rows), (width, height), image_of)


def sprites_of_files(files: Sequence[Path | None]) -> Sprites:
    """Small copies of image files, one for each point that has one (None: it has none), in squares of one size.

    Raises
    ------
    InputError
        A file that Pillow cannot read as an image.
    """
    from PIL import Image, ImageOps

    def image_of(node: int) -> Any:
        file = files[node]
        assert file is not None
        try:
            with Image.open(file) as image:
                image.draft("RGB", (side, side))  # of JPEG only: far faster than to decode it whole
                return ImageOps.pad(_on_white(ImageOps.exif_transpose(image)), (side, side), color="white")
        except Exception as error:  # Pillow's decoders raise anything on damaged content
            raise InputError(f"{file}: cannot be read as an image: {error}") from error

    nodes = np.array([node for node, file in enumerate(files) if file is not None], dtype=np.int64)
    side = SIDES[0]
    return _sheet(nodes, len(files), (side, side), image_of)


def _on_white(image: Any) -> Any:
    """An image in RGB, with white where it is transparent: what stands there otherwise is often black."""
    from PIL import Image

    if "A" in image.getbands() or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


def _sheet(nodes: npt.NDArray[np.int64], n: int, size: tuple[int, int], image_of: Callable[[int], Any]) -> Sprites:
    """All images of `nodes`, or as many as the sheet holds, drawn at random; `size` is theirs, width and height."""
    from PIL import Image

    longest = max(size)
    sides = [longest] * (longest <= SIDES[0]) + [side for side in SIDES if side < longest]

    def tile_of(side: int) -> tuple[int, int]:
        return max(size[0] * side // longest, 1), max(size[1] * side // longest, 1)

    tile = next((tile_of(s) for s in sides if math.prod(tile_of(s)) * len(nodes) <= MOST_PIXELS), tile_of(sides[-1]))
    most = MOST_PIXELS // math.prod(tile)
    drawn = nodes
    if len(nodes) > most:
        drawn = np.sort(np.random.default_rng(0).choice(nodes, most, replace=False))
    across = max(math.ceil(math.sqrt(len(drawn) * tile[1] / tile[0])), 1)
    down = max(math.ceil(len(drawn) / across), 1)
    sheet = Image.new("RGB", (across * tile[0], down * tile[1]), "white")
    for place, node in enumerate(drawn.tolist()):
        image = image_of(node)
        small = image if image.size == tile else image.resize(tile, Image.Resampling.BOX)
        sheet.paste(small, (place % across * tile[0], place // across * tile[1]))
    stream = io.BytesIO()
    # Between images of a few pixels lossy compression would smear.
    sheet.save(stream, "WEBP", quality=QUALITY, lossless=longest < LOSSLESS_BELOW)
    part = "" if len(drawn) == n else f" of {len(drawn):,} of {n:,} points"
    return Sprites(stream.getvalue(), tile, across, drawn, f"Images{part} of {tile[0]} x {tile[1]} pixels")
