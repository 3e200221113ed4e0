"""GenURL's positions by the windows of the protocol, which no later event moves."""

from typing import Any

import pytest
import torch

from genurl_graph.experiments.temporal.methods import genurl_positions
from genurl_graph.experiments.temporal.table import split_of
from genurl_graph.inputs.temporal import TemporalEdges
from genurl_graph.inputs.temporal.event_set import EventSet

MODEL: dict[str, Any] = dict.fromkeys(("encoder", "dim", "config")) | {
    "task": "temporal",
    "epochs": 1,
    "device": "cpu",
    "assignments": (),
}


def events(last: int = 400, seed: int = 0) -> EventSet:
    """Events among 20 nodes, of which those from `last` on are drawn by the seed; none from 250 to 300."""
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(20, (2, 400), generator=generator)
    ends[:, last:] = torch.randint(20, (2, 400 - last), generator=torch.Generator().manual_seed(seed))
    ends[1] = torch.where(ends[0] == ends[1], (ends[1] + 1) % 20, ends[1])
    time = torch.arange(400).double()
    return EventSet(TemporalEdges.of(*ends, torch.where(time < 350, time, time + 90), num_nodes=20))


@pytest.mark.parametrize("windows", ["16", "30u"])
def test_positions_are_by_the_events_before_a_window(windows: str) -> None:
    data = events()
    split = split_of(data, windows)
    positions = genurl_positions({**MODEL, "windows": windows}, data, split, 0)
    window = split.first_test
    z, seen = positions(window)
    assert bool(seen.all())
    assert z.size(0) == 20
    first = int(split.windows.ptr[window])
    assert 0 < first < 400
    other = events(first, 1)
    changed = genurl_positions({**MODEL, "windows": windows}, other, split_of(other, windows), 0)
    assert torch.equal(changed(window)[0], z)
    # The next window differs by who had events in this one alone.
    moved = (positions(window + 1)[0] != z).any(1).nonzero().squeeze(1)
    assert {*moved.tolist()} <= {*torch.cat(split.windows.events(data.edges, window)[:2]).tolist()}


def test_windows_without_events_move_nothing() -> None:
    data = events()
    split = split_of(data, "30u")
    empty = [w for w in range(split.first_val, len(split.windows)) if not len(split.windows.events(data.edges, w))]
    positions = genurl_positions({**MODEL, "windows": "30u"}, data, split, 0)
    assert empty
    for window in empty:
        assert torch.equal(positions(window)[0], positions(window + 1)[0])
