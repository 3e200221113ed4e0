"""Compressed text: unpacked whole, or refused."""

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from genurl_graph.datasets.readers import compressed
from genurl_graph.datasets.readers.compressed import check_name, plain_suffix, unpacked
from genurl_graph.exceptions import InputError

TEXT = b"source,target\n1,2\n" * 1000


def pack(path: Path, content: bytes = TEXT) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._edges.csv", b"junk")
            archive.writestr("folder/edges.tsv", content)
    else:
        packer = {".gz": gzip, ".bz2": bz2, ".xz": lzma, "": None, ".csv": None}[path.suffix]
        path.write_bytes(packer.compress(content) if packer else content)
    return path


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz", "e.csv.bz2", "e.csv.xz", "e.csv.zip", "e.zip"])
def test_whole_content(tmp_path: Path, name: str):
    path = pack(tmp_path / name)
    with unpacked(path) as stream:
        assert stream.read() == TEXT
        stream.seek(0)
        assert stream.readline() == b"source,target\n"
    assert plain_suffix(path) == (".tsv" if name == "e.zip" else ".csv")


@pytest.mark.parametrize("name", ["e.csv.gz", "e.csv.bz2", "e.csv.xz", "e.csv.zip"])
def test_truncated_or_damaged(tmp_path: Path, name: str):
    path = pack(tmp_path / name)
    whole = path.read_bytes()
    middle = whole.find(b"edges.tsv") + 12 if path.suffix == ".zip" else len(whole) // 2
    for damaged in (whole[:-20], TEXT, whole[:middle] + b"\xff\x00\xff" + whole[middle + 3 :]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=name), unpacked(path) as stream:
            stream.read()


def test_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = pack(tmp_path / "e.csv.gz", b"1,2\n" * 10_000)
    monkeypatch.setattr(compressed, "physical_memory", lambda: 40_000)
    monkeypatch.setattr(compressed, "_STEP", 1000)
    with pytest.raises(InputError, match=r"unpacks from .* expected at most half of this machine's memory"):
        unpacked(path).__enter__()


def test_archives_of_several_files_are_refused(tmp_path: Path):
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("edges.csv", TEXT)
        archive.writestr("nodes.csv", TEXT)
    with pytest.raises(InputError, match=r"2 files \(edges.csv, nodes.csv\); expected one file"):
        unpacked(path).__enter__()


def test_errors_of_the_reader_pass_through(tmp_path: Path):
    with pytest.raises(KeyError), unpacked(pack(tmp_path / "e.csv.gz")):
        raise KeyError("a reader's own error")


def test_missing_file(tmp_path: Path):
    for name in ("none.csv", "none.csv.gz"):
        with pytest.raises(InputError, match="cannot be read: No such file"):
            unpacked(tmp_path / name).__enter__()


def test_compressed_bytes_under_a_plain_name(tmp_path: Path):
    path = pack(tmp_path / "e.csv.gz").rename(tmp_path / "e.csv")
    with pytest.raises(InputError, match=r"compressed bytes \(.gz\); expected text, or the name e.csv.gz"):
        check_name(path, path.read_bytes()[:10])
    check_name(path, TEXT)
