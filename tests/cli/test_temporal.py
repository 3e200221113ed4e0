"""Events with a time on the command line: embed, transform, rerun, and what is refused."""

import csv
import json
import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

FAST = ("--epochs", 1, "--seed", 0, "--dim", 2, "--set", "encoder.hidden=8", "--set", "temporal.positions=4")
SENT = ("--column", "time=sent")
FIRST = datetime(2024, 1, 1, 8, tzinfo=UTC)
NODES, EVENTS = 20, 200


def write(path: str, first: int = 0, last: int = EVENTS, more: tuple[str, ...] = ()) -> str:
    """Some of the messages: one each six hours; `more` is one more row."""
    generator = np.random.default_rng(0)
    source = generator.integers(0, NODES, EVENTS)
    target = (source + generator.integers(1, NODES, EVENTS)) % NODES
    rows = [
        (f"u{source[i]}", f"u{target[i]}", (FIRST + timedelta(hours=6 * i)).isoformat()) for i in range(first, last)
    ]
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("from", "to", "sent"), *rows, *([more] if more else [])])
    return path


def test_messages_are_embedded_drawn_and_run_again(run) -> None:
    words = ("--input", write("messages.csv"), *SENT, "--windows", "14d", *FAST)
    shown = run("embed", *words, "--output", "mine.npz", "--metrics", "m.json", "--plot", "p.png").stdout
    for line in (
        "read messages.csv as events: from -> to (times in sent: dates, in UTC)",
        "200 events among 20 nodes",
        "rows, (node, window); 4 windows",
        "no labels, so no evaluation",
        "evaluate --protocol temporal-links",
        "embedding 20 x 2",
    ):
        assert line in shown
    assert re.search(r"\d+ interaction edges, \d+ identity edges \(\d+\.\d % of the total weight\)", shown)
    with np.load("mine.npz") as found:
        rows = len(found["trajectory"])
        assert found["embedding"].shape == (20, 2)
        assert found["window_start"].shape == (5,)
        assert str(found["time_unit"]) == "dates"
    assert Path("p.png").is_file()
    assert Path("p-trajectory.png").is_file()
    metrics = json.loads(Path("m.json").read_text())
    expected = {"task": "temporal", "n_events": 200, "n_windows": 4, "n_rows": rows, "n_nodes": 20, "unit": "dates"}
    assert {key: metrics[key] for key in expected} == expected
    assert metrics["span"][0] == FIRST.timestamp()
    assert metrics["config"]["temporal"]["windows"] == "14d"
    again = run("rerun", "m.json", "--output", "again.npz").stdout
    assert re.search(rf"n_rows +{rows} +{rows} +yes", again)
    assert " NO" not in again
    with np.load("again.npz") as now, np.load("mine.npz") as found:
        assert np.array_equal(now["trajectory"], found["trajectory"])


def test_an_interrupted_training_goes_on(run, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--input", write("messages.csv"), *SENT, "--windows", 6, *FAST[2:], "--epochs", 3, "--no-evaluate")
    run("embed", *words, "--output", "whole.npz")
    step, calls = torch.optim.Adam.step, []

    def interrupted(self: torch.optim.Adam, closure: None = None) -> None:
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        step(self, closure)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", interrupted)
        assert "--resume" in run("embed", *words, "--output", "z.npz", code=130).stderr
    run("embed", *words, "--output", "z.npz", "--resume")
    with np.load("z.npz") as now, np.load("whole.npz") as found:
        assert np.array_equal(now["trajectory"], found["trajectory"])


def test_later_messages_get_windows_and_a_saved_model_moves_on(run) -> None:
    words = ("--input", write("first.csv", 0, 120), *SENT, "--windows", 6, *FAST, "--output", "z.npz")
    run("embed", *words, "--save-model", "model", "--no-evaluate")
    today = ("--input", write("today.csv", 120, 160, ("u99", "u1", "2024-02-10T00:00:00")))
    run("transform", "--model", "model", *today, "--output", "today.csv.npz")
    run("transform", "--model", "model", *today, "--output", "today.npz", "--windows", 1, "--save-model", "model")
    with np.load("today.npz") as found:
        assert found["node_id"][-1] == "u99"
        assert len(found["embedding"]) == 21
        assert {*found["trajectory_window"].tolist()} == {0}
        assert 20 in found["trajectory_node"]
    # The model moved on: the same day does not come twice, the next one does.
    refused = run("transform", "--model", "model", *today, "--output", "twice.npz", code=2).stderr
    assert re.search(r"\w+\.csv: found an event at .*; expected events from", refused)
    shown = run("transform", "--model", "model", "--input", write("next.csv", 165, 200), "--output", "n.csv").stdout
    assert "trajectory" in shown
    heads = [Path(name).read_text().splitlines()[0] for name in ("n.csv", "n-trajectory.csv")]
    assert heads[0].startswith("node_id,e0")
    assert heads[1].startswith("node_id,window,window_start,window_end,events,e0")


def test_labels_of_nodes_are_probed(run) -> None:
    Path("who.csv").write_text("id,fraud\n" + "".join(f"u{i},{i % 2}\n" for i in range(20)))
    words = ("--input", write("messages.csv"), *SENT, "--windows", 3, *FAST, "--labels", "who.csv")
    shown = run("embed", *words, "--output", "z.npz").stdout
    assert "linear probe" in shown


@pytest.fixture
def few_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data set planted-switching has few nodes and events."""
    from genurl_graph.datasets import loaders
    from genurl_graph.datasets.planted_switching import planted_switching

    few = planted_switching(60, 2000, 3, 6, seed=0)
    monkeypatch.setitem(loaders.LOADERS, "planted-switching", lambda *_: few)


def test_planted_states_are_judged_beside_rows_without_training(run, few_planted: None) -> None:
    shown = run("embed", "--dataset", "planted-switching", "--windows", 6, *FAST, "--metrics", "m.json").stdout
    assert "states of the nodes" in shown
    assert re.search(r"GenURL +\d\.\d{3}", shown)
    assert "spectral, each window" in shown
    found = json.loads(Path("m.json").read_text())["temporal_nodes"]
    assert 0 <= found["genurl"]["clusters_window"] <= 1
    # Times are left out where a graph is asked for.
    assert (
        "their times left out"
        in run("embed", "--dataset", "planted-switching", "--task", "graph", *FAST, "--no-evaluate").stdout
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--output", "z.npy"), "cannot also hold windows"),
        (("--windows", "7x"), "windows"),
        (("--windows", "7d", "--task", "graph"), "--windows: found --task graph; expected --task temporal"),
        (("--encoder", "gcn"), "task temporal: encoder"),
        (("--windows", "500"), "the number of different times"),
    ],
    ids=("npy", "length", "other task", "encoder", "many"),
)
def test_what_cannot_be_is_said_before_the_training(run, words: tuple[str, ...], message: str) -> None:
    result = run("embed", "--input", write("messages.csv"), *SENT, *FAST, *words, code=2)
    assert message in result.stderr
    assert "epochs" not in result.stdout


def test_models_of_other_tasks_have_no_later_windows(run) -> None:
    np.save("x.npy", np.random.default_rng(0).normal(size=(20, 3)))
    run("embed", "--input", "x.npy", "--epochs", 1, "--output", "k.npz", "--save-model", "model", "--no-evaluate")
    words = ("transform", "--model", "model", "--input", write("messages.csv"), "--output", "z.npz")
    assert "task temporal" in run(*words, "--save-model", "other", code=2).stderr
    assert "--windows" in run(*words, "--windows", 3, code=2).stderr


def test_links_of_the_last_windows_are_ranked_beside_rows_without_training(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genurl_graph.evaluation.temporal_links import fitted_score

    monkeypatch.setattr(fitted_score, "STEPS", 20)
    monkeypatch.setattr(fitted_score, "BATCH", 16)
    words = ("--input", write("messages.csv"), *SENT, "--windows", 8, *FAST[:2], *FAST[4:])
    shown = run("evaluate", "--protocol", "temporal-links", *words, "--metrics", "m.json").stdout
    assert "200 events among 20 nodes" in shown
    for row in ("genurl", "history", "edgebank", "adamic-adar", "degree-recent", "recency"):
        assert re.search(rf"^  {row} +\d", shown, re.MULTILINE)
    found = json.loads(Path("m.json").read_text())
    assert (found["protocol"], found["windows"], found["seeds"]) == ("temporal-links", "8", [0])
    assert 0 < found["methods"]["genurl"]["mrr"][0] <= 1
    again = run("rerun", "m.json").stdout
    assert re.search(r"mrr\.genurl\.seed 0 .* yes", again)
    assert " NO" not in again


def test_trajectories_are_judged_by_planted_states(run, few_planted: None) -> None:
    run("embed", "--dataset", "planted-switching", "--windows", 6, *FAST, "--output", "z.npz", "--no-evaluate")
    words = ("evaluate", "--protocol", "temporal-nodes", "--dataset", "planted-switching")
    told = run(*words, "--embedding", "z.npz", "--metrics", "m.json").stdout
    assert "states of the nodes in 6 windows" in told
    trained = run(*words, "--windows", 6, *FAST[:2], *FAST[4:]).stdout
    # The same seed, and so the same trajectory.
    assert [line for line in told.splitlines() if "GenURL" in line] == [
        line for line in trained.splitlines() if "GenURL" in line
    ]
    assert json.loads(Path("m.json").read_text())["temporal_nodes"]["genurl"]["clusters_window"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--protocol", "temporal-links", "--embedding", "z.npz"), "trains its own"),
        (("--protocol", "temporal-links", "--seed", "1"), "--seed does not go with --protocol temporal-links"),
        (("--protocol", "temporal-links", "--windows", "2"), "more windows, so that each part has one"),
        (("--protocol", "temporal-nodes"), "no true states of the nodes"),
    ],
    ids=("embedding", "seed", "windows", "states"),
)
def test_what_a_protocol_of_events_lacks_is_said(run, words: tuple[str, ...], message: str) -> None:
    assert message in run("evaluate", *words, "--input", write("messages.csv"), *SENT, code=2).stderr


def test_each_source_of_edges_is_left_out_in_turn(run, few_planted: None) -> None:
    words = ("--merging", "all,no-interactions,no-identity,no-knn", "--windows", 8, "--epochs", 1, *FAST[4:])
    told = run("ablate", "--dataset", "planted-switching", *words, "--seeds", 1, "--metrics", "m.json").stdout
    assert "AUC of the embedding's cosine in per cent (protocol temporal-links, 1 seed)" in told
    rows = json.loads(Path("m.json").read_text())["rows"]
    assert rows["merging=no-interactions"]["set"] == {"temporal.interaction_weight": 0.0}
    assert {row["reason"] for row in rows.values()} == {None}
    # What P is made of changes what is found.
    assert len({row["probe_val"][0] for row in rows.values()}) == 4
    assert " NO" not in run("rerun", "m.json").stdout
