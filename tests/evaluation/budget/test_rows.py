"""Rows that are judged together have the figures that they have alone."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.datasets import load_digits
from torch_geometric.data import Data

from genurl_graph.evaluation.budget.clock import Clock, evaluation_clock, limit_of
from genurl_graph.evaluation.budget.plan import Plan, Width
from genurl_graph.evaluation.budget.rows import Row, fixed_row, judge_rows, reference_rows, reference_widths
from genurl_graph.evaluation.probe import linear_probe, standardised, standardised_components
from genurl_graph.evaluation.protocols import evaluate_embedding, probe_embedding, propagated_features
from genurl_graph.evaluation.splits import splits

PROTOCOL = "random-10-10-80"


@pytest.fixture(scope="module")
def data() -> Data:
    """400 digits, with edges between neighbours in a ring."""
    x, y = load_digits(return_X_y=True)
    ring = torch.arange(400)
    edges = torch.stack([ring, ring.roll(-1)])
    return Data(x=torch.tensor(x[:400], dtype=torch.float32), y=torch.tensor(y[:400]), edge_index=edges, num_nodes=400)


def test_together_as_alone(data: Data) -> None:
    z = data.x[:, :20]
    rows = reference_rows(data, None, 0)
    found = judge_rows(z, rows, data, PROTOCOL, Plan(2, 20), seed=5, metric="euclidean")
    alone = evaluate_embedding(z, data, seed=5, n_repeats=2, knn_metric="euclidean")
    assert {key: found[key] for key in ("probe", "knn", "cluster")} == alone
    assert found["splits"] == 2
    for name, matrix in (("raw", data.x), ("propagated", propagated_features(data))):
        assert found["reference"][name] == probe_embedding(matrix, data, seed=5, n_repeats=2)["test"]


def test_only_what_is_wanted(data: Data) -> None:
    assert list(judge_rows(data.x, {}, data, PROTOCOL, Plan(1, 20), parts=("knn",))) == ["splits", "knn"]


def test_a_sample_of_nodes_is_judged_as_if_there_were_no_others(data: Data) -> None:
    found = judge_rows(data.x, {"same": Row(data.x)}, data, PROTOCOL, Plan(2, 20, nodes=300, clustered=200), seed=1)
    rows = np.sort(np.random.default_rng(1).choice(400, 300, replace=False))
    few = Data(y=data.y[rows], num_nodes=300)
    assert found["probe"] == probe_embedding(data.x[rows], few, seed=1, n_repeats=2)
    assert found["reference"]["same"] == found["probe"]["test"]
    assert found["cluster"]["nmi"] > 0.4


def test_all_components_judge_as_the_columns_do(data: Data) -> None:
    x = data.x.numpy()
    split = next(splits(PROTOCOL, data))
    whole = standardised_components(x, 64)
    # A rotation of the standardised columns: the same lengths and angles.
    np.testing.assert_allclose(whole @ whole.T, standardised(x) @ standardised(x).T, atol=0.05)
    columns, components = (
        linear_probe(x, data.y, split, PROTOCOL),
        linear_probe(whole, data.y, split, PROTOCOL, scaled=True),
    )
    for part in ("train", "val", "test"):
        assert components[part] == pytest.approx(columns[part], abs=0.02)
    assert fixed_row(x, 64, 0).scaled is False
    assert fixed_row(x, 10, 0).matrix.shape == (400, 10)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_averages_of_components_are_components_of_averages(data: Data, kind) -> None:
    given = Data(x=data.x, edge_index=data.edge_index, num_nodes=400)
    x = kind(data.x.numpy())
    given.x = data.x if kind is np.asarray else data.x.to_sparse_csr()
    rows = reference_rows(given, 8, 0)
    assert rows["raw"].scaled
    assert rows["propagated"].scaled
    np.testing.assert_allclose(rows["raw"].matrix, standardised_components(x, 8), atol=1e-4)
    expected = propagated_features(Data(x=torch.tensor(rows["raw"].matrix), edge_index=data.edge_index, num_nodes=400))
    np.testing.assert_allclose(rows["propagated"].matrix, expected, atol=1e-5)


def test_widths(data: Data) -> None:
    assert reference_widths(Data(num_nodes=3)) == {}
    assert reference_widths(data)["raw"] == Width(64, 64, "features")
    sparse = Data(x=data.x.to_sparse_csr(), edge_index=data.edge_index, num_nodes=400)
    widths = reference_widths(sparse)
    assert widths["raw"].nonzeros == pytest.approx(float((data.x != 0).sum()) / 400)
    assert widths["raw"].nonzeros < widths["propagated"].nonzeros <= 64


def test_a_clock_ends_between_splits_but_not_before_the_first(data: Data) -> None:
    found = judge_rows(data.x, {}, data, PROTOCOL, Plan(4, 20), clock=Clock(0))
    assert found["splits"] == found["probe"]["splits"] == 1


def test_a_clock_without_a_limit_goes_on_and_is_silent(capsys) -> None:
    with evaluation_clock() as clock:
        clock.show(0.5)
        clock.show(0.2)  # never back
        assert clock.goes_on()
        assert clock.bar.disable
    assert capsys.readouterr() == ("", "")
    assert (limit_of(10), limit_of(600)) == (15, 60)
