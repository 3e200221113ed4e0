"""Raw files that are missing are fetched into the data root, completely or not at all."""

import shutil
import urllib.request
import zipfile
from pathlib import Path
from typing import IO

from genurl_graph.datasets.entry import DatasetInfo, stored
from genurl_graph.exceptions import InputError
from genurl_graph.io import atomic_write

# Seconds without a byte after which the machine counts as offline.
TIMEOUT = 10.0
LARGE_MB = 1000


def ensure_files(entry: DatasetInfo, root: Path) -> None:
    """Make sure that all raw files of a data set stand under `root`; download what is missing.

    A download above 1 GB is never started: the message says where to get the archive and where to put it.

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
    if entry.download_mb >= LARGE_MB:
        reason = f"its download of {entry.download_mb / 1000:.1f} GB is not started unasked"
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


def _fetch(url: str, target: Path) -> None:
    with open_url(url) as response:
        kind = getattr(response, "headers", {}).get("Content-Type", "")
        if kind.startswith("text/html"):  # a login page of the network, never a data file
            raise ValueError(f"{url} answered with a web page instead of a file")
        # Only now, when there is something to write: an offline attempt leaves no empty folders behind.
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as temporary, open(temporary, "wb") as out:
            shutil.copyfileobj(response, out)
            announced = getattr(response, "headers", {}).get("Content-Length")
            if announced is not None and out.tell() != int(announced):
                raise ValueError(f"{url} ended after {out.tell()} of {announced} bytes")


def _fetch_archive(entry: DatasetInfo, root: Path, missing: list[int]) -> None:
    (url,) = entry.urls
    archive = root / f"{entry.folder}.zip"
    try:
        _fetch(url, archive)
        with zipfile.ZipFile(archive) as bundle:
            # The archive's own top folder ("arxiv/") differs from the folder it is unpacked to.
            members = {name.partition("/")[2]: name for name in bundle.namelist()}
            for position in missing:
                file = entry.files[position]
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                with (
                    bundle.open(members[file.partition("/")[2]]) as source,
                    atomic_write(root / file) as temporary,
                    open(temporary, "wb") as out,
                ):
                    shutil.copyfileobj(source, out)
    finally:
        archive.unlink(missing_ok=True)


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
