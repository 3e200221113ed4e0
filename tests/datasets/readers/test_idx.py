"""The idx reader: what it reads, and what it says of files that lie about themselves."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.datasets import download
from genurl_graph.datasets.readers.images import read_idx
from genurl_graph.exceptions import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3, 2), dtype=np.uint8)


def idx(array: np.ndarray, shape: tuple[int, ...] | None = None, kind: int = 8) -> bytes:
    """Bytes of an idx file, written out from the format's description."""
    sizes = array.shape if shape is None else shape
    return bytes([0, 0, kind, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + array.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(6, 3, 2), (36,), (2, 3, 3, 2)])
def test_reads_what_was_written(tmp_path: Path, pack, shape: tuple[int, ...]):
    file = tmp_path / "images.gz"  # content decides, not the name
    file.write_bytes(pack(idx(PIXELS.reshape(shape))))
    found = read_idx(file)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, PIXELS.reshape(shape))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found nothing at its start"),
        (b"PK\3\4 something", "found 50 4b 03 04 at its start; expected 00 00 08"),
        (idx(PIXELS, kind=0x0D), "found idx type 0x0d; expected unsigned bytes"),
        (bytes([0, 0, 8, 0]) + idx(PIXELS), "expected 00 00 08 and 1 to 4 axes"),
        (idx(PIXELS)[:9], "ends inside its header"),
        (idx(PIXELS)[:-1], "declares 6 x 3 x 2 bytes.*truncated"),
        (idx(PIXELS) + b"x", "declares 6 x 3 x 2 bytes, but more follow"),
        (idx(PIXELS, (6, 0, 2)), "declares 6 x 0 x 2 bytes; expected at least one"),
    ],
)
def test_faults_are_named(tmp_path: Path, pack, content: bytes, message: str):
    file = tmp_path / "images"
    file.write_bytes(pack(content))
    with pytest.raises(InputError, match=rf"{file}: .*{message}"):
        read_idx(file)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_header_that_declares_terabytes_takes_no_memory(tmp_path: Path, pack):
    file = tmp_path / "images"
    file.write_bytes(pack(idx(PIXELS, (2**31, 1000, 1000))))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="too short"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_truncated_gzip_is_named(tmp_path: Path):
    file = tmp_path / "images.gz"
    file.write_bytes(gzip.compress(idx(np.arange(250, dtype=np.uint8)))[:-12])
    with pytest.raises(InputError, match=f"{file}: cannot be read"):
        read_idx(file)


def write_parts(root: Path, suffix: str = ".gz", labels: int = 6, name: str = "MNIST") -> None:
    folder = root / name / "raw"
    folder.mkdir(parents=True)
    pack = gzip.compress if suffix else bytes
    for prefix, shift in (("train", 0), ("t10k", 1)):
        (folder / f"{prefix}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(PIXELS + shift)))
        codes = np.arange(labels, dtype=np.uint8) % 3 + shift
        (folder / f"{prefix}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(codes)))


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_parts_and_masks(tmp_path: Path, suffix: str):
    write_parts(tmp_path, suffix)
    test, train, everything = (datasets.load(name, tmp_path) for name in ("mnist", "mnist-train", "mnist-all"))
    assert (test.name, train.name, everything.name) == ("MNIST-test", "MNIST-train", "MNIST-all")
    assert train.x.dtype == torch.float32
    np.testing.assert_allclose(train.x.numpy(), PIXELS.reshape(6, 6) / 255, rtol=1e-6)
    assert train.y.tolist() == [0, 1, 2] * 2
    assert test.y.tolist() == [1, 2, 3] * 2
    assert torch.equal(everything.x[everything.train_mask], train.x)
    assert torch.equal(everything.x[everything.test_mask], test.x)
    assert torch.equal(everything.y, torch.cat([train.y, test.y]))
    assert "train_mask" not in train


def test_clothes_have_names_and_other_labels_in_their_place_do_not(tmp_path: Path):
    write_parts(tmp_path, name="FashionMNIST")
    data = datasets.load("fashion-mnist-train", tmp_path)
    assert [data.label_names[code] for code in data.y[:3].tolist()] == ["T-shirt/top", "Trouser", "Pullover"]
    labels = tmp_path / "FashionMNIST" / "raw" / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx(np.array([0, 1, 2, 3, 4, 10], dtype=np.uint8))))
    assert "label_names" not in datasets.load("fashion-mnist-train", tmp_path)


def test_labels_that_do_not_count_the_images(tmp_path: Path):
    write_parts(tmp_path, labels=5)
    with pytest.raises(InputError, match=r"train-labels.*found 5 labels; expected 6, one for each image"):
        datasets.load("mnist-train", tmp_path)


@pytest.mark.parametrize("end", ["-idx{}-ubyte", "-idx{}-ubyte.gz", ".IDX{}-ubyte"])
def test_a_users_own_files(tmp_path: Path, end: str):
    pack = gzip.compress if end.endswith(".gz") else bytes
    images, labels = tmp_path / f"own{end.format(3)}", tmp_path / f"own{end.format(1)}"
    images.write_bytes(pack(idx(PIXELS)))
    labels.write_bytes(pack(idx(np.array([2, 0, 1, 1, 0, 2], dtype=np.uint8))))
    data = datasets.read(images, labels=labels)
    np.testing.assert_allclose(data.x.numpy(), PIXELS.reshape(6, 6) / 255, rtol=1e-6)
    assert data.y.tolist() == [2, 0, 1, 1, 0, 2]
    assert "y" not in datasets.read(images)


def test_faults_of_a_users_own_files(tmp_path: Path):
    images, labels = tmp_path / "a-idx3-ubyte", tmp_path / "a-idx1-ubyte"
    images.write_bytes(idx(PIXELS))
    labels.write_bytes(idx(np.arange(5, dtype=np.uint8)))
    for arguments, message in (
        ((images, None, labels), "5"),
        ((images, None, images), "found 3 axes; expected 1"),
        ((labels,), "one axis, as labels have"),
        ((images, tmp_path / "x.npy"), "x.npy does not exist"),
        ((tmp_path / "b-idx3-ubyte",), "b-idx3-ubyte: cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            datasets.read(*arguments)


def test_a_missing_part_is_named_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_parts(tmp_path)
    (tmp_path / "MNIST/raw/train-images-idx3-ubyte.gz").unlink()

    def refuse(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(download, "transfer", refuse)
    assert datasets.load("mnist", tmp_path).num_nodes == 6
    with pytest.raises(InputError, match=r"MNIST-train: 1 of 2 files are missing") as caught:
        datasets.load("mnist-train", tmp_path)
    assert f"  {tmp_path}/MNIST/raw/train-images-idx3-ubyte.gz\n" in str(caught.value)


@pytest.mark.data
@pytest.mark.parametrize("name", ["MNIST-test", "Fashion-MNIST-test", "Fashion-MNIST-train"])
def test_sizes_are_those_of_the_registry(data_root: Path, name: str):
    entry = datasets.info(name)
    if not all((data_root / file).is_file() for file in entry.files):
        pytest.skip(f"{name} is not under {data_root}")
    data = datasets.load(name, data_root)
    assert (*data.x.shape, int(data.y.max()) + 1) == (entry.n_nodes, entry.n_features, entry.n_classes)
    assert data.edge_index is None
    assert (float(data.x.min()), float(data.x.max())) == (0.0, 1.0)
    counts = torch.bincount(data.y).tolist()
    # Published: Fashion-MNIST is balanced; MNIST's test part has 980 zeros and 1,135 ones.
    assert counts[:2] == ([980, 1135] if name == "MNIST-test" else [entry.n_nodes // 10] * 2)


@pytest.mark.data
def test_pbmc(data_root: Path):
    if not (data_root / datasets.info("pbmc68k").files[0]).is_file():
        pytest.skip(f"pbmc68k is not under {data_root}")
    data = datasets.load("pbmc68k", data_root)
    assert data.x.shape == (700, 765)
    assert torch.bincount(data.y).sum() == 700
    assert len(data.label_names) == int(data.y.max()) + 1 == 10


def test_absent_pbmc_says_how_to_make_it(tmp_path: Path):
    with pytest.raises(InputError, match=r"they cannot be downloaded(.|\n)*vectors/pbmc68k_reduced.npz(.|\n)*scanpy"):
        datasets.load("pbmc68k", tmp_path)
