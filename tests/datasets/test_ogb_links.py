"""ogbl-collab in OGB's layout: read as OGB reads it, without running a pickle, and ranked by its own split."""

import functools
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from click.testing import CliRunner
from torch_geometric.utils import coalesce

from genurl_graph import datasets
from genurl_graph.cli import main
from genurl_graph.evaluation.links import official_split, ranking
from genurl_graph.evaluation.ogb import without_version_check
from genurl_graph.exceptions import InputError

N = 60


def table(path: Path, rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pandas.DataFrame(rows).to_csv(path, header=False, index=False)


def split_file(root: Path, part: str) -> Path:
    return root / "ogbl_collab" / "split" / "time" / f"{part}.pt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A ring of nodes whose chords are held out; some collaborations repeat."""
    folder, rng = tmp_path / "ogbl_collab", np.random.default_rng(0)
    ring = np.stack([np.arange(N), (np.arange(N) + 1) % N], 1)
    edges = np.concatenate([ring, ring[:5], np.stack([np.arange(N), (np.arange(N) + 2) % N], 1)])
    table(folder / "raw" / "edge.csv.gz", edges)
    table(folder / "raw" / "edge_weight.csv.gz", np.arange(len(edges)) % 3 + 1)
    table(folder / "raw" / "edge_year.csv.gz", np.full(len(edges), 2010))
    table(folder / "raw" / "node-feat.csv.gz", np.round(rng.normal(size=(N, 8)), 6))
    table(folder / "raw" / "num-node-list.csv.gz", [N])
    table(folder / "raw" / "num-edge-list.csv.gz", [len(edges)])
    split_file(tmp_path, "train").parent.mkdir(parents=True)
    for part, step in (("train", 1), ("valid", 3), ("test", 4)):
        pairs = np.stack([np.arange(N), (np.arange(N) + step) % N], 1)
        content = {"edge": pairs, "weight": np.ones((N, 1)), "year": np.full((N, 1), 2018)}
        if part != "train":
            content["edge_neg"] = np.stack([np.arange(N), (np.arange(N) + 20 + step) % N], 1)
        torch.save(content, split_file(tmp_path, part))
    (folder / "processed").mkdir()
    (folder / "RELEASE_v1.txt").touch()
    return tmp_path


def test_same_content_as_ogb_itself_reads(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = datasets.load("ogbl-collab", root)
    with without_version_check():
        from ogb.linkproppred import PygLinkPropPredDataset
    monkeypatch.setattr(torch, "load", functools.partial(torch.load, weights_only=False))
    theirs = PygLinkPropPredDataset("ogbl-collab", root=str(root))
    assert torch.equal(ours.x, theirs[0].x)

    def as_set(edge_index: torch.Tensor, weight: torch.Tensor) -> list[list[float]]:
        return sorted(torch.cat([edge_index.float(), weight.float().view(1, -1)]).T.tolist())

    assert as_set(ours.edge_index, ours.edge_weight) == as_set(theirs[0].edge_index, theirs[0].edge_weight)
    split = theirs.get_edge_split()
    for name, part in (("val", "valid"), ("test", "test")):
        assert torch.equal(ours[f"{name}_edge"], split[part]["edge"].T)
        assert torch.equal(ours[f"{name}_edge_neg"], split[part]["edge_neg"].T)


def test_old_names_of_numpy_are_read_too(root: Path) -> None:
    """numpy 1 wrote another name of its constructor, which the archives hold."""

    class OldNames(pickle._Pickler):
        def save_global(self, obj: Any, name: str | None = None) -> None:
            if getattr(obj, "__module__", "").endswith("_core.multiarray"):
                self.write(b"cnumpy.core.multiarray\n_reconstruct\n")
                self.memoize(obj)
            else:
                super().save_global(obj, name)

    class Module:
        Pickler = OldNames
        dump, dumps = staticmethod(pickle.dump), staticmethod(pickle.dumps)

    before = datasets.load("ogbl-collab", root)
    for new_format in (True, False):
        content = torch.load(split_file(root, "test"), weights_only=False)
        torch.save(content, split_file(root, "test"), pickle_module=Module, _use_new_zipfile_serialization=new_format)
        assert b"numpy.core.multiarray" in split_file(root, "test").read_bytes()
        assert torch.equal(datasets.load("ogbl-collab", root).test_edge, before.test_edge)


class Danger:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_that_would_run_code_is_refused_unread(root: Path, tmp_path: Path) -> None:
    for content in (Danger(tmp_path / "ran"), {"edge": np.array([Danger(tmp_path / "ran")], dtype=object)}):
        torch.save(content, split_file(root, "test"))
        with pytest.raises(InputError, match=r"test.pt: found (damage, or objects|a file that cannot)"):
            datasets.load("ogbl-collab", root)
        assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "found list; expected a dictionary"),
        ({"edge": np.zeros((3, 2), dtype=np.int64)}, r"edge_neg: found shape \[\]"),
        ({"edge": np.zeros((3, 3), dtype=np.int64)}, r"edge: found shape \[3, 3\]"),
        ({"edge": np.full((3, 2), N)}, f"edge: found nodes from {N} to {N}; expected 0 to {N - 1}"),
    ],
)
def test_bad_splits(root: Path, content: Any, message: str) -> None:
    torch.save(content, split_file(root, "valid"))
    with pytest.raises(InputError, match=message):
        datasets.load("ogbl-collab", root)


def test_weights_of_other_edges(root: Path) -> None:
    table(root / "ogbl_collab" / "raw" / "edge_weight.csv.gz", [1, 2])
    with pytest.raises(InputError, match=r"edge_weight.csv.gz: found 2 rows; expected 125"):
        datasets.load("ogbl-collab", root)


def test_official_split_and_hits(root: Path) -> None:
    data = datasets.load("ogbl-collab", root)
    split = official_split(data)
    assert split is not None
    assert set(split.graph.keys()) == {"x", "edge_index", "edge_weight", "num_nodes"}
    # Repeats, by year, are summed.
    assert torch.equal(split.graph.edge_index, coalesce(data.edge_index))
    assert torch.equal(split.test.edge_index[:, split.test.label], data.test_edge)
    assert torch.equal(split.test.edge_index[:, ~split.test.label], data.test_edge_neg)
    assert split.train.size(1) == 2 * N  # each pair once
    assert official_split(datasets.load("karate")) is None
    with without_version_check():
        from ogb.linkproppred import Evaluator
    scores = np.random.default_rng(0).normal(size=2 * N).round(1)  # with ties
    label = split.test.label.numpy()
    official = Evaluator("ogbl-collab").eval({"y_pred_pos": scores[label], "y_pred_neg": scores[~label]})
    assert ranking(scores, label)["hits50"] == official["hits@50"]


def test_evaluate_uses_the_official_split(root: Path, tmp_path: Path) -> None:
    words = ["evaluate", "--protocol", "links", "--dataset", "ogbl-collab", "--data-root", root, "--epochs", 2]
    words += ["--dim", 4, "--set", "encoder.hidden=8", "--metrics", tmp_path / "m.json"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "its official split" in result.output
    found = json.loads((tmp_path / "m.json").read_text())
    assert found["edges"] == {"train": 2 * N, "val": N, "test": N}
    assert found["methods"]["genurl"]["cosine"]["test"]["hits50"] is not None
