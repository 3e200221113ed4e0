"""Arrays and tensors in files from strangers: no code in them is run, and no more memory taken than the file can
fill."""

from __future__ import annotations

import math
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Array = npt.NDArray[Any]

# Bytes beyond the file's own size that are not worth a refusal.
SPARE = 64 << 20


def load_array(path: Path) -> Array:
    """The array of a ``.npy`` file; InputError if it is missing, damaged, holds objects, or less than it declares."""
    with readable(path, "a NumPy array"):
        with open(path, "rb") as file:
            if file.read(2) == b"PK":
                raise wrong(path, "an archive of arrays", "one array; name it .npz")
            file.seek(0)
            check_header(file, path.stat().st_size, str(path))
        found: Array = np.load(path, allow_pickle=False)
    return found


def load_archive(path: Path, keys: Collection[str] | None = None) -> dict[str, Array]:
    """The arrays of an ``.npz`` file, those among `keys` if given; InputError as `load_array`."""
    with readable(path, "a NumPy archive"):
        with open(path, "rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise wrong(path, "a single array", "an archive of arrays; name it .npy")
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if keys is None or m.filename.removesuffix(".npy") in keys]
            total = sum(member.file_size for member in members)
            if total > physical_memory() // 2:
                found = f"an archive that unpacks from {path.stat().st_size:,} to {total:,} bytes"
                raise wrong(path, found, "at most half of this machine's memory")
            for member in members:
                if member.filename.endswith(".npy"):
                    with archive.open(member) as stream:
                        check_header(stream, member.file_size, f"{path}: {member.filename}")
        with np.load(path, allow_pickle=False) as arrays:
            return {key: np.asarray(arrays[key]) for key in arrays.files if keys is None or key in keys}


def check_header(stream: IO[bytes], size: int, where: str) -> None:
    """Refuse an array of `size` bytes, header included, that declares more; the stream is at its start."""
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise wrong(where, f"version {version} of NumPy's format", "1.0 or 2.0")
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise wrong(where, "Object arrays, which are pickles", "numbers or text: pickles run code")
    if any(side < 0 for side in shape):
        raise wrong(where, f"a header that declares the shape {shape}", "sizes >= 0")
    # An entry takes a byte at least: empty ones need no room in the file, and yet memory as soon as they are looked at.
    declared, there = math.prod(shape) * max(1, dtype.itemsize), size - stream.tell()
    if declared > there:
        found = f"a header that declares {declared:,} bytes (shape {shape}, {dtype})"
        raise wrong(where, found, f"at most the {there:,} that follow: truncated?")


def physical_memory() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


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
    with readable(path, "a PyTorch file"):
        if zipfile.is_zipfile(path):
            # ``torch.save`` packs nothing.
            with zipfile.ZipFile(path) as archive:
                _compare(path, "parts that unpack to", sum(member.file_size for member in archive.infolist()))
        try:
            # Sparse tensors are checked: indices outside of them would be read outside of their memory.
            checked = torch.sparse.check_sparse_tensor_invariants()  # type: ignore[no-untyped-call]
            with torch.serialization.safe_globals(list(allowed)), checked:
                return torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, MemoryError) as error:
            # torch's own text goes on for lines and advises to switch the protection off. Damage asks for any memory.
            raise wrong(
                path, f"damage, or objects other than {what}", "only these, since no others are loaded"
            ) from error


def check_extent(tensor: Tensor, path: Path, name: str) -> None:
    """Refuse a tensor that stands for far more bytes than its file has: one number, repeated by a stride of 0."""
    # Of a sparse matrix the rows count: each has an entry in CSR's pointers.
    entries = tensor.numel() if tensor.layout == torch.strided else tensor.size(0)
    claimed = entries * (tensor.element_size() if tensor.layout == torch.strided else 8)
    _compare(path, f"{name} of shape {list(tensor.shape)}, which takes", claimed)


def _compare(path: Path, what: str, claimed: int) -> None:
    size = path.stat().st_size
    if claimed > 2 * size + SPARE:
        raise wrong(
            path, f"{what} {claimed:,} bytes", f"about the {size:,} of the file; save it as it is, not expanded"
        )


def parse_xml(content: bytes, where: str) -> Element:
    """The tree of an XML file without a declaration of entities, which grow or bring other files in.

    Raises
    ------
    InputError
        For a document type that declares anything in the file itself. One that only names another file is harmless:
        nothing fetches it.
    ExpatError, ParseError
        For damage.
    """
    from xml.etree import ElementTree
    from xml.parsers import expat

    def refuse(*found: Any) -> None:
        if found[-1]:
            raise wrong(where, "a DOCTYPE with declarations of its own", "none: entities can grow without end")

    # Beforehand and alone: ElementTree would expand entities as it reads.
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = lambda *_: refuse(True)
    parser.Parse(content, True)
    return ElementTree.fromstring(content)


def check_compressed(matrix: Any) -> None:
    """Refuse a SciPy CSR or CSC matrix whose parts do not fit, which SciPy would follow out of its memory.

    Raises
    ------
    ValueError
        SciPy's own, or for pointers that decrease: where the last one is 0 SciPy does not look at the others.
    """
    matrix.check_format(full_check=True)
    if (np.diff(matrix.indptr) < 0).any():
        raise ValueError("index pointer values must not decrease")


# MATLAB's types of elements that hold numbers, with the bytes of one; of names; and its classes of arrays.
_MAT_NUMBERS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_MAT_MATRIX, _MAT_PACKED, _MAT_SPARSE, _MAT_DENSE = 14, 15, 5, range(6, 16)


def check_mat(content: bytes, where: str) -> None:
    """Refuse a MATLAB file of version 5 to 7 whose parts do not fit: SciPy believes them, and ends in a crash.

    Raises
    ------
    InputError
        Parts beyond the end, of unknown types, or of other sizes than they should have; or more bytes, unpacked, than
        half of this machine's memory.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise wrong(where, "no mark of its byte order", "a MATLAB file of version 5 to 7")
    at, total = 128, 0
    while at < len(content):
        kind, size, start, _ = _mat_tag(content, at, order, where)
        part, at = content[start : start + size], start + size
        if kind == _MAT_PACKED:
            unpacker = zlib.decompressobj()
            head = unpacker.decompress(part, 8)
            kind, size, _, _ = _mat_tag(head, 0, order, where, inside=False)
            total += size
            if total > physical_memory() // 2:
                raise wrong(where, f"variables of {total:,} bytes", "at most half of this machine's memory")
            part = unpacker.decompress(unpacker.unconsumed_tail, size) if size else b""
        if kind != _MAT_MATRIX or len(part) != size:
            raise wrong(where, f"an element of type {kind}, {len(part):,} bytes of {size:,}", "a whole matrix")
        _check_mat_matrix(part, order, where)


def _mat_tag(content: bytes, at: int, order: str, where: str, inside: bool = True) -> tuple[int, int, int, int]:
    """Type, bytes and start of the element at `at`, and where the next one of a matrix begins."""
    if at + 8 > len(content):
        raise wrong(where, f"{len(content) - at} bytes at its end", "a whole element: truncated?")
    kind, size = struct.unpack_from(f"{order}II", content, at)
    if kind >> 16:  # a small element, with its data in the tag
        kind, size, start, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        if size > 4:
            raise wrong(where, f"a small element of {size} bytes", "at most 4")
    else:
        start, after = at + 8, at + 8 + size + -size % 8
    if inside and start + size > len(content):
        raise wrong(where, f"an element of {size:,} bytes where {len(content) - start:,} follow", "those: truncated?")
    return kind, size, start, after


def _check_mat_matrix(part: bytes, order: str, where: str) -> None:
    if not part:
        return
    kind, size, start, at = _mat_tag(part, 0, order, where)
    if (kind, size) != (6, 8):
        raise wrong(where, "a matrix without its flags", "them first")
    flags = struct.unpack_from(f"{order}I", part, start)[0]
    kind, size, start, at = _mat_tag(part, at, order, where)
    if kind not in (5, 6) or size % 4 or size < 8:
        raise wrong(where, "a matrix without its dimensions", "them after the flags")
    sides = struct.unpack_from(f"{order}{size // 4}i", part, start)
    kind, _, _, at = _mat_tag(part, at, order, where)
    if kind not in (1, 2, 16):
        raise wrong(where, "a matrix without its name", "it after the dimensions")
    form = flags & 0xFF
    if min(sides) < 0 or form == 0 or form > 17:
        raise wrong(where, f"a matrix of class {form} and shape {sides}", "a class of MATLAB, and sizes >= 0")
    if form not in (_MAT_SPARSE, *_MAT_DENSE):
        return  # of other classes nothing is read but the name
    imaginary = 1 if flags & 0x800 else 0
    indices: list[Array] = []
    for number in range((3 if form == _MAT_SPARSE else 1) + imaginary):
        kind, size, start, at = _mat_tag(part, at, order, where)
        width = _MAT_NUMBERS.get(kind)
        index = form == _MAT_SPARSE and number < 2
        declared = (sides[1] + 1 if number else size // 4) if index else math.prod(sides)
        fits = (form == _MAT_SPARSE and not index) or (width is not None and size == declared * width)
        if width is None or (index and (kind not in (5, 6) or size % 4)) or not fits:
            found = f"numbers of type {kind}, {size:,} bytes, in a matrix {sides}"
            raise wrong(where, found, "as many as its shape says")
        if index:
            indices.append(np.frombuffer(part, f"{order}i4", size // 4, start))
    if indices:
        rows, starts = indices
        rows = rows[: max(0, int(starts[-1]))]
        outside = rows.size > 0 and (rows.min() < 0 or rows.max() >= sides[0])
        if starts[0] != 0 or (np.diff(starts) < 0).any() or starts[-1] > len(rows) or outside:
            raise wrong(where, f"indices that are none of a matrix {sides}", "those of its rows and columns")


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Context in which whatever NumPy, pandas, torch and zipfile raise on damaged content is an InputError."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise wrong(path, f"a file that cannot be read as {kind} ({type(error).__name__}: {error})", kind) from error
