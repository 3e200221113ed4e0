"""Figures of events."""

import torch

from genurl_graph.datasets.event_figures import event_figures, first_events, span_of
from genurl_graph.inputs.temporal import EventSet, TemporalEdges


def test_figures_count_events_pairs_and_times() -> None:
    edges = TemporalEdges.of([0, 1, 0, 0], [1, 0, 2, 1], [0.0, 10.0, 10.0, 20.0], num_nodes=5)
    found = event_figures(EventSet(edges))
    assert (found["events"], found["nodes"], found["idle"], found["pairs"], found["times"]) == (4, 5, 2, 3, 3)
    assert found["reciprocal"] == torch.tensor(2 / 3).item()
    assert found["spans"] == [1, 0, 0, 0, 0, 2, 0, 0, 0, 1]
    assert found["of_a_node"]["most"] == 4
    assert found["weight"] is None


def test_the_first_events_have_names_and_times() -> None:
    edges = TemporalEdges.of([1, 0], [0, 1], [1082040961.0, 1082040960.0], [-1.0, 2.0])
    rows = first_events(EventSet(edges, node_id=["a", "b"], unit="seconds"))
    assert rows[1:] == [["a", "b", "2004-04-15 14:56:00", 2.0], ["b", "a", "2004-04-15 14:56:01", -1.0]]


def test_spans_are_told_in_units_that_fit() -> None:
    assert span_of(3 * 3.6e6, "milliseconds") == "3 hours"
    assert span_of(0.5, "seconds") == "0.5 seconds"
    assert span_of(12, "snapshots") == "12"
