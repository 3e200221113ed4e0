"""The decayed graph of the windows so far, against sums over all events."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph.graph.temporal.history import BASE, LEAST, History
from genurl_graph.inputs.temporal import TemporalEdges

NODES = 6
EVENTS = st.lists(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1), st.integers(0, 4)), min_size=1, max_size=40
)


def _window(events: list[tuple[int, int, int]], window: int) -> TemporalEdges:
    own = [(s, t) for s, t, w in events if w == window]
    source, target = torch.tensor([s for s, _ in own]).long(), torch.tensor([t for _, t in own]).long()
    return TemporalEdges(source, target, torch.full((len(own),), float(window)).double(), None, NODES)


@given(EVENTS, st.sampled_from([0.5, 1.0, 3.0]))
def test_pairs_weigh_their_events_by_age(events: list[tuple[int, int, int]], half_life: float) -> None:
    history = History.empty(NODES)
    for window in range(5):
        now = _window(events, window)
        history = history.after(now, torch.ones(len(now)), half_life)
    weight: dict[int, float] = {}
    ends = torch.zeros(NODES)
    for source, target, window in events:
        value = 2 ** (-(4 - window) / half_life)
        ends[source] += value
        ends[target] += value
        if source != target:
            key = min(source, target) * BASE + max(source, target)
            weight[key] = weight.get(key, 0.0) + value
    found = dict(zip(history.key.tolist(), history.weight.tolist(), strict=True))
    # Pairs are forgotten once they weigh little, and what they weighed then is gone.
    for key, value in weight.items():
        assert abs(found.get(key, 0.0) - value) < LEAST
    assert torch.allclose(history.ends, ends)
    assert history.key.tolist() == sorted(found)
    seen = {end for source, target, _ in events for end in (source, target)}
    assert {*(history.last >= 0).nonzero()[:, 0].tolist()} == seen
    assert history.windows == 5


def test_averages_over_neighbours_keep_what_all_have_in_common() -> None:
    edges = TemporalEdges.of([0, 0, 3], [1, 2, 3], [0.0, 0.0, 0.0], num_nodes=5)
    history = History.empty(5).after(edges, torch.ones(3), 1.0)
    # A node that has an event with itself alone has no neighbours, nor has one without events.
    assert (history.adjacency() @ torch.ones(5, 1))[:, 0].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]


def test_pairs_that_weigh_nothing_are_no_neighbours() -> None:
    edges = TemporalEdges.of([0, 0], [1, 2], [0.0, 0.0], [0.0, 1.0])
    history = History.empty(3).after(edges, edges.weight, 1.0)
    assert (history.adjacency() @ torch.ones(3, 1))[:, 0].tolist() == [1.0, 0.0, 1.0]


def test_room_for_more_nodes_changes_no_pair() -> None:
    edges = TemporalEdges.of([0, 1], [1, 2], [0.0, 0.0])
    history = History.empty(3).after(edges, torch.ones(2), 1.0)
    grown = history.grown(7)
    assert torch.equal(grown.key, history.key)
    assert grown.num_nodes == 7
    assert grown.first.tolist() == [0, 0, 0, -1, -1, -1, -1]
