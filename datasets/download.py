"""Raw files that are missing are fetched into the data root, completely or not at all.

Checked are the size that the server announces and, of archives, the CRC-32 of every unpacked file and the SHA-256
in ``FOLDER.zip.sha256`` where that file stands in the data root; else it is written, for the next time.
"""

import hashlib
import shutil
import stat
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import IO, Any

from genurl_graph.datasets.registry import DatasetInfo, stored
from genurl_graph.exceptions import InputError
from genurl_graph.runtime.files import atomic_write

# Seconds without a byte after which the machine counts as offline.
TIMEOUT = 10.0
LARGE_MB = 1000
BLOCK = 1 << 20


def ensure_files(entry: DatasetInfo, root: Path, *, large: bool = False) -> None:
    """Make sure that all raw files of a data set stand under `root`; download what is missing.

    Nothing is ever asked for: a download above 1 GB is started with `large` alone, else the message says where to get
    the archive and where to put it.

    Raises
    ------
    InputError
        If files are missing and cannot be downloaded; the message lists each of them with its full path.
    """
    missing = [position for position, file in enumerate(entry.files) if stored(root, file) is None]
    if not missing:
        return
    if not entry.urls:
        raise InputError(_instructions(entry, root, missing, "nobody offers them in this form"))
    if entry.download_mb >= LARGE_MB and not large:
        reason = (
            f"its download of {entry.download_mb / 1000:.1f} GB is not started unasked (it is by: genurl-graph ogb "
            f"--dataset {entry.name} --yes)"
        )
        raise InputError(_instructions(entry, root, missing, reason))
    try:
        if len(entry.urls) == len(entry.files):
            for position in missing:
                _fetch(entry.urls[position], root / entry.files[position])
        else:
            _fetch_archive(entry, root, missing)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        # urllib's failures (no route, timeout, HTTP status) are all OSError.
        reason = f"the download failed ({_brief(error)})"
        raise InputError(_instructions(entry, root, missing, reason)) from error


def open_url(url: str) -> IO[bytes]:
    """Open a URL for reading; the one place where the package touches the network."""
    response: IO[bytes] = urllib.request.urlopen(url, timeout=TIMEOUT)
    return response


def _fetch(url: str, target: Path) -> str:
    """Download to `target`, whole or not at all; the SHA-256 of what came."""
    with open_url(url) as response:
        headers = getattr(response, "headers", {})
        if headers.get("Content-Type", "").startswith("text/html"):  # a login page of the network, never a data file
            raise ValueError(f"{url} answered with a web page instead of a file")
        length = headers.get("Content-Length")
        announced = None if length is None else int(length)
        # Only now, when there is something to write: an offline attempt leaves no empty folders behind.
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
        if announced is not None and announced > free:
            raise ValueError(f"{url} has {announced:,} bytes, and {target.parent} has {free:,} left")
        digest = hashlib.sha256()
        with atomic_write(target) as temporary, open(temporary, "wb") as out, _bar(target.name, announced) as bar:
            while block := response.read(BLOCK):
                out.write(block)
                digest.update(block)
                bar.update(len(block))
            if announced is not None and out.tell() != announced:
                raise ValueError(f"{url} ended after {out.tell()} of {announced} bytes")
    return digest.hexdigest()


def _fetch_archive(entry: DatasetInfo, root: Path, missing: list[int]) -> None:
    (url,) = entry.urls
    archive = root / f"{entry.folder}.zip"
    note = root / f"{archive.name}.sha256"
    try:
        found = _fetch(url, archive)
        if note.exists() and (expected := note.read_text(encoding="utf-8").partition(" ")[0].strip()) != found:
            raise ValueError(f"{url} has the SHA-256 {found}, and {note} says {expected}; delete one of them")
        with zipfile.ZipFile(archive) as bundle, tempfile.TemporaryDirectory(dir=root) as scratch:
            _check_members(bundle, url, shutil.disk_usage(root).free)
            # The archive's own top folder ("arxiv/") differs from the folder it is unpacked to.
            members = {name.partition("/")[2]: name for name in bundle.namelist()}
            # All of them, and only then into place: a damaged archive leaves nothing behind.
            unpacked = []
            for position in missing:
                file = entry.files[position]
                with (
                    bundle.open(members[file.partition("/")[2]]) as source,
                    open(Path(scratch) / f"{position}", "wb") as out,
                ):
                    shutil.copyfileobj(source, out)
                unpacked.append((Path(out.name), root / file))
            for source_file, target in unpacked:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(source_file, target)
        with atomic_write(note) as temporary:
            temporary.write_text(f"{found}  {archive.name}\n", encoding="utf-8")
    finally:
        archive.unlink(missing_ok=True)


def _check_members(bundle: zipfile.ZipFile, url: str, free: int) -> None:
    """Refuse an archive with members outside of its folder, links, or more content than the disk has room for."""
    for member in bundle.infolist():
        parts = member.filename.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0] or stat.S_ISLNK(member.external_attr >> 16):
            raise ValueError(f"{url} has the member {member.filename!r}, which leads out of its folder")
    size = sum(member.file_size for member in bundle.infolist())
    if size > free:
        raise ValueError(f"{url} unpacks to {size:,} bytes, and {free:,} are left on the disk")


def _bar(name: str, total: int | None) -> Any:
    """Progress on stderr: on a terminal always, else of large files, a line a minute."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    large = total is not None and total >= LARGE_MB * 10**6
    return tqdm(
        total=total,
        desc=name,
        unit="B",
        unit_scale=True,
        leave=False,
        mininterval=0.1 if terminal else 60,
        disable=not (terminal or large),
    )


def _instructions(entry: DatasetInfo, root: Path, missing: list[int], reason: str) -> str:
    single = len(entry.urls) == len(entry.files)
    sources = [entry.urls[position] for position in missing] if single else list(entry.urls)
    files = "\n".join(f"  {(root / entry.files[position]).absolute()}" for position in missing)
    origin = "\n".join(f"  {source}" for source in [*sources, *filter(None, [entry.by_hand])])
    unpack = "" if single or not sources else " (unpack the archive, keep its raw/ and split/ folders)"
    return (
        f"data set {entry.name}: {len(missing)} of {len(entry.files)} files are missing and {reason}. Put\n"
        f"{files}\nthere by hand{unpack}, from\n{origin}\n"
        "or name another folder with --data-root or $GENURL_DATA"
    )


def _brief(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(reason) or type(error).__name__
