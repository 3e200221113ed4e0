"""Images as vectors: MNIST's idx format (LeCun, Cortes and Burges), packed by gzip or not, and folders of images."""

from __future__ import annotations

import gzip
import math
import re
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genurl_graph.datasets.registry import DatasetInfo, stored
from genurl_graph.exceptions import InputError, wrong

if TYPE_CHECKING:
    from torch_geometric.data import Data

_UBYTE = 0x08
# No deflate stream unpacks to more than this many times its size.
_MOST_PACKED = 1032

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")

# Pillow's mode of a file -> mode it is read in. A palette says nothing on its own.
_MODES = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "RGB": "RGB", "RGBA": "RGBA"}


def is_idx(path: Path) -> bool:
    """Whether a file is named like MNIST's: ``train-images-idx3-ubyte``, ``train-images.idx3-ubyte.gz``."""
    return re.search(r"[-.]idx\d-ubyte(\.gz)?$", path.name.lower()) is not None


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
            magic = file.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= 4:
                raise wrong(path, f"{magic.hex(' ') or 'nothing'} at its start", "00 00 08 and 1 to 4 axes (idx)")
            if magic[2] != _UBYTE:
                raise wrong(path, f"idx type 0x{magic[2]:02x}", "unsigned bytes (0x08)")
            sizes = file.read(4 * magic[3])
            if len(sizes) < 4 * magic[3]:
                raise InputError(f"{path}: ends inside its header: truncated?")
            shape = tuple(int(side) for side in np.frombuffer(sizes, ">u4"))
            declared = f"the header declares {' x '.join(map(str, shape))} bytes"
            body = math.prod(shape)
            if body == 0:
                raise InputError(f"{path}: {declared}; expected at least one")
            if body > (size * _MOST_PACKED if packed else size - 4 - len(sizes)):
                raise InputError(f"{path}: {declared}, but the file is too short for them ({size:,} bytes): truncated?")
            # One byte more than there should be, to see whether there is one.
            content = file.read(body + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if len(content) != body:
        found = f"only {len(content):,} follow: truncated?" if len(content) < body else "more follow"
        raise InputError(f"{path}: {declared}, but {found}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_images(path: Path) -> npt.NDArray[np.float32]:
    """Samples of all axes but the first, [n, rows * columns], scaled to [0, 1]; InputError where there is one axis."""
    pixels = read_idx(path)
    if pixels.ndim == 1:
        raise wrong(path, "one axis, as labels have", "at least two (images, rows, columns)")
    x = pixels.reshape(len(pixels), -1).astype(np.float32)
    x /= 255
    return x


def read_classes(path: Path) -> npt.NDArray[np.int64]:
    """Labels [n]; InputError where there are several axes."""
    classes = read_idx(path)
    if classes.ndim != 1:
        raise wrong(path, f"{classes.ndim} axes", "1 (labels)")
    return classes.astype(np.int64)


def load_idx(entry: DatasetInfo, root: Path) -> Data:
    """A data set of the registry out of idx files; where it has both parts, masks tell which row is of which."""
    import torch
    from torch_geometric.data import Data

    files = [stored(root, file) or root / file for file in entry.files]
    parts: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]] = []
    for images, labels in zip(files[::2], files[1::2], strict=True):
        x, y = read_images(images), read_classes(labels)
        if len(x) != len(y):
            raise wrong(labels, f"{len(y):,} labels", f"{len(x):,}, one for each image of {images}")
        if parts and parts[0][0].shape[1] != x.shape[1]:
            raise InputError(f"{files[0]} and {images}: images of different sizes")
        parts.append((x, y))
    x, y = (np.concatenate(columns) if len(parts) > 1 else columns[0] for columns in zip(*parts, strict=True))
    data = Data(x=torch.from_numpy(x), y=torch.from_numpy(y))
    if len(parts) > 1:
        data.train_mask = torch.arange(len(y)) < len(parts[0][1])
        data.test_mask = ~data.train_mask
    return data


def read_image_folder(folder: Path) -> Data:
    """Read the images of a folder: one sub-folder a class, or images alone, without labels.

    Hidden files and files without an image's suffix (`SUFFIXES`) are passed over. All images have to be of one size
    and colour mode, since a pixel is a column here; what differs is named, never resized silently.

    Parameters
    ----------
    folder
        ``folder/CLASS/IMAGE``; classes and images in sorted order. Or ``folder/IMAGE``.

    Returns
    -------
    Data
        x float32 [n, height * width * channels] in [0, 1], row by row, channels last; y int64 [n] and label_names
        where there are classes; node_id, the n paths relative to `folder`; image_shape, (height, width, channels).

    Raises
    ------
    InputError
        No images, images beside sub-folders, an empty sub-folder, a file that is no whole image, or that differs from
        the first one in size or colour mode.
    """
    from torch import from_numpy
    from torch_geometric.data import Data

    classes = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith(".")]
    files = _images(folder)
    if classes and files:
        raise wrong(folder, f"images ({files[0].name}, ...) beside sub-folders", "one sub-folder per class")
    for each in [*classes] or [folder]:
        found = _images(each)
        if not found:
            kinds = f"images ({', '.join(SUFFIXES)}), or graphs of one format (.graphml, .gml, .gexf, .pt)"
            what = "no images and no graphs" + ("" if any(each.iterdir()) else ": an empty folder")
            raise wrong(each, what, f"{kinds}, one per file, here or in one sub-folder per class")
        files += found if classes else []
    pixels, shape = _pixels(files)
    data = Data(x=from_numpy(pixels), image_shape=shape, node_id=[str(file.relative_to(folder)) for file in files])
    if classes:
        data.label_names = [each.name for each in classes]
        codes = [data.label_names.index(file.parent.name) for file in files]
        data.y = from_numpy(np.array(codes, dtype=np.int64))
    return data


def _images(folder: Path) -> list[Path]:
    files = [each for each in sorted(folder.iterdir()) if each.suffix.lower() in SUFFIXES and each.is_file()]
    return [file for file in files if not file.name.startswith(".")]


def _pixels(files: list[Path]) -> tuple[npt.NDArray[np.float32], tuple[int, int, int]]:
    """Rows of pixels, and height, width and channels of the images."""
    with _open(files[0]) as first:
        (width, height), mode = first.size, _mode(first, files[0])
    try:
        pixels = np.empty((len(files), height * width * len(mode)), dtype=np.float32)
    except MemoryError as error:
        found = f"{len(files):,} images of {width} x {height}"
        raise InputError(f"{files[0].parent}: {found} are more than memory holds; scale them down") from error
    for row, file in zip(pixels, files, strict=True):
        with _open(file) as image:
            if image.size != (width, height):
                expected = f"{width} x {height}, as {files[0]} has; scale them to one size"
                raise wrong(file, f"{image.width} x {image.height} pixels", expected)
            if _mode(image, file) != mode:
                raise wrong(file, f"colour mode {image.mode}", f"{mode}, as {files[0]} has; convert them to one")
            try:
                row[:] = np.asarray(image.convert(mode), dtype=np.uint8).reshape(-1)
            except Exception as error:  # Pillow's decoders raise anything on damaged content
                raise InputError(f"{file}: cannot be read as an image: {error}") from error
    pixels /= 255
    return pixels, (height, width, len(mode))


def _open(file: Path) -> Any:
    """The image, its header alone read so far."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(file)
    except Exception as error:  # as above
        raise InputError(f"{file}: cannot be read as an image: {error}") from error


def _mode(image: Any, file: Path) -> str:
    if image.mode not in _MODES:
        raise wrong(file, f"colour mode {image.mode}", f"one of {', '.join(_MODES)}")
    return _MODES[image.mode]
