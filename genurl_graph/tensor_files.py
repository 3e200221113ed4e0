"""PyTorch's files from strangers: no more memory than the file can fill."""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError

# Bytes beyond the file's own size that are not worth a refusal.
SPARE = 64 << 20


def check_torch_file(path: Path) -> None:
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
