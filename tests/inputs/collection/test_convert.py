"""Whatever holds many graphs becomes one collection, or is refused in one clear message."""

from collections import defaultdict
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data, HeteroData, InMemoryDataset
from torch_geometric.utils import to_networkx

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.collection.convert import as_collection, is_collection
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.reading import ReadOptions

PATH = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])


class Held(InMemoryDataset):
    """A data set in memory, as `TUDataset` is one."""

    def __init__(self, graphs: list[Data]) -> None:
        super().__init__()
        self.data, self.slices = self.collate(graphs)


def molecules(n: int = 5, bare: bool = False) -> list[Data]:
    """Paths of three nodes, with features and attributes of edges, that differ in both; the last has one node."""
    generator = torch.Generator().manual_seed(0)
    graphs = [
        Data(torch.rand(3, 2, generator=generator), PATH, torch.rand(4, 3, generator=generator), y=g % 2)
        for g in range(n)
    ]
    graphs.append(Data(torch.rand(1, 2, generator=generator), PATH[:, :0], torch.empty(0, 3), y=0))
    if bare:
        return [Data(edge_index=graph.edge_index, num_nodes=graph.num_nodes) for graph in graphs]
    return graphs


def read(X: Any, **said: Any) -> GraphCollection:
    found = as_collection(X, ReadOptions.of(**said)).graphs
    assert found is not None
    return found


def same(first: GraphCollection, second: GraphCollection) -> bool:
    pairs = zip(first, second, strict=True)
    return all(a is b or (a is not None and b is not None and torch.equal(a, b)) for a, b in pairs)


@pytest.mark.parametrize("bare", [False, True])
def test_lists_data_sets_and_batches_are_the_same_collection(bare: bool) -> None:
    graphs = molecules(bare=bare)
    expected = read(graphs)
    assert expected.sizes().tolist() == [3] * 5 + [1]
    for other in (
        tuple(graphs),
        Held(graphs),
        Batch.from_data_list(graphs),
        torch.utils.data.Subset(Held(graphs), range(6)),
    ):
        assert is_collection(other)
        assert same(read(other), expected)
    assert same(read(Held(graphs)[[4, 0, 5]]), expected.take(torch.tensor([4, 0, 5])))
    data_set = Held(graphs)
    data_set.transform = lambda data: Data(edge_index=data.edge_index[:, :0], num_nodes=1)
    assert read(data_set).num_nodes == 6


def test_networkx_graphs_are_the_data_that_they_were_made_of() -> None:
    graphs = molecules()
    made = [to_networkx(graph, ["x"], ["edge_attr"], to_undirected=False) for graph in graphs]
    assert same(read(made), read(graphs))


def test_one_graph_of_pairs_is_no_collection() -> None:
    graph = molecules()[0]
    assert not any(
        map(is_collection, ([(0, 1), (1, 2)], graph, to_networkx(graph), Held([graph]), [], torch.rand(3, 2)))
    )


def test_empty_graphs_are_members() -> None:
    graphs = [*molecules(2), Data(num_nodes=0), Data(torch.empty(0, 7), torch.empty(2, 0), num_nodes=0)]
    collection = read(graphs)
    assert collection.sizes().tolist() == [3, 3, 1, 0, 0]
    assert collection.edge_ptr.tolist() == [0, 4, 8, 8, 8, 8]
    assert as_collection([Data(num_nodes=0)], at_least=1).num_nodes == 1


def test_edges_of_networkx_stand_both_ways_with_their_attributes() -> None:
    graph = nx.MultiGraph()
    graph.add_edge("a", "b", kind="single", weight=2.0)
    graph.add_edge("b", "a", kind="double")
    graph.add_edge("c", "c", kind="single")
    way = nx.DiGraph([("x", "y")])
    way.edges["x", "y"].update(kind="double", weight=5.0)
    found = as_collection([graph, way])
    collection = found.graphs
    assert collection is not None
    assert collection.edge_attr is not None
    assert collection.edge_weight is not None
    assert collection.edge_index.tolist() == [[0, 1, 2, 3], [1, 0, 2, 4]]
    # A weight that is missing is 1, repeats are summed; kinds are averaged.
    assert collection.edge_weight.tolist() == [3, 3, 1, 5]
    double, single = collection.edge_attr.T
    assert torch.equal(double[0] + single[0], (double[3] + single[2]) / 2)
    assert found.edge_plan is not None
    assert found.edge_plan.names == ["kind=double", "kind=single"]
    one = as_collection([way], edges=FeatureOptions.of_model(found.edge_plan), at_least=1).graphs
    assert one is not None
    assert torch.equal(one.edge_attr[0], collection.edge_attr[3])  # type: ignore[index]


def test_attributes_of_nodes_are_columns_and_labels_are_none() -> None:
    graphs = []
    for g in range(6):
        graph = nx.path_graph(3)
        nx.set_node_attributes(graph, dict(enumerate("CNO")), "element")
        nx.set_node_attributes(graph, {0: 0.5 * g, 1: 1.0, 2: 4.0}, "charge")
        nx.set_node_attributes(graph, g % 2, "y")
        graph.graph.update(label=g % 2, name=f"m{g}")
        graphs.append(graph)
    found = as_collection(graphs)
    assert found.plan is not None
    assert found.plan.names == ["element=C", "element=N", "element=O", "charge"]
    assert [*found.names] == [f"m{g}" for g in range(6)]
    assert found.reading.record["graphs"]["left_out"] == {"label": "labels", "y": "node attribute"}
    assert found.reading.lines[0] == (
        "read list of Graph as whole graphs: 6 graphs, 18 nodes, 12 edges, 4 node features, 0 edge attributes; "
        "nodes a graph: 3 to 3, median 3"
    )
    assert as_collection(graphs, ReadOptions.of(columns={"feature": ["charge"]})).num_features == 1
    new = as_collection([graphs[1]], features=FeatureOptions.of_model(found.plan), at_least=1).graphs
    assert new is not None
    assert found.graphs is not None
    assert torch.equal(new.x, found.graphs.x[3:6])  # type: ignore[index, arg-type]


def test_codes_become_one_hot_columns_and_new_ones_none() -> None:
    graphs = [Data(torch.tensor([[6, 0], [7, 1], [6, 1]]), PATH, torch.tensor([1, 1, 2, 2])) for _ in range(2)]
    found = as_collection(graphs)
    assert found.plan is not None
    assert found.graphs is not None
    assert found.graphs.x is not None
    assert found.graphs.x[:3].tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 1]]
    assert found.graphs.edge_attr is not None
    assert found.graphs.edge_attr[:4].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    graphs[0].x = torch.tensor([[35, 1], [7, 1], [6, 1]])
    new = as_collection(graphs[:1], features=FeatureOptions.of_model(found.plan), at_least=1).graphs
    assert new is not None
    assert new.x is not None
    assert new.x[0].tolist() == [0, 0, 1]


def test_names_are_kept_where_they_differ() -> None:
    graphs = molecules(2)
    for g, graph in enumerate(graphs):
        graph.name = f"mol {g}"
    assert (
        [*as_collection(graphs).names]
        == [*as_collection(Batch.from_data_list(graphs)).names]
        == ["mol 0", "mol 1", "mol 2"]
    )
    graphs[2].name = "mol 0"
    assert as_collection(graphs).names is None
    for g, graph in enumerate(graphs):
        graph.graph_id = torch.tensor(10 + g)
    assert as_collection(graphs).names.tolist() == [10, 11, 12]


def test_an_edge_that_is_written_one_way_counts_both_ways_where_the_user_says_so() -> None:
    one = Data(torch.rand(3, 2), torch.tensor([[1, 0], [2, 1]]), torch.tensor([[5.0], [7.0]]))
    collection = read([one, one], directed=False)
    assert collection.edge_index[:, :4].tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert collection.edge_attr[:4, 0].tolist() == [7, 7, 5, 5]  # type: ignore[index]
    assert read([one, one]).num_edges == 4


def test_the_weight_of_a_whole_molecule_is_no_weight_of_edges() -> None:
    graphs = molecules(2)
    for graph in graphs:
        graph.weight = 18.0
    assert read(graphs).edge_weight is None
    graphs[0].weight, graphs[1].weight, graphs[2].weight = torch.rand(4), torch.rand(4), None
    weight = read(graphs).edge_weight
    assert weight is not None
    assert torch.equal(weight[:4], graphs[0].weight)


ends = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(ends, max_size=6), min_size=2, max_size=4), st.booleans())
def test_weights_are_summed_and_attributes_averaged(lists: list[list[tuple[int, int]]], both: bool) -> None:
    graphs, weights, attributes, number = [], defaultdict[Any, float](float), defaultdict[Any, list[float]](list), 0.0
    for g, pairs in enumerate(lists):
        # Powers of 2: no two sums are equal, so that no list has both directions with one weight by chance.
        numbers = [2.0 ** (number + i) for i in range(len(pairs))]
        number += len(pairs)
        columns = torch.tensor(numbers)
        graphs.append(
            Data(None, torch.tensor(pairs).reshape(-1, 2).T.long(), columns, num_nodes=4, edge_weight=columns)
        )
        for (i, j), value in zip(pairs, numbers, strict=True):
            for pair in {(i, j), (j, i)} if both else {(i, j)}:
                weights[g, *pair] += value
                attributes[g, *pair].append(value)
    found = read(graphs, directed=False if both else None)
    keys = [(int(i) // 4, int(i) % 4, int(j) % 4) for i, j in found.edge_index.T]
    assert keys == sorted(weights)
    if keys:
        assert found.edge_weight is not None
        assert found.edge_attr is not None
        assert found.edge_weight.tolist() == [weights[key] for key in keys]
        expected = [sum(attributes[key]) / len(attributes[key]) for key in keys]
        torch.testing.assert_close(found.edge_attr[:, 0], torch.tensor(expected))


def test_weights_and_features_are_those_that_are_named() -> None:
    graphs = molecules(2)
    for graph in graphs:
        graph.mass, graph.length = torch.arange(graph.num_nodes), torch.ones(graph.num_edges)
    found = as_collection(graphs, ReadOptions.of(columns={"feature": "mass", "weight": "length"}))
    assert found.num_features == 3  # codes 0, 1 and 2
    assert found.graphs is not None
    assert found.graphs.edge_weight is not None
    assert found.reading.record["graphs"]["left_out"] == {"x": "attribute", "y": "labels"}


def changed(place: int = 1, **parts: Any) -> list[Data]:
    graphs = molecules(3)
    for name, part in parts.items():
        graphs[place][name] = part
    return graphs


BAD: list[tuple[Any, str]] = [
    (changed(x=torch.rand(3, 5)), "graph 1: x: found 5 columns; expected 2, as graph 0 has"),
    (changed(x=None, num_nodes=3), "graph 1: x: found none; expected one row for each node, as graph 0 has"),
    (changed(x=torch.rand(4, 2), num_nodes=3), "graph 1: x: found 4 rows; expected 3, one for each node"),
    (changed(edge_attr=None), "graph 1: edge_attr: found none; expected one row for each edge, as graph 0 has"),
    (changed(edge_index=PATH + 1), "graph 1: edge_index: found edge 2 from 2 to 3; expected nodes 0 to 2"),
    (changed(2, x=torch.tensor([[0.0, 1], [1, 2], [3, float("nan")]])), "row 2 of graph 2, column 1"),
    (changed(edge_weight=torch.tensor([1.0, -1, 1, 1])), "graph 0: edge_weight: found none"),
    ([Data(num_nodes=0), Data(num_nodes=0)], "data: found 2 graphs without any nodes; expected some nodes"),
    (molecules(1)[:1], "data: found 1 graph; expected at least 2 graphs"),
    (
        [*molecules(1), nx.path_graph(3)],
        "data: found Graph at place 2 of a list; expected Data alone, one for each graph",
    ),
    ([nx.path_graph(3), molecules(1)[0]], "data: found Data at place 1 of a list; expected networkx graphs alone"),
    ([HeteroData(), HeteroData()], "data: found HeteroData at place 0 of a list"),
    (torch.rand(3, 3), "data: found Tensor; expected many graphs"),
    ([], "data: found an empty list; expected many graphs"),
]


@pytest.mark.parametrize(("graphs", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_bad_input_is_refused_in_one_message(graphs: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        as_collection(graphs)
    assert message in str(error.value)


def test_an_edge_between_two_graphs_of_a_batch_is_refused() -> None:
    batch = Batch.from_data_list(molecules(2))
    batch.edge_index[1, 0] = 4
    with pytest.raises(InputError, match="found edge 0 from graph 0 to graph 1"):
        as_collection(batch)


def test_attributes_in_some_networkx_graphs_alone_are_refused() -> None:
    graphs = [nx.path_graph(3) for _ in range(3)]
    for graph in graphs[:2]:
        nx.set_node_attributes(graph, "C", "element")
    graphs[1].add_node(9)
    with pytest.raises(InputError, match="graph 2: node attribute element: found none; expected some, as graph 0 has"):
        as_collection(graphs)
