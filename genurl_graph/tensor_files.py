"""PyTorch's files from strangers: no code in them is run, and no more memory taken than the file can fill."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError

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
