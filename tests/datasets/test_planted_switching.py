"""Planted events: as many as asked for, inside the communities of their day, and the same however they are written."""

import pytest
import torch

from genurl_graph import datasets
from genurl_graph.datasets.planted_switching import SPAN, Planted, planted_switching, write_planted_stream
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import EventSet


def test_the_registry_has_it_at_the_size_it_says(data_root) -> None:
    found, entry = datasets.load("planted-switching", data_root), datasets.info("planted-switching")
    assert isinstance(found, EventSet)
    sizes = (found.num_events, found.num_nodes, found.edges.pairs().size(1), len(found.label_names or []))
    assert sizes == (entry.n_events, entry.n_nodes, entry.n_edges, entry.n_classes)
    assert (found.name, found.unit) == ("planted-switching", "seconds")


def test_events_stay_inside_the_community_of_their_day() -> None:
    events = planted_switching(300, 20_000, communities=4, spans=10, inside=0.7, seed=3)
    assert events.states is not None
    day = (events.edges.time // SPAN).long()
    label = events.states.label
    same = label[events.edges.source, day] == label[events.edges.target, day]
    # Those of any target hit the own community now and then: a quarter of the rest.
    assert float(same.double().mean()) == pytest.approx(0.7 + 0.3 / 4, abs=0.03)
    assert bool((events.edges.source != events.edges.target).all())
    assert events.num_events == pytest.approx(20_000, rel=0.02)
    # A node that has switched meets its new community, no longer the old one.
    ends = torch.cat([events.edges.source, events.edges.target])
    others = torch.cat([events.edges.target, events.edges.source])
    days = torch.cat([day, day])
    moved = label[ends, days] != label[ends, 0]
    now = (label[others, days] == label[ends, days])[moved].double().mean()
    once = (label[others, days] == label[ends, 0])[moved].double().mean()
    assert float(now) > 0.7 > 0.2 > float(once)


def test_a_fifth_of_the_nodes_switches_once_and_y_is_what_they_are_most() -> None:
    events = planted_switching(500, 1000, spans=12, seed=1)
    assert events.states is not None
    label, y = events.states.label, events.y
    changes = (label[:, 1:] != label[:, :-1]).long()
    assert changes.sum(1).bincount().tolist() == [400, 100]
    when = changes.argmax(1)[changes.sum(1) == 1] + 1
    assert (int(when.min()), int(when.max())) == (2, 10)
    assert y is not None
    assert bool(((label == y[:, None]).sum(1) >= 6).all())


def test_a_stream_holds_the_same_events_and_the_seed_decides(tmp_path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    written = write_planted_stream(tmp_path / "events.parquet", 200, 3000, communities=3, seed=5)
    table = pandas.read_parquet(tmp_path / "events.parquet")
    events = planted_switching(200, 3000, communities=3, seed=5).edges
    assert written == len(table) == len(events)
    assert torch.equal(torch.tensor(table["source"].to_numpy()).long(), events.source)
    assert torch.equal(torch.tensor(table["time"].to_numpy()).double(), events.time)
    other = planted_switching(200, 3000, communities=3, seed=6).edges
    assert not torch.equal(other.source[:100], events.source[:100])
    # A span can be drawn by itself.
    again = Planted.of(200, 3000, 3, seed=5).span(7)
    assert torch.equal(again[2].double(), events.time[events.time // SPAN == 7])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"spans": 4}, "spans: found 4; expected at least 5"),
        ({"communities": 1}, "communities: found 1; expected at least 2"),
        ({"inside": 1.2}, "inside: found 1.2; expected a share"),
        ({"switching": -0.1}, "switching: found -0.1; expected a share"),
    ],
    ids=["spans", "communities", "inside", "switching"],
)
def test_numbers_out_of_range_are_refused(asked, message) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        planted_switching(**asked)
