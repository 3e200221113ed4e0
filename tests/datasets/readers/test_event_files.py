"""Files of events."""

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data, TemporalData

from genurl_graph import datasets
from genurl_graph.datasets.readers import read_events
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.temporal import EventSet

LINES = [("a", "b", 30), ("a", "c", 10), ("b", "c", 20)]
FRAME = pd.DataFrame(LINES, columns=["source", "target", "time"])


def named(events: EventSet) -> list[tuple[str, str, float]]:
    names = np.array(events.node_id or range(events.num_nodes))
    edges = events.edges
    return [*zip(names[edges.source], names[edges.target], edges.time.tolist(), strict=True)]


def write(path: Path, frame: pd.DataFrame = FRAME) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("name", ["calls.csv", "calls.tsv", "calls.csv.gz", "calls.parquet", "calls.edges"])
def test_tables_of_any_kind(name, tmp_path) -> None:
    path = write(tmp_path / name)
    found = datasets.read(path, columns={"time": "time"})
    assert named(found) == sorted(LINES, key=lambda line: line[2])
    assert named(read_events(path)) == named(found)
    assert found.reading.lines[0].startswith(f"read {name} as events: source -> target (times in time: numbers")


def test_a_file_without_a_header(tmp_path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("5 9 1082040961\n9 7 1082040960\n")
    found = datasets.read(path, columns={"time": "3"})
    assert named(found) == [("9", "7", 1082040960.0), ("5", "9", 1082040961.0)]
    assert found.unit == "seconds"
    # Nothing else than times fits the task.
    assert named(read_events(path)) == named(found)
    with pytest.raises(InputError, match="times or weights"):
        datasets.read(path)


def test_without_a_named_time_edges_stay_one_graph(tmp_path) -> None:
    data = datasets.read(write(tmp_path / "calls.csv"))
    assert isinstance(data, Data)
    assert "time" in " ".join(data.reading.lines)


def test_a_date_of_samples_makes_no_events(tmp_path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,height,joined\na,1.5,2020-01-01\nb,1.75,2020-02-01\n")
    data = datasets.read(path, columns={"time": "joined"})
    assert data.x.shape == (2, 1)


def test_tables_of_nodes_belong_to_them(tmp_path) -> None:
    path = write(tmp_path / "calls.csv")
    (tmp_path / "people.csv").write_text("id,age\na,20\nb,40\nc,70\nd,10\n")
    (tmp_path / "clubs.csv").write_text("id,club\na,x\nb,y\nc,x\nd,y\n")
    found = datasets.read(path, tmp_path / "people.csv", tmp_path / "clubs.csv", columns={"time": "time"})
    assert found.x.shape == (4, 1)
    assert found.y.tolist() == [0, 1, 0, 1]
    assert found.label_names == ["x", "y"]
    assert found.node_id == ["a", "b", "c", "d"]
    only = datasets.read(path, labels=tmp_path / "clubs.csv", columns={"time": "time"})
    assert only.x is None
    assert only.y.tolist() == [0, 1, 0, 1]


def test_weights_below_0_and_other_columns_as_features_of_events(tmp_path) -> None:
    path = write(tmp_path / "calls.csv", FRAME.assign(rating=[-1, 2, 3], length=[0.5, 1.5, 2.5], note=list("xyz")))
    found = datasets.read(path, columns={"time": "time", "feature": "length"})
    assert found.edges.weight.tolist() == [2.0, 3.0, -1.0]
    assert found.edges.attr.flatten().tolist() == [1.5, 2.5, 0.5]
    assert any("left out: note" in line for line in found.reading.lines)


def test_what_pyg_saves(tmp_path) -> None:
    events = TemporalData(src=torch.tensor([0, 1]), dst=torch.tensor([1, 2]), t=torch.tensor([20, 10]))
    torch.save(events, tmp_path / "events.pt")
    assert named(read_events(tmp_path / "events.pt")) == [(1, 2, 10.0), (0, 1, 20.0)]
    torch.save([Data(edge_index=torch.tensor([[0], [1]]), num_nodes=3)] * 2, tmp_path / "shots.pt")
    assert read_events(tmp_path / "shots.pt").unit == "snapshots"
    torch.save(Data(edge_index=torch.tensor([[0], [1]]), num_nodes=3), tmp_path / "one.pt")
    with pytest.raises(InputError, match="times of the edges"):
        read_events(tmp_path / "one.pt")


def test_a_file_that_repeats_one_number_without_end_is_refused(tmp_path) -> None:
    much = torch.zeros(1).expand(2**40)
    torch.save(
        TemporalData(src=torch.tensor([0]), dst=torch.tensor([1]), t=torch.tensor([1]), msg=much), tmp_path / "e.pt"
    )
    with pytest.raises(InputError, match="msg"):
        read_events(tmp_path / "e.pt")


@pytest.mark.parametrize("suffix", ["graphml", "gexf"])
def test_graph_files_whose_edges_have_a_time(suffix, tmp_path) -> None:
    graph = nx.DiGraph()
    for source, target, time in LINES:
        graph.add_edge(source, target, when=f"2020-01-{time}")
    path = tmp_path / f"calls.{suffix}"
    getattr(nx, f"write_{suffix}")(graph, path)
    found = read_events(path)
    assert [line[:2] for line in named(found)] == [("a", "c"), ("b", "c"), ("a", "b")]
    assert found.unit == "dates"


def test_jodies_layout(tmp_path) -> None:
    path = tmp_path / "wikipedia.csv"
    rows = "".join(f"{i},{i % 3},{36.0 * i},0,{','.join(str(0.1 * j) for j in range(12))}\n" for i in range(5))
    path.write_text("user_id,item_id,timestamp,state_label,comma_separated_list_of_features\n" + rows)
    found = read_events(path)
    assert found.num_nodes == 8
    assert (found.node_id or [])[:2] == ["user_id:0", "user_id:1"]
    assert any("and 8 other columns" in line for line in found.reading.lines)
    named = read_events(path, options=ReadOptions.of(columns={"feature": ["feature_1", "feature_12"]}))
    assert named.edges.attr.shape == (5, 2)


def test_konect(tmp_path) -> None:
    path = tmp_path / "out.calls"
    path.write_text("% asym positive\n1 2 1 1082040961\n2 3 1 1082040960\n")
    found = read_events(path)
    assert named(found) == [("2", "3", 1082040960.0), ("1", "2", 1082040961.0)]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("source,target\na,b\n", {}, "no column that is clearly a time"),
        ("source,target,time\na,b,1\nb,c,\n", {}, "line 3"),
        ("source,target,day\na,b,1/2/2020\nb,c,2/3/2020\n", {"time": "day"}, "day and month cannot be told apart"),
        ("source,target,time\na,b,1\n", {"time": "tiem"}, "did you mean 'time'"),
        ("source,target,time\na,a,1\n", {}, "1 self loop alone"),
        ("source,target,time,weight\na,b,1,x\nb,c,2,1\n", {}, "line 2, .*'x'; expected a finite weight"),
    ],
    ids=["none", "empty", "dates", "misspelt", "loops", "weight"],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, columns, message, tmp_path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_events(path, options=ReadOptions.of(columns=columns))
