"""Wide sparse features: hashed for the encoder, alike in fit and transform, within little memory."""

import sys

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.inputs.hashing import HASHED, WIDE, hash_columns, resolve_hashing
from genurl_graph.inputs.sparse import from_scipy, to_scipy_or_numpy
from tests.forked import run_together


def random_rows(n=40, f=100_000, share=2e-4, seed=0):
    return from_scipy(sp.random(n, f, share, "csr", np.float32, random_state=seed))


def test_inner_products_are_kept_on_average_and_signs_cancel():
    x = random_rows(share=2e-3)
    exact = to_scipy_or_numpy(x)
    found = to_scipy_or_numpy(hash_columns(x, 4096))
    gap = (found @ found.T - exact @ exact.T).toarray()
    length = np.sqrt(exact.multiply(exact).sum(1).A1)
    # The deviation of an inner product is at most |x| |y| sqrt(2 / m).
    assert abs(gap / np.outer(length, length)).max() < 6 * (2 / 4096) ** 0.5
    assert abs(gap.mean()) < 0.01 * (length**2).mean()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(2, 5000), st.integers(0, 2**31), st.booleans())
def test_every_row_is_hashed_alone(columns, width, seed, signed):
    x = random_rows(6, width, 0.02, seed % 1000)
    found = hash_columns(x, columns, signed).to_dense()
    one_by_one = [hash_columns(x.to_dense()[[k]], columns, signed).to_dense() for k in range(6)]
    assert torch.equal(torch.cat(one_by_one), found)
    assert found.shape == (6, columns)
    total = to_scipy_or_numpy(x).sum(1).A1
    assert signed or np.allclose(found.sum(1), total, rtol=1e-5)


def test_hash_is_the_same_for_ever():
    """Models that are saved depend on it."""
    x = from_scipy(sp.csr_matrix(([1.0, 1.0, 1.0], ([0, 1, 2], [0, 1, 999_999])), shape=(3, 1_000_000)))
    found = hash_columns(x, 16).to_dense()
    assert [(int(row.abs().argmax()), float(row.sum())) for row in found] == [(15, -1.0), (4, 1.0), (1, 1.0)]


def test_only_wide_sparse_features_are_hashed():
    wide = random_rows(4, WIDE + 1)
    assert resolve_hashing(wide, "auto") == HASHED
    assert [resolve_hashing(x, "auto") for x in (None, random_rows(4, WIDE), torch.zeros(4, WIDE + 1))] == [0, 0, 0]
    assert [resolve_hashing(wide, asked) for asked in (0, 5, WIDE + 1, WIDE + 2)] == [0, 5, 0, 0]
    assert hash_columns(wide, 0) is wide


@pytest.mark.parametrize("encoder", ["free", "mlp"])
def test_a_model_transforms_its_own_rows_and_dense_ones_alike(encoder, tmp_path):
    x = to_scipy_or_numpy(random_rows(60, WIDE + 50, 1e-3))
    model = GenURL(2, encoder=encoder, epochs=1, random_state=0, config={"encoder.anchors": 0}).fit(x)
    assert model.config_.input.hash_columns == HASHED
    assert model.n_features_in_ == WIDE + 50
    loaded = GenURL.load(model.save(tmp_path / "model") or tmp_path / "model")
    expected = model.transform(x)
    assert np.allclose(expected, model.embedding_, atol=1e-4 * np.abs(expected).max())
    assert np.array_equal(loaded.transform(x), expected)
    assert np.allclose(loaded.transform(x[:3].toarray()), expected[:3], atol=1e-4 * np.abs(expected).max())


def test_a_graph_network_on_hashed_columns_is_saved(tmp_path):
    edges = torch.stack([torch.arange(60), (torch.arange(60) + 1) % 60])
    data = Data(x=random_rows(60, WIDE + 50, 1e-3), edge_index=torch.cat([edges, edges.flip(0)], 1))
    small = {"encoder.hidden": 8, "input.hash_columns": 512}
    model = GenURL(4, epochs=1, random_state=0, config=small).fit(data)
    model.save(tmp_path)
    assert torch.equal(GenURL.load(tmp_path).transform(data), model.transform(data))
    assert model.n_parameters_ < 10_000


PROGRAM = """
import resource, sys
import numpy as np, scipy.sparse as sp, torch
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv
import sklearn.decomposition, sklearn.linear_model
import genurl_graph.inference.fit
from genurl_graph import GenURL
from genurl_graph.evaluation.protocols import knn_embedding
from genurl_graph.inputs.sparse import from_scipy

task, entries, mebibytes, whole = sys.argv[1], *map(int, sys.argv[2:])
n, f, rng = 2000, 1_000_000, np.random.default_rng(0)
y, each = np.arange(n) % 5, entries // n
row = np.repeat(np.arange(n), each)
topic = (rng.integers(0, 400, len(row)) + y[row] * 400) * 487 % f
column = np.where(rng.random(len(row)) < 0.5, topic, rng.integers(0, f, len(row)))
x = sp.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(n, f))
u, v = rng.integers(0, n, (2, 12000))
kept = (y[u] == y[v]) | (rng.random(12000) < 0.3)
pairs = torch.as_tensor(np.stack([u[kept], v[kept]]))
data = x if task == "reduce" else Data(x=from_scipy(x), edge_index=torch.cat([pairs, pairs.flip(0)], 1))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = GenURL(task=task, epochs=50 if task == "reduce" else 1, random_state=0).fit(data)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert (peak - before) / 1024 < mebibytes, (before, peak)
assert peak / 1024 < whole, peak  # libraries included
labels = Data(y=torch.as_tensor(y), num_nodes=n)
metric = "euclidean" if task == "reduce" else "cosine"
accuracy = knn_embedding(model.embedding_, labels, "random-10", n_repeats=1, metric=metric)
assert accuracy > 0.9, accuracy
"""


@pytest.mark.parametrize("words", [("reduce", "60000", "300", "1024"), ("graph", "1000000", "1024", "1536")])
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted otherwise")
def test_a_million_columns_fit_in_a_gigabyte(words):
    run_together(PROGRAM, words, [{"OMP_NUM_THREADS": "1"}])
