"""Embeddings on disk: every format reads back what was written, and no failure leaves anything behind."""

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.embeddings import (
    EMBEDDING_SUFFIXES,
    check_embedding_path,
    read_embedding,
    shielded,
    unshielded,
    write_embedding,
)
from genurl_graph.runtime.files import atomic_write, write_json

Z = np.array([[0.1, -2.5e-8], [1 / 3, 7.0], [np.float32(1e30), -0.0]], dtype=np.float32)
NAMES = ["ada, countess", 'the "dot"\r\nof é', "007"]
LABELS = np.array([2, 0, 2])


@pytest.mark.parametrize("suffix", EMBEDDING_SUFFIXES)
@pytest.mark.parametrize(
    ("node_id", "label"),
    [(None, torch.from_numpy(LABELS)), (NAMES, LABELS), (np.array(NAMES, dtype=object), ["cat", "dog", "cat"])],
    ids=["numbers", "names", "objects"],
)
def test_round_trip_is_exact(tmp_path: Path, suffix: str, node_id: Any, label: Any) -> None:
    path = tmp_path / f"z{suffix}"
    write_embedding(path, torch.from_numpy(Z), node_id=node_id, label=label)
    back = read_embedding(path)
    assert back["embedding"].dtype == np.float32
    np.testing.assert_array_equal(back["embedding"], Z)
    if suffix == ".npy":
        assert set(back) == {"embedding"}
        return
    assert back["node_id"].tolist() == ([0, 1, 2] if node_id is None else NAMES)
    assert back["label"].tolist() == list(label)
    assert os.listdir(tmp_path) == [path.name]


def test_layouts_are_those_other_tools_expect(tmp_path: Path) -> None:
    write_embedding(tmp_path / "z.npz", Z.astype(np.float64), node_id=NAMES)
    with np.load(tmp_path / "z.npz", allow_pickle=False) as archive:
        assert set(archive.files) == {"embedding", "node_id"}
        assert archive["embedding"].dtype == np.float32
    write_embedding(tmp_path / "z.csv", Z, label=LABELS)
    with (tmp_path / "z.csv").open(newline="") as stream:
        assert next(csv.reader(stream)) == ["node_id", "label", "e0", "e1"]
    write_embedding(tmp_path / "z.pt", Z, node_id=NAMES, label=LABELS)
    content = torch.load(tmp_path / "z.pt", weights_only=True)
    assert content["node_id"] == NAMES
    assert content["embedding"].dtype == torch.float32
    assert content["label"].tolist() == LABELS.tolist()


def test_csv_without_header_is_a_matrix(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_text("1,2.5\n3,-4\n")
    back = read_embedding(path)
    assert set(back) == {"embedding"}
    np.testing.assert_array_equal(back["embedding"], [[1, 2.5], [3, -4]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("z.csv", b"", "empty"),
        ("z.csv", b"node_id,e0,e1\na,1\n", "row 1: found 2 columns; expected 3"),
        ("z.csv", b"node_id,e0\na,1\nb,one\n", "row 2: found 'one'; expected a finite number"),
        ("z.csv", b"node_id,e0\na,nan\n", "row 1: found 'nan'; expected a finite number"),
        ("z.csv", b"node_id,e0\n", "expected at least one row"),
        ("z.npz", b"not a zip", "cannot be read"),
        ("z.npy", b"", "cannot be read"),
        ("z.pt", b"not torch", "z.pt"),
        ("z.parquet", b"not parquet", "cannot be read"),
        ("z.xlsx", b"", "found '.xlsx'; expected one of .npz"),
    ],
)
def test_unreadable_files_name_the_fault(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_embedding(path)


def test_missing_file_missing_key_and_uneven_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_embedding(tmp_path / "z.npz")
    np.savez(tmp_path / "z.npz", z=Z)
    with pytest.raises(InputError, match="found the keys z; expected the key 'embedding'"):
        read_embedding(tmp_path / "z.npz")
    np.savez(tmp_path / "z.npz", embedding=Z, node_id=np.arange(2))
    with pytest.raises(InputError, match=r"node_id: found shape \[2\]; expected \[3\]"):
        read_embedding(tmp_path / "z.npz")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError, ValueError])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "z.json"
    path.write_text("old")

    def write_half() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises(failure):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["z.json"]


def test_the_file_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "z.npz"
    with atomic_write(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".npz"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["z.npz"]


def test_written_files_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "a.json") as temporary:
            temporary.write_text("{}")
    finally:
        os.umask(old)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


def test_a_link_keeps_pointing_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "z.json"
    link.symlink_to(tmp_path / "there" / "real.json")
    write_json(link, {})
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.json").read_text() == "{}\n"


def test_check_output(tmp_path: Path) -> None:
    assert check_embedding_path(tmp_path / "Z.NPZ") == tmp_path / "Z.NPZ"
    with pytest.raises(InputError, match=r"suffix '.txt'; expected one of .npz"):
        check_embedding_path(tmp_path / "z.txt")
    with pytest.raises(InputError, match="no suffix"):
        check_embedding_path(tmp_path / "z")
    with pytest.raises(InputError, match=r"found nothing at .*nowhere; expected a folder"):
        check_embedding_path(tmp_path / "nowhere" / "z.npz")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"found a file at .*; expected a folder"):
        check_embedding_path(tmp_path / "file" / "z.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="expected the name of a file"):
        check_embedding_path(tmp_path / "folder.npz")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.npz"]


def test_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked of the system, not of the mode bits: root may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="is not writable"):
        check_embedding_path(tmp_path / "z.npz")


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"genurl-graph\[parquet\]"):
        check_embedding_path(tmp_path / "z.parquet")


def test_shapes_are_checked_before_writing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="node_id: found shape"):
        write_embedding(tmp_path / "z.npz", Z, node_id=["a"])
    with pytest.raises(InputError, match=r"embedding: found shape \[3\]; expected \[n, f\]"):
        write_embedding(tmp_path / "z.npz", Z[:, 0])
    assert os.listdir(tmp_path) == []


def test_json_takes_what_metrics_hold(tmp_path: Path) -> None:
    metrics = {"a": np.float32(0.5), "b": [torch.tensor(2), float("nan")], 3: None, "p": Path("x"), "t": True}
    write_json(tmp_path / "m.json", metrics)
    content = json.loads((tmp_path / "m.json").read_text())
    assert content == {"a": 0.5, "b": [2, None], "3": None, "p": "x", "t": True}


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv", ".parquet", ".pt"])
def test_a_full_disk_is_named_and_the_old_file_stays(tmp_path, suffix):
    import resource
    import signal

    path = tmp_path / f"z{suffix}"
    write_embedding(path, np.eye(3))
    before = path.read_bytes()
    # Files end at 20,000 bytes: what a full disk is to a writer, with another number of the error.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(
            InputError, match=rf"z\{suffix}: found that it cannot be written .*; what stood there before is untouched"
        ):
            write_embedding(path, np.random.default_rng(0).standard_normal((4000, 16)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- names in CSV files: no formulas


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''@x", "-1+2", "=-5"])
def test_formulas_get_an_apostrophe(name: str) -> None:
    assert shielded(name) == f"'{name}"


@pytest.mark.parametrize("name", ["alice", "", "-5", "+3.25", "-.5e-3", "a=b", "'quoted'", "1-2"])
def test_names_and_numbers_stay(name: str) -> None:
    assert shielded(name) == name == unshielded(name)


@given(st.text(st.sampled_from("'=+-@\t\r\n15.ae"), max_size=6))
def test_every_name_comes_back(name: str) -> None:
    assert unshielded(shielded(name)) == name


def test_ids_and_labels_of_a_csv(tmp_path: Path) -> None:
    ids, labels = ["=cmd|' /C calc'!A0", "bob", "'=x"], ["@a", "b", "-c"]
    write_embedding(tmp_path / "z.csv", np.array([[-1.5], [2], [3]]), ids, labels)
    with open(tmp_path / "z.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert all(cell[:1] not in ("=", "+", "@", "\t", "\r") for row in rows for cell in row)
    assert rows[0] == ["'=cmd|' /C calc'!A0", "'@a", "-1.5"]
    found = read_embedding(tmp_path / "z.csv")
    assert found["node_id"].tolist() == ids
    assert found["label"].tolist() == labels
