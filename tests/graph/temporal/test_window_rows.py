"""What is read of windows: nothing of the future, and the same one by one as all together."""

import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.graph.temporal import WindowReader
from genurl_graph.inputs.temporal import TemporalEdges, Windows

GENERATOR = torch.Generator().manual_seed(0)
ENDS = torch.randint(30, (2, 400), generator=GENERATOR)
ENDS = ENDS[:, ENDS[0] != ENDS[1]]
EDGES = TemporalEdges.of(*ENDS, torch.arange(ENDS.size(1)), num_nodes=30)
WINDOWS = Windows.of_equal_events(EDGES, 8)


def _rows(reader: WindowReader, edges: TemporalEdges = EDGES) -> list[torch.Tensor]:
    return [torch.cat([rows.averages, rows.profile], 1) for rows in reader.read(edges, WINDOWS)]


def test_a_shuffled_future_changes_nothing_before_it() -> None:
    reader = WindowReader.fit(EDGES, 4, 2, 1.0)
    start = int(WINDOWS.ptr[5])
    order = torch.cat([torch.arange(start), start + torch.randperm(len(EDGES) - start, generator=GENERATOR)])
    other = TemporalEdges(EDGES.source[order], EDGES.target[order].flip(0), EDGES.time, None, 30)
    other = TemporalEdges(other.source, torch.cat([EDGES.target[:start], other.target[start:]]), EDGES.time, None, 30)
    before, after = _rows(reader), _rows(reader, other)
    assert all(torch.equal(a, b) for a, b in zip(before[:5], after[:5], strict=True))
    assert not torch.equal(before[6][:1], after[6][:1])


def test_without_causality_the_future_counts() -> None:
    causal, whole = (WindowReader.fit(EDGES, 4, 2, 1.0, causal=causal) for causal in (True, False))
    first = [_rows(reader) for reader in (causal, whole)]
    assert not torch.equal(first[0][0], first[1][0])
    assert torch.allclose(first[0][-1], first[1][-1])


def test_time_reversed_events_are_read_alike_without_causality() -> None:
    windows = Windows.of_equal_events(EDGES, 2)
    reader = WindowReader.fit(EDGES, 4, 1, 1.0, causal=False)
    back = TemporalEdges(EDGES.source.flip(0), EDGES.target.flip(0), EDGES.time, None, 30)
    turned = Windows(len(EDGES) - windows.ptr.flip(0), windows.starts)
    one = [rows.averages for rows in reader.read(EDGES, windows)]
    other = [rows.averages for rows in reader.read(back, turned)]
    assert torch.allclose(one[0], other[1], atol=1e-5)


def test_nodes_that_were_not_fitted_are_placed_by_their_neighbours() -> None:
    reader = WindowReader.fit(EDGES, 4, 1, 1.0)
    edges = TemporalEdges.of([0], [30], [0.0])
    rows = next(reader.read(edges, Windows.of_equal_events(edges, 1)))
    assert rows.averages[1, :4].tolist() == [0.0] * 4
    assert torch.equal(rows.averages[1, 4:], reader.positions[0])


def test_weights_below_0_count_as_events_and_stay_a_column() -> None:
    edges = TemporalEdges.of([0, 1], [1, 2], [0.0, 1.0], [-3.0, 2.0])
    reader = WindowReader.fit(edges, 2, 1, 1.0)
    assert reader.counted(edges).tolist() == [1.0, 1.0]
    positive = WindowReader.fit(TemporalEdges.of([0, 1], [1, 2], [0.0, 1.0], [1.0, 3.0]), 2, 1, 1.0)
    with pytest.raises(InputError, match="a number below 0"):
        positive.counted(edges)
