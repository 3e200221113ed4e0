"""The whole protocol on a planted set: the figures of rows without training, and what is refused."""

import dataclasses

import pytest
import torch

from genurl_graph.datasets.planted_switching import SPAN, planted_switching
from genurl_graph.evaluation.temporal_nodes import judge_nodes, references
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import TemporalEdges, Windows


def test_rows_without_training_on_the_planted_set() -> None:
    events = planted_switching(300, 12_000, communities=3, spans=12, seed=2)
    windows = Windows.of_equal_times(events.edges, SPAN)
    rows = references(events.edges, windows, 3)
    assert [each.embedding.shape for each in rows.values()] == [
        torch.Size([len(rows["spectral, decayed"].node), 3])
    ] * 3
    found = judge_nodes(events, {"mine": rows["spectral, decayed"]})
    assert list(found) == ["mine", *rows]
    assert found["mine"] == found["spectral, decayed"]
    # Where nodes are for good says nothing of changes; where they are in each window does.
    still, moving = found["spectral, all windows"], found["spectral, decayed"]
    assert moving.clusters["window"] > still.clusters["window"] + 0.05
    assert moving.changes["recall"] > 0.8 > 0.3 > still.changes["recall"]
    assert still.identity["nmi"] > 0.8
    alone = judge_nodes(events, {"mine": rows["spectral, decayed"]}, beside=False)
    assert list(alone) == ["mine"]


def test_rows_of_a_window_know_nothing_of_later_ones_but_by_the_positions() -> None:
    events = planted_switching(60, 2000, communities=2, spans=6, seed=0).edges
    windows = Windows.of_equal_times(events, SPAN)
    rows = references(events, windows, 2)
    cut = int(windows.ptr[4])
    early = events.between(0, cut)
    fewer = references(early, Windows(windows.ptr[:5], windows.starts[:5]), 2)
    a, b = rows["spectral, each window"], fewer["spectral, each window"]
    assert torch.allclose(a.embedding[: len(b.node)], b.embedding, atol=1e-4)
    assert torch.equal(a.events[: len(b.node)], b.events)


def test_windows_without_events_and_lonely_pairs_are_no_obstacle() -> None:
    edges = TemporalEdges.of([0, 1, 2, 0], [1, 2, 0, 3], [0.0, 0.5, 1.0, 9.0], num_nodes=5)
    rows = references(edges, Windows.of_equal_times(edges, 3.0), 3)
    for each in rows.values():
        assert bool(each.embedding.isfinite().all())
        assert each.node.tolist() == [0, 1, 2, 0, 3]
        assert each.events.tolist() == [2, 2, 2, 1, 1]


def test_what_cannot_be_judged_is_refused() -> None:
    events = planted_switching(60, 1000, communities=2, spans=6)
    windows = Windows.of_equal_times(events.edges, SPAN)
    (one, *_) = references(events.edges, windows, 2).values()
    with pytest.raises(InputError, match=r"^events: found no true states of the nodes"):
        judge_nodes(dataclasses.replace(events, states=None), {"one": one})
    with pytest.raises(InputError, match=r"^trajectories: found none"):
        judge_nodes(events, {})
    with pytest.raises(InputError, match=r"^trajectories: found different windows"):
        judge_nodes(events, {"one": one, "other": one._replace(starts=one.starts + 1)})
