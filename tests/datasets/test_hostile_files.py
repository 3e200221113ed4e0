"""Files made to harm: sizes that are lies, archives that unpack to too much or elsewhere, pickles that run."""

import contextlib
import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
import torch
from torch_geometric.data import Data

import genurl_graph.inputs.safe_load as arrays
from genurl_graph import datasets
from genurl_graph.datasets import download
from genurl_graph.datasets.loaders import check_pickle
from genurl_graph.datasets.readers.formats import konect
from genurl_graph.estimator import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.embeddings import read_embedding


def header(shape: str, dtype: str = "<f4") -> bytes:
    """A ``.npy`` file of 40 bytes of content, whatever its header says."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(40)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header("(1000000000, 1000)"), r"declares 4,000,000,000,000 bytes .* at most the 40 that follow: truncated"),
        (header("(4, 3)"), "declares 48 bytes"),
        (header("(1000000000000,)", "<U0"), "declares 1,000,000,000,000 bytes"),
        (header("(-1, 5)"), r"shape \(-1, 5\)"),
        (header("(2, 5)", "|O"), "found Object arrays"),
        (header("(" + "9" * 40 + ",)"), "truncated"),
        (header("__import__('os').system('true')"), "cannot be read"),
    ],
)
def test_headers_that_lie(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("embedding.npy", content)
    for read, name in ((datasets.read, "x.npy"), (datasets.read, "x.npz"), (read_embedding, "x.npy")):
        with pytest.raises(InputError, match=rf"{name}: .*{message}"):
            read(tmp_path / name)
    with pytest.raises(InputError, match=message):
        read_embedding(tmp_path / "x.npz")


def test_an_archive_that_unpacks_to_more_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((1000, 1000), np.float32))
    assert (tmp_path / "x.npz").stat().st_size < 10_000
    monkeypatch.setattr(arrays, "physical_memory", lambda: 6_000_000)
    with pytest.raises(InputError, match=r"x\.npz: found an archive that unpacks from .* to 4,000,128 bytes"):
        datasets.read(tmp_path / "x.npz")


def test_a_member_that_unpacks_to_more_than_the_archive_says(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((100, 100), np.float32))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    # The unpacked size, in the directory of the archive: 40,128 becomes 128.
    at = content.rfind(struct.pack("<I", 40_128))
    content[at : at + 4] = struct.pack("<I", 128)
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npz: .*(truncated|Bad CRC)"):
        datasets.read(tmp_path / "x.npz")


@pytest.mark.parametrize("key", ["x", "edge_weight", "y"])
def test_one_number_expanded_to_terabytes(tmp_path: Path, key: str) -> None:
    content = {"x": torch.eye(3), "edge_index": torch.tensor([[0], [1]])}
    content[key] = torch.zeros(1).expand(10**12) if key != "x" else torch.zeros(1).expand(10**7, 10**5)
    torch.save(content, tmp_path / "g.pt")
    torch.save({"embedding": content[key]}, tmp_path / "z.pt")
    with pytest.raises(InputError, match=rf"g\.pt: found {key} of shape .* bytes; expected about the"):
        datasets.read(tmp_path / "g.pt")
    with pytest.raises(InputError, match=r"z\.pt: found embedding of shape"):
        read_embedding(tmp_path / "z.pt")


def test_a_packed_pytorch_file(tmp_path: Path) -> None:
    torch.save(torch.zeros(30_000_000), tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "g.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(InputError, match=r"g\.pt: found parts that unpack to 120,00"):
        datasets.read(tmp_path / "g.pt")


def test_one_edge_to_a_far_node(tmp_path: Path) -> None:
    edges = np.array([[0], [10**12]])
    np.savez(tmp_path / "g.npz", edge_index=edges)
    torch.save(Data(edge_index=torch.from_numpy(edges)), tmp_path / "g.pt")
    torch.save(Data(edge_index=torch.tensor([[0], [1]]), num_nodes=10**12), tmp_path / "n.pt")
    for name in ("g.npz", "g.pt", "n.pt"):
        with pytest.raises(InputError, match=rf"{name}: 1,000,000,000,0.. nodes without features"):
            datasets.read(tmp_path / name)


def test_entities_that_grow(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE g [<!ENTITY e0 "ha">{entities}]><graphml>&e9;</graphml>'
    (tmp_path / "g.graphml").write_text(bomb)
    with pytest.raises(InputError, match=r"g\.graphml: found a DOCTYPE with declarations"):
        datasets.read(tmp_path / "g.graphml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["graphml", "gexf"])
def test_entities_of_other_files_and_in_other_encodings(tmp_path: Path, name: str, encoding: str) -> None:
    (tmp_path / "secret").write_text("secret")
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    entity = f'<!DOCTYPE g [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    text = f'{head}{entity}<{name}><graph edgedefault="directed"><node id="&e;"/></graph></{name}>'
    (tmp_path / f"g.{name}").write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match="a DOCTYPE with declarations of its own"):
        datasets.read(tmp_path / f"g.{name}")


def test_a_packed_matlab_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scipy.io.savemat(tmp_path / "x.mat", {"X": np.zeros((1000, 1000))}, do_compression=True)
    assert (tmp_path / "x.mat").stat().st_size < 20_000
    monkeypatch.setattr(arrays, "physical_memory", lambda: 6_000_000)
    with pytest.raises(InputError, match=r"x\.mat: found variables of 8,000,\d+ bytes"):
        datasets.read(tmp_path / "x.mat")


@pytest.mark.parametrize("place", [128, 136, 152, 168, 184, 200, 224, 248])
@pytest.mark.parametrize("value", [0, 0xFF, 0x494D0100, 2**31 - 1])
def test_matlab_files_whose_parts_do_not_fit(tmp_path: Path, place: int, value: int) -> None:
    """SciPy believes types and sizes in the file, and ends in a crash."""
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"A": scipy.sparse.csc_matrix(np.eye(4))})
    content = bytearray(stream.getvalue())
    content[place : place + 4] = struct.pack("<I", value)
    (tmp_path / "x.mat").write_bytes(content)
    with contextlib.suppress(InputError):
        datasets.read(tmp_path / "x.mat")


def test_an_archive_of_konect_that_unpacks_to_more_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "g.tar.bz2", "w:bz2") as archive:
        member = tarfile.TarInfo("g/out.g")
        member.size = 8_000_000
        archive.addfile(member, io.BytesIO(bytes(8_000_000)))
    monkeypatch.setattr(konect, "physical_memory", lambda: 6_000_000)
    with pytest.raises(InputError, match=r"a file of 8,000,000 bytes in it"):
        datasets.read(tmp_path / "g.tar.bz2")


def test_an_archive_of_konect_writes_nothing(tmp_path: Path) -> None:
    text = b"% sym unweighted\n1 2\n2 3\n"
    # Two folders deep, so that what would be written lies in this test's own folder: others have an out.g, too.
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with tarfile.open(folder / "g.tar.bz2", "w:bz2") as archive:
        member = tarfile.TarInfo("../../out.g")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    assert datasets.read(folder / "g.tar.bz2").num_edges == 4
    assert [path.name for path in tmp_path.rglob("out.g")] == []


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self):
        return (Path.touch, (self.victim,))


@pytest.mark.parametrize("name", ["x.pt", "x.npy", "x.npz", "raw.pt", "model.safetensors", "model.json"])
def test_no_code_in_a_file_is_run(tmp_path: Path, name: str) -> None:
    victim, path = tmp_path / "victim", tmp_path / name
    malicious = np.array([Malicious(victim)], dtype=object)
    if name == "x.npy":
        np.save(path, malicious, allow_pickle=True)
    elif name == "x.npz":
        np.savez(path, x=malicious, embedding=np.eye(1), label=malicious)
    elif name == "x.pt":
        torch.save({"x": torch.eye(3), "y": Malicious(victim), "embedding": torch.eye(3)}, path)
    else:
        GenURL(epochs=1, random_state=0).fit(torch.rand(20, 3)).save(tmp_path)
        path.write_bytes(pickle.dumps(Malicious(victim)))
    readers = [GenURL.load] if name.startswith("model") else [datasets.read, read_embedding]
    for read in readers:
        with pytest.raises(InputError, match=name if len(readers) == 2 else "is not a folder that"):
            read(path if len(readers) == 2 else tmp_path)
    assert not victim.exists()
    # The file is as dangerous as it should be: an unguarded reader does run it.
    if name == "raw.pt":
        pickle.loads(path.read_bytes())
        assert victim.exists()


@pytest.mark.data
def test_no_code_in_a_raw_pickle_of_planetoid_is_run(tmp_path: Path, data_root: Path) -> None:
    root, victim = tmp_path / "root", tmp_path / "victim"
    for file in datasets.info("cora").files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(data_root / file, root / file)
    assert datasets.load("cora", root).num_nodes == 2708
    graph = next(root / file for file in datasets.info("cora").files if file.endswith("graph"))
    graph.unlink()
    graph.write_bytes(pickle.dumps(Malicious(victim)))
    with pytest.raises(InputError, match=r"ind\.cora\.graph: expected a pickle of arrays only"):
        datasets.load("cora", root)
    assert not victim.exists()


@pytest.mark.parametrize("call", ["os system", "builtins eval", "numpy fromfile", "collections OrderedDict"])
def test_pickles_that_ask_for_anything_else(tmp_path: Path, call: str) -> None:
    module, name = call.split()
    (tmp_path / "x").write_bytes(f"c{module}\n{name}\n(S'true'\ntR.".encode())
    with pytest.raises(InputError, match=f"it asks for {module}.{name}"):
        check_pickle(tmp_path / "x")


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "arxiv/../../evil", "C:/evil", "arxiv\\..\\evil", "link"])
def test_archives_that_lead_out_of_their_folder(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = datasets.info("ogbn-arxiv")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in entry.files:
            archive.writestr("arxiv/" + file.partition("/")[2], b"")
        member = zipfile.ZipInfo(name)
        member.external_attr = (0o120777 if name == "link" else 0o100644) << 16
        archive.writestr(member, "/etc/passwd")
    monkeypatch.setattr(download, "transfer", lambda url, path, bar: path.write_bytes(buffer.getvalue()))
    root = tmp_path / "deep" / "root"
    with pytest.raises(InputError, match="leads out of its folder"):
        datasets.load("ogbn-arxiv", root)
    assert [path.name for path in tmp_path.rglob("*")] == ["deep", "root"]


def test_an_archive_larger_than_the_disk(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/x", bytes(1_000_000))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, pytest.raises(ValueError, match="unpacks to 1,000,000 bytes"):
        download._check_members(archive, "url", 999_999)
