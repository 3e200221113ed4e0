"""Missing files: downloaded whole or not at all, and offline a message that says what to put where."""

import dataclasses
import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from genurl_graph import datasets
from genurl_graph.datasets import download
from genurl_graph.exceptions import InputError

Serve = Callable[..., str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Function that makes a server on the loopback interface answer `content`, with these headers; gives the URL."""
    answer: dict[str, object] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, headers = answer["content"], answer["headers"]
            self.send_response(200)
            for key, value in {"Content-Length": len(content), **headers}.items():
                self.send_header(key, str(value))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def start(content: bytes, **headers: object) -> str:
            answer.update(content=content, headers={key.replace("_", "-"): value for key, value in headers.items()})
            return f"http://127.0.0.1:{server.server_port}/file"

        yield start
        server.shutdown()


def refuse(url: str, *_: object) -> None:
    raise OSError("no route to host")


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def photo_bytes() -> bytes:
    buffer = io.BytesIO()
    eye = {"data": np.ones(3), "indices": np.arange(3), "indptr": np.arange(4), "shape": np.array([3, 3])}
    ring = eye | {"indices": np.array([1, 2, 0])}
    arrays = {f"adj_{k}": v for k, v in ring.items()} | {f"attr_{k}": v for k, v in eye.items()}
    np.savez(buffer, labels=np.array([0, 1, 1]), **arrays)
    return buffer.getvalue()


def archive_bytes(name: str = "arxiv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for file in datasets.info(name).files:
            bundle.writestr(f"{name}/{file.partition('/')[2]}", file)
        bundle.writestr(f"{name}/mapping/README.md", "not needed")
    return buffer.getvalue()


@pytest.mark.parametrize("there", [0, 1])
def test_offline_message_lists_every_file_and_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: int):
    monkeypatch.setattr(download, "transfer", refuse)
    entry, root = datasets.info("cora"), tmp_path / "root"
    for file in entry.files[:there]:
        (root / file).parent.mkdir(parents=True)
        (root / file).touch()
    with pytest.raises(InputError, match=f"{8 - there} of 8 files are missing") as caught:
        datasets.load("cora", root)
    message = str(caught.value)
    assert "no route to host" in message
    for position, (file, url) in enumerate(zip(entry.files, entry.urls, strict=True)):
        assert (f"  {root / file}\n" in message) == (position >= there)
        assert (f"{url}\n" in message) == (position >= there)
    assert root.exists() == bool(there)


def test_a_real_attempt_gives_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Port 9 of the loopback interface: nothing listens there, so the real client runs without any network.
    entry = dataclasses.replace(datasets.info("wikics"), urls=("http://127.0.0.1:9/data.json",))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(InputError, match=r"the download failed \(.*refused"):
        download.ensure_files(entry, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_client_has_a_timeout_and_takes_files_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen = {}

    def get(url: str, **options: object) -> None:
        seen.update(options)
        raise OSError

    monkeypatch.setattr("requests.get", get)
    with pytest.raises(InputError, match="OSError"):
        datasets.load("photo", tmp_path)
    assert 0 < seen["timeout"] <= 15
    assert seen["headers"] == {"Accept-Encoding": "identity"}


def test_download_lands_in_the_layout_and_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    urls = []
    monkeypatch.setattr(
        download, "transfer", lambda url, path, bar: urls.append(url) or path.write_bytes(photo_bytes())
    )
    first = datasets.load("photo", tmp_path)
    again = datasets.load("photo", tmp_path)
    assert urls == list(datasets.info("photo").urls)
    assert first.edge_index.tolist() == again.edge_index.tolist() == [[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]]
    assert files_in(tmp_path) == set(datasets.info("photo").files)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Content_Length": "8"}, "the download failed"),
        ({"Content_Type": "text/html; charset=utf-8"}, "answered with a web page instead of a file"),
        ({"Content_Length": 10**18}, r"has 1,000,000,000,000,000,000 bytes, and .* has [\d,]+ left"),
    ],
    ids=["truncated", "web page", "full disk"],
)
def test_nothing_half_written_stays(tmp_path: Path, serve: Serve, headers: dict[str, object], message: str):
    entry = dataclasses.replace(datasets.info("photo"), urls=(serve(b"half", **headers),))
    with pytest.raises(InputError, match=message):
        download.ensure_files(entry, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(url: str, path: Path, bar: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "transfer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        datasets.load("photo", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_hashes_of_the_registry_are_checked(tmp_path: Path, serve: Serve):
    url = serve(b"images")
    right = f"md5:{hashlib.md5(b'images').hexdigest()}"
    entry = dataclasses.replace(datasets.info("mnist"), urls=(url, url), hashes=(right, "md5:" + "0" * 32))
    with pytest.raises(InputError, match=f"has the hash {right}, but 0000.* in the registry"):
        download.ensure_files(entry, tmp_path)
    assert files_in(tmp_path) == {entry.files[0]}  # the first one is whole
    assert (tmp_path / entry.files[0]).stat().st_mode & 0o044  # others may read it, where the mask lets them


def test_large_download_is_never_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "transfer", lambda *_: pytest.fail("a large download was started"))
    with pytest.raises(InputError, match=r"1\.4 GB is only started on request") as caught:
        datasets.load("products", tmp_path)
    assert str(tmp_path / "ogbn_products" / "split" / "sales_ranking" / "train.csv.gz") in str(caught.value)
    assert "products.zip" in str(caught.value)


@pytest.mark.parametrize("name", ["arxiv", "products"])
def test_archive_is_unpacked_and_removed(tmp_path: Path, serve: Serve, name: str, capsys: pytest.CaptureFixture[str]):
    content = archive_bytes(name)
    entry = dataclasses.replace(datasets.info(name), urls=(serve(content),))
    download.ensure_files(entry, tmp_path, large=True)
    assert files_in(tmp_path) == {*entry.files, f"ogbn_{name}.zip.sha256"}
    assert all((tmp_path / file).read_text() == file for file in entry.files)
    note = (tmp_path / f"ogbn_{name}.zip.sha256").read_text()
    assert note == f"{hashlib.sha256(content).hexdigest()}  ogbn_{name}.zip\n"
    shown = capsys.readouterr()
    assert shown.out == ""
    # Without a terminal, progress of the large one alone.
    assert ("ogbn_products.zip" in shown.err) == (name == "products")


def flipped(content: bytes) -> bytes:
    """The last file's content, which is stored as it is, no longer fits its CRC-32."""
    place = content.index(datasets.info("arxiv").files[-1].encode())
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def without_files(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("arxiv/other.txt", "")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("damage", "message"), [(flipped, r"failed \(Bad CRC-32"), (without_files, "failed"), (lambda c: c[:99], "failed")]
)
def test_a_damaged_archive_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes], message: str
):
    content = damage(archive_bytes())
    monkeypatch.setattr(download, "transfer", lambda url, path, bar: path.write_bytes(content))
    with pytest.raises(InputError, match=message):
        datasets.load("arxiv", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_archive_of_a_set_of_graphs_is_unpacked_to_where_pyg_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    entry, buffer = datasets.info("ptc"), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for file in (*entry.files, "TUDataset/PTC_MR/raw/README.txt"):
            bundle.writestr(f"PTC_MR/{Path(file).name}", file)
    monkeypatch.setattr(download, "transfer", refuse)
    with pytest.raises(InputError, match=r"(?s)5 of 5 files .*there by hand \(unpack the archive\), from") as caught:
        datasets.load("ptc", tmp_path)
    assert all(str(tmp_path / file) in str(caught.value) for file in entry.files)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(download, "transfer", lambda url, path, bar: path.write_bytes(buffer.getvalue()))
    download.ensure_files(entry, tmp_path)
    assert files_in(tmp_path) == {*entry.files, "TUDataset/PTC_MR/raw.zip.sha256"}
    assert all((tmp_path / file).read_text() == file for file in entry.files)


def test_another_archive_than_before_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = archive_bytes()
    monkeypatch.setattr(download, "transfer", lambda url, path, bar: path.write_bytes(content))
    note, found = tmp_path / "ogbn_arxiv.zip.sha256", hashlib.sha256(content).hexdigest()
    note.write_text(f"{'0' * 64}  ogbn_arxiv.zip\n")
    message = f"has the hash sha256:{found}, but {'0' * 64} in {note} (delete it to accept"
    with pytest.raises(InputError, match=re.escape(message)):
        download.ensure_files(datasets.info("arxiv"), tmp_path)
    assert files_in(tmp_path) == {note.name}
    note.write_text(f"{found}  ogbn_arxiv.zip\n")
    download.ensure_files(datasets.info("arxiv"), tmp_path)
    assert len(files_in(tmp_path)) == 8
