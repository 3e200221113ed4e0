"""PyG's .pt: every class of graphs that PyG has, and sparse adjacencies, under torch's restricted unpickler."""

import sys
import types
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data, HeteroData, TemporalData

from genurl_graph import GenURL, datasets
from genurl_graph.exceptions import InputError

EDGES = torch.tensor([[0, 1, 2], [1, 2, 0]])


def sorted_edges(data: Data) -> list[tuple[int, int]]:
    return sorted(map(tuple, data.edge_index.t().tolist()))


@pytest.mark.parametrize("layout", ["to_sparse_csr", "to_sparse_coo", "to_sparse_csc"])
@pytest.mark.parametrize("key", ["adj_t", "edge_index"])
def test_sparse_edges(tmp_path: Path, layout: str, key: str):
    matrix = torch.zeros(4, 4)
    matrix[EDGES[0], EDGES[1]] = torch.tensor([1.0, 2.0, 3.0])
    value = getattr(matrix.t(), layout)()
    torch.save(Data(**{key: value}, num_nodes=4), tmp_path / "g.pt")
    data = datasets.read(tmp_path / "g.pt")
    assert sorted_edges(data) == [(0, 1), (1, 2), (2, 0)]
    assert dict(zip(map(tuple, data.edge_index.t().tolist()), data.edge_weight.tolist(), strict=True))[1, 2] == 2
    assert data.num_nodes == 4
    assert f"edges from {key}, a sparse matrix" in data.reading.lines[0]


def test_sparse_tensor_of_torch_sparse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file of the package that is absent here, by classes that pickle as its own do."""

    class SparseStorage:
        pass

    class SparseTensor:
        pass

    for kind, module in ((SparseStorage, "storage"), (SparseTensor, "tensor")):
        kind.__module__, kind.__qualname__ = f"torch_sparse.{module}", kind.__name__
        fake = types.ModuleType(kind.__module__)
        setattr(fake, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, kind.__module__, fake)
    monkeypatch.setitem(sys.modules, "torch_sparse", types.ModuleType("torch_sparse"))
    adjacency = SparseTensor()
    adjacency.storage = SparseStorage()
    vars(adjacency.storage).update(
        _row=None,
        _rowptr=torch.tensor([0, 1, 2, 3]),
        _col=torch.tensor([2, 0, 1]),
        _value=None,
        _sparse_sizes=(3, 3),
    )
    torch.save({"adj_t": adjacency, "x": torch.eye(3)}, tmp_path / "g.pt")
    monkeypatch.undo()
    data = datasets.read(tmp_path / "g.pt")
    assert sorted_edges(data) == [(0, 1), (1, 2), (2, 0)]
    assert data.get("edge_weight") is None
    vars(adjacency.storage)["_col"] = torch.tensor([2, 0, 9])


def test_temporal_data(tmp_path: Path):
    data = TemporalData(
        src=torch.tensor([0, 0, 1, 2]),
        dst=torch.tensor([1, 1, 2, 0]),
        t=torch.arange(4),
        msg=torch.rand(4, 2),
    )
    torch.save(data, tmp_path / "g.pt")
    found = datasets.read(tmp_path / "g.pt")
    assert sorted_edges(found) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert sorted(found.edge_weight.tolist()) == [1, 1, 1, 1, 2, 2]
    assert "4 events, 1 of them repeats, summed over time; left out: t, msg" in found.reading.lines[0]
    assert datasets.read(tmp_path / "g.pt", directed=True).num_edges == 3


def test_hetero_data(tmp_path: Path):
    data = HeteroData()
    data["user"].x = torch.rand(5, 3)
    data["item"].num_nodes = 4
    data["user", "buys", "item"].edge_index = torch.tensor([[0, 1, 2, 3, 4], [0, 1, 2, 3, 0]])
    torch.save(data, tmp_path / "g.pt")
    found = datasets.read(tmp_path / "g.pt")
    assert isinstance(found, HeteroData)
    assert found.reading.lines == ("read g.pt as a graph (PyG HeteroData): 5 user, 4 item, 5 user__buys__item",)
    assert [*GenURL(2, epochs=1, random_state=0).fit_transform(found)] == ["user", "item"]
    (tmp_path / "labels.csv").write_text("0\n1\n")
    with pytest.raises(InputError, match="several node types"):
        datasets.read(tmp_path / "g.pt", labels=tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"adj_t": torch.eye(3)[:2].to_sparse_csr()}, r"adj_t: found shape \[2, 3\]; expected a square"),
        ({"adj_t": -torch.eye(3).to_sparse_csr()}, "negative"),
        ({"edge_index": EDGES, "edge_attr": [1, 2, 3]}, "edge_attr: found a list; expected a tensor"),
        ({"edge_index": EDGES, "edge_attr": torch.tensor(1.0)}, "edge_attr: found a single number"),
        ({"src": torch.tensor([0.5]), "dst": torch.tensor([1])}, "src: found no numbers of nodes"),
        ({"src": torch.tensor([0]), "dst": torch.tensor([10**15])}, "1,000,000,000,000,001 nodes"),
        ({"src": torch.tensor([0, 1]), "dst": torch.tensor([1])}, "2 and 1 entries"),
        ({"src": torch.zeros(1, dtype=torch.long).expand(10**12), "dst": torch.tensor([1])}, "src of shape"),
    ],
)
def test_bad_parts(tmp_path: Path, content: dict, message: str):
    torch.save(content, tmp_path / "g.pt")
    with pytest.raises(InputError, match=message):
        datasets.read(tmp_path / "g.pt")


def test_weights_and_what_is_left_out_are_named(tmp_path: Path):
    data = Data(x=torch.eye(3), edge_index=EDGES, weight=torch.tensor([1.0, 2.0, 3.0]), height=torch.rand(3))
    torch.save(data, tmp_path / "g.pt")
    line = datasets.read(tmp_path / "g.pt").reading.lines[0]
    assert line.endswith("3 nodes, 3 directed edges, weights from weight, 3 features; left out: height")
    data = Data(edge_index=EDGES, edge_attr=torch.rand(3, 4))
    torch.save(data, tmp_path / "g.pt")
    line = datasets.read(tmp_path / "g.pt").reading.lines[0]
    assert "edge_attr" in line
    assert "weights from" not in line
