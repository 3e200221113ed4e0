"""metric="precomputed": distances, dense or sparse, in place of features."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.precomputed import nearest_given


def model(**changes):
    return GenURL(random_state=0, metric="precomputed", **changes)


def test_edges_are_those_of_the_features(digits):
    x = digits[0][:500]
    by_distance = model(epochs=2).fit(cdist(x, x)).graph_
    by_features = GenURL(random_state=0, epochs=2, config={"neighbors.pca": 0}).fit(x).graph_
    assert by_distance.edge_index.tolist() == by_features.edge_index.tolist()
    np.testing.assert_allclose(by_distance.edge_weight, by_features.edge_weight, atol=1e-4)


def test_dense_and_sparse_distances_agree(digits):
    x = digits[0][:500]
    dense = model(epochs=30).fit_transform(cdist(x, x))
    distances = cdist(x, x)
    order = np.argsort(distances + np.diag(np.full(500, np.inf)), axis=1, kind="stable")[:, :20]
    row = np.repeat(np.arange(500), 20)
    graph = sp.csr_matrix((distances[row, order.ravel()], (row, order.ravel())), shape=(500, 500))
    sparse = model(epochs=30).fit_transform(graph)
    np.testing.assert_array_equal(sparse, dense)


def test_map_and_transform(digits, tmp_path):
    x, y = (part[:500] for part in digits)
    fitted = model().fit(cdist(x[:400], x[:400]))
    vote = KNeighborsClassifier(10).fit(fitted.embedding_.numpy(), y[:400])
    new = cdist(x[400:], x[:400])
    z = fitted.transform(new)
    assert vote.score(z, y[400:]) > 0.8
    np.testing.assert_array_equal(fitted.transform(new[::-1])[::-1], z)
    fitted.save(tmp_path / "model")
    np.testing.assert_array_equal(GenURL.load(tmp_path / "model").transform(new), z)
    # More than the model's 20: of equally far ones it takes the first.
    row, col = np.repeat(np.arange(100), 40), np.argsort(new, axis=1)[:, :40].ravel()
    near = sp.csr_matrix((new[row, col], (row, col)), shape=new.shape)
    np.testing.assert_array_equal(fitted.transform(near), z)
    np.testing.assert_array_equal(fitted.transform(cdist(x[:400], x[:400])), fitted.embedding_.numpy())


def test_stored_zeros_are_distances_and_ties_go_by_index():
    # The diagonal does not count; row 0 has a duplicate at a stored 0 and two ties, of which the first is kept.
    row, col = [0, 0, 0, 0, 1], [0, 1, 3, 2, 0]
    matrix = sp.csr_matrix(([0.0, 0.0, 2.0, 2.0, 1.0], (row, col)), shape=(4, 4))
    edges, distance = nearest_given(matrix, 2, own=True)
    assert edges.tolist() == [[0, 0, 1], [1, 2, 0]]
    assert distance.tolist() == [0.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.zeros((3, 4)), r"shape \[3, 4\]; expected a square matrix"),
        (np.array([[0.0, -1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]), "found -1.0 at row 0, column 1"),
        (np.array([[0.0, np.nan, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]), "found nan at row 0, column 1"),
        (sp.csr_matrix((3, 3)), "found no neighbours"),
        (np.zeros((1, 1)), "expected at least 2"),
    ],
)
def test_bad_distances(matrix, said):
    with pytest.raises(InputError, match=said):
        model(epochs=1).fit(matrix)


def test_bad_requests(digits):
    x = digits[0][:500]
    distances = cdist(x[:50], x[:50])
    with pytest.raises(InputError, match="found 'mlp'; expected free"):
        model(encoder="mlp", epochs=1).fit(distances)
    with pytest.raises(InputError, match="found pca without features"):
        model(epochs=1, config={"encoder.init": "pca"}).fit(distances)
    fitted = model(epochs=1).fit(distances)
    with pytest.raises(ValueError, match="49 features, but GenURL is expecting 50"):
        fitted.transform(distances[:, :49])
    with pytest.raises(InputError, match="found 3 entries in row 0; expected at least 20"):
        fitted.transform(sp.csr_matrix(([1.0, 2.0, 3.0], ([0, 0, 0], [1, 2, 3])), shape=(1, 50)))
