"""Raw files that are missing are fetched by pooch into the data root, completely or not at all.

Checked are the size that the server announces, the hash where the registry has one and, of archives, the CRC-32 of
every unpacked file and the SHA-256 in ``FOLDER.zip.sha256`` where that file stands in the data root; else it is
written, for the next time.
"""

import logging
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from genurl_graph.datasets.registry import DatasetInfo, stored
from genurl_graph.exceptions import InputError
from genurl_graph.runtime.files import atomic_write
from genurl_graph.runtime.progress import in_notebook

log = logging.getLogger(__name__)

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
        raise InputError(_instructions(entry, root, missing, "they cannot be downloaded in this form"))
    if entry.download_mb >= LARGE_MB and not large:
        reason = (
            f"its download of {entry.download_mb / 1000:.1f} GB is only started on request (genurl-graph ogb "
            f"--dataset {entry.name} --yes)"
        )
        raise InputError(_instructions(entry, root, missing, reason))
    try:
        if len(entry.urls) == len(entry.files):
            for position in missing:
                known = entry.hashes[position] if entry.hashes else ""
                _fetch(entry.urls[position], root / entry.files[position], known)
        else:
            _fetch_archive(entry, root, missing)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        # The failures of requests (no route, timeout, HTTP status) are all OSError.
        reason = f"the download failed ({str(error) or type(error).__name__})"
        raise InputError(_instructions(entry, root, missing, reason)) from error


def transfer(url: str, path: Path, bar: Any) -> None:
    """Write what a URL answers to a file; the one place where the package touches the network.

    Parameters
    ----------
    url
        Proxies are those of the environment.
    path
        The file, in a folder that exists.
    bar
        A tqdm bar of bytes.
    """
    import pooch

    def check(response: Any, **_: Any) -> None:
        if not response.ok or response.is_redirect:
            return
        if response.headers.get("Content-Type", "").startswith("text/html"):  # a login page of the network, no data
            raise ValueError(f"{url} answered with a web page instead of a file")
        announced, free = int(response.headers.get("Content-Length", 0)), shutil.disk_usage(path.parent).free
        if announced > free:
            raise ValueError(f"{url} has {announced:,} bytes, and {path.parent} has {free:,} left")

    # As it is stored: a server that calls a .gz file "encoded" would have it unpacked on the way.
    as_stored = {"Accept-Encoding": "identity"}
    options = {"timeout": TIMEOUT, "headers": as_stored, "hooks": {"response": check}}
    pooch.HTTPDownloader(progressbar=bar, chunk_size=BLOCK, **options)(url, str(path), None)


def _fetch(url: str, target: Path, known_hash: str, of: str = "the registry", *, large: bool = False) -> None:
    """Download to `target`, whole or not at all; ValueError for another hash than the known one, ``ALGORITHM:HEX``."""
    import pooch
    from tqdm import tqdm

    log.info("downloading %s", url)
    terminal = sys.stderr.isatty() or in_notebook()
    # On a terminal or in a notebook always, else of large files alone, a line a minute. pooch sets the total.
    bar = tqdm(
        total=1,
        desc=target.name,
        unit="B",
        unit_scale=True,
        leave=False,
        mininterval=0.1 if terminal else 60,
        disable=not (terminal or large),
    )
    with bar, _made(target.parent), atomic_write(target) as temporary:
        transfer(url, temporary, bar)
        algorithm, _, expected = known_hash.partition(":")
        if known_hash and (found := pooch.file_hash(str(temporary), alg=algorithm)) != expected:
            raise ValueError(f"{url} has the hash {algorithm}:{found}, but {expected} in {of}")


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Context with a folder, which is removed again, with its parents, where it was made and nothing came into it."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for each in new:
            with suppress(OSError):  # not empty
                each.rmdir()


def _fetch_archive(entry: DatasetInfo, root: Path, missing: list[int]) -> None:
    import pooch

    (url,) = entry.urls
    archive = root / f"{entry.folder}.zip"
    note = archive.with_name(f"{archive.name}.sha256")
    known = f"sha256:{note.read_text(encoding='utf-8').partition(' ')[0].strip()}" if note.exists() else ""
    try:
        _fetch(url, archive, known, f"{note} (delete it to accept this one)", large=entry.download_mb >= LARGE_MB)
        with zipfile.ZipFile(archive) as bundle, tempfile.TemporaryDirectory(dir=root) as scratch:
            _check_members(bundle, url, shutil.disk_usage(root).free)
            # The archive's own top folder ("arxiv/", "MUTAG/") differs from the folder it is unpacked to.
            members = {name.partition("/")[2]: name for name in bundle.namelist()}
            inner = _inner(entry)
            # All of them, and only then into place: a damaged archive leaves nothing behind.
            unpacked = {}
            for position in missing:
                file = entry.files[position]
                unpacked[file] = Path(scratch) / f"{position}"
                with bundle.open(members[inner[position]]) as source, open(unpacked[file], "wb") as out:
                    shutil.copyfileobj(source, out)
            for file, found in unpacked.items():
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(found, root / file)
        with atomic_write(note) as temporary:
            temporary.write_text(f"{pooch.file_hash(str(archive))}  {archive.name}\n", encoding="utf-8")
    finally:
        archive.unlink(missing_ok=True)


def _inner(entry: DatasetInfo) -> list[str]:
    """The raw files, relative to the folder of the data set."""
    return [file.removeprefix(f"{entry.folder}/") for file in entry.files]


def _check_members(bundle: zipfile.ZipFile, url: str, free: int) -> None:
    """Refuse an archive with members outside of its folder, links, or more content than the disk has room for."""
    for member in bundle.infolist():
        parts = member.filename.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0] or stat.S_ISLNK(member.external_attr >> 16):
            raise ValueError(f"{url} has the member {member.filename!r}, which leads out of its folder")
    size = sum(member.file_size for member in bundle.infolist())
    if size > free:
        raise ValueError(f"{url} unpacks to {size:,} bytes, and {free:,} are left on the disk")


def _instructions(entry: DatasetInfo, root: Path, missing: list[int], reason: str) -> str:
    single = len(entry.urls) == len(entry.files)
    sources = [entry.urls[position] for position in missing] if single else list(entry.urls)
    files = "\n".join(f"  {(root / entry.files[position]).absolute()}" for position in missing)
    origin = "\n".join(f"  {source}" for source in [*sources, *filter(None, [entry.by_hand])])
    folders = sorted({inner.partition("/")[0] for inner in _inner(entry) if "/" in inner})
    keep = f", keep its {' and '.join(f'{name}/' for name in folders)} folders" if folders else ""
    unpack = "" if single or not sources else f" (unpack the archive{keep})"
    return (
        f"data set {entry.name}: {len(missing)} of {len(entry.files)} files are missing and {reason}. Put\n"
        f"{files}\nthere by hand{unpack}, from\n{origin}\n"
        "or name another folder with --data-root or $GENURL_DATA"
    )
