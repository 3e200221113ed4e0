"""From files to an embedding by partition: prepare, embed, transform, evaluate, inspect."""

import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.evaluation import splits
from genurl_graph.exceptions import LostProcessError, ShortMemoryError
from genurl_graph.inference.partitioned import run as runs
from genurl_graph.inference.partitioned.output import Output
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import write_prepared
from genurl_graph.tasks.partitioned import recipe

N = 1200
FAST = ("--dim", 20, "--epochs", 5, "--n-neighbors", 8, "--device", "cpu", "--seed", 0, "--set", "training.lr=0.01")
FAST += ("--set", "encoder.hidden=48", "--set", "sampling.batch_size=256", "--set", "neighbors.backend=exact")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 nodes of 4 classes in 3 partitions, whose features alone say little about the classes."""
    graph = planted_graph(N, 10 * N, num_features=12, num_classes=4, homophily=0.9, noise=0.5, seed=0)
    graph.node_id = [f"node {i}" for i in range(N)]
    path = tmp_path_factory.mktemp("planted") / "prepared"
    write_prepared(as_input(graph), path, partitions=3, labels=graph.y.numpy())
    return path


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 nodes in 2 partitions, where it does not matter how well they are embedded."""
    path = tmp_path_factory.mktemp("few") / "prepared"
    write_prepared(as_input(planted_graph(200, 1000, num_features=4, num_classes=2, seed=0)), path, partitions=2)
    return path


@pytest.fixture(scope="module")
def embedded(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the embedding ``out``, its figures and its model."""
    from click.testing import CliRunner

    from genurl_graph.cli import main

    folder = tmp_path_factory.mktemp("embedded")
    words = ["embed", "--input", prepared, "--output", folder / "out", *FAST]
    words += ["--metrics", folder / "found.json", "--save-model", folder / "model"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(splits.REPEATS, "random-10-10-80", 2)
        result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    (folder / "said.txt").write_text(result.stdout)
    return folder


def rows(folder: Path) -> np.ndarray:
    return Output.open(folder).rows()["embedding"]


def test_an_embedding_is_better_than_features_and_than_the_untrained_encoder(embedded: Path) -> None:
    found = json.loads((embedded / "found.json").read_text())
    accuracy, beside = found["probe"]["test"], found["reference"]
    assert accuracy > beside["raw"] + 0.15
    assert accuracy > beside["untrained"] + 0.1
    assert found["graph"]["n_sample"] == N
    said = (embedded / "said.txt").read_text()
    for words in ("1,200 nodes in 3 partitions", "settings from the whole graph", "largest worker", "epochs, loss"):
        assert words in said
    assert not (embedded / "out.work").exists()
    table = pandas.read_parquet(embedded / "out" / "part-00002.parquet")
    assert table.node_id.str.startswith("node ").all()
    assert list(table.columns[:3]) == ["node_id", "label", "e0"]
    record = Output.open(embedded / "out").record
    assert {stage["name"] for stage in record["stages"]} >= {"training", "embedding"}
    assert all(stage["peak_mb"] > 0 for stage in record["stages"])


def test_evaluate_finds_the_same_figures(run, embedded: Path, prepared: Path) -> None:
    words = ("evaluate", "--embedding", embedded / "out")
    said = run(*words, "--metrics", "m.json").stdout
    assert "all 1,200 rows" in said
    found, before = (json.loads(file.read_text()) for file in (Path("m.json"), embedded / "found.json"))
    assert found["runs"][0]["probe"] == before["probe"]
    # It knows its prepared folder, and no other one will do.
    run(*words, "--protocol", "knn", "--input", prepared)
    graph = planted_graph(60, 100, num_features=3, num_classes=2, seed=0)
    write_prepared(as_input(graph), "other", labels=graph.y.numpy())
    assert "60 nodes (partitions: 1); expected those of" in run(*words, "--input", "other", code=2).stderr
    assert "no prepared folder; expected the one that" in run(*words, "--input", "nowhere", code=2).stderr
    assert "--dataset: found an embedding by partition" in run(*words, "--dataset", "karate", code=2).stderr
    assert "--column: found a prepared folder" in run(*words, "--column", "label=x", code=2).stderr


def test_explore_names_a_table_that_it_can_draw(run, embedded: Path) -> None:
    said = run("explore", embedded / "out", code=2).stderr
    assert f"expected one of its tables, such as {embedded / 'out'}/part-00000.parquet" in said


def test_an_input_that_is_missing_is_named_before_the_output(run) -> None:
    assert (
        "nowhere: found nothing; expected a prepared folder"
        in run("embed", "--input", "nowhere", "--output", "out", code=2).stderr
    )


def test_the_saved_model_embeds_by_partition_and_in_memory(run, embedded: Path, prepared: Path) -> None:
    from genurl_graph import GenURL
    from genurl_graph.inputs.partitioned import Prepared

    run("transform", "--model", embedded / "model", "--input", prepared, "--output", "again")
    np.testing.assert_allclose(rows(Path("again")), rows(embedded / "out"), atol=2e-4)
    whole = Prepared.open(prepared).whole()
    from torch_geometric.data import Data

    z = GenURL.load(embedded / "model").transform(Data(x=whole.x, edge_index=whole.edge_index))
    np.testing.assert_allclose(z.numpy(), rows(embedded / "out"), atol=2e-4)


def test_other_features_than_those_of_the_model_are_refused(run, embedded: Path) -> None:
    graph = planted_graph(60, 100, num_features=3, num_classes=2, seed=0)
    write_prepared(as_input(graph), "other")
    said = run("transform", "--model", embedded / "model", "--input", "other", "--output", "out", code=2).stderr
    assert "found 3 features; expected 12" in said
    assert "--like" in said
    assert not Path("out").exists()


def test_features_that_were_made_otherwise_than_those_of_the_model_are_named(run) -> None:
    random = np.random.default_rng(0)
    pandas.DataFrame(random.integers(100, size=(300, 2)), columns=["source", "target"]).to_csv("edges.csv", index=False)
    for name, scale in (("one", 1.0), ("two", 50.0)):
        nodes = pandas.DataFrame(scale * random.standard_normal((100, 4)), columns=["a", "b", "c", "d"])
        nodes.assign(e=random.random(100)).to_csv(f"{name}.csv", index_label="id")
        run("prepare", "edges.csv", "--features", f"{name}.csv", "--output", name)
    run("prepare", "edges.csv", "--features", "two.csv", "--output", "alike", "--like", "one")
    words = ("--epochs", 1, "--dim", 8, "--seed", 0, "--no-evaluate", "--save-model", "model")
    run("embed", "--input", "one", "--output", "z", *words)
    caution = "its features were not made as those of the model"
    for name, named in (("two", True), ("alike", False), ("one", False)):
        said = run("transform", "--model", "model", "--input", name, "--output", f"z-{name}").stdout
        assert (caution in said) == named


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--workers", 2), "processes of this machine: --cluster local."),
        (("--windows", "3"), "--windows: found a prepared folder; expected events with a time"),
        (("--features", "x.csv"), "--features: found a prepared folder; expected files"),
    ],
)
def test_transform_refuses_what_it_would_not_heed(
    run, embedded: Path, prepared: Path, words: tuple[str, ...], message: str
) -> None:
    said = run("transform", "--model", embedded / "model", "--input", prepared, "--output", "out", *words, code=2)
    assert message in said.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize("error", [LostProcessError, ShortMemoryError])
def test_lost_workers_and_short_memory_end_with_advice(
    run, few: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*shared: Any) -> None:
        raise error("partition 1 is lost")

    monkeypatch.setattr(recipe, "weighed_rows", fail)
    words = ("embed", "--input", few, "--output", "out", "--no-evaluate", *FAST)
    first = run(*words, code=1)
    continues = "Error: partition 1 is lost; the same command with --resume, also with other workers, continues"
    assert continues in first.stderr
    assert "begins anew" not in first.output
    assert "begins anew: what an interrupted run left in" in run(*words, code=1).stdout


@pytest.mark.parametrize("where", ["training", "embedding"])
def test_an_interrupted_run_goes_on(
    run, embedded: Path, prepared: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(epoch: int, loss: float) -> None:
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    def write_first(part: int, *shared: Any) -> None:
        if part == 1:
            raise KeyboardInterrupt
        write(part, *shared)

    write, words = runs.write_rows, ("embed", "--input", prepared, "--output", "out", "--no-evaluate", *FAST)
    with monkeypatch.context() as patch:
        if where == "training":
            patch.setattr(recipe, "train_partitions", partial(recipe.train_partitions, callbacks=[interrupt]))
        else:
            patch.setattr(runs, "write_rows", write_first)
        said = run(*words, code=130).stderr
        assert "interrupted; the same command with --resume, also with other workers, continues from" in said
    assert Path("out.work/settings.json").is_file()
    assert "seed is 0 there and 1 here" in run(*words, "--seed", 1, "--resume", code=2).stderr
    if where == "embedding":
        # What was removed meanwhile is written again, and half a file of a killed worker stops nobody.
        Path("out/part-00000.parquet").unlink()
        Path("out/.part-00001.0a1b2c3d.parquet").write_bytes(b"half")
    run(*words, "--resume")
    assert np.array_equal(rows(Path("out")), rows(embedded / "out"))
    assert len(list(Path("out").iterdir())) == 4
    names = [stage["name"] for stage in Output.open(Path("out")).record["stages"]]
    assert sum("search" in name or "neighbour" in name for name in names) <= len(names) / 2
    assert not Path("out.work").exists()


def test_workers_find_what_one_process_finds(run, embedded: Path, prepared: Path) -> None:
    # Of Ray's workers: tests/runtime/partitions/test_ray_cluster.py, tests/benchmarks/bench_deaths.py.
    said = run("embed", "--input", prepared, "--output", "out", *FAST, "--devices", 2, "--metrics", "found.json").stdout
    assert "of the Ray cluster at" not in said
    found, alone = (json.loads(file.read_text()) for file in (Path("found.json"), embedded / "found.json"))
    assert found["probe"]["test"] > alone["probe"]["test"] - 0.05
    assert found["probe"]["test"] > found["reference"]["untrained"] + 0.1
    assert found["graph"]["n_feature"] == alone["graph"]["n_feature"]


def test_files_are_prepared_and_embedded(run) -> None:
    graph = planted_graph(300, 1200, num_features=5, num_classes=3, seed=0)
    names = np.array([f"n{i}" for i in range(300)])
    edges = graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]].numpy()
    pandas.DataFrame({"from": names[edges[0]], "to": names[edges[1]]}).to_parquet("edges.parquet")
    nodes = pandas.DataFrame({"id": names, **{f"f{i}": column for i, column in enumerate(graph.x.numpy().T)}})
    nodes.assign(group=graph.y.numpy()).to_parquet("nodes.parquet")
    said = ("--column", "source=from", "--column", "target=to", "--column", "id=id", "--column", "label=group")
    run("prepare", "edges.parquet", "--features", "nodes.parquet", "--output", "prepared", "--partitions", 2, *said)
    assert "300 nodes in 2 partitions" in run("inspect", "prepared").stdout
    run("embed", "--input", "prepared", "--output", "out", "--epochs", 1, "--dim", 16, "--seed", 0, "--no-evaluate")
    assert sorted(Output.open(Path("out")).rows()["node_id"]) == sorted(names)
    assert "embedding of 300 nodes, 16 columns" in run("inspect", "out").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--encoder", "gcn"), "encoder of a prepared folder: found 'gcn'; expected one of sign, mlp, linear"),
        (("--task", "reduce"), "--task: found reduce of a prepared folder; expected graph"),
        (("--resume",), "--resume: there is no work folder"),
        (("--workers", 2), "--workers goes with --cluster"),
        (("--memory-per-worker", "2GB"), "--memory-per-worker goes with --cluster"),
        (("--cluster", "local", "--memory-per-worker", "300MB"), "found 0.30 GB; expected 0.6 GB or more"),
        (("--memory-per-worker", "much"), "found 'much'; expected an amount such as 2GB"),
        (("--features", "x.csv"), "--features: found a prepared folder; expected files"),
        (("--init", "pca"), "--init: found a prepared folder"),
        (("--plot", "map.png"), "explore out/part-00000.parquet draws a part"),
        (("--directed",), "--directed or --undirected: found a prepared folder; expected files"),
        (("--output", "z.npz"), "z.npz: found the name of a file; expected that of a folder"),
        (("--output", "x"), "x.work: found a folder that holds notes.txt"),
        (("--output", "full"), "full: found a folder that holds notes.txt; expected a new folder"),
    ],
)
def test_bad_input_is_refused_before_any_work(run, prepared: Path, words: tuple[str, ...], message: str) -> None:
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine")
    Path("x.csv").write_text("a\n1\n")
    Path("x.work").mkdir()
    Path("x.work/notes.txt").write_text("mine")
    assert message in run("embed", "--input", prepared, "--output", "out", *words, code=2).stderr
    assert sorted(path.name for path in Path().iterdir() if not path.name.startswith(".")) == [
        "full",
        "x.csv",
        "x.work",
    ]
    assert all(Path(folder, "notes.txt").read_text() == "mine" for folder in ("full", "x.work"))


def test_a_folder_that_is_no_work_folder_is_not_replaced(run, prepared: Path) -> None:
    Path("out.work").mkdir()
    Path("out.work/thesis.txt").write_text("mine")
    said = run("embed", "--input", prepared, "--output", "out", code=2).stderr
    assert "found a folder that holds thesis.txt; expected the work of an earlier run, or nothing" in said
    assert Path("out.work/thesis.txt").read_text() == "mine"


def test_workers_need_a_prepared_folder(run) -> None:
    np.save("x.npy", np.random.default_rng(0).standard_normal((20, 3)))
    said = run("embed", "--input", "x.npy", "--cluster", "auto", code=2).stderr
    assert "--cluster goes with a prepared folder" in said
    said = run("transform", "--model", "m", "--input", "x.npy", "--output", "z.npy", "--workers", 2, code=2).stderr
    assert "--workers goes with a prepared folder" in said
