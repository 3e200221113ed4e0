"""NumPy's files from strangers: sizes that they declare are checked against the file before any memory is taken.

A header of a hundred bytes can declare an array of terabytes, and a zip archive of a megabyte unpacks to a gigabyte.
Pickled objects are never loaded.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import InputError

Array = npt.NDArray[Any]


def load_array(path: Path) -> Array:
    """The array of a ``.npy`` file.

    Raises
    ------
    InputError
        No such file, damaged, with objects in it, or shorter than it declares.
    """
    try:
        with open(path, "rb") as file:
            if file.read(2) == b"PK":
                raise InputError(f"{path}: is an archive of arrays, expected one array; name it .npz")
            file.seek(0)
            check_header(file, path.stat().st_size, str(path))
        found: Array = np.load(path, allow_pickle=False)
    except MemoryError:
        raise
    except Exception as error:  # NumPy and zipfile raise anything on damaged content
        raise _refusal(path, error, "a NumPy array") from error
    return found


def load_archive(path: Path, keys: Collection[str] | None = None) -> dict[str, Array]:
    """The arrays of an ``.npz`` file, those among `keys` if given; InputError as `load_array`."""
    try:
        with open(path, "rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise InputError(f"{path}: is a single array, expected an archive of arrays; name it .npy")
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if keys is None or m.filename.removesuffix(".npy") in keys]
            check_unpacked(path, members)
            for member in members:
                if member.filename.endswith(".npy"):
                    with archive.open(member) as stream:
                        check_header(stream, member.file_size, f"{path}: {member.filename}")
        with np.load(path, allow_pickle=False) as arrays:
            return {key: np.asarray(arrays[key]) for key in arrays.files if keys is None or key in keys}
    except MemoryError:
        raise
    except Exception as error:  # NumPy and zipfile raise anything on damaged content
        raise _refusal(path, error, "a NumPy archive") from error


def check_header(stream: IO[bytes], size: int, where: str) -> None:
    """Refuse an array of `size` bytes, header included, that declares more; the stream is at its start."""
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise InputError(f"{where}: version {version} of NumPy's format, expected 1.0 or 2.0")
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise InputError(f"{where}: Object arrays cannot be loaded: they are pickles, which run code")
    if any(side < 0 for side in shape):
        raise InputError(f"{where}: its header declares the shape {shape}")
    # An entry takes a byte at least: empty ones need no room in the file, and yet memory as soon as they are looked at.
    declared, there = math.prod(shape) * max(1, dtype.itemsize), size - stream.tell()
    if declared > there:
        raise InputError(
            f"{where}: its header declares {declared:,} bytes (shape {shape}, {dtype}), but there are {there:,}: "
            "truncated?"
        )


def check_unpacked(path: Path, members: Collection[zipfile.ZipInfo]) -> None:
    """Refuse an archive that unpacks to more than half of this machine's memory."""
    total, most = sum(member.file_size for member in members), physical_memory() // 2
    if total > most:
        raise InputError(
            f"{path}: unpacks from {path.stat().st_size:,} to {total:,} bytes, more than half of this machine's memory"
        )


def physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _refusal(path: Path, error: Exception, kind: str) -> InputError:
    return error if isinstance(error, InputError) else InputError(f"{path}: cannot be read as {kind}: {error}")
