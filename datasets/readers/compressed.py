"""Text files in a compressed form: ``.gz``, ``.bz2``, ``.xz`` and ``.zip`` with one file in it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.safe_load import physical_memory, readable

_OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
COMPRESSED = (*_OPENERS, ".zip")

# What the bytes of a compressed file begin with.
_MAGIC = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"PK\x03\x04": ".zip"}

_STEP = 1 << 22


def plain_suffix(path: Path) -> str:
    """Suffix of the text that a file holds, in lower case.

    Examples
    --------
    >>> plain_suffix(Path("edges.csv.gz")), plain_suffix(Path("edges.CSV")), plain_suffix(Path("edges.gz"))
    ('.csv', '.csv', '')

    The one of ``edges.zip`` is that of the file in it.
    """
    suffix = path.suffix.lower()
    if suffix not in COMPRESSED:
        return suffix
    inner = Path(path.stem).suffix.lower()
    if suffix == ".zip" and not inner and path.is_file():
        with readable(path, "a zip archive"), zipfile.ZipFile(path) as archive:
            return Path(_only_member(path, archive).filename).suffix.lower()
    return inner


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file that may be compressed, as a stream that can be sought in.

    Parameters
    ----------
    path : Path
        Its last suffix says whether it is compressed and how. A plain file is opened as it is; what a compressed one
        holds is unpacked into memory.

    Raises
    ------
    InputError
        If the file cannot be read or is damaged, takes more than half of this machine's memory when unpacked, or is a
        zip archive of several files.

    Examples
    --------
    >>> with unpacked(Path("edges.csv.gz")) as stream:  # doctest: +SKIP
    ...     first = stream.readline()
    """
    suffix = path.suffix.lower()
    try:
        stream: IO[bytes] = open(path, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    with stream:
        if suffix in COMPRESSED:
            with readable(path, f"a {suffix} file"):
                stream = _unzip(path) if suffix == ".zip" else _unpack(path, _OPENERS[suffix](path))
        yield stream


def check_name(path: Path, head: bytes) -> None:
    """Refuse compressed bytes under the name of a plain file; `head` is what the file begins with."""
    for magic, suffix in _MAGIC.items():
        if head.startswith(magic) and path.suffix.lower() != suffix:
            raise wrong(path, f"compressed bytes ({suffix})", f"text, or the name {path.name}{suffix}")


def _unzip(path: Path) -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        member = _only_member(path, archive)
        if member.flag_bits & 1:
            raise wrong(path, "an encrypted archive", "one without a password")
        return _unpack(path, archive.open(member))


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    # What macOS adds to an archive is not the user's.
    members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        names = ", ".join(each.filename for each in members[:5]) + (", ..." if len(members) > 5 else "")
        raise wrong(
            path, f"an archive of {len(members)} files ({names})" if members else "an empty archive", "one file"
        )
    return members[0]


def _unpack(path: Path, packed: Any) -> IO[bytes]:
    """All that `packed` gives, in steps: what it would give is not known before."""
    limit = physical_memory() // 2
    content = io.BytesIO()
    with cast(IO[bytes], packed) as stream:
        while step := stream.read(_STEP):
            content.write(step)
            if content.tell() > limit:
                found = f"a file that unpacks from {path.stat().st_size:,} to more than {limit:,} bytes"
                raise wrong(path, found, "at most half of this machine's memory")
    content.seek(0)
    return content
