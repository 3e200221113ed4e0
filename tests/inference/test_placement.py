"""Transform of an embedding table: new samples beside their neighbours, each by itself."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError


@pytest.fixture(scope="module")
def fitted(digits):
    x, _ = digits
    return GenURL(random_state=0).fit(x[:1200])


def test_new_samples_come_to_lie_among_their_like(fitted, digits):
    x, y = digits
    vote = KNeighborsClassifier(10).fit(fitted.embedding_.numpy(), y[:1200])
    assert vote.score(fitted.transform(x[1200:]), y[1200:]) > 0.88
    # Placing is more than averaging: a point in the middle of two clusters moves to one of them.
    assert fitted.transform(x[1200:]).shape == (len(x) - 1200, 2)


def test_fitted_samples_keep_their_coordinates(fitted, digits):
    x, _ = digits
    np.testing.assert_array_equal(fitted.transform(x[:1200]), fitted.embedding_.numpy())
    assert torch.equal(fitted.transform(torch.from_numpy(x[:1200])), fitted.embedding_)


def test_the_batch_does_not_matter(fitted, digits):
    """To the last bit: subsets, order, company, repetition, single samples."""
    new = digits[0][1200:]
    together = fitted.transform(new)
    np.testing.assert_array_equal(fitted.transform(new), together)
    order = np.random.default_rng(0).permutation(len(new))
    np.testing.assert_array_equal(fitted.transform(new[order]), together[order])
    np.testing.assert_array_equal(fitted.transform(new[100:137]), together[100:137])
    for i in (0, 5, 300):
        np.testing.assert_array_equal(fitted.transform(new[i : i + 1])[0], together[i])
    company = np.concatenate([new[:3], 50 * np.random.default_rng(1).random((40, 64), dtype=np.float32)])
    np.testing.assert_array_equal(fitted.transform(company)[:3], together[:3])


@pytest.mark.parametrize("kind", ["sparse", "principal components", "cosine components"])
def test_every_feature_space(kind, digits, tmp_path):
    x, y = digits
    x, y = x[:500], y[:500]
    if kind == "sparse":
        rng = np.random.default_rng(0)
        topic = rng.integers(0, 3, 500)
        x = sp.csr_matrix(rng.random((500, 300)) < np.where(np.arange(300) % 3 == topic[:, None], 0.1, 0.005))
        x, y = x.astype(np.float32), topic
    config = {
        "sparse": {"neighbors.metric": "cosine", "neighbors.pca": 0},
        "principal components": {"neighbors.pca": 20},
        "cosine components": {"neighbors.pca": 20, "neighbors.metric": "cosine"},
    }[kind]
    model = GenURL(random_state=0, epochs=80, config=config).fit(x[:400])
    z = model.transform(x[400:])
    accuracy = KNeighborsClassifier(10).fit(model.embedding_.numpy(), y[:400]).score(z, y[400:])
    assert accuracy > 0.75
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(GenURL.load(tmp_path / "model").transform(x[400:]), z)


def test_more_than_two_dimensions(digits):
    x, y = digits
    model = GenURL(n_components=3, random_state=0, epochs=60, config={"training.lr": 0.3}).fit(x[:400])
    new = x[400:600]
    z = model.transform(new)
    assert KNeighborsClassifier(10).fit(model.embedding_.numpy(), y[:400]).score(z, y[400:600]) > 0.8
    np.testing.assert_array_equal(model.transform(new[::-1]), z[::-1])


def test_what_cannot_be_placed(digits):
    x, _ = digits
    config = {"loss.metric": "cosine", "loss.temperature": 0.5, "training.lr": 0.01}
    model = GenURL(n_components=4, epochs=3, config=config).fit(x[:100])
    with pytest.raises(InputError, match=r"found cosine; expected euclidean"):
        model.transform(x[100:110])


def test_a_point_between_clusters_leaves_the_middle():
    """Where the mean of its neighbours is no sample's, a new one moves on to where its similarities are."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (200, 5)), rng.normal(8, 1, (200, 5))]).astype(np.float32)
    model = GenURL(random_state=0, epochs=100).fit(x)
    z = model.embedding_.numpy()
    new = x[:50] + rng.normal(0, 0.01, (50, 5)).astype(np.float32)
    # A sample beside a fitted one, though not the same, lies near it, relative to the extent of the layout.
    distance = np.linalg.norm(model.transform(new) - z[:50], axis=1)
    assert np.median(distance) < 0.1 * np.ptp(z)
