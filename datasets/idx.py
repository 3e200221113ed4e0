"""Images and labels in the idx format of MNIST (LeCun, Cortes and Burges), packed by gzip or not."""

import gzip
import math
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from genurl_graph.datasets.entry import DatasetInfo, stored
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data

_UBYTE = 0x08
# No deflate stream unpacks to more than this many times its size.
_MOST_PACKED = 1032


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Array of a file in idx format: bytes 0, 0, type, number of axes, then each axis' size as big-endian uint32.

    Parameters
    ----------
    path
        Unsigned bytes (type 0x08), packed by gzip where the content begins like that, whatever the name says.

    Returns
    -------
    array, uint8
        Of the declared shape.

    Raises
    ------
    InputError
        Not an idx file, of another type, truncated, damaged, or longer than its header says. No more memory is taken
        than a file of this size can fill.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            shape = _shape(path, file.read(4), file.read)
            header, body = 4 + 4 * len(shape), math.prod(shape)
            most = size * _MOST_PACKED if packed else size - header
            declared = f"the header declares {' x '.join(map(str, shape))} bytes"
            if body > most:
                raise InputError(f"{path}: {declared}, but the file is too short for them ({size:,} bytes): truncated?")
            # One byte more than there should be, to see whether there is one.
            content = file.read(body + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if len(content) != body:
        found = f"only {len(content):,} follow: truncated?" if len(content) < body else "more follow"
        raise InputError(f"{path}: {declared}, but {found}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def is_idx(path: Path) -> bool:
    """Whether a file is named like MNIST's: ``train-images-idx3-ubyte``, ``train-images.idx3-ubyte.gz``."""
    return re.search(r"[-.]idx\d-ubyte(\.gz)?$", path.name.lower()) is not None


def read_images(path: Path) -> npt.NDArray[np.float32]:
    """Samples of all axes but the first, [n, rows * columns], scaled to [0, 1].

    Raises
    ------
    InputError
        As `read_idx`, and where there is one axis.
    """
    pixels = read_idx(path)
    if pixels.ndim == 1:
        raise InputError(f"{path}: one axis, as labels have, expected at least two (images, rows, columns)")
    x = pixels.reshape(len(pixels), -1).astype(np.float32)
    x /= 255
    return x


def read_classes(path: Path) -> npt.NDArray[np.int64]:
    """Labels [n].

    Raises
    ------
    InputError
        As `read_idx`, and where there are several axes.
    """
    classes = read_idx(path)
    if classes.ndim != 1:
        raise InputError(f"{path}: {classes.ndim} axes, expected 1 (labels)")
    return classes.astype(np.int64)


def load_idx(entry: DatasetInfo, root: Path) -> "Data":
    """A data set of the registry out of idx files; where it has both parts, masks tell which row is of which."""
    import torch
    from torch_geometric.data import Data

    files = [stored(root, file) or root / file for file in entry.files]
    parts = []
    for images, labels in zip(files[::2], files[1::2], strict=True):
        x, y = read_images(images), read_classes(labels)
        if len(x) != len(y):
            raise InputError(f"{labels}: {len(y):,} labels for the {len(x):,} images of {images}")
        parts.append((x, y))
    sides = {x.shape[1] for x, _ in parts}
    if len(sides) > 1:
        raise InputError(f"{files[0]} and {files[2]}: images of different sizes")
    x, y = (np.concatenate(columns) if len(parts) > 1 else columns[0] for columns in zip(*parts, strict=True))
    data = Data(x=torch.from_numpy(x), y=torch.from_numpy(y))
    if len(parts) > 1:
        data.train_mask = torch.arange(len(y)) < len(parts[0][1])
        data.test_mask = ~data.train_mask
    return data


def _shape(path: Path, magic: bytes, read: Callable[[int], bytes]) -> tuple[int, ...]:
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= 4:
        raise InputError(f"{path}: begins with {magic.hex(' ') or 'nothing'}, expected 00 00 08 and 1 to 4 axes (idx)")
    if magic[2] != _UBYTE:
        raise InputError(f"{path}: idx type 0x{magic[2]:02x}, expected unsigned bytes (0x08)")
    sizes = read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{path}: ends inside its header: truncated?")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise InputError(f"{path}: the header declares {' x '.join(map(str, shape))} bytes, expected at least one")
    return shape
