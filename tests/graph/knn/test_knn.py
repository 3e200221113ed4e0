"""`knn` against scikit-learn's distances of all pairs, and what it promises beyond: budget, duplicates, precision."""

import sys
import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn import exact as _exact
from genurl_graph.graph.knn import knn, knn_graph
from tests.forked import run_together

METRICS = ["euclidean", "cosine", "inner_product"]


def reference(x, k, metric, query=None):
    """All pairs in float64: distances and the whole distance matrix, self at infinity in a self join."""
    x = np.asarray(x, dtype=np.float64)
    y = x if query is None else np.asarray(query, dtype=np.float64)
    full = -(y @ x.T) if metric == "inner_product" else pairwise_distances(y, x, metric=metric)
    if query is None:
        np.fill_diagonal(full, np.inf)
    return np.sort(np.partition(full, k - 1, 1)[:, :k], 1), full


def assert_neighbors(found, x, k, metric, query=None, rtol=2e-5, atol=1e-6):
    """Distances as in the reference, and every index really has the distance it is listed with (so ties may differ)."""
    distance, full = reference(x, k, metric, query)
    assert found.indices.dtype == torch.int64
    assert found.distances.dtype == torch.float32
    assert found.indices.shape == found.distances.shape == distance.shape
    np.testing.assert_allclose(found.distances.cpu().numpy(), distance, rtol=rtol, atol=atol)
    indices = found.indices.cpu().numpy()
    np.testing.assert_allclose(np.take_along_axis(full, indices, 1), distance, rtol=rtol, atol=atol)
    assert all(len(set(row)) == k for row in indices.tolist())


def sample(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def bag_of_words(n, d, density=0.05, seed=0):
    x = scipy.sparse.random(n, d, density=density, format="csr", random_state=seed, dtype=np.float32)
    x.data[:] = 1.0
    return x


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", [(700, 20), (2500, 5), (40, 100)])
def test_agrees_with_brute_force(metric, shape):
    x = sample(*shape)
    found = knn(x, 15, metric=metric)
    assert_neighbors(found, x, 15, metric)
    assert found.backend == "exact"
    assert found.recall is None


@pytest.mark.parametrize("metric", METRICS)
def test_every_kind_of_input_gives_the_same(metric):
    x = bag_of_words(600, 150)
    dense = x.toarray()
    kinds = {
        "numpy": dense,
        "float64": dense.astype(np.float64),
        "uint8": dense.astype(np.uint8),
        "read-only, Fortran order": np.asfortranarray(dense),
        "list": dense.tolist(),
        "torch": torch.from_numpy(dense),
        "torch with gradient": torch.from_numpy(dense).requires_grad_(),
        "torch int64": torch.from_numpy(dense).long(),
        "csr": x,
        "coo": x.tocoo(),
        "csc array": scipy.sparse.csc_array(x),
        "torch coo": torch.from_numpy(dense).to_sparse(),
        "torch csr": torch.from_numpy(dense).to_sparse_csr(),
    }
    kinds["read-only, Fortran order"].flags.writeable = False
    for name, kind in kinds.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message="Sparse CSR")
            found = knn(kind, 7, metric=metric)
        try:
            assert_neighbors(found, dense, 7, metric)
        except AssertionError as error:
            raise AssertionError(f"input kind: {name}") from error


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 200),
    d=st.integers(1, 30),
    k=st.integers(1, 20),
    budget=st.sampled_from([0.01, 0.1, 0.5]),
    metric=st.sampled_from(METRICS),
    integers=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_budget_does_not_change_the_answer(n, d, k, budget, metric, integers, seed):
    x = sample(n, d, seed)
    if integers:
        x = np.rint(x)  # many ties, duplicates and, for cosine, zero rows
    k = min(k, n - 1)
    small = knn(x, k, metric=metric, memory_mb=budget)
    large = knn(x, k, metric=metric)
    np.testing.assert_allclose(small.distances, large.distances, rtol=2e-5, atol=1e-6)
    assert_neighbors(small, x, k, metric)
    assert_neighbors(knn(scipy.sparse.csr_matrix(x), k, metric=metric, memory_mb=budget), x, k, metric)


@pytest.mark.parametrize("order", ["random", "ascending", "descending"])
def test_many_tiles_in_any_order(order, monkeypatch):
    """Sorted rows make every tile better than the one before: the paths that late, good tiles take."""
    monkeypatch.setattr(_exact, "LARGEST_TILE", 64)
    x = sample(1000, 1)
    if order != "random":
        x = np.sort(x, 0)[:: 1 if order == "ascending" else -1]
    x = x.astype(np.float64) * 100
    assert_neighbors(knn(x, 20), x, 20, "euclidean", atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_number_of_threads(threads, monkeypatch):
    monkeypatch.setattr(_exact, "LARGEST_TILE", 128)
    before = torch.get_num_threads()
    x = sample(900, 12)
    try:
        torch.set_num_threads(threads)
        found = knn(x, 10)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert_neighbors(found, x, 10, "euclidean")


@pytest.mark.parametrize("metric", METRICS)
def test_two_rows_and_all_the_others(metric):
    x = sample(2, 3)
    assert knn(x, 1, metric=metric).indices.tolist() == [[1], [0]]
    x = sample(30, 3)
    assert_neighbors(knn(x, 29, metric=metric), x, 29, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_row_permutation_equivariance(metric):
    x = sample(500, 8)
    order = np.random.default_rng(3).permutation(500)
    found, permuted = knn(x, 6, metric=metric), knn(x[order], 6, metric=metric)
    np.testing.assert_array_equal(order[permuted.indices.numpy()], found.indices.numpy()[order])
    np.testing.assert_allclose(permuted.distances, found.distances[order], rtol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_query(metric, monkeypatch):
    monkeypatch.setattr(_exact, "LARGEST_TILE", 64)
    x, query = bag_of_words(300, 80, seed=1), bag_of_words(150, 80, seed=2)
    dense, dense_query = x.toarray(), query.toarray()
    dense_query[:5] = dense[:5]
    query = scipy.sparse.csr_matrix(dense_query)
    for a, b in ((dense, dense_query), (x, query), (x, dense_query), (dense, query)):
        assert_neighbors(knn(a, 8, query=b, metric=metric), dense, 8, metric, query=dense_query)
    # Nothing is excluded: a query that is a row of x finds it.
    if metric != "inner_product":
        assert (knn(dense, 1, query=dense[:20], metric=metric).distances == 0).all()


def test_sparse_split_by_column_fill():
    """Columns both above and below the fill at which they join the dense product."""
    left, right = bag_of_words(500, 300, density=0.01), bag_of_words(500, 20, density=0.5)
    x = scipy.sparse.hstack([left, right]).tocsr()
    for metric in METRICS:
        assert_neighbors(knn(x, 5, metric=metric), x.toarray(), 5, metric)


def test_real_bag_of_words(data_root):
    path = data_root / "CitationFull" / "cora_ml" / "raw" / "cora_ml.npz"
    if not path.exists():
        pytest.skip(f"{path} absent")
    with np.load(path, allow_pickle=False) as raw:
        x = scipy.sparse.csr_matrix(
            (raw["attr_data"], raw["attr_indices"], raw["attr_indptr"]), shape=raw["attr_shape"]
        )
    found = knn(x, 10, metric="cosine")
    distance, _ = NearestNeighbors(n_neighbors=11, algorithm="brute", metric="cosine").fit(x).kneighbors(x)
    np.testing.assert_allclose(found.distances, distance[:, 1:], atol=1e-5)


def test_graph():
    x = sample(50, 3)
    edge_index, distance = knn_graph(x, 4)
    found = knn(x, 4)
    assert edge_index.shape == (2, 200)
    assert edge_index[0].tolist() == sorted(edge_index[0].tolist())
    np.testing.assert_array_equal(edge_index[1].view(50, 4), found.indices)
    np.testing.assert_array_equal(distance.view(50, 4), found.distances)
    with pytest.raises(InputError, match="query"):
        knn_graph(x, 4, query=x)


def test_clamp():
    x = sample(5, 3)
    assert knn(x, 10, clamp=True).indices.shape == (5, 4)
    assert knn(x, 10, query=x, clamp=True).indices.shape == (5, 5)


@pytest.mark.parametrize(
    ("x", "k", "options", "message"),
    [
        (np.zeros((5, 2)), 5, {}, "n_neighbors: found 5; expected at most 4 .* not its own neighbour"),
        (np.zeros((5, 2)), 6, {"query": np.zeros((1, 2))}, "expected at most 5"),
        (np.zeros((1, 2)), 1, {"clamp": True}, "expected at most 0"),
        (np.zeros((5, 2)), 0, {}, "n_neighbors: found 0; expected a whole number"),
        (np.zeros((5, 2)), 1.5, {}, "n_neighbors: found 1.5"),
        (np.zeros((5, 2)), True, {}, "n_neighbors: found True"),
        # What matrices may be is the validator's: tests/inputs/test_validation.py.
        (np.zeros(5), 1, {}, "x: found shape"),
        ([[1.0, 2.0], [3.0]], 1, {}, "x: found list"),
        (np.array([[0.0, 1.0], [np.nan, 0.0]]), 1, {}, "x: found 1 NaN .* row 1, column 0"),
        (scipy.sparse.csr_matrix([[0.0, 1.0], [0.0, np.nan]]), 1, {}, "row 1, column 1"),
        (np.zeros((5, 2)), 1, {"query": np.zeros((2, 3))}, "query: found 3 columns; expected 2"),
        (np.zeros((5, 2)), 1, {"query": np.full((2, 2), np.nan)}, "query: found 4 NaN"),
        (np.zeros((5, 2)), 1, {"metric": "minkowski"}, "metric: found 'minkowski'; expected one of euclidean"),
        (np.zeros((5, 2)), 1, {"backend": "annoy"}, "backend: found 'annoy'; expected one of auto"),
        (np.zeros((5, 2)), 1, {"memory_mb": 0}, "memory_mb: found 0"),
        (scipy.sparse.eye(5).tocsr(), 1, {"backend": "approximate"}, "backend: found approximate for a sparse"),
    ],
)
def test_bad_input(x, k, options, message):
    with pytest.raises(InputError, match=message):
        knn(x, k, **options)


MEMORY_SCRIPT = """
import resource, sys
import numpy as np
import torch
torch.set_num_threads(2)
from genurl_graph.graph.knn import knn
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
budget, n = float(sys.argv[1]), int(sys.argv[2])
x = np.random.default_rng(0).standard_normal((n, 64), dtype=np.float32)
knn(x[:3000], 15)
before = peak()
knn(x, 15, memory_mb=budget)
# Result lists (19 candidates of 12 bytes, twice) come on top.
assert peak() - before < budget + 2 * n * 19 * 12 / 2**20, peak() - before
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads ru_maxrss in KiB, as Linux gives it")
@pytest.mark.parametrize(("budget", "n"), [(64, 6000), (256, 9000)])
def test_memory_budget_holds(budget, n):
    """6,000 rows have 137 MiB of pairs, 9,000 have 309."""
    run_together(MEMORY_SCRIPT, [str(budget), str(n)], [{}])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("metric", METRICS)
def test_cuda_gives_the_same(metric):
    x = bag_of_words(3000, 60, density=0.3)
    dense = x.toarray() + sample(3000, 60) * 0.1
    for kind in (dense, torch.from_numpy(dense).cuda(), scipy.sparse.csr_matrix(dense)):
        found = knn(kind, 15, metric=metric, device="cuda")
        assert found.indices.is_cuda
        assert_neighbors(found, dense, 15, metric)
