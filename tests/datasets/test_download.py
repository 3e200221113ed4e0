"""Missing files: downloaded whole or not at all, and offline a message that says what to put where."""

import hashlib
import io
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from genurl_graph import datasets
from genurl_graph.datasets import download
from genurl_graph.exceptions import InputError


class Response(io.BytesIO):
    """What urlopen returns, as far as it is used."""

    def __init__(self, content: bytes, **headers: str) -> None:
        super().__init__(content)
        self.headers = {key.replace("_", "-"): value for key, value in headers.items()}


def refuse(url: str):
    raise URLError("no route to host")


def photo_bytes() -> bytes:
    buffer = io.BytesIO()
    eye = {"data": np.ones(3), "indices": np.arange(3), "indptr": np.arange(4), "shape": np.array([3, 3])}
    ring = eye | {"indices": np.array([1, 2, 0])}
    arrays = {f"adj_{k}": v for k, v in ring.items()} | {f"attr_{k}": v for k, v in eye.items()}
    np.savez(buffer, labels=np.array([0, 1, 1]), **arrays)
    return buffer.getvalue()


def test_offline_message_lists_every_file_and_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "open_url", refuse)
    with pytest.raises(InputError) as caught:
        datasets.load("cora", tmp_path / "root")
    message = str(caught.value)
    assert "no route to host" in message
    for entry_file, url in zip(datasets.info("cora").files, datasets.info("cora").urls, strict=True):
        assert str(tmp_path / "root" / entry_file) in message
        assert url in message
    assert not (tmp_path / "root").exists()


def test_only_missing_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "open_url", refuse)
    there, *absent = datasets.info("cora").files
    (tmp_path / there).parent.mkdir(parents=True)
    (tmp_path / there).touch()
    with pytest.raises(InputError, match="7 of 8 files are missing") as caught:
        datasets.load("cora", tmp_path)
    assert f"{there}\n" not in str(caught.value)
    assert all(file in str(caught.value) for file in absent)


def test_a_real_attempt_gives_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Port 9 of the loopback interface: nothing listens there, so the real client runs without any network.
    monkeypatch.setattr(download, "TIMEOUT", 2.0)
    entry = datasets.info("wikics")
    monkeypatch.setitem(entry.__dict__, "urls", ("http://127.0.0.1:9/data.json",))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(InputError, match=r"the download failed \(.*refused"):
        datasets.load("wikics", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_client_has_a_timeout(monkeypatch: pytest.MonkeyPatch):
    seen = {}
    monkeypatch.setattr("urllib.request.urlopen", lambda url, **options: seen.update(options) or io.BytesIO())
    download.open_url("http://127.0.0.1:9/")
    assert 0 < seen["timeout"] <= 15


def test_download_lands_in_the_layout_and_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    urls = []
    monkeypatch.setattr(download, "open_url", lambda url: urls.append(url) or Response(photo_bytes()))
    first = datasets.load("photo", tmp_path)
    again = datasets.load("photo", tmp_path)
    assert urls == list(datasets.info("photo").urls)
    assert first.edge_index.tolist() == again.edge_index.tolist() == [[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]]
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert files == list(datasets.info("photo").files)


@pytest.mark.parametrize(
    "response",
    [
        lambda: Response(b"half", Content_Length="8"),
        lambda: Response(b"<html>log in</html>", Content_Type="text/html; charset=utf-8"),
    ],
    ids=["truncated", "web page"],
)
def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, response):
    monkeypatch.setattr(download, "open_url", lambda url: response())
    with pytest.raises(InputError, match="the download failed"):
        datasets.load("photo", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_interrupted_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Interrupted(Response):
        def read(self, *_: int) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(download, "open_url", lambda url: Interrupted(b""))
    with pytest.raises(KeyboardInterrupt):
        datasets.load("photo", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_large_download_is_never_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "open_url", lambda url: pytest.fail("a large download was started"))
    with pytest.raises(InputError, match=r"1\.4 GB is not started unasked") as caught:
        datasets.load("products", tmp_path)
    assert str(tmp_path / "ogbn_products" / "split" / "sales_ranking" / "train.csv.gz") in str(caught.value)
    assert "products.zip" in str(caught.value)


def archive_bytes(name: str = "arxiv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for file in datasets.info(name).files:
            bundle.writestr(f"{name}/{file.partition('/')[2]}", file)
        bundle.writestr(f"{name}/mapping/README.md", "not needed")
    return buffer.getvalue()


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_archive_is_unpacked_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    entry, content = datasets.info("arxiv"), archive_bytes()
    monkeypatch.setattr(download, "open_url", lambda url: Response(content, Content_Length=str(len(content))))
    download.ensure_files(entry, tmp_path)
    assert files_in(tmp_path) == {*entry.files, "ogbn_arxiv.zip.sha256"}
    assert all((tmp_path / file).read_text() == file for file in entry.files)
    note = (tmp_path / "ogbn_arxiv.zip.sha256").read_text()
    assert note == f"{hashlib.sha256(content).hexdigest()}  ogbn_arxiv.zip\n"


def test_large_download_runs_where_it_is_wanted_and_shows_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    content = archive_bytes("products")
    monkeypatch.setattr(download, "open_url", lambda url: Response(content, Content_Length=str(len(content))))
    monkeypatch.setattr(download, "LARGE_MB", len(content) / 1e6)
    download.ensure_files(datasets.info("products"), tmp_path, large=True)
    assert files_in(tmp_path) == {*datasets.info("products").files, "ogbn_products.zip.sha256"}
    shown = capsys.readouterr()
    assert "ogbn_products.zip" in shown.err
    assert shown.out == ""


def test_another_archive_than_before_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = archive_bytes()
    monkeypatch.setattr(download, "open_url", lambda url: Response(content))
    note = tmp_path / "ogbn_arxiv.zip.sha256"
    note.write_text(f"{'0' * 64}  ogbn_arxiv.zip\n")
    with pytest.raises(InputError, match=f"SHA-256 {hashlib.sha256(content).hexdigest()}.*says {'0' * 64}"):
        download.ensure_files(datasets.info("arxiv"), tmp_path)
    assert files_in(tmp_path) == {note.name}
    note.write_text(f"{hashlib.sha256(content).hexdigest()}  ogbn_arxiv.zip\n")
    download.ensure_files(datasets.info("arxiv"), tmp_path)
    assert len(files_in(tmp_path)) == 8


def test_damaged_member_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = bytearray(archive_bytes())
    last = datasets.info("arxiv").files[-1].encode()
    place = content.index(last)  # the content of the last member, stored as it is: its CRC-32 no longer fits
    content[place] ^= 1
    monkeypatch.setattr(download, "open_url", lambda url: Response(bytes(content)))
    with pytest.raises(InputError, match=r"the download failed \(Bad CRC-32"):
        download.ensure_files(datasets.info("arxiv"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_noticed_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "open_url", lambda url: Response(b"", Content_Length=str(10**18)))
    with pytest.raises(InputError, match=r"has 1,000,000,000,000,000,000 bytes, and .* has [\d,]+ left"):
        download.ensure_files(datasets.info("arxiv"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_archive_without_the_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("arxiv/other.txt", "")
    monkeypatch.setattr(download, "open_url", lambda url: Response(buffer.getvalue()))
    with pytest.raises(InputError, match="the download failed"):
        datasets.load("arxiv", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
