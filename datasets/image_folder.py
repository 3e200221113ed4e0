"""A folder of pictures, one sub-folder a class, as vectors of pixels."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")

# Pillow's mode of a file -> mode it is read in. A palette says nothing on its own.
_MODES = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "RGB": "RGB", "RGBA": "RGBA"}


def read_image_folder(folder: Path) -> "Data":
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

    classes, files = _listing(folder)
    pixels, shape = _pixels(files)
    data = Data(x=from_numpy(pixels), image_shape=shape, node_id=[str(file.relative_to(folder)) for file in files])
    if classes:
        codes = {name: code for code, name in enumerate(classes)}
        data.y = from_numpy(np.array([codes[file.parent.name] for file in files], dtype=np.int64))
        data.label_names = classes
    return data


def _listing(folder: Path) -> tuple[list[str], list[Path]]:
    """Names of the classes, if any, and image files in order."""
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    classes = [entry for entry in entries if entry.is_dir()]
    files = _images(entries)
    if classes and files:
        raise InputError(f"{folder}: images ({files[0].name}, ...) beside sub-folders; expected one sub-folder a class")
    for each in classes:
        found = _images(sorted(each.iterdir()))
        if not found:
            raise InputError(f"{each}: no images ({', '.join(SUFFIXES)}) in this sub-folder")
        files += found
    if not files:
        raise InputError(f"{folder}: no images ({', '.join(SUFFIXES)}), neither here nor in sub-folders")
    return [each.name for each in classes], files


def _images(entries: list[Path]) -> list[Path]:
    return [e for e in entries if e.suffix.lower() in SUFFIXES and not e.name.startswith(".") and e.is_file()]


def _pixels(files: list[Path]) -> tuple[npt.NDArray[np.float32], tuple[int, int, int]]:
    """Rows of pixels, and height, width and channels of the images."""
    with _open(files[0]) as first:
        size, mode = first.size, _mode(first, files[0])
    width, height = size
    try:
        pixels = np.empty((len(files), height * width * len(mode)), dtype=np.float32)
    except MemoryError as error:
        found = f"{len(files):,} images of {width} x {height}"
        raise InputError(f"{files[0].parent}: {found} are more than memory holds; scale them down") from error
    for row, file in zip(pixels, files, strict=True):
        with _open(file) as image:
            if image.size != size:
                found = f"{image.width} x {image.height} pixels"
                raise InputError(f"{file}: {found}, but {files[0]} has {width} x {height}; scale them to one size")
            if _mode(image, file) != mode:
                raise InputError(f"{file}: colour mode {image.mode}, but {files[0]} has {mode}; convert them to one")
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
        raise InputError(f"{file}: colour mode {image.mode}, expected one of {', '.join(_MODES)}")
    return _MODES[image.mode]
