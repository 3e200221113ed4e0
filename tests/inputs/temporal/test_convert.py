"""Whatever holds events, as one input."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data, InMemoryDataset, TemporalData

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.temporal import EventSet, TemporalEdges
from genurl_graph.inputs.temporal.convert import as_events, is_events

EDGES = TemporalEdges.of([0, 0, 2], [1, 2, 1], [10.0, 20.0, 30.0])
FRAME = pd.DataFrame({"source": [7, 7, 9], "target": [8, 9, 8], "time": [10, 20, 30]})


def columns(**roles):
    return ReadOptions.of(columns=roles)


def multigraph():
    graph = nx.MultiDiGraph()
    for source, target, time in zip("aac", "bcb", (10, 20, 30), strict=True):
        graph.add_edge(source, target, time=time)
    return graph


@pytest.mark.parametrize(
    "data",
    [
        EventSet(EDGES),
        EDGES,
        FRAME,
        FRAME.sample(frac=1, random_state=0),
        TemporalData(src=EDGES.source, dst=EDGES.target, t=EDGES.time.long()),
        FRAME.assign(source=list("aac"), target=list("bcb")),
    ],
    ids=["set", "edges", "frame", "shuffled", "TemporalData", "names"],
)
def test_all_of_them_give_the_same_events(data) -> None:
    found = as_events(data)
    assert found.events.edges.source.tolist() == EDGES.source.tolist()
    assert found.events.edges.target.tolist() == EDGES.target.tolist()
    assert found.events.edges.time.tolist() == [10.0, 20.0, 30.0]
    assert found.num_nodes == 3
    assert found.edge_index is None


def test_networkx_gives_them_too_by_its_names() -> None:
    found = as_events(multigraph())
    assert found.names.tolist() == ["a", "b", "c"]
    assert found.events.edges.source.tolist() == EDGES.source.tolist()
    both = as_events(nx.MultiGraph(multigraph()))
    assert both.events.num_events == 6


def test_names_of_whole_numbers_come_back_as_numbers() -> None:
    found = as_events(FRAME)
    assert found.names.dtype == np.int64
    assert found.names.tolist() == [7, 8, 9]
    assert found.kind == "numpy"


def test_snapshots_are_counted() -> None:
    index = torch.tensor([[0, 1], [1, 2]])
    x = torch.rand(4, 2)
    found = as_events([Data(edge_index=index, num_nodes=4), Data(edge_index=index[:, :1], x=x)])
    assert found.events.edges.time.tolist() == [0.0, 0.0, 1.0]
    assert found.events.unit == "snapshots"
    assert torch.equal(found.x, x)


def test_a_data_set_of_snapshots_is_one(tmp_path) -> None:
    class Shots(InMemoryDataset):
        def __init__(self) -> None:
            super().__init__()
            rated = torch.tensor([[-3], [2]])
            shots = [Data(edge_index=torch.tensor([[0, 1], [1, 2]]), edge_attr=rated, num_nodes=3)] * 3
            self.data, self.slices = self.collate(shots)

    found = as_events(Shots()).events
    assert found.edges.time.tolist() == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    assert found.edges.weight.tolist() == [-3.0, 2.0] * 3


def test_edges_of_one_graph_may_have_a_time() -> None:
    index = torch.stack([EDGES.source, EDGES.target])
    x = torch.rand(4, 2)
    for name in ("time", "t", "edge_time"):
        found = as_events(Data(x, index, **{name: EDGES.time}))
        assert found.events.edges.time.tolist() == EDGES.time.tolist()
        assert torch.equal(found.x, x)
    named = as_events(Data(x, index, sent=EDGES.time), columns(time="sent"))
    assert named.events.num_events == 3
    with pytest.raises(InputError, match="times of the edges"):
        as_events(Data(x, index))


def test_messages_and_ratings_are_kept() -> None:
    message = torch.rand(3, 2)
    found = as_events(TemporalData(src=EDGES.source, dst=EDGES.target, t=EDGES.time, msg=message)).events
    assert torch.equal(found.edges.attr, message)
    rated = as_events(FRAME.assign(rating=[1, -10, 3], length=[4.0, 5.0, 6.0]), columns(feature="length"))
    assert rated.events.edges.weight.tolist() == [1.0, -10.0, 3.0]
    assert rated.events.edges.attr.flatten().tolist() == [4.0, 5.0, 6.0]


def test_a_table_of_nodes_brings_features_and_never_makes_features_of_labels() -> None:
    nodes = pd.DataFrame({"id": [7, 8, 9, 10], "age": [1.0, 2.0, 4.0, 3.0], "label": list("xyxy")})
    found = as_events((FRAME, nodes))
    assert found.num_nodes == 4
    assert found.num_features == 1
    assert found.events.y.tolist() == [0, 1, 0, 1]
    assert as_events((FRAME, nodes.drop(columns="age"))).x is None


def test_self_loops_are_left_out_and_said_so() -> None:
    found = as_events(FRAME.assign(source=[7, 9, 9]))
    assert found.events.num_events == 2
    assert "1 self loop left out" in found.reading.lines[0]


def test_undirected_events_stand_both_ways() -> None:
    found = as_events(FRAME, ReadOptions(directed=False)).events.edges
    assert sorted(zip(found.source.tolist(), found.target.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 2),
        (2, 0),
        (2, 1),
    ]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (FRAME.drop(columns="time"), ReadOptions(), "no column that is clearly a time.*NAME"),
        (FRAME.assign(date="2020-01-01"), ReadOptions(), "either of which can be the time"),
        (FRAME, columns(time="when"), "when"),
        (FRAME.assign(target=FRAME.source), ReadOptions(), "3 self loops alone"),
        (FRAME.assign(weight=[1.0, None, 2.0]), ReadOptions(), "finite weight"),
        (torch.rand(3, 3), ReadOptions(), "events with a time"),
        (nx.karate_club_graph(), ReadOptions(), "edge attributes"),
        (FRAME, ReadOptions("vectors"), 'columns="time"|as_='),
    ],
    ids=["none", "two", "unknown", "loops", "weights", "matrix", "networkx", "vectors"],
)
def test_what_cannot_be_read_is_refused(data, options, message) -> None:
    with pytest.raises(InputError, match=message):
        as_events(data, options)


@pytest.mark.parametrize("node", [-1, 10**12])
def test_numbers_that_are_no_positions_are_refused(node) -> None:
    with pytest.raises(InputError, match="nodes numbered from 0"):
        as_events(TemporalData(src=torch.tensor([0, node]), dst=torch.tensor([1, 0]), t=torch.tensor([1, 2])))


def test_a_name_tells_the_time_before_values_do() -> None:
    ids = FRAME.assign(source=FRAME.source + 1_100_000_000, target=FRAME.target + 1_100_000_000)
    assert as_events(ids).events.edges.time.tolist() == [10.0, 20.0, 30.0]
    months = as_events(FRAME.assign(time=["2020-01", "2020-02", "2020-03"])).events
    assert months.unit == "dates"
    with pytest.raises(InputError, match=r"row 0, column 3 .*found '12:30'; expected a time"):
        as_events(FRAME.assign(time=["12:30", "12:35", "12:40"]))


def test_only_events_are_events() -> None:
    assert is_events(EDGES)
    assert not is_events(FRAME)
