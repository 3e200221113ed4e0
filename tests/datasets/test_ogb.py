"""The OGB reader on a small folder in the exact layout of OGB's archives."""

import builtins
import functools
import gzip
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.utils import to_undirected

from genurl_graph import datasets
from genurl_graph.evaluation.ogb import without_version_check
from genurl_graph.exceptions import InputError

EDGES = "0,1\n1,2\n3,0\n"
FEATURES = "0.5,-1.25\n-0.057943,1e-3\n2,3\n-0.1,0\n"


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.write(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "ogbn_arxiv"
    write(folder / "raw" / "edge.csv.gz", EDGES)
    write(folder / "raw" / "node-feat.csv.gz", FEATURES)
    write(folder / "raw" / "node-label.csv.gz", "4\n0\n39\n1\n")
    write(folder / "raw" / "node_year.csv.gz", "2017\n2018\n2019\n2020\n")
    write(folder / "raw" / "num-node-list.csv.gz", "4\n")
    write(folder / "raw" / "num-edge-list.csv.gz", "3\n")
    for part, nodes in (("train", "0\n3\n"), ("valid", "1\n"), ("test", "2\n")):
        write(folder / "split" / "time" / f"{part}.csv.gz", nodes)
    (folder / "RELEASE_v1.txt").touch()
    return tmp_path


def test_reads_the_raw_files(root: Path):
    data = datasets.load("ogbn-arxiv", root)
    assert data.edge_index.tolist() == [[0, 0, 1, 1, 2, 3], [1, 3, 0, 2, 1, 0]]
    expected = torch.tensor([[0.5, -1.25], [-0.057943, 1e-3], [2, 3], [-0.1, 0]])
    assert torch.equal(data.x, expected)
    assert data.y.tolist() == [4, 0, 39, 1]
    assert data.train_mask.tolist() == [True, False, False, True]
    assert data.val_mask.tolist() == [False, True, False, False]
    assert data.test_mask.tolist() == [False, False, True, False]
    assert data.name == "ogbn-arxiv"
    assert sorted(path.name for path in (root / "ogbn_arxiv").iterdir()) == ["RELEASE_v1.txt", "raw", "split"]


def test_absent_label_is_minus_one(root: Path):
    write(root / "ogbn_arxiv" / "raw" / "node-label.csv.gz", "4\nnan\n39\n1\n")
    assert datasets.load("ogbn-arxiv", root).y.tolist() == [4, -1, 39, 1]


def test_needs_no_ogb(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ogb", None)
    assert datasets.load("arxiv", root).num_nodes == 4


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("raw/edge.csv.gz", "0,1\n1,4\n", r"edge.csv.gz: line 2: found \[1, 4\]; expected nodes from 0 to 3"),
        ("raw/edge.csv.gz", "0,1,2\n", r"edge.csv.gz: found 3 columns; expected 2"),
        ("raw/edge.csv.gz", "0,x\n", r"edge.csv.gz: cannot be read as numbers"),
        ("raw/node-feat.csv.gz", "1,2\n3,4\n", r"node-feat.csv.gz: found 2 rows; expected 4"),
        ("raw/node-label.csv.gz", "1\n", r"node-label.csv.gz: found 1 rows; expected 4"),
        ("split/time/valid.csv.gz", "-1\n", r"valid.csv.gz: line 1: found \[-1\]"),
        ("split/time/valid.csv.gz", "", "valid.csv.gz: the file is empty"),
    ],
)
def test_contradictions_are_named(root: Path, file: str, content: str, message: str):
    write(root / "ogbn_arxiv" / file, content)
    with pytest.raises(InputError, match=message):
        datasets.load("ogbn-arxiv", root)


def test_truncated_gzip_is_named(root: Path):
    path = root / "ogbn_arxiv" / "raw" / "edge.csv.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match=r"edge.csv.gz: cannot be read"):
        datasets.load("ogbn-arxiv", root)


@pytest.fixture(params=["ogb_blocks", "ogb_coauthor"])
def graph_root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a whole graph in OGB's layout: OGB's own classes write beside raw/."""
    return Path(shutil.copytree(request.getfixturevalue(request.param), tmp_path / "root"))


@pytest.fixture
def own_classes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """OGB's own classes, with a ``torch.load`` that unpickles as it did before torch 2.6; a question is an error."""
    with without_version_check():
        import ogb.nodeproppred as found
    monkeypatch.setattr(torch, "load", functools.partial(torch.load, weights_only=False))
    monkeypatch.setattr(builtins, "input", lambda *words: pytest.fail(f"asked: {words}"))
    return found


def test_same_content_as_ogb_itself_reads(graph_root: Path, own_classes: Any):
    ours = datasets.load("ogbn-arxiv", graph_root)
    plain = own_classes.NodePropPredDataset("ogbn-arxiv", root=str(graph_root))
    pyg = own_classes.PygNodePropPredDataset("ogbn-arxiv", root=str(graph_root))
    again = own_classes.PygNodePropPredDataset("ogbn-arxiv", root=str(graph_root))  # from what the first one wrote
    graph, labels = plain[0]
    for x, y, edge_index in (
        (torch.from_numpy(graph["node_feat"]), torch.from_numpy(labels), torch.from_numpy(graph["edge_index"])),
        (pyg[0].x, pyg[0].y, pyg[0].edge_index),
        (again[0].x, again[0].y, again[0].edge_index),
    ):
        assert torch.equal(ours.x, x)
        assert torch.equal(ours.y, y[:, 0])
        assert edge_index.size(1) * 2 == ours.edge_index.size(1)
        assert torch.equal(ours.edge_index, to_undirected(edge_index, num_nodes=len(y)))
    for split in (plain.get_idx_split(), pyg.get_idx_split()):
        for part, mask in (("train", ours.train_mask), ("valid", ours.val_mask), ("test", ours.test_mask)):
            assert mask.nonzero()[:, 0].tolist() == split[part].tolist()
    covered = ours.train_mask.int() + ours.val_mask.int() + ours.test_mask.int()
    assert bool((covered == 1).all())


def test_reading_never_unpickles_or_asks(ogb_blocks: Path, monkeypatch: pytest.MonkeyPatch):
    before = sorted(ogb_blocks.rglob("*"))
    monkeypatch.setattr(torch, "load", lambda *words, **more: pytest.fail("unpickled"))
    monkeypatch.setattr(builtins, "input", lambda *words: pytest.fail("asked"))
    assert datasets.load("ogbn-arxiv", ogb_blocks).num_nodes == 240
    assert sorted(ogb_blocks.rglob("*")) == before
