"""``genurl-graph compare --task edges`` and ``evaluate --protocol edges``, on a grid under the name of the roads."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.evaluation import probe
from genurl_graph.evaluation.edges.figures import FIGURES
from genurl_graph.experiments import runs
from genurl_graph.experiments.edges import table
from genurl_graph.inputs.edge_rows import EdgeSet
from tests.evaluation.edges.grid import street_grid

WITHOUT = "majority,label-propagation,raw,propagated"


@pytest.fixture(autouse=True)
def grid(monkeypatch: pytest.MonkeyPatch) -> EdgeSet:
    found = street_grid(labels=2)
    monkeypatch.setattr(datasets, "load", lambda *_: found)
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())
    monkeypatch.setattr(table, "_warm_up", lambda *_: None)
    monkeypatch.setattr(probe, "STRENGTHS", (0.1, 1.0))
    return found


def test_rows_without_training_can_be_compared_taken_up_and_run_again(run: Any) -> None:
    words = ("compare", "--dataset", "linkoping", "--protocol", "edges", "--methods", WITHOUT)
    words += ("--metrics", "m.json", "--markdown", "t.md")
    run(*words, "--seeds", 1)
    result = run(*words, "--seeds", 2, "--resume")
    found = json.loads(Path("m.json").read_text())
    assert (found["protocol"], found["split"], found["blocks"]) == ("edges", "given", 20)
    assert list(found["methods"]) == WITHOUT.split(",")
    for row in found["methods"].values():
        assert all(len(row[figure]) == 2 for figure in FIGURES)
    # The class is the half of the city, which neighbours tell and noise does not.
    means = {name: row["mean"]["micro"] for name, row in found["methods"].items()}
    assert means["label-propagation"] > 0.9 > 0.7 > means["raw"]
    assert "20 blocks of space, held out whole" in result.stdout
    assert "read labels of the training edges" in Path("t.md").read_text()
    assert "blocks_macro.label-propagation.seed 1" in run("rerun", "m.json").stdout


def test_a_file_is_judged_beside_rows_without_training(run: Any, grid: EdgeSet) -> None:
    np.savez("z.npz", embedding=torch.nn.functional.one_hot(grid.y).float().numpy())
    words = ("evaluate", "--protocol", "edges", "--dataset", "linkoping", "--embedding", "z.npz")
    result = run(*words, "--seeds", 2, "--blocks", 6, "--metrics", "m.json")
    found = json.loads(Path("m.json").read_text())
    assert found["blocks"] == 6
    assert {found["methods"]["genurl"]["mean"][figure] for figure in ("micro", "macro")} == {1.0}
    assert found["methods"]["raw"]["mean"]["micro"] < 0.8
    assert "6 blocks of space" in result.stdout
    assert "the figures of a finished embedding" in run("rerun", "m.json", code=2).stderr


def test_what_is_trained_for_each_seed_can_be_run_again(run: Any) -> None:
    words = ("evaluate", "--protocol", "edges", "--dataset", "linkoping", "--seeds", 2, "--blocks", 10)
    run(*words, "--epochs", 3, "--dim", 16, "--metrics", "m.json", "--quiet")
    found = json.loads(Path("m.json").read_text())
    row = found["methods"]["genurl"]
    assert found["configuration"]["genurl"]["task"] == "edges"
    assert row["blocks_micro"][0] != row["blocks_micro"][1]
    # Streets know where they lie by their neighbours; noise does not.
    assert row["mean"]["micro"] > found["methods"]["raw"]["mean"]["micro"] + 0.1
    run("rerun", "m.json")  # to the last bit, or it ends with 1


def test_rows_of_a_file_are_found_by_their_ends(run: Any, grid: EdgeSet) -> None:
    from genurl_graph.inputs.edge_rows import EdgeEnds
    from genurl_graph.inputs.edge_rows.files import write_edge_embedding

    order = torch.randperm(len(grid), generator=torch.Generator().manual_seed(0))
    z = torch.nn.functional.one_hot(grid.y).float()[order]
    write_edge_embedding("z.csv", z, EdgeEnds(grid.edges.ends[:, order], grid.num_nodes))
    words = ("evaluate", "--dataset", "linkoping", "--embedding", "z.csv")
    run(*words, "--metrics", "m.json")
    assert json.loads(Path("m.json").read_text())["methods"]["genurl"]["micro"] == [1.0]
    write_edge_embedding("z.csv", z, EdgeEnds(grid.edges.ends[:, order] + 1, grid.num_nodes + 1))
    assert "z.csv: found no row of the edge" in run(*words, code=2).stderr


def test_rows_must_be_those_of_the_edges(run: Any) -> None:
    np.savez("z.npz", embedding=np.zeros((3, 2)))
    words = ("evaluate", "--protocol", "edges", "--dataset", "linkoping", "--embedding", "z.npz")
    assert "z.npz: found 3 rows; expected 264, the edges of data set linkoping" in run(*words, code=2).stderr


def test_edges_without_a_place_have_one_split(run: Any, grid: EdgeSet) -> None:
    grid.middle = None
    np.savez("z.npz", embedding=np.zeros((264, 2)))
    words = ("evaluate", "--protocol", "edges", "--dataset", "linkoping", "--embedding", "z.npz")
    result = run(*words)
    assert "no blocks of space" in result.stdout
    assert "macro F1, blocks" not in result.stdout
    assert "blocks of space: found edges without coordinates" in run(*words, "--blocks", 5, code=2).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--blocks", 5, "--embedding", "z.npz"), "--blocks goes with --protocol edges"),
        (("--protocol", "edges", "--seed", 3), "--seed does not go with --protocol edges"),
        (("--protocol", "edges", "--embedding", "z.npz", "--epochs", 3), "an embedding file is not trained"),
    ],
)
def test_bad_requests(run: Any, words: tuple[object, ...], message: str) -> None:
    assert message in run("evaluate", "--dataset", "linkoping", *words, code=2).stderr


def test_other_data_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_geometric.data import Data

    one = Data(x=torch.rand(30, 2), edge_index=torch.zeros(2, 0, dtype=torch.long), y=torch.arange(30) % 2)
    monkeypatch.setattr(datasets, "load", lambda *_: one)
    assert (
        "expected one with edges as rows, such as linkoping"
        in run("compare", "--dataset", "karate", "--protocol", "edges", code=2).stderr
    )


def test_edges_are_no_nodes(run: Any) -> None:
    result = run("compare", "--dataset", "linkoping", "--task", "graph", code=2)
    assert "264 edges, each a row; expected nodes or vectors (of edges: --task edges)" in result.stderr
