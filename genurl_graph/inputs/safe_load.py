"""Arrays and tensors in files from strangers: no code in them is run, and no more memory taken than the file can
fill."""

from __future__ import annotations

import math
import os
import pickle
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

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


# Bytes beyond the file's own size that are not worth a refusal.
SPARE = 64 << 20


def load_tensors(path: Path, what: str = "tensors and text", allowed: Sequence[Any] = ()) -> Any:
    """What ``torch.save`` wrote, by torch's restricted unpickler, on the CPU.

    Parameters
    ----------
    path : Path
    what : str
        What the file may hold, for the message.
    allowed : sequence
        Classes that it may hold besides those that torch knows (``torch.serialization.safe_globals``).

    Raises
    ------
    InputError
        No such file, damaged, with other objects in it, or larger unpacked than it can be.
    """
    _check_unpacked(path)
    try:
        # Sparse tensors are checked: indices outside of them would be read outside of their memory.
        checked = torch.sparse.check_sparse_tensor_invariants()  # type: ignore[no-untyped-call]
        with torch.serialization.safe_globals(list(allowed)), checked:
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own text goes on for lines and advises to switch the protection off.
        raise InputError(f"{path}: damaged, or holds objects other than {what}, which are not loaded") from error
    except Exception as error:  # a damaged file makes torch.load raise anything, also a MemoryError
        raise InputError(f"{path}: cannot be read as a PyTorch file: {type(error).__name__}: {error}") from error


def _check_unpacked(path: Path) -> None:
    """Refuse a file whose parts are packed and unpack to far more than its size: ``torch.save`` packs nothing."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a PyTorch file: {error}") from error
    _compare(path, "it unpacks to", unpacked)


def check_extent(tensor: Tensor, path: Path, name: str) -> None:
    """Refuse a tensor that stands for far more bytes than its file has: one number, repeated by a stride of 0."""
    # Of a sparse matrix the rows count: each has an entry in CSR's pointers.
    entries = tensor.numel() if tensor.layout == torch.strided else tensor.size(0)
    claimed = entries * (tensor.element_size() if tensor.layout == torch.strided else 8)
    _compare(path, f"{name} of shape {list(tensor.shape)} takes", claimed)


def _compare(path: Path, what: str, claimed: int) -> None:
    size = path.stat().st_size
    if claimed > 2 * size + SPARE:
        raise InputError(f"{path}: {what} {claimed:,} bytes, but the file has {size:,}; save it as it is, not expanded")
