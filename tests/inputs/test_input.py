"""inputs: every accepted type gives the same input, every refused one a message that names the fault."""

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.normalize import column_statistics, normalize_features


def bag(n: int = 12, f: int = 40, share: float = 0.05, seed: int = 0) -> np.ndarray:
    """Few entries not zero: kept as CSR. Row 0 and column 0 are empty."""
    rng = np.random.default_rng(seed)
    x = (rng.random((n, f)) < share) * rng.integers(1, 5, (n, f))
    x[0], x[:, 0] = 0, 0
    return x.astype(np.float32)


def strided(x: Any) -> Tensor:
    return x.to_dense() if x.layout == torch.sparse_csr else x


BAG, FULL = bag(), np.random.default_rng(0).standard_normal((12, 5)).astype(np.float32)
EDGES = torch.tensor([[0, 1, 2], [1, 2, 3]])


@pytest.mark.parametrize("x", [BAG, FULL], ids=["bag", "full"])
@pytest.mark.parametrize(
    "wrap",
    [
        np.asarray,
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: x.astype(object),
        lambda x: x.tolist(),
        pd.DataFrame,
        sp.csr_matrix,
        sp.csr_array,
        sp.coo_matrix,
        sp.csc_array,
        torch.from_numpy,
        lambda x: torch.from_numpy(x).double().requires_grad_(),
        lambda x: torch.from_numpy(x).to_sparse(),
        lambda x: torch.from_numpy(x).to_sparse_csr(),
        lambda x: torch.from_numpy(x).to_sparse_csc(),
        lambda x: Data(x=torch.from_numpy(x)),
        lambda x: Data(x=torch.from_numpy(x).to_sparse_csr(), edge_index=EDGES),
        lambda x: Data(x=x, num_nodes=len(x)),
        lambda x: Data(x=sp.csr_matrix(x), num_nodes=len(x)),
    ],
)
def test_every_type_gives_the_same_features(x: np.ndarray, wrap: Any) -> None:
    found = as_input(wrap(x))
    assert found.x.dtype == torch.float32
    assert found.x.layout == (torch.sparse_csr if x is BAG else torch.strided)
    assert not found.x.requires_grad
    assert found.num_nodes == 12
    np.testing.assert_array_equal(strided(found.x).numpy(), x)


def test_the_answer_is_in_kind() -> None:
    assert as_input(FULL).kind == "numpy"
    assert as_input(nx.path_graph(3)).kind == "numpy"
    assert as_input(torch.from_numpy(FULL)).kind == "torch"
    assert as_input(Data(x=torch.from_numpy(FULL))).kind == "torch"


def test_the_users_matrix_is_not_changed() -> None:
    read_only = FULL.copy()
    read_only.flags.writeable = False
    strided(as_input(read_only).x).add_(1)
    np.testing.assert_array_equal(read_only, FULL)


def test_edges_and_weights_of_data() -> None:
    x = torch.from_numpy(FULL)
    weight = torch.tensor([1, 2, 3])
    for data in (
        Data(x=x, edge_index=EDGES, edge_weight=weight),
        Data(x=x, edge_index=EDGES.int(), edge_attr=weight.double()),
        Data(x=x, edge_index=EDGES, edge_attr=weight.view(-1, 1)),
    ):
        found = as_input(data)
        assert found.edge_index.dtype == torch.int64
        assert torch.equal(found.edge_index, EDGES)
        assert found.edge_weight.dtype == torch.float32
        assert found.edge_weight.tolist() == [1, 2, 3]
    assert as_input(Data(x=x, edge_index=EDGES, edge_attr=torch.ones(3, 2))).edge_weight is None
    bare = as_input(Data(edge_index=EDGES, num_nodes=9))
    assert bare.x is None
    assert bare.num_nodes == 9


def test_networkx_graph() -> None:
    g = nx.Graph()
    g.add_nodes_from(["c", "a", "b"])
    g.add_edge("a", "b", weight=2.5)
    g.add_edge("c", "a")
    found = as_input(g)
    edges = {(i, j): w for i, j, w in zip(*found.edge_index.tolist(), found.edge_weight.tolist(), strict=True)}
    assert edges == {(0, 1): 1.0, (1, 0): 1.0, (1, 2): 2.5, (2, 1): 2.5}
    assert found.x is None
    assert found.num_nodes == 3

    arrow = as_input(nx.DiGraph([("a", "b")])).edge_index
    assert arrow.tolist() == [[0], [1]]

    many = as_input(nx.MultiGraph([(0, 1), (0, 1)]))
    assert many.edge_index.tolist() == [[0, 1], [1, 0]]
    assert many.edge_weight.tolist() == [2, 2]

    nx.set_node_attributes(g, {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}, "x")
    assert strided(as_input(g).x).tolist() == [[5, 6], [1, 2], [3, 4]]
    nx.set_node_attributes(g, {"a": 1, "b": 2, "c": 3}, "x")
    assert strided(as_input(g).x).tolist() == [[3], [1], [2]]


def hetero() -> HeteroData:
    data = HeteroData()
    data["a"].x = torch.ones(3, 2)
    return data


def named(**values: Any) -> nx.Graph:
    g = nx.path_graph(3)
    for (node, key), value in {(int(k[1]), k[0]): v for k, v in values.items()}.items():
        g.nodes[node][key] = value
    return g


X = torch.ones(4, 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.empty((0, 3)), "found 0 nodes .*; expected at least 2"),
        (np.ones((1, 3)), "found 1 nodes"),
        (nx.Graph(), "found 0 nodes"),
        (Data(), "found 0 nodes"),
        (nx.empty_graph(4), "neither features nor edges"),
        (Data(num_nodes=5), "neither features nor edges"),
        (torch.tensor(1.0), r"x: found shape \[\]"),
        (Data(x=torch.ones(4)), r"x: found shape \[4\]"),
        (
            pd.DataFrame({"a": ["x", "x"], "b": [1, 1], "c": [2.5, 2.5]}),
            r"no column that can be a feature \(features: none; left out: a, b, c \(constant\)\)",
        ),
        ({"x": 1}, "data: found dict; expected a PyG Data or HeteroData; a graph of networkx"),
        (None, "data: found NoneType; expected a PyG Data"),
        ("cora", r"found str 'cora'; expected its content: genurl_graph.datasets.read\(path\) or load"),
        (torch.tensor([[1.0, 2.0], [3.0, torch.nan]]), "1 NaN or infinite values, the first .nan. at row 1, column 1"),
        (np.array([[1.0, 2.0], [3.0, None]]), "row 1, column 1"),
        (Data(x=X, edge_index=torch.tensor([[0], [4]])), "edge_index: found edge 0 from 0 to 4; expected nodes 0 to 3"),
        (Data(edge_index=torch.tensor([[0], [4]]), num_nodes=3), "edge_index: found edge 0 from 0 to 4"),
        (Data(x=X, edge_index=torch.tensor([0, 1])), r"edge_index: found .* of shape \[2\]"),
        (Data(x=X, edge_index=EDGES, edge_attr=torch.full((3,), torch.nan)), "edge_weight: found 3 .*non-finite"),
        (Data(x=X, num_nodes=6), r"x: found shape \[4, 2\]; expected \[6, f\]"),
        (hetero(), "found HeteroData; expected a homogeneous PyG Data"),
        (named(x0=1.0, x2=1.0), "node attribute x: found none at 1 nodes, such as 1"),
        (named(x0=[1.0], x1=[1.0, 2.0], x2=[1.0]), "expected numbers"),
        (named(x0="1.5", x1="2", x2="3"), "expected real numbers"),
        (nx.Graph([(0, 1, {"weight": "heavy"})]), "edge attribute weight: .*expected numbers"),
    ],
)
def test_bad_input_is_named(data: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_input(data)


# ---------------------------------------------------------------- normalisation


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["rows", "unit", "columns", "none"]))
def test_normalisation_is_the_formula_dense_and_sparse(seed: int, how: str) -> None:
    x64 = bag(seed=seed, share=0.3).astype(np.float64)
    x64[::2] *= -1
    x64[:, 1] = 0.1  # constant, and not exact in binary
    x = torch.from_numpy(x64).float()
    if how in ("rows", "unit"):
        total = np.linalg.norm(x64, 1 if how == "rows" else 2, axis=1, keepdims=True)
        expected = np.divide(x64, total, out=np.zeros_like(x64), where=total > 0)
    elif how == "columns":
        scale = x64.std(0)
        varied = scale > 1e-9
        expected = np.where(varied, (x64 - x64.mean(0)) / np.where(varied, scale, 1), 0)
    else:
        expected = x64
    for given_x in (x, x.to_sparse_csr()):
        out = normalize_features(given_x, how, column_statistics(given_x))
        np.testing.assert_allclose(strided(out).numpy(), expected, rtol=1e-5, atol=1e-5)
        if how != "columns":
            assert out.layout == given_x.layout


def test_statistics_of_sparse_columns_make_no_dense_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.from_numpy(bag(seed=5)).to_sparse_csr()
    monkeypatch.setattr(Tensor, "to_dense", None)
    assert column_statistics(x)["mean"].shape == (40,)
