"""Models of events: causality, windows that follow, names, files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import TemporalEdges

NODES, EVENTS = 60, 1200
GENERATOR = np.random.default_rng(0)
SOURCE, TARGET = GENERATOR.integers(0, NODES, (2, EVENTS))
TARGET = np.where(TARGET == SOURCE, (TARGET + 1) % NODES, TARGET)
EDGES = TemporalEdges.of(SOURCE, TARGET, np.arange(EVENTS), num_nodes=NODES)
FIRST, LATER = EDGES.between(0, 800), EDGES.between(800, EVENTS)


@pytest.fixture(scope="module")
def model() -> GenURL:
    return GenURL(task="temporal", windows=8, epochs=2, random_state=0).fit(FIRST)


def test_rows_are_nodes_in_windows_and_embedding_their_mean(model: GenURL) -> None:
    found = model.trajectory_
    assert found.num_windows == 8
    assert torch.equal(model.embedding_, found.invariant())
    assert len(found.node) == model.graph_summary_["n_rows"]
    assert model.task_ == "temporal"


def test_windows_one_by_one_are_those_of_all_together(model: GenURL) -> None:
    both = model.transform(LATER)
    assert both.num_windows == 4
    other = GenURL(task="temporal", windows=8, epochs=2, random_state=0).fit(FIRST)
    for start in range(800, EVENTS, 100):
        other.update(EDGES.between(start, start + 100), windows=1)
    after = other.trajectory_
    assert after.num_windows == 12
    assert torch.equal(after.embedding[-len(both.node) :], both.embedding)
    assert torch.equal(after.embedding[: len(model.trajectory_.node)], model.trajectory_.embedding)


def test_a_shuffled_future_changes_no_earlier_window(model: GenURL) -> None:
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    tail = LATER.target[200:][order]
    target = torch.cat([LATER.target[:200], tail])
    other = TemporalEdges(LATER.source, target, LATER.time, None, NODES)
    one, two = model.transform(LATER), model.transform(other)
    end = one.rows(2).start
    assert torch.equal(one.embedding[:end], two.embedding[:end])
    assert not torch.equal(one.embedding[end:], two.embedding[end : len(one.node)])


def test_a_saved_model_goes_on_as_the_fitted_one_would(model: GenURL, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    assert torch.equal(loaded.transform(LATER).embedding, model.transform(LATER).embedding)
    assert loaded.update(LATER).trajectory_.num_windows == 12


def test_nodes_are_found_by_their_names() -> None:
    frame = pd.DataFrame({"from": [f"u{i}" for i in SOURCE], "to": [f"u{i}" for i in TARGET], "at": np.arange(EVENTS)})
    model = GenURL(windows=8, epochs=1, random_state=0).fit(frame[:800], columns={"time": "at"})
    assert model.task_ == "temporal"
    n = len(model.node_id_)
    later = pd.concat([frame[800:], pd.DataFrame({"from": ["new"], "to": ["u1"], "at": [EVENTS]})])
    found = model.transform(later.iloc[::-1])
    expected = {*later["from"], *later["to"]}
    model.update(later)
    assert len(model.node_id_) == n + len(expected - {*frame[:800]["from"], *frame[:800]["to"]})
    assert {model.node_id_[node] for node in found.node.tolist()} == expected


def test_what_cannot_follow_is_refused(model: GenURL) -> None:
    with pytest.raises(InputError, match=r"an event at 0; expected events from 799 on, the last that"):
        model.transform(FIRST)
    weighted = TemporalEdges.of(LATER.source, LATER.target, LATER.time, np.ones(len(LATER)))
    with pytest.raises(InputError, match="events with weights, with no features; expected events without weights"):
        model.transform(weighted)
    whole = GenURL(windows=8, epochs=1, random_state=0, config={"temporal.causal": False}).fit(FIRST)
    with pytest.raises(InputError, match=r"temporal\.causal"):
        whole.update(LATER)
    vectors = GenURL(epochs=1, random_state=0).fit(np.random.default_rng(0).normal(size=(30, 4)))
    with pytest.raises(InputError, match="update: found a model of the task reduce"):
        vectors.update(LATER)


def test_two_features_do_not_pass_for_a_weight(tmp_path: Path) -> None:
    parts = FIRST.source, FIRST.target, FIRST.time
    model = GenURL(windows=4, epochs=1, random_state=0).fit(TemporalEdges.of(*parts, np.ones(800)))
    model.save(tmp_path / "model")
    ends = LATER.source, LATER.target, LATER.time
    told = "without weights, with 2 features; expected events with weights, with no features"
    for each in (model, GenURL.load(tmp_path / "model")):
        with pytest.raises(InputError, match=told):
            each.transform(TemporalEdges.of(*ends, attr=np.ones((400, 2))))
        assert each.transform(TemporalEdges.of(*ends, np.ones(400))).num_windows == 2


def test_one_seed_is_one_embedding_whatever_the_order_of_the_events() -> None:
    order = np.random.default_rng(1).permutation(800)
    parts = [np.asarray(part)[order] for part in (FIRST.source, FIRST.target, FIRST.time)]
    fits = [
        GenURL(task="temporal", windows=8, epochs=1, random_state=3).fit(edges).trajectory_.embedding
        for edges in (FIRST, TemporalEdges.of(*parts, num_nodes=NODES))
    ]
    assert torch.equal(*fits)


def test_windows_without_events_are_counted_and_have_no_rows() -> None:
    time = np.concatenate([np.arange(100), 500 + np.arange(100)])
    edges = TemporalEdges.of(SOURCE[:200], TARGET[:200], time, num_nodes=NODES)
    model = GenURL(task="temporal", windows="100u", epochs=1, random_state=0).fit(edges)
    assert model.trajectory_.num_windows == 6
    assert model.trajectory_.window.unique().tolist() == [0, 5]
    assert model.graph_summary_["n_windows_trained"] == 6
    # Later events may be few, and far apart.
    later = TemporalEdges.of([0, 1], [1, 2], [1000.0, 1900.0], num_nodes=NODES)
    assert model.transform(later).window.unique().tolist() == [4, 13]


def test_events_that_weigh_nothing_leave_rows_finite() -> None:
    weight = np.where((SOURCE == 3) | (TARGET == 3), 0.0, 1.0)[:800]
    edges = TemporalEdges.of(FIRST.source, FIRST.target, FIRST.time, weight, NODES)
    found = GenURL(task="temporal", windows=4, epochs=1, random_state=0).fit(edges).trajectory_
    assert 3 in found.node
    assert bool(found.embedding.isfinite().all())


def test_each_snapshot_is_a_window_however_many_edges_it_has() -> None:
    ends = torch.stack([FIRST.source, FIRST.target])
    shots = [Data(edge_index=part, num_nodes=NODES) for part in ends.split([500, 100, 50, 150], 1)]
    model = GenURL(task="temporal", epochs=1, random_state=0).fit(shots[:3])
    assert model.trajectory_.num_windows == 3
    assert model.config_.temporal.windows == "1u"
    # Another list counts from 0, and follows.
    assert model.update(shots[3:]).update(shots[:2]).trajectory_.starts.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0]


def test_times_of_another_unit_do_not_follow(tmp_path: Path) -> None:
    frame = pd.DataFrame({"from": SOURCE[:300], "to": TARGET[:300], "at": 1_700_000_000 + np.arange(300)})
    GenURL(windows=4, epochs=1, random_state=0).fit(frame[:200], columns={"time": "at"}).save(tmp_path / "model")
    model = GenURL.load(tmp_path / "model")
    later = frame[200:]
    assert model.transform(later.assign(at=pd.to_datetime(later["at"], unit="s")), columns={"time": "at"}).num_windows
    with pytest.raises(InputError, match="found times in milliseconds; expected seconds, as in the fit"):
        model.transform(later.assign(at=later["at"] * 1000), columns={"time": "at"})


def test_silence_between_updates_ages_what_came_before() -> None:
    first = EDGES.between(0, 400)
    model = GenURL(task="temporal", windows="100u", epochs=1, random_state=0).fit(first)
    again, much_later = (
        TemporalEdges.of(LATER.source[:100], LATER.target[:100], start + np.arange(100), num_nodes=NODES)
        for start in (400, 1000)
    )
    soon, late = model.transform(again), model.transform(much_later)
    assert soon.num_windows == 1
    assert late.num_windows == 7
    assert torch.equal(soon.node, late.node)
    assert not torch.equal(soon.embedding, late.embedding)


def test_windows_ask_for_events() -> None:
    table = pd.DataFrame({"from": [0, 1, 2, 0], "to": [1, 2, 3, 3], "sent": pd.date_range("2024-01-01", periods=4)})
    fast = {"epochs": 1, "random_state": 0}
    assert GenURL(windows=2, **fast).fit(table).trajectory_.num_windows == 2
    with pytest.raises(InputError, match="windows: found task graph; expected task temporal, or auto"):
        GenURL(windows=2, task="graph", **fast).fit(table)


def test_a_trajectory_is_no_table_for_scikit_learn() -> None:
    source, target = np.arange(6), (np.arange(6) + 1) % 6
    table = pd.DataFrame({"from": source, "to": target, "sent": pd.date_range("2024-01-01", periods=6)})
    model = GenURL(windows=2, epochs=1, random_state=0).set_output(transform="pandas")
    assert isinstance(model.fit_transform(table, columns={"time": "sent"}), pd.DataFrame)
    with pytest.raises(InputError, match="transform='pandas': found a trajectory, which is no table"):
        model.transform(table.assign(sent=table["sent"] + pd.Timedelta(days=7)))
    with pytest.raises(InputError, match="data: found no events; expected events between two nodes"):
        model.fit(table[:0], columns={"time": "sent"})
