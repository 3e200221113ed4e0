"""Adjacency matrices and other matrices that are no features: read as told, refused where two readings are possible."""

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.reading import ReadOptions

ADJACENCY, EDGES, VECTORS = (ReadOptions(reading) for reading in ("adjacency", "edges", "vectors"))
KARATE = nx.to_scipy_sparse_array(nx.karate_club_graph(), weight=None, format="csr")


def edges(found: Any) -> set[tuple[int, int]]:
    return set(map(tuple, found.edge_index.T.tolist()))


@pytest.mark.parametrize(
    "wrap",
    [
        sp.csr_matrix,
        sp.coo_array,
        sp.dok_matrix,
        lambda a: a.toarray(),
        lambda a: a.toarray().tolist(),
        lambda a: pd.DataFrame(a.toarray()),
        lambda a: torch.from_numpy(a.toarray()),
        lambda a: torch.from_numpy(a.toarray()).to_sparse(),
        lambda a: torch.from_numpy(a.toarray()).to_sparse_csc(),
    ],
)
def test_the_karate_club_has_34_nodes_and_78_edges(wrap: Any) -> None:
    found = as_input(wrap(KARATE), options=ADJACENCY)
    assert found.num_nodes == 34
    assert found.edge_index.size(1) == 2 * 78
    assert edges(found) == {pair for u, v in nx.karate_club_graph().edges for pair in ((u, v), (v, u))}
    assert found.x is None
    assert found.edge_weight is None
    assert "34 nodes, 78 edges" in found.reading.lines[0]


@pytest.mark.parametrize(
    "matrix",
    [
        KARATE,
        sp.triu(KARATE),
        sp.random(40, 40, 0.2, format="csr", random_state=0),
        torch.from_numpy(KARATE.toarray()).to_sparse(),
        KARATE.toarray(),
        nx.to_pandas_adjacency(nx.karate_club_graph()),
        torch.from_numpy(KARATE.toarray()),
        1 - np.eye(6),  # distances, as well
    ],
)
def test_a_square_matrix_is_not_guessed_at(matrix: Any) -> None:
    with pytest.raises(InputError, match=r'as_="adjacency" for a graph, or as_="vectors" for features'):
        as_input(matrix)
    assert as_input(matrix, options=VECTORS).edge_index is None
    assert as_input(matrix, options=ADJACENCY).x is None
    # What a fitted model is to transform holds features.
    assert as_input(matrix, features=FeatureOptions.of_model(None)).x is not None


@pytest.mark.parametrize(
    "matrix",
    [
        np.random.default_rng(0).random((6, 6)),
        np.random.default_rng(0).standard_normal((6, 6)),
        np.corrcoef(np.random.default_rng(0).random((6, 9))),
        sp.random(6, 7, 0.5, format="csr", random_state=0),
    ],
)
def test_other_matrices_stay_features(matrix: Any) -> None:
    assert as_input(matrix).edge_index is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_entries_are_weights_of_edges(seed: int, symmetric: bool) -> None:
    rng = np.random.default_rng(seed)
    dense = (rng.random((6, 6)) < 0.4) * rng.integers(1, 5, (6, 6)) / 2.0
    dense[0, 1] = 2.5
    dense = np.maximum(dense, dense.T) if symmetric else dense
    stored = sp.csr_array(dense + 1)  # the zeros are stored as well
    stored.data[:] = dense[stored.nonzero()]
    for matrix in (dense, sp.csr_array(dense), stored):
        found = as_input(matrix, options=ADJACENCY)
        again = np.zeros((6, 6))
        weight = np.ones(found.edge_index.size(1)) if found.edge_weight is None else found.edge_weight.numpy()
        again[tuple(found.edge_index.numpy())] = weight
        np.testing.assert_array_equal(again, dense)
        assert (f"{(dense == 0).sum()} explicit zeros dropped" in found.reading.lines[0]) == (matrix is stored)
        loops = np.count_nonzero(dense.diagonal())
        assert (f"{loops} self loops on the diagonal" in found.reading.lines[0]) == bool(loops)


def test_repeated_entries_of_a_coo_matrix_sum() -> None:
    repeated = sp.coo_array(([1.0, 1.0, 3.0], ([0, 0, 1], [1, 1, 2])), shape=(3, 3))
    assert as_input(repeated, options=ADJACENCY).edge_weight.tolist() == [2, 3]


def test_a_frame_names_its_nodes() -> None:
    frame = pd.DataFrame([[0, 2, 0], [2, 0, 1], [0, 1, 0]], index=["a", "b", "c"], columns=["a", "b", "c"])
    found = as_input(frame, options=ADJACENCY)
    turned = as_input(frame[["c", "a", "b"]], options=ADJACENCY)
    for each in (found, turned):
        assert each.names.tolist() == ["a", "b", "c"]
        assert edges(each) == {(0, 1), (1, 0), (1, 2), (2, 1)}
        assert sorted(each.edge_weight.tolist()) == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((3, 4)), r"adjacency: found shape \[3, 4\]; expected a square matrix"),
        (
            sp.csr_array(np.diag([1.0, 2.0], 1) - np.eye(3)),
            "3 negative entries, the first .-1. at row 0, column 0.*keep",
        ),
        (np.array([[0, np.nan], [1, 0]]), "adjacency: found 1 NaN or infinite"),
        (np.zeros((4, 4)), "neither features nor edges"),
        (np.eye(4), "4 self loops alone"),
        (pd.DataFrame(np.eye(2), index=["a", "b"], columns=["a", "z"]), "column 'z', which is no name of the index"),
        (sp.csr_array(np.ones((3, 3)) * 1j), "expected real numbers"),
    ],
)
def test_what_is_no_adjacency_matrix_is_refused(matrix: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_input(matrix, options=ADJACENCY)


@pytest.mark.parametrize("wrap", [np.asarray, torch.from_numpy, np.transpose, lambda a: torch.from_numpy(a).T])
def test_columns_of_ends_are_edges_where_one_says_so(wrap: Any) -> None:
    pairs = np.array([[0, 1], [1, 2], [2, 5], [0, 1]])
    found = as_input(wrap(pairs), options=EDGES)
    assert found.names.tolist() == [0, 1, 2, 5]
    assert edges(found) == {(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)}
    assert found.edge_weight.tolist() == [2, 2, 1, 1, 1, 1]
    assert as_input(pairs).x.shape == (4, 2)
    weighted = as_input(np.column_stack([pairs, [1.0, 2.0, 0.5, 1.0]]), options=EDGES)
    assert sorted(weighted.edge_weight.tolist()) == [0.5, 0.5, 2, 2, 2, 2]
    with pytest.raises(InputError, match=r"edges: found shape \[4, 5\]"):
        as_input(np.ones((4, 5)), options=EDGES)


def test_an_edge_index_alone_is_no_matrix_of_two_samples() -> None:
    with pytest.raises(InputError, match=r"an int64 Tensor \[2, 4\] alone; expected as_=\"edges\""):
        as_input(torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]))


def test_genurl_reads_a_matrix_as_told_and_so_does_transform() -> None:
    model = GenURL(4, epochs=2, random_state=0, config={"encoder.structure": "degree", "encoder.hidden": 8})
    z = model.fit_transform(KARATE, as_="adjacency")
    assert z.shape == (34, 4)
    np.testing.assert_allclose(model.transform(KARATE), z, atol=1e-5)
    assert model.reading_ == ("read csr_array as an adjacency matrix: 34 nodes, 78 edges",)
    assert model.node_id_.tolist() == list(range(34))
    assert model.resolve(KARATE, as_="adjacency").task == "graph"
    with pytest.raises(InputError, match="as: found 'adjacencies'; expected one of edges"):
        model.fit(KARATE, as_="adjacencies")
