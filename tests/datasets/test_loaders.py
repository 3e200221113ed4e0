"""Loaders against the published sizes and against PyG's own loaders; the raw folder stays untouched."""

import shutil
import warnings
from pathlib import Path

import pytest
import torch
import torch_geometric.datasets

from genurl_graph import datasets
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edges import describe_edges

IN_SHARED = [
    "Cora",
    "CiteSeer",
    "Amazon-Photo",
    "Coauthor-CS",
    "Cora_ML",
    "Cornell",
    "Texas",
    "Wisconsin",
    "Actor",
    "Minesweeper",
]


def listing(folder: Path) -> set[tuple[str, int, int]]:
    return {(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*")}


def present(data_root: Path, name: str) -> Path:
    entry = datasets.info(name)
    if not all((data_root / file).is_file() for file in entry.files):
        pytest.skip(f"{name} is not under {data_root}")
    return data_root


@pytest.mark.data
@pytest.mark.parametrize("name", IN_SHARED)
def test_sizes_are_those_of_the_registry_and_nothing_is_written(data_root: Path, name: str):
    root = present(data_root, name)
    entry = datasets.info(name)
    folder = (root / entry.folder).parent
    before = listing(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # torch and PyG warn of their own innards otherwise
        data = datasets.load(name, root)
    assert listing(folder) == before
    size = (data.num_nodes, data.edge_index.size(1), data.x.size(1), int(data.y.max()) + 1)
    assert size == (entry.n_nodes, entry.n_edges, entry.n_features, entry.n_classes)
    assert describe_edges(data.edge_index) == f"{entry.n_distinct_edges:,} {'directed ' * entry.directed}edges"
    assert data.name == name
    assert data.x.dtype == torch.float32
    assert data.y.dtype == data.edge_index.dtype == torch.int64
    assert data.y.shape == (entry.n_nodes,)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "kind", "inner"),
    [
        ("Cora", "Planetoid", ("Cora",)),
        ("Amazon-Photo", "Amazon", ("Photo",)),
        ("Cora_ML", "CitationFull", ("Cora_ML",)),
        ("Texas", "WebKB", ("Texas",)),
        ("Minesweeper", "HeterophilousGraphDataset", ("Minesweeper",)),
    ],
)
def test_equal_to_pyg(data_root: Path, tmp_path: Path, name: str, kind: str, inner: tuple[str, ...]):
    entry = datasets.info(name)
    root = present(data_root, name)
    parent = entry.folder.split("/")[0]
    for file in entry.files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file, tmp_path / file)
    expected = getattr(torch_geometric.datasets, kind)(str(tmp_path / parent), *inner)[0]
    found = datasets.load(name, root)
    x = found.x.to_dense() if found.x.layout == torch.sparse_csr else found.x
    assert torch.equal(x, expected.x)
    assert torch.equal(found.edge_index, expected.edge_index)
    assert torch.equal(found.y, expected.y)
    for mask in ("train_mask", "val_mask", "test_mask"):
        if mask in expected:
            assert torch.equal(found[mask], expected[mask])


@pytest.mark.data
@pytest.mark.parametrize("name", ["MUTAG", "PTC_MR", "IMDB-MULTI"])
def test_a_set_of_graphs_is_that_of_pyg_and_nothing_is_written(data_root: Path, tmp_path: Path, name: str):
    root = present(data_root, name)
    entry = datasets.info(name)
    before = listing(root / "TUDataset" / name)
    found = datasets.load(name, root)
    assert listing(root / "TUDataset" / name) == before
    shutil.copytree(root / "TUDataset" / name, tmp_path / name)
    expected = torch_geometric.datasets.TUDataset(str(tmp_path), name)
    graphs = found.collection
    assert (len(found), graphs.num_nodes, graphs.num_edges) == (entry.n_graphs, entry.n_nodes, entry.n_edges)
    assert (graphs.x is None, entry.n_classes) == (entry.n_features == 0, len(found.y.unique()))
    for one, other in zip(found, expected, strict=True):
        for key in ("x", "edge_index", "edge_attr", "y"):
            assert (key in one) == (key in other)
            assert key not in one or torch.equal(one[key], other[key])
        assert one.num_nodes == other.num_nodes
    assert found.label_names == ([*entry.classes] or None)


@pytest.mark.data
def test_cora_has_its_public_split(data_root: Path):
    data = datasets.load("cora", present(data_root, "Cora"))
    assert [int(data[f"{part}_mask"].sum()) for part in ("train", "val", "test")] == [140, 500, 1000]


@pytest.mark.data
def test_cora_has_as_many_papers_of_each_subject_as_its_makers_counted(data_root: Path):
    data = datasets.load("cora", present(data_root, "Cora"))
    assert dict(zip(data.label_names, torch.bincount(data.y).tolist(), strict=True)) == {
        "Neural Networks": 818,
        "Probabilistic Methods": 426,
        "Genetic Algorithms": 418,
        "Theory": 351,
        "Case Based": 298,
        "Reinforcement Learning": 217,
        "Rule Learning": 180,
    }


@pytest.mark.data
@pytest.mark.parametrize("name", ["Amazon-Photo", "Coauthor-CS"])
def test_bag_of_words_stays_sparse(data_root: Path, name: str):
    x = datasets.load(name, present(data_root, name)).x
    assert x.layout == torch.sparse_csr
    assert set(x.values().unique().tolist()) == {1.0}


def test_karate_needs_no_files(tmp_path: Path):
    data = datasets.load("Karate", tmp_path / "nowhere")
    assert data.num_nodes == 34
    assert data.edge_index.shape == (2, 156)
    assert data.is_undirected()
    assert data.edge_weight.shape == (156,)
    assert data.x is None
    assert data.label_names == ["Mr. Hi", "Officer"]
    assert torch.bincount(data.y).tolist() == [17, 17]
    assert not (tmp_path / "nowhere").exists()


def test_digits_need_no_files(tmp_path: Path):
    data = datasets.load("digits", tmp_path / "nowhere")
    assert data.x.shape == (1797, 64)
    assert (float(data.x.min()), float(data.x.max())) == (0.0, 1.0)
    assert data.edge_index is None
    assert data.y.unique().tolist() == list(range(10))


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 truncated"])
def test_damaged_raw_file_is_named(tmp_path: Path, content: bytes):
    file = tmp_path / datasets.info("photo").files[0]
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"amazon_electronics_photo.npz.*delete"):
        datasets.load("photo", tmp_path)


def test_damaged_file_behind_pyg_is_named_without_leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    for file in datasets.info("texas").files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("damaged")
    with pytest.raises(InputError, match=r"data set Texas: the files in .*texas/raw cannot be read"):
        datasets.load("texas", tmp_path)
    assert list(scratch.iterdir()) == []
