"""What users hand in from Python, and what small or large data met: the part of the list that has no files."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pandas
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.utils import from_networkx

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from tests.cases.conftest import blocks, table

QUICK = {"n_components": 4, "epochs": 3, "random_state": 0, "device": "cpu"}


def embedded(*data: Any, **settings: Any) -> np.ndarray:
    """The embedding of a quick fit."""
    found = GenURL(**{**QUICK, **settings}).fit_transform(*data)
    return np.asarray(found)


def weighted() -> networkx.Graph:
    graph = networkx.karate_club_graph()
    assert len({w for _, _, w in graph.edges(data="weight")}) > 1
    for _, attributes in graph.nodes(data=True):
        attributes.clear()
    return graph


def test_weights_that_from_networkx_left() -> None:
    data = from_networkx(weighted())
    assert data.get("edge_weight") is None
    named = Data(edge_index=data.edge_index, edge_weight=data.weight.float(), num_nodes=34)
    bare = Data(edge_index=data.edge_index, num_nodes=34)
    np.testing.assert_array_equal(embedded(data), embedded(named))
    assert abs(embedded(data) - embedded(bare)).max() > 1e-3
    column = Data(edge_index=data.edge_index, edge_attr=data.weight.float()[:, None], num_nodes=34)
    np.testing.assert_array_equal(embedded(column), embedded(named))


@pytest.mark.parametrize("key", ["adj_t", "edge_index"])
def test_sparse_edges(key: str) -> None:
    data = from_networkx(weighted())
    expected = embedded(Data(edge_index=data.edge_index, edge_weight=data.weight.float(), num_nodes=34))
    sparse = torch.sparse_coo_tensor(data.edge_index, data.weight.float(), (34, 34)).coalesce()
    found = Data(num_nodes=34)
    found[key] = sparse if key == "edge_index" else sparse.to_sparse_csr()
    np.testing.assert_allclose(embedded(found), expected, atol=1e-5)


def test_repeats_sum_wherever_they_come_from() -> None:
    pairs = [[0, 1], [0, 1], [1, 2], [2, 3], [3, 4], [4, 0], [4, 0], [4, 0]]
    graph = networkx.MultiGraph(pairs)
    single = networkx.Graph()
    single.add_nodes_from(range(5))
    for a, b in pairs:
        known = single.get_edge_data(a, b, {"weight": 0})["weight"]
        single.add_edge(a, b, weight=known + 1)
    settings = {"n_neighbors": 2}
    expected = embedded(single, **settings)
    both = torch.tensor(pairs + [[b, a] for a, b in pairs]).T
    frame = pandas.DataFrame(pairs, columns=["source", "target"])
    for data in (graph, Data(edge_index=both, num_nodes=5), frame, [tuple(pair) for pair in pairs]):
        np.testing.assert_allclose(embedded(data, **settings), expected, atol=1e-5)
    bare = networkx.Graph(pairs)
    assert abs(embedded(bare, **settings) - expected).max() > 1e-3


def test_frames_of_edges_and_nodes() -> None:
    pairs = pandas.DataFrame(blocks(60), columns=["user_id", "friend_id"])
    people = pandas.DataFrame(
        {"user_id": range(60), "age": np.arange(60) % 3 * 20.0 + 20, "town": ["x", "y", "z"] * 20, "note": "?"}
    )
    model = GenURL(**QUICK).fit((pairs, people))
    assert model.embedding_.shape == (60, 4)
    merged = model.graph_summary_
    assert merged["n_predefined"] + merged["n_both"] == len(pairs)


@pytest.mark.parametrize("library", ["igraph", "dgl"])
def test_graphs_of_other_libraries(library: str) -> None:
    module = pytest.importorskip(library)
    graph = weighted()
    if library == "igraph":
        found = module.Graph.from_networkx(graph)
    else:
        found = module.from_networkx(graph.to_directed(), edge_attrs=["weight"])
    np.testing.assert_allclose(embedded(found), embedded(graph), atol=1e-5)


# ---------------------------------------------------------------- random_state


@pytest.mark.usefixtures("one_thread")
def test_fits_in_threads_are_those_one_after_the_other() -> None:
    graph = networkx.karate_club_graph()
    expected = embedded(graph)
    before = torch.random.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: embedded(graph), range(8)))
    assert [np.array_equal(each, expected) for each in found] == [True] * 8
    assert torch.equal(torch.random.get_rng_state(), before)


def test_random_states_of_scikit_learn() -> None:
    graph = networkx.karate_club_graph()
    for make in (np.random.RandomState, np.random.default_rng):
        first, second = (embedded(graph, random_state=make(3)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first, embedded(graph, random_state=make(4)))


# ---------------------------------------------------------------- small and empty (wide: tests/inputs/test_hashing.py)


def test_the_vote_of_few_training_nodes(write, run) -> None:
    links = write("e.csv", table(blocks(60, 3, 0.4, 0.01), "source,target"))
    labels = write("y.csv", table([[i, i % 3] for i in range(60)], "id,label"))
    run("embed", "--input", links, "--labels", labels, "--seed", 0, "--metrics", "m.json")
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["cluster"]["nmi"] > 0.9
    assert metrics["knn"] is None or metrics["knn"]["test"] > 0.8


def test_a_model_without_features_says_what_transform_needs(write, run) -> None:
    links = write("e.csv", table(blocks(60), "source,target"))
    words = ("embed", "--input", links, "--epochs", 2, "--seed", 0, "--save-model", "model", "--output", "z.npz")
    before = run(*words).stdout.partition("merged graph")[0]
    assert "the saved model will embed these nodes" in before
    assert "encoder.structure" in before
    run("transform", "--model", "model", "--input", links, "--output", "again.npz")
    embeddings = [np.load(name)["embedding"] for name in ("again.npz", "z.npz")]
    np.testing.assert_allclose(*embeddings, rtol=1e-3, atol=1e-4)
    others = write("o.csv", "source,target\nzed,yan\nyan,xor\n")
    with pytest.warns(UserWarning, match="roles alone embed it"):
        run("transform", "--model", "model", "--input", others, "--output", "other.npz")
    run(*words, "--set", "encoder.structure=identity")
    told = run("transform", "--model", "model", "--input", others, "--output", "other.npz", code=2).stderr
    assert "encoder.structure" in told
    assert "the saved model" not in run(*words, "--set", "encoder.structure=random_walk").stdout
    run("transform", "--model", "model", "--input", links, "--output", "again.npz")
    embeddings = [np.load(name)["embedding"] for name in ("again.npz", "z.npz")]
    np.testing.assert_allclose(*embeddings, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["self loops", "zero weights"])
def test_edges_that_connect_nothing(kind: str) -> None:
    n = 12
    ends = torch.arange(n)
    if kind == "self loops":
        data = Data(edge_index=torch.stack([ends, ends]), num_nodes=n)
    else:
        ring = torch.stack([ends, (ends + 1) % n])
        data = Data(edge_index=torch.cat([ring, ring.flip(0)], 1), edge_weight=torch.zeros(2 * n), num_nodes=n)
    with pytest.raises(InputError) as error:
        embedded(data)
    assert "duplicates" not in str(error.value)
    assert kind.split()[1].rstrip("s") in str(error.value)


def test_signed_weights_say_what_to_do(write, run) -> None:
    links = write("e.csv", "source,target,weight\na,b,1\nb,c,-2\nc,a,1\n")
    text = run("embed", "--input", links, code=2).stderr
    assert "-2" in text
    assert "absolute" in text or "--column ignore=weight" in text


def test_time_stamps_of_a_temporal_graph() -> None:
    from torch_geometric.data import TemporalData

    ends = torch.tensor(blocks(40)).T
    data = TemporalData(src=ends[0], dst=ends[1], t=torch.arange(ends.size(1)))
    both = Data(edge_index=torch.cat([ends, ends.flip(0)], 1), num_nodes=40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(embedded(data), embedded(both), atol=1e-5)
