"""Everything that holds triples, as one input."""

import networkx
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.transforms import ToUndirected

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.triples import Triples, TripleSet
from genurl_graph.inputs.triples.convert import as_triples, is_triples

ROWS = [("a", "likes", "b"), ("b", "knows", "c"), ("c", "likes", "a")]
FRAME = pd.DataFrame(ROWS, columns=["head", "relation", "tail"])


def graph() -> networkx.MultiDiGraph:
    found = networkx.MultiDiGraph()
    for head, relation, tail in ROWS:
        found.add_edge(head, tail, relation)
    return found


def attributed() -> networkx.DiGraph:
    found = networkx.DiGraph()
    for head, relation, tail in ROWS:
        found.add_edge(head, tail, predicate=relation, since=2000)
    return found


@pytest.mark.parametrize("make", [lambda: ROWS, lambda: FRAME, graph, attributed], ids=["list", "frame", "multi", "di"])
def test_all_are_the_same_triples(make) -> None:
    found = as_triples(make())
    assert found.x is None
    assert found.edge_index is None
    assert found.num_nodes == 3
    assert found.names.tolist() == ["a", "b", "c"]
    assert found.triples is not None
    named = [
        (found.names[head], found.triples.relation_id[relation], found.names[tail])
        for head, relation, tail in found.triples.triples.rows().tolist()
    ]
    assert sorted(named) == sorted(ROWS)


@pytest.mark.parametrize("make", [np.array, torch.tensor, Triples.of])
def test_numbers_stay_numbers(make) -> None:
    found = as_triples(make([[0, 0, 1], [1, 1, 2]]))
    assert found.names is None
    assert found.triples.triples.rows().tolist() == [[0, 0, 1], [1, 1, 2]]


def test_whole_numbers_of_a_frame_are_joined_as_they_are() -> None:
    found = as_triples(pd.DataFrame({"head": [7, 9], "relation": ["r", "s"], "tail": [9, 4]}))
    assert found.names.dtype == np.int64
    assert found.names.tolist() == [4, 7, 9]


def hetero() -> HeteroData:
    data = HeteroData()
    data["paper"].x = torch.eye(4)
    data["paper"].y = torch.tensor([0, 1, 0, 1])
    data["author"].num_nodes = 3
    data["author", "writes", "paper"].edge_index = torch.tensor([[0, 1, 2, 2], [3, 2, 1, 0]])
    data["author", "writes", "paper"].edge_weight = torch.ones(4)
    data["paper", "cites", "paper"].edge_index = torch.tensor([[0, 1], [1, 2]])
    return data


def test_node_types_are_stacked_and_edge_types_are_relations() -> None:
    found = as_triples(hetero()).triples
    assert found.rows == {"paper": (0, 4), "author": (4, 7)}
    assert found.relation_id == ["author__writes__paper", "paper__cites__paper"]
    expected = [[4, 0, 3], [5, 0, 2], [6, 0, 1], [6, 0, 0], [0, 1, 1], [1, 1, 2]]
    assert found.triples.rows().tolist() == expected
    assert found.y.tolist() == [0, 1, 0, 1, -1, -1, -1]
    assert found.modalities[0].name == "paper"
    assert found.modalities[0].entity.tolist() == [0, 1, 2, 3]
    assert any("edge_weight of author__writes__paper" in line for line in found.reading.lines)


def test_relations_that_turn_others_round_are_left_out() -> None:
    data = hetero()
    del data["author", "writes", "paper"].edge_weight
    plain, both = as_triples(data).triples, as_triples(ToUndirected()(data)).triples
    assert both.relation_id == plain.relation_id
    assert any("paper__rev_writes__author" in line for line in both.reading.lines)


def test_types_of_edges_and_masks_of_a_data() -> None:
    index, kind = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]), torch.tensor([0, 1, 0, 1])
    mask = torch.tensor([True, True, False, False])
    data = Data(edge_index=index, edge_type=kind, num_nodes=5, train_mask=mask, test_mask=~mask)
    found = as_triples(data).triples
    assert found.triples.rows().tolist() == [[0, 0, 1], [1, 1, 2]]
    assert found.test.rows().tolist() == [[2, 0, 3], [3, 1, 0]]
    assert found.valid is None
    assert len(found) == 5
    named = Data(edge_index=index, how=kind, num_nodes=5)
    assert len(as_triples(named, ReadOptions.of(columns={"type": "how"})).triples.triples) == 4


def test_parts_of_pygs_data_sets_of_relations() -> None:
    index, kind = torch.tensor([[0, 1], [1, 2]]), torch.tensor([0, 1])
    data = Data(num_nodes=3, edge_index=torch.cat([index, index.flip(0)], 1), edge_type=torch.cat([kind, kind + 2]))
    data.train_edge_index, data.train_edge_type = index, kind
    data.test_edge_index, data.test_edge_type = index.flip(0), kind
    found = as_triples(data).triples
    assert len(found.triples) == 2
    assert found.triples.num_relations == 2
    assert found.test.rows().tolist() == [[1, 0, 0], [2, 1, 1]]


def test_modalities_have_rows_for_some_entities() -> None:
    people = pd.DataFrame({"id": ["c", "a", "z"], "age": [30.0, 50.0, 9.0], "size": [1.0, 2.0, 3.0]})
    vectors = np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0]])
    features = {"people": people, "text": (["a", "b", "c"], vectors), "file": {"node_id": ["b"], "embedding": [[1.0]]}}
    with pytest.raises(InputError, match="file: found no column that tells entities apart"):
        as_triples((ROWS, features), features=FeatureOptions())
    del features["file"]
    found = as_triples((ROWS, features), features=FeatureOptions()).triples
    assert [modality.name for modality in found.modalities] == ["people", "text"]
    assert [modality.entity.tolist() for modality in found.modalities] == [[0, 2], [0, 2]]
    told = "\n".join(found.reading.lines)
    assert "features people: 2 columns, 2 of 3 entities have them, 1 row of others left out" in told
    assert "features text: 2 columns, 2 of 3 entities have them, 1 empty row" in told
    assert found.reading.record["modalities"]["text"]["missing"] == 1


def test_one_table_will_do_and_its_labels_are_no_features() -> None:
    people = pd.DataFrame({"age": [30.0, 50.0, 9.0], "class": ["x", "y", "x"]}, index=["a", "b", "c"])
    found = as_triples((FRAME, people), features=FeatureOptions()).triples
    assert found.modalities[0].x.shape == (3, 1)
    assert found.y.tolist() == [0, 1, 0]
    assert found.label_names == ["x", "y"]


def test_a_matrix_alone_needs_numbered_entities() -> None:
    x = np.random.default_rng(0).normal(size=(3, 2))
    assert len(as_triples(([(0, 0, 1), (1, 0, 2)], x)).triples.modalities[0].entity) == 3
    with pytest.raises(InputError, match="rows without names, and entities such as 'a'"):
        as_triples((ROWS, x))
    with pytest.raises(InputError, match="2 feature rows without names"):
        as_triples(([(0, 0, 1), (1, 0, 2)], x[:2]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((ROWS, {"text": (["x", "y"], np.eye(2))}), "none of which is an entity"),
        ((ROWS, {"text": (["a", "a"], np.eye(2))}), "more than once"),
        ((ROWS, {"text": (["a"], np.eye(2))}), "1 ids of 2 rows"),
        ((ROWS, {"text": (["a", "b"], np.array([[1.0, np.nan], [0.0, 2.0]]))}), "NaN"),
        ([("a", "b")], "entries of 2 values"),
        (np.zeros((3, 2), int), r"shape \[3, 2\]"),
        (networkx.path_graph(3), "edges without a direction"),
        (networkx.DiGraph([(0, 1)]), "one of relations"),
        (HeteroData(), "no edge types"),
        (Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2), "edge_type"),
        (Data(edge_index=torch.tensor([[0], [1]]), edge_type=torch.tensor([0, 1]), num_nodes=2), "2 whole|of 2"),
        (3, "int; expected triples"),
    ],
)
def test_what_cannot_be_read_is_refused(data, message) -> None:
    with pytest.raises(InputError, match=message):
        as_triples(data)


def test_what_is_nothing_else_than_triples() -> None:
    held = TripleSet(Triples.of([(0, 0, 1)]))
    assert is_triples(held)
    assert is_triples(held.triples)
    assert is_triples((held, {"text": np.eye(2)}))
    assert not is_triples(ROWS)
    assert not is_triples(hetero())


def test_names_of_a_data_are_numbers_as_they_were() -> None:
    index, kind = torch.tensor([[0, 1], [1, 2]]), torch.tensor([0, 0])
    found = as_triples(Data(edge_index=index, edge_type=kind, num_nodes=3, node_id=torch.tensor([7, 8, 9])))
    assert found.triples is not None
    assert found.triples.entity_id == [7, 8, 9]
