"""Metrics of the features in whole runs: components, new samples, saved models, beside edges."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn import knn

NAMED = ["manhattan", "correlation", "chebyshev", "hamming", "jaccard"]


def gap(a, b):
    """Manhattan's, written by hand."""
    return np.abs(a - b).sum()


def samples(metric, n=80, d=60):
    x = np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)
    return (x > 0).astype(np.float32) if metric == "jaccard" else np.rint(x) if metric == "hamming" else x


def fitted(metric, x, **more):
    return GenURL(metric=metric, epochs=5, n_neighbors=6, random_state=0, **more).fit(x)


@pytest.mark.parametrize("metric", [*NAMED, gap])
def test_new_samples_are_placed_by_the_metric_of_the_fit(metric):
    x = samples(metric)
    model = fitted(metric, x)
    assert model.config_.neighbors.pca == 0  # the preset's components would be another metric's
    pairs = {tuple(pair) for pair in model.graph_.edge_index.T.tolist()}
    near = knn(x, 6, metric=metric).indices
    assert all((i, int(j)) in pairs for i in range(len(x)) for j in near[i, :2])
    np.testing.assert_array_equal(model.transform(x), model.embedding_)
    new = samples(metric, n=90)[80:]
    np.testing.assert_array_equal(model.transform(new)[3:5], model.transform(new[3:5]))


@pytest.mark.parametrize("metric", NAMED)
def test_a_saved_model_keeps_a_named_metric(metric, tmp_path):
    x = samples(metric, n=90)
    model = fitted(metric, x[:80])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    assert loaded.config_.neighbors.metric == metric
    np.testing.assert_array_equal(loaded.transform(x[80:]), model.transform(x[80:]))


def test_a_function_is_not_saved_but_pickled(tmp_path):
    x = samples("manhattan", n=90)
    model = fitted(gap, x[:80])
    np.testing.assert_allclose(model.embedding_, fitted("manhattan", x[:80]).embedding_, atol=1e-3)
    with pytest.warns(UserWarning, match="cannot transform new data: no file holds the metric, function gap"):
        model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.embedding_, model.embedding_)
    with pytest.raises(InputError, match="metric: found 'function gap' of a saved model or file"):
        loaded.transform(x[80:])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(x[80:]), model.transform(x[80:]))
    assert clone(model).metric is gap


def test_components_that_were_asked_for_are_searched():
    x = samples("manhattan")
    assert fitted("manhattan", x, config={"neighbors.pca": 10}).config_.neighbors.pca == 10


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
@pytest.mark.parametrize("key", ["pca", "hops"])
def test_categories_have_no_components_and_no_averages(metric, key):
    message = rf"neighbors.{key}: found 3 with the metric {metric}; expected 0, or a metric of numbers"
    with pytest.raises(InputError, match=message):
        fitted(metric, samples(metric), config={f"neighbors.{key}": 3})


def test_an_unknown_metric_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r"neighbors.metric: found 'haming'; .* \(did you mean 'hamming'\?\)"):
        fitted("haming", samples("hamming"))


@pytest.mark.parametrize("metric", NAMED)
def test_beside_edges_features_are_compared_by_the_metric(metric, karate_features):
    data = karate_features(samples(metric, 34, 20))
    model = GenURL(metric=metric, epochs=2, n_components=4, random_state=0).fit(data)
    assert model.config_.neighbors.metric == metric
    assert 0 <= model.graph_summary_["evidence"] <= 1


def test_a_function_is_refused_where_parts_of_rows_are_compared(karate_features):
    data = karate_features(samples("manhattan", 34, 20))
    with pytest.raises(InputError, match="found function gap where parts of the rows are compared"):
        GenURL(metric=gap, epochs=2, random_state=0).fit(data)
    config = {"merge.weighting": "given", "merge.evidence": "none"}
    model = GenURL(metric=gap, encoder="gcn", epochs=2, n_components=4, random_state=0, config=config).fit(data)
    assert model.knn_backend_ == "exact"


@pytest.fixture(scope="module")
def karate_features():
    import torch
    from torch_geometric.data import Data
    from torch_geometric.datasets import KarateClub

    edges = KarateClub()[0].edge_index
    return lambda x: Data(x=torch.from_numpy(x), edge_index=edges)
