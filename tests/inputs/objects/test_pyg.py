"""What PyG keeps graphs in: sparse edges, weights under several names, events, batches."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric import EdgeIndex
from torch_geometric.data import Batch, Data, HeteroData, InMemoryDataset, TemporalData
from torch_geometric.utils import from_networkx

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.reading import ReadOptions

EDGES = torch.tensor([[0, 1, 2, 0], [1, 2, 3, 3]])
WEIGHT = torch.tensor([1.0, 2.0, 3.0, 4.0])
ARROWS = {(0, 1): 1.0, (1, 2): 2.0, (2, 3): 3.0, (0, 3): 4.0}


def weights(found: Any) -> dict[tuple[int, int], float]:
    weight = torch.ones(found.edge_index.size(1)) if found.edge_weight is None else found.edge_weight
    return dict(zip(map(tuple, found.edge_index.T.tolist()), weight.tolist(), strict=True))


class SparseTensor:
    """torch_sparse's, as far as it is read."""

    def __init__(self, row: Any, col: Any, value: Any, n: int) -> None:
        self.parts, self.n = (row, col, value), n

    def coo(self) -> Any:
        return self.parts

    def sparse_sizes(self) -> tuple[int, int]:
        return (self.n, self.n)

    def size(self, axis: int) -> int:
        return self.n


def transposed(value: Any = WEIGHT) -> torch.Tensor:
    return torch.sparse_coo_tensor(EDGES.flip(0), value, (4, 4)).coalesce()


@pytest.mark.parametrize(
    "adj",
    [
        transposed(),
        transposed().to_sparse_csr(),
        transposed().to_sparse_csc(),
        SparseTensor(EDGES[1], EDGES[0], WEIGHT, 4),
        sp.csr_matrix((WEIGHT.numpy(), EDGES.flip(0).numpy()), shape=(4, 4)),
    ],
    ids=["coo", "csr", "csc", "SparseTensor", "scipy"],
)
@pytest.mark.parametrize("key", ["adj_t", "edge_index"])
def test_sparse_edges_are_read_from_target_to_source(adj: Any, key: str) -> None:
    found = as_input(Data(num_nodes=4, **{key: adj}))
    assert weights(found) == ARROWS
    assert found.num_nodes == 4


def test_entries_of_one_and_no_entries_are_no_weights() -> None:
    assert as_input(Data(adj_t=transposed(torch.ones(4)), num_nodes=4)).edge_weight is None
    assert as_input(Data(adj_t=SparseTensor(EDGES[1], EDGES[0], None, 4), num_nodes=4)).edge_weight is None
    both = Data(edge_index=EDGES, adj_t=transposed(), num_nodes=4)
    assert as_input(both).edge_weight is None
    beside = as_input(Data(adj_t=transposed(), edge_weight=torch.ones(4), num_nodes=4))
    assert weights(beside) == ARROWS
    assert any("left out: edge_weight" in line for line in beside.reading.lines)
    with pytest.raises(InputError, match="adj_t: found entries of shape"):
        as_input(Data(adj_t=SparseTensor(EDGES[1], EDGES[0], torch.ones(4, 2), 4), num_nodes=4))


def test_an_edge_index_of_its_own_class() -> None:
    index = EdgeIndex(EDGES.tolist(), sparse_size=(4, 4))
    found = as_input(Data(edge_index=index, num_nodes=4))
    assert type(found.edge_index) is torch.Tensor
    assert torch.equal(found.edge_index, EDGES)


def test_weights_that_from_networkx_leaves() -> None:
    g = nx.DiGraph()
    g.add_weighted_edges_from([(u, v, w) for (u, v), w in ARROWS.items()])
    assert weights(as_input(from_networkx(g))) == weights(as_input(g)) == {(0, 1): 1, (1, 2): 2, (2, 3): 3, (0, 3): 4}
    # A number for each node of the same name is no weight of an edge.
    other = Data(edge_index=EDGES, num_nodes=5, weight=torch.ones(5))
    assert as_input(other).edge_weight is None


def test_weights_by_name_and_in_order() -> None:
    for held in (
        {"weight": WEIGHT},
        {"edge_attr": WEIGHT.view(-1, 1)},
        {"edge_weight": WEIGHT, "weight": WEIGHT.double()},
    ):
        assert weights(as_input(Data(edge_index=EDGES, num_nodes=4, **held))) == ARROWS
    two = Data(edge_index=EDGES, num_nodes=4, weight=WEIGHT, edge_attr=WEIGHT + 1)
    with pytest.raises(
        InputError, match=r"weight and edge_attr: found different numbers; expected one of them: columns="
    ):
        as_input(two)
    chosen = as_input(two, options=ReadOptions.of(columns={"weight": "edge_attr"}))
    assert weights(chosen)[0, 1] == 2
    counted = Data(edge_index=EDGES, num_nodes=4, n_calls=WEIGHT)
    assert weights(as_input(counted, options=ReadOptions.of(columns={"weight": "n_calls"}))) == ARROWS
    with pytest.raises(InputError, match=r"edge attribute: found 'calls'.*did you mean 'n_calls'"):
        as_input(counted, options=ReadOptions.of(columns={"weight": "calls"}))
    with pytest.raises(
        InputError, match=r"first \(-3\) of edge 2; expected finite weights >= 0: keep only the positive"
    ):
        as_input(Data(edge_index=EDGES, num_nodes=4, weight=torch.tensor([1.0, 1.0, -3.0, 1.0])))


def test_relations_are_read_alike() -> None:
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 2, 3
    ends = torch.tensor([[0, 1, 1], [2, 0, 1]])
    data["a", "has", "b"].adj_t = torch.sparse_coo_tensor(
        ends.flip(0), torch.tensor([1.0, 2.0, 4.0]), (3, 2)
    ).coalesce()
    data["b", "by", "a"].edge_index, data["b", "by", "a"].weight = ends.flip(0), torch.tensor([1.0, 2.0, 4.0])
    found = as_graph(data)
    half = len(found.edge_weight) // 2
    assert sorted(found.edge_weight[:half].tolist()) == sorted(found.edge_weight[half:].tolist()) == [0.25, 0.5, 1]
    assert set(map(tuple, found.edge_index[:, :half].T.tolist())) == {(0, 4), (1, 2), (1, 3)}
    data["b", "by", "a"].edge_weight = torch.ones(3)
    with pytest.raises(InputError, match="relation b__by__a: edge_weight and weight: found different numbers"):
        as_graph(data)


def test_events_are_edges_without_their_times() -> None:
    events = TemporalData(
        src=torch.tensor([0, 0, 1, 2]), dst=torch.tensor([1, 1, 2, 3]), t=torch.arange(4), msg=torch.rand(4, 2)
    )
    found = as_input(events)
    assert weights(found) == {(0, 1): 2, (1, 2): 1, (2, 3): 1}
    assert found.reading.lines[0] == "read TemporalData as a graph: 4 nodes, 4 events, repeats summed"
    assert "t (times)" in found.reading.lines[1]
    assert "msg" in found.reading.lines[1]
    assert isinstance(GenURL(2, epochs=1, random_state=0).fit_transform(events), torch.Tensor)


class Graphs(InMemoryDataset):
    def __init__(self, graphs: list[Data]) -> None:
        super().__init__(None)
        self.data, self.slices = self.collate(graphs)


def test_several_graphs_are_refused_and_a_data_set_of_one_is_that_one() -> None:
    graph = Data(x=torch.rand(4, 2), edge_index=EDGES)
    for several, message in (
        (Batch.from_data_list([graph, graph]), "a Batch of 2 graphs; expected one graph"),
        ([graph, graph, graph], r"a list of 3 graphs \(Data\); expected one graph"),
        (Graphs([graph, graph]), r"a data set of 2 graphs \(Graphs\); expected one graph, such as dataset\[0\]"),
    ):
        with pytest.raises(InputError, match=message):
            as_graph(several)
    found = as_graph(Graphs([graph]))
    assert torch.equal(found.x, graph.x)
    assert torch.equal(found.edge_index, EDGES)


def test_node_attributes_beside_x() -> None:
    data = Data(edge_index=EDGES, num_nodes=4, age=torch.tensor([1, 2, 3, 4]), club=["a", "b", "a", "b"])
    assert as_input(data).x is None
    assert as_input(data).reading.lines == (
        "read Data as a graph: 4 nodes, 4 directed edges",
        "left out: age, club",
    )
    assert as_input(data, options=ReadOptions.of(columns={"feature": "age"})).x.tolist() == [[1], [2], [3], [4]]
    data.pair = np.ones((4, 2))
    found = as_input(data, options=ReadOptions.of(columns={"feature": ["age", "pair"]}))
    assert found.x.shape == (4, 3)
    for name, message in (("club", "node attribute club: found"), ("ages", "found 'ages'.*did you mean 'age'")):
        with pytest.raises(InputError, match=message):
            as_input(data, options=ReadOptions.of(columns={"feature": name}))
