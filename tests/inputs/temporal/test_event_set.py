"""Events and what is known of their nodes."""

import torch

from genurl_graph.inputs.temporal import EventSet, TemporalEdges
from genurl_graph.inputs.temporal.event_set import describe_events

HERE = EventSet(
    TemporalEdges.of([0, 1, 0], [1, 2, 1], [30.0, 20.0, 10.0], [-2.0, 1.0, 1.0], 4, [[3.0], [2.0], [1.0]]),
    node_id=["a", "b", "c", "d"],
)


def test_attributes_follow_their_events() -> None:
    assert HERE.edges.attr is not None
    assert HERE.edges.attr.flatten().tolist() == [1.0, 2.0, 3.0]
    assert HERE.edges.between(1, 3).attr.flatten().tolist() == [2.0, 3.0]
    assert HERE.edges.weight.tolist() == [1.0, 1.0, -2.0]


def test_rows_are_nodes() -> None:
    assert len(HERE) == HERE.num_nodes == 4
    assert HERE.between(0, 1).num_nodes == 4
    assert HERE.between(0, 1).num_events == 1


def test_as_one_graph_repeats_are_summed_and_names_kept() -> None:
    graph = HERE.graph()
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]
    assert graph.edge_weight.tolist() == [3.0, 1.0]
    assert graph.node_id == ["a", "b", "c", "d"]
    assert "times left out" in graph.reading.lines[-1]


def test_events_are_described() -> None:
    assert describe_events(HERE) == (
        "3 events among 4 nodes, 2 distinct pairs, 1 features of the events, 1 node without any, from 10 to 30"
    )
    dated = EventSet(
        TemporalEdges.of([0, 1], [1, 0], torch.tensor([1082040961000, 1082040962000])), unit="milliseconds"
    )
    assert dated.span() == "2004-04-15 14:56:01 to 2004-04-15 14:56:02"
