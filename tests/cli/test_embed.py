"""``genurl-graph embed`` end to end, on data that needs no download and on Cora."""

import json
import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL, datasets
from genurl_graph.cli.report import encoder_name, merged_line
from genurl_graph.config import load_preset
from genurl_graph.evaluation.budget import clock, plan
from genurl_graph.evaluation.budget.judgement import KEYS

METRICS = {
    "dataset": str,
    "task": str,
    "n_nodes": int,
    "n_edges": int,
    "n_features": int,
    "reading": dict | None,
    "dim": int,
    "seed": int,
    "device": str,
    "seconds": {"graph", "train", "evaluate", "total"},
    "peak_memory_mb": float,
    "loss": float,
    "graph": {"n_predefined", "n_feature", "n_both", "n_components_before", "n_components_after"},
    # Of a map, which has no figure of the next four; of other embeddings those without this one.
    "reduce": {
        *("knn_accuracy", "trustworthiness", "continuity", "triplets", "pieces", "largest_piece", "spearman"),
        *("raw_knn_accuracy", "how"),
    },
    "probe": {"protocol", "train", "val", "test", "splits"},
    "knn": {"test", "neighbors"},  # no figure of the labels, but why, where these are too few
    "cluster": {"acc", "nmi", "ari"},
    "reference": {"raw", "propagated", "untrained"},
    "left_out": dict | None,
    "evaluation": {"budget", "left_out"},
    "config": dict,
    "versions": dict,
    "embedding_crc32": int,
    "run": {"command", "dataset", "input", "features", "labels", "backbone", "read", "processes"},
    "environment": {"data", "device", "threads"},
    "hardware": dict,
}


def check_metrics(metrics: dict) -> None:
    assert list(metrics) == list(METRICS)
    as_map = metrics["reduce"] is not None
    left_out = {*(metrics["left_out"] or ()), *(("probe", "knn", "cluster", "reference") if as_map else ("reduce",))}
    for key, kind in METRICS.items():
        if key in left_out:
            assert metrics[key] is None, key
        elif isinstance(kind, set):
            # Scripts rely on these; the graph says more where merging decided something.
            assert set(metrics[key]) >= kind if key in ("graph", "evaluation") else set(metrics[key]) == kind, key
        else:
            assert isinstance(metrics[key], kind), key


def test_digits(run, few_digits, tmp_path: Path) -> None:
    result = run(
        *("embed", "--dataset", "Digits", "--epochs", 5, "--seed", 3, "--device", "cpu"),
        *("--output", "z.npz", "--metrics", "m.json", "--plot", "z.png", "--save-model", "model"),
    )
    assert sorted(os.listdir()) == ["m.json", "model", "z.npz", "z.png"]
    with np.load("z.npz") as archive:
        assert archive["embedding"].shape == (300, 2)
        assert archive["embedding"].dtype == np.float32
        assert archive["node_id"].tolist() == list(range(300))
        assert set(archive["label"].tolist()) == set(range(10))
    metrics = json.loads(Path("m.json").read_text())
    check_metrics(metrics)
    assert (metrics["dataset"], metrics["task"], metrics["device"]) == ("digits", "reduce", "cpu")
    assert (metrics["n_nodes"], metrics["n_edges"], metrics["n_features"]) == (300, 0, 64)
    assert (metrics["dim"], metrics["seed"]) == (2, 3)
    assert metrics["reduce"]["raw_knn_accuracy"] > 0.95  # a fact about the digits, whatever the embedding
    assert metrics["seconds"]["total"] >= metrics["seconds"]["train"] + metrics["seconds"]["evaluate"]
    assert Path("z.png").read_bytes().startswith(b"\x89PNG")
    for expected in ("300 samples", "raw features: 0.9", "islands of a class", "z.npz", "m.json", "z.png", "model"):
        assert expected in result.stdout
    for key in ("trustworthiness", "continuity", "triplets", "knn_accuracy", "raw_knn_accuracy"):
        assert f"{metrics['reduce'][key]:.3f}" in result.stdout
    assert "linear probe" not in result.stdout
    assert "evaluation" not in result.stdout


def test_a_graph_is_told_in_four_lines_and_the_rest_to_those_who_ask(run, two_clubs) -> None:
    words = (*CLUBS, "--full", "--output", "z.npz")
    read, merged, embedding, probe, *rest = run(*words).stdout.splitlines()
    assert read == "karate: 68 nodes, 156 edges, 5 features, 2 classes"
    assert merged == "merged graph: 156 predefined edges"
    assert re.fullmatch(r"embedding: 8 dimensions by encoder gcn, 1 epoch in \d+\.\d s on cpu, seed 0", embedding)
    beside = r"\(untrained encoder [\d.]+, propagated features [\d.]+, raw features [\d.]+\)"
    assert re.fullmatch(rf"linear probe: [\d.]+ % test accuracy {beside}", probe)
    assert [line.split()[-1] for line in rest if line] == ["z.npz", "m.json"]
    asked = run(*words, "--verbose").stdout
    assert [line for line in (read, merged) if line not in asked] == []
    for more in ("loss", "k-means", "nearest-neighbour vote", "mean of 2 splits", "evaluation ", "features: evidence"):
        assert more in asked
        assert more not in embedding + probe


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((960, 3144, 626), "1,586 predefined edges and 3,770 kNN edges, 626 of them both"),
        ((0, 24141, 0), "24,141 kNN edges"),
        ((1, 1, 0), "1 predefined edge and 1 kNN edge"),
        ((0, 0, 0), "no edges"),
    ],
)
def test_merged_edges_are_counted_once(counts: tuple[int, int, int], told: str) -> None:
    found = dict(zip(("n_predefined", "n_feature", "n_both"), counts, strict=True))
    assert merged_line(found) == f"merged graph: {told}"


def test_karate_has_edges_but_no_features(run) -> None:
    words = ("embed", "--dataset", "karate", "--epochs", 3, "--seed", 0, "--dim", 8)
    run(*words, "--output", "z.csv", "--plot", "z.png")
    assert len(Path("z.csv").read_text().splitlines()) == 35
    assert Path("z.csv").read_text().startswith("node_id,label,e0,e1,e2,e3,e4,e5,e6,e7\n")


@pytest.mark.data
def test_cora(run, data_root: Path) -> None:
    run(
        *("embed", "--dataset", "cora", "--data-root", data_root, "--epochs", 2, "--seed", 0, "--dim", 32),
        *("--set", "encoder.hidden=32", "--output", "z.pt", "--metrics", "m.json"),
    )
    metrics = json.loads(Path("m.json").read_text())
    check_metrics(metrics)
    assert (metrics["dataset"], metrics["task"], metrics["dim"]) == ("Cora", "graph", 32)
    assert (metrics["n_nodes"], metrics["n_edges"], metrics["n_features"]) == (2708, 10556, 1433)
    assert metrics["probe"]["protocol"] == "public"
    assert metrics["reference"]["propagated"] > metrics["reference"]["raw"] > 0.5
    assert metrics["graph"]["n_components_before"] == 78
    content = torch.load("z.pt", weights_only=True)
    assert content["embedding"].shape == (2708, 32)
    assert content["label"].max() == 6


def test_own_files_keep_their_names_and_need_no_labels(run) -> None:
    ring = [f"n{i:02d}" for i in range(20)]
    edges = "".join(f"{a},{b}\n" for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
    Path("ring.csv").write_text("source,target\n" + edges)
    result = run("embed", "--input", "ring.csv", "--epochs", 2, "--dim", 4, "--metrics", "m.json")
    with np.load("ring-embedding.npz") as archive:
        assert set(archive.files) == {"embedding", "node_id"}
        assert sorted(archive["node_id"].tolist()) == ring
    metrics = json.loads(Path("m.json").read_text())
    assert list(metrics) == list(METRICS)
    assert [metrics[key] for key in ("probe", "knn", "cluster", "reference")] == [None] * 4
    assert "no labels" in result.stdout


def test_labels_of_own_files_come_out_by_name(run) -> None:
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.standard_normal((60, 5)) + np.repeat([[0], [6], [12]], 20, axis=0))
    Path("y.csv").write_text("label\n" + "cat\n" * 20 + "dog\n" * 20 + "emu\n" * 20)
    run("embed", "--input", "x.npy", "--labels", "y.csv", "--epochs", 2, "--output", "z.npz")
    with np.load("z.npz") as archive:
        assert archive["label"].tolist() == ["cat"] * 20 + ["dog"] * 20 + ["emu"] * 20


def test_batches_of_neighbourhoods_are_named() -> None:
    config = load_preset("graph", "sampled")
    told = [
        encoder_name(SimpleNamespace(task_="graph", encoder_name_=name, config_=config)) for name in ("gcn", "sign")
    ]
    assert told == ["encoder gcn in batches of 1,024 with 15,10 neighbours", "encoder sign"]
    whole = SimpleNamespace(task_="graph", encoder_name_="gcn", config_=load_preset("graph"))
    assert encoder_name(whole) == "encoder gcn"


def test_quiet_prints_nothing(run) -> None:
    result = run("embed", "--dataset", "karate", "--epochs", 2, "--dim", 4, "--quiet")
    assert result.output == ""
    assert os.listdir() == ["karate-embedding.npz"]


def test_json_is_all_that_stdout_has(run) -> None:
    words = ("embed", "--dataset", "karate", "--epochs", 2, "--dim", 4, "--seed", 1, "--device", "cpu", "--json")
    result = run(*words, "--metrics", "m.json", "--plot", "z.png")
    printed = json.loads(result.stdout)
    assert printed == json.loads(Path("m.json").read_text())
    check_metrics(printed)
    assert "linear probe" in result.stderr
    assert "z.png" in result.stderr
    assert run(*words, "--quiet").stderr == ""


def test_settings_reach_the_configuration_and_set_wins(run) -> None:
    Path("c.toml").write_text("[loss]\ngamma = 0.5\n[training]\nlr = 0.002\n")
    run(
        *("embed", "--dataset", "karate", "--epochs", 2, "--dim", 4, "--config", "c.toml"),
        *("--set", "loss.gamma=0.25", "--metrics", "m.json"),
    )
    config = json.loads(Path("m.json").read_text())["config"]
    assert config["loss"]["gamma"] == 0.25
    assert config["training"]["lr"] == 0.002
    assert config["training"]["epochs"] == 2


def test_the_same_seed_gives_the_same_embedding(run) -> None:
    words = ("embed", "--dataset", "karate", "--epochs", 3, "--dim", 4, "--seed", 5, "--device", "cpu")
    for name in ("a.npy", "b.npy"):
        run(*words, "--output", name)
    np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))


def test_ctrl_c_then_resume_gives_what_an_undisturbed_run_gives(run, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("embed", "--dataset", "karate", "--epochs", 8, "--dim", 4, "--seed", 1, "--device", "cpu")
    run(*words, "--output", "whole.npy")

    step, calls = torch.optim.Adam.step, []

    def interrupted(self: torch.optim.Adam, closure: None = None) -> None:
        calls.append(1)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)
        step(self, closure)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", interrupted)
        result = run(*words, "--output", "z.npy", code=130)
    assert "--resume" in result.stderr
    assert "z.npy.ckpt" in result.stderr
    assert not Path("z.npy").exists()
    assert Path("z.npy.ckpt").exists()

    run(*words, "--output", "z.npy", "--resume")
    np.testing.assert_array_equal(np.load("z.npy"), np.load("whole.npy"))
    assert not Path("z.npy.ckpt").exists()


@pytest.fixture
def two_clubs(monkeypatch: pytest.MonkeyPatch) -> Data:
    """Karate with features, twice: fewer than 60 nodes are not probed."""
    data = datasets.load("karate")
    data.x = torch.rand(68, 5, generator=torch.Generator().manual_seed(0))
    data.edge_index, data.y = torch.cat([data.edge_index, data.edge_index + 34], 1), data.y.repeat(2)
    data.num_nodes, data.edge_weight = 68, None
    monkeypatch.setattr(datasets, "load", lambda *_: data)
    return data


CLUBS = (
    "embed",
    "--dataset",
    "karate",
    "--epochs",
    1,
    "--dim",
    8,
    "--seed",
    0,
    "--device",
    "cpu",
    "--metrics",
    "m.json",
)


def test_a_small_budget_leaves_out_splits_and_columns_and_the_report_says_so(run, two_clubs, monkeypatch) -> None:
    whole = run(*CLUBS, "--full", "--verbose").stdout
    assert "mean of 2 splits" in whole
    assert "in part" not in whole
    full = json.loads(Path("m.json").read_text())
    assert full["evaluation"] == {
        "splits": 2,
        "of": 2,
        "columns": None,
        "nodes": None,
        "clustered": None,
        "budget": None,
        "left_out": [],
    }
    assert run(*CLUBS).stdout.count("in part") == 0
    within = json.loads(Path("m.json").read_text())
    assert [within[key] for key in ("probe", "knn", "cluster", "reference")] == [
        full[key] for key in ("probe", "knn", "cluster", "reference")
    ]
    # As if a step took a hundred times as long, and three columns were wide.
    monkeypatch.setattr(plan, "STEP", 100 * (step := plan.STEP))
    monkeypatch.setattr(plan, "WIDE", 3)
    told = (
        "evaluated in part: raw features and propagated features: first 3 principal components; "
        "accuracy over 1 of 2 splits into training and test labels; --full uses all"
    )
    assert told in run(*CLUBS).stdout
    metrics = json.loads(Path("m.json").read_text())
    check_metrics(metrics)
    assert (metrics["probe"]["splits"], metrics["evaluation"]["columns"]) == (1, 3)
    # A repetition looks at as much as the file says, whatever it would choose itself.
    monkeypatch.setattr(plan, "STEP", step)
    printed = run("rerun", "m.json").stdout
    assert "reference.propagated" in printed
    assert " NO" not in printed


def test_a_clock_ends_the_evaluation_of_a_slow_machine_between_splits(run, two_clubs, monkeypatch) -> None:
    monkeypatch.setattr(clock, "SECONDS", 1e-9)
    monkeypatch.setattr(clock, "SHARE", 0)
    told = "evaluated in part: ended by the clock after 1 of 2 splits into training and test labels; --full uses all"
    assert told in run(*CLUBS).stdout
    assert json.loads(Path("m.json").read_text())["evaluation"]["splits"] == 1
    assert " NO" not in run("rerun", "m.json").stdout
    assert "mean of 2 splits" in run(*CLUBS, "--full", "--verbose").stdout


@pytest.mark.parametrize("words", [("--dataset", "digits"), ("--dataset", "karate", "--dim", 4)])
def test_without_evaluation(run, few_digits, words) -> None:
    base = ("embed", *words, "--epochs", 1, "--seed", 0, "--device", "cpu", "--metrics", "m.json", "--output", "z.npy")
    result = run(*base, "--no-evaluate")
    metrics = json.loads(Path("m.json").read_text())
    assert list(metrics) == list(METRICS)
    assert [metrics[key] for key in KEYS] == [None] * len(KEYS)
    assert "evaluation" not in result.stdout
    printed = run("rerun", "m.json").stdout
    assert "embedding_crc32" in printed
    assert "trustworthiness" not in printed
    assert "one of --no-evaluate and --full" in run(*base, "--no-evaluate", "--full", code=2).stderr


def test_vectors_without_labels_have_the_figures_that_need_none(run) -> None:
    np.save("x.npy", np.random.default_rng(0).standard_normal((80, 6)).astype(np.float32))
    for dim in (2, 5):
        words = ("embed", "--input", "x.npy", "--epochs", 1, "--seed", 0, "--dim", dim, "--metrics", "m.json")
        printed = run(*words, "--output", "z.npy").stdout
        found = json.loads(Path("m.json").read_text())["reduce"]
        assert f"trustworthiness  {found['trustworthiness']:.3f}" in printed
        assert f"random triplets  {found['triplets']:.3f}" in printed
        assert found["knn_accuracy"] is found["pieces"] is None
        assert "10-NN" not in printed
        assert "islands" not in printed


@pytest.mark.parametrize(
    ("labels", "told", "cluster"),
    [
        (["a", "b", "c"], "no linear probe: 20 labelled nodes of 3 classes; it takes at least 60", True),
        (["a"], "no linear probe: 1 class; it takes at least 2", False),
    ],
)
def test_labels_that_are_too_few_end_no_run(run, labels: list[str], told: str, cluster: bool) -> None:
    np.save("x.npy", np.random.default_rng(0).standard_normal((20, 5)))
    Path("y.csv").write_text("id,label\n" + "".join(f"{i},{labels[i % len(labels)]}\n" for i in range(20)))
    words = ("embed", "--input", "x.npy", "--labels", "y.csv", "--epochs", 1, "--seed", 0, "--metrics", "m.json")
    result = run(*words, "--output", "z.npz", "--dim", 4)
    assert "of the embedding are neighbours in the data" in result.stdout
    assert told in result.stdout
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["probe"] is None
    assert told in metrics["left_out"]["probe"]
    assert (metrics["cluster"] is not None) == cluster
    assert ("k-means against the classes: ACC" in result.stdout) == cluster
    assert np.load("z.npz")["label"].tolist()[:3] == (labels * 3)[:3]


def test_a_model_that_cannot_transform_is_named_before_the_training(run) -> None:
    words = ("embed", "--dataset", "karate", "--epochs", 1, "--dim", 4, "--save-model", "m")
    told = run(*words).stdout
    line = "transform of new data will be refused: nodes without features are told apart one by one (identity)"
    assert told.index(line) < told.index("1 epoch in")
    assert "refused" not in run(*words, "--set", "encoder.structure=degree").stdout
    assert "refused" not in run(*words[:-2]).stdout  # no model is saved


def test_a_model_that_knows_its_nodes_by_name_says_so_where_it_is_saved(run) -> None:
    Path("ring.csv").write_text("source,target\n" + "".join(f"n{i},n{(i + 1) % 12}\n" for i in range(12)))
    words = ("embed", "--input", "ring.csv", "--epochs", 1, "--dim", 4)
    assert "the saved model" not in run(*words).stdout
    told = run(*words, "--save-model", "m").stdout
    assert "the saved model will embed these nodes, known by their names, and new nodes with edges to them" in told


def test_a_file_without_its_option_is_told_the_option(run) -> None:
    result = run("embed", "ring.csv", code=2)
    assert "found 'ring.csv' without an option; expected --input FILE or --dataset NAME" in result.stderr


def test_a_model_without_a_transform_warns(run) -> None:
    with pytest.warns(UserWarning, match="cannot transform new data: nodes without features"):
        GenURL(4, epochs=1, random_state=0).fit(datasets.load("karate")).save("n")


def test_features_that_no_edge_confirms_are_called_undecided(run) -> None:
    r = np.random.default_rng(0)
    y = np.arange(120) % 3
    ends = r.integers(120, size=(2, 6000))
    ends = ends[:, (y[ends[0]] == y[ends[1]]) & (ends[0] != ends[1])][:, :600]
    np.savez("g.npz", x=r.normal(size=(120, 20)) + r.normal(size=(120, 1)), edge_index=ends)
    words = ("embed", "--input", "g.npz", "--dim", "32", "--epochs", "1", "--output", "z.npz", "--verbose")
    told = run(*words).stdout
    assert "features: evidence 0.00 of 1" in told
    assert "undecided; the encoder reads the structure alone, and they stand beside the result" in told
    assert re.search(r" trained, \d\d components of features", told)
