"""Whole evaluations, and the reference rows against their dense formulas."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.data import Data

from genurl_graph.evaluation.protocols import evaluate_embedding, probe_embedding, propagated_features, raw_features


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(300) % 3
    x = 4 * torch.eye(4)[y] + torch.randn(300, 4, generator=generator) * 0.2
    return Data(x=x, y=y, edge_index=torch.randint(0, 300, (2, 700), generator=generator))


def test_propagated_features_equal_the_dense_formula(data):
    a = torch.zeros(300, 300)
    a[data.edge_index[0], data.edge_index[1]] = 1  # directed, with duplicates and self loops
    a = ((a + a.T + torch.eye(300)) > 0).double()
    scale = a.sum(1).rsqrt()
    a = scale[:, None] * a * scale[None]
    expected = (a @ a @ data.x.double()).numpy()
    np.testing.assert_allclose(propagated_features(data), expected, rtol=1e-4, atol=1e-5)
    for layout in (torch.sparse_csr, torch.sparse_coo):
        sparse = Data(x=data.x.to_sparse(layout=layout), edge_index=data.edge_index)
        found = propagated_features(sparse)
        assert sp.issparse(found)
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(raw_features(sparse).toarray(), data.x.numpy())
    np.testing.assert_array_equal(raw_features(data), data.x.numpy())


def test_all_numbers_of_a_good_embedding():
    # A tenth of them must hold more than 20 of each class, for the 20 neighbours to be of one class.
    y = torch.arange(1200) % 3
    x = 4 * torch.eye(4)[y] + torch.randn(1200, 4, generator=torch.Generator().manual_seed(0)) * 0.2
    found = evaluate_embedding(x, Data(x=x, y=y), n_repeats=2)
    assert found["probe"]["protocol"] == "random-10-10-80"
    assert found["probe"]["train"] == 1.0
    assert min(found["probe"]["val"], found["probe"]["test"]) > 0.98
    assert found["knn"]["test"] > 0.98
    assert found["cluster"] == pytest.approx({"acc": 1.0, "nmi": 1.0, "ari": 1.0})


def test_probe_is_the_mean_over_the_splits(data):
    z = torch.randn(300, 4, generator=torch.Generator().manual_seed(1)) + 0.2 * data.x
    means = [probe_embedding(z, data, seed=3, n_repeats=n)["test"] for n in (1, 2)]
    assert means[0] != means[1]
    assert probe_embedding(z, data, seed=3, n_repeats=2)["test"] == means[1]
    assert probe_embedding(z, data, "random-10", n_repeats=1)["val"] is None


def test_public_is_the_default_where_there_are_masks(data):
    masks = torch.zeros(3, 300, dtype=torch.bool)
    masks[0, :90], masks[1, 90:150], masks[2, 150:] = True, True, True
    masked = data.clone()
    masked.train_mask, masked.val_mask, masked.test_mask = masks
    assert probe_embedding(data.x.numpy(), masked)["protocol"] == "public"


@pytest.mark.parametrize("n", [5, 10, 20, 34, 59])
def test_figures_of_few_labels_are_left_out_with_the_reason(n):
    y = torch.arange(n) % 2
    found = evaluate_embedding(torch.randn(n, 3, generator=torch.Generator().manual_seed(0)), Data(y=y, num_nodes=n))
    assert found["probe"] is found["knn"] is None
    assert found["left_out"][
        "probe"
    ] == f"no linear probe: {n} labelled nodes of 2 classes; it takes at least 60, so " + (
        "that a tenth can teach all classes"
    )
    assert set(found["cluster"]) == {"acc", "nmi", "ari"}


@pytest.mark.parametrize("y", [[0, 1, 2, -1, 3], [0, 0, 0, 0, 0], [-1] * 5])
def test_clusters_need_two_nodes_of_each_class(y):
    found = evaluate_embedding(torch.eye(5), Data(y=torch.tensor(y), num_nodes=5))
    assert found["cluster"] is None
    assert found["left_out"]["cluster"].startswith("no clusters: ")


def test_vote_of_a_fifth_of_the_training_nodes_sees_what_is_near():
    """20 of 20 training nodes would say the same of every node."""
    y = torch.arange(200) % 4
    z = 4 * torch.eye(4)[y] + torch.randn(200, 4, generator=torch.Generator().manual_seed(0)) * 0.1
    found = evaluate_embedding(z, Data(y=y, num_nodes=200), n_repeats=3)
    assert found["knn"] == {"test": pytest.approx(1.0, abs=0.02), "neighbors": 4}
