"""From points of a map back to inputs: exact against a naive reference, honest about what it cannot tell."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from sklearn.exceptions import NotFittedError
from sklearn.metrics.pairwise import euclidean_distances

from genurl_graph import GenURL, InputError
from genurl_graph.inference.inverse import reach


def naive(model, points, inputs):
    """The formula, point by point, over fitted rows as they are searched."""
    c, table = model.config_, model.embedding_.double().numpy()
    rows = []
    for point in np.asarray(points, dtype=np.float64):
        squared = ((table - point) ** 2).sum(1)
        near = np.argsort(squared, kind="stable")[: c.neighbors.n_neighbors]
        weight = (1 + squared[near] / c.loss.temperature / c.loss.nu) ** -(c.loss.nu + 1)
        rows.append(weight @ inputs[near] / weight.sum())
    return np.array(rows)


@pytest.fixture(scope="module")
def few(digits):
    return digits[0][:500]


@pytest.fixture(scope="module")
def model(few):
    return GenURL(random_state=0).fit(few[:400])


@pytest.mark.parametrize("kind", ["columns as they are", "components", "sparse"])
def test_against_a_naive_reference(kind, few):
    x = few[:200] if kind == "components" else few[:200, :20]
    given = sp.random(200, 300, 0.02, format="csr", random_state=0) if kind == "sparse" else x
    config = {"neighbors.pca": 0} if kind == "sparse" else {}
    model = GenURL(random_state=0, epochs=20, scale=False, config=config, metric="euclidean").fit(given)
    points = model.embedding_[:7] + 0.01
    inputs = given.toarray() if kind == "sparse" else x
    if kind == "components":
        held = model.model_.space
        inputs = held.vectors.double().numpy() @ held.projection.axes.numpy().T + held.projection.mean.numpy()
    found = model.inverse_transform(points.numpy())
    assert (found.dtype, found.shape) == (np.float32, (7, inputs.shape[1]))
    np.testing.assert_allclose(found, naive(model, points, inputs), rtol=1e-5, atol=1e-5)


def test_held_out_digits_are_nearer_than_by_components(model, few):
    held = few[400:]
    error = np.sqrt(((model.inverse_transform(model.transform(held)) - held) ** 2).mean())
    mean = np.sqrt(((few[:400].mean(0) - held) ** 2).mean())
    nearest = np.sqrt(((few[euclidean_distances(held, few[:400]).argmin(1)] - held) ** 2).mean())
    assert error < 0.75 * mean
    assert error < 1.25 * nearest


def test_it_leads_back_to_where_it_came_from(model):
    points = model.embedding_[::20].numpy()
    gone = np.linalg.norm(model.transform(model.inverse_transform(points)) - points, axis=1)
    assert np.median(gone) < 0.02 * np.ptp(model.embedding_.numpy())


def test_a_row_does_not_depend_on_the_others(model):
    points = model.embedding_[:70].numpy() + np.float32(0.05)
    together = model.inverse_transform(points)
    alone = np.concatenate([model.inverse_transform(points[i : i + 1]) for i in range(len(points))])
    assert (together == alone).all()
    assert (model.inverse_transform(points[::-1])[::-1] == together).all()


def test_points_off_the_map_are_nan(model):
    limit, table = reach(model.model_), model.embedding_.numpy()
    edge = table[table[:, 0].argmax()]
    points = np.array([[0, 0], [0.95 * limit, 0], [1.05 * limit, 0], [1e6, 0]]) + edge
    with pytest.warns(UserWarning, match="2 of 4 points lie off the map"):
        found = model.inverse_transform(points)
    assert np.isnan(found).all(1).tolist() == [False, False, True, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.inverse_transform(points[:2])


def test_answers_in_kind(model):
    z = model.embedding_[:3]
    array = model.inverse_transform(z.numpy())
    tensor = model.inverse_transform(z)
    assert isinstance(tensor, torch.Tensor)
    assert (tensor.numpy() == array).all()
    frame = model.inverse_transform(pd.DataFrame(z.numpy(), index=["a", "b", "c"]))
    assert (list(frame.index), frame.shape) == (["a", "b", "c"], (3, 64))
    assert (model.inverse_transform(z.tolist()) == array).all()


def test_saved_models_and_more_columns(model, few, tmp_path):
    model.save(tmp_path / "map")
    z = model.embedding_[:9].numpy()
    assert (GenURL.load(tmp_path / "map").inverse_transform(z) == model.inverse_transform(z)).all()
    wide = GenURL(n_components=5, epochs=30, random_state=0).fit(few[:100])
    assert wide.inverse_transform(wide.embedding_[:4]).shape == (4, 64)


def test_tables_come_back_in_their_units():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 150)
    frame = pd.DataFrame(
        {
            "age": 30 + 15 * group + rng.normal(0, 2, 150),
            "income": 30_000 + 20_000 * group + rng.normal(0, 900, 150),
            "same": 1.5,
            "member": np.where(group == 1, "yes", "no"),
        }
    )
    model = GenURL(random_state=0, n_neighbors=8).fit(frame)
    found = model.inverse_transform(model.transform(frame))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[:, 0], frame["age"], atol=10)
    np.testing.assert_allclose(found[:, 1], frame["income"], atol=5_000)
    assert np.isnan(found[:, 2]).all()  # it was left out
    assert ((found[:, 3] > 0.5) == (group == 1)).mean() > 0.95
    named = model.inverse_transform(pd.DataFrame(model.embedding_[:2].numpy()))
    assert list(named.columns) == ["age", "income", "same", "member"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: GenURL(encoder="mlp", epochs=2).fit(x), "encoder: found 'mlp'; expected free"),
        (lambda x: GenURL(metric="precomputed", epochs=2).fit(euclidean_distances(x)), "distances .* hold no inputs"),
        (lambda x: GenURL(task="reduce", epochs=2).fit(sp.eye_array(30, k=1), as_="adjacency"), "fitted on a graph"),
        (lambda x: GenURL(epochs=2).fit(sp.eye_array(30, k=1), as_="adjacency"), "encoder: found 'gcn'"),
        (lambda x: GenURL(metric="cosine", epochs=2).fit(x), "scaled to length 1"),
        (
            lambda x: GenURL(epochs=2).fit(pd.DataFrame({"age": x[:, 3], "kind": ["a", "b", "c"] * 20}), as_="vectors"),
            "column 'kind': found 3 categories",
        ),
    ],
)
def test_no_way_back(make, message, few):
    model = make(few[:60])
    with pytest.raises(InputError, match=message):
        model.inverse_transform(np.zeros((1, model.embedding_.size(1)), dtype=np.float32))


def test_bad_points(model):
    with pytest.raises(NotFittedError):
        GenURL().inverse_transform([[0, 0]])
    for bad, message in (([[0.0, 0.0, 0.0]], "2"), ([0.0, 0.0], "shape"), ([[np.nan, 0]], "NaN")):
        with pytest.raises(InputError, match=f"Z: found .*{message}"):
            model.inverse_transform(bad)
