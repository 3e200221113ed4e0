"""`GenURL.plot`: the map of a fitted model, coloured by labels that no training sees."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inference.drawing import as_map

X = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
LABELS = np.arange(40) % 4


def fitted(dim: int) -> GenURL:
    return GenURL(dim, task="reduce", epochs=5, random_state=3).fit(X)


def offsets(ax) -> np.ndarray:
    found = np.asarray(ax.collections[0].get_offsets())
    return found[np.lexsort(found.T)]


def test_a_map_is_drawn_as_it_is() -> None:
    model = fitted(2)
    before = model.embedding_.clone()
    ax = model.plot(LABELS, title="title", label="class")
    z = before.numpy()
    np.testing.assert_array_equal(offsets(ax), z[np.lexsort(z.T)])
    assert torch.equal(model.embedding_, before)
    assert ax.get_title() == "title"
    assert len(ax.texts) == 0
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2", "3"]
    given = Figure().add_subplot()
    assert model.plot(ax=given) is given


def test_more_columns_are_reduced_once_and_the_subtitle_says_so(tmp_path, monkeypatch) -> None:
    model = fitted(4)
    ax = model.plot(LABELS, subtitle="40 rows", path=tmp_path / "z.png")
    assert (tmp_path / "z.png").is_file()
    assert [text.get_text() for text in ax.texts] == ["40 rows; 4 dimensions brought to 2 by GenURL's reduction"]
    z = GenURL(2, task="reduce", random_state=3).fit_transform(model.embedding_).numpy()
    np.testing.assert_array_equal(offsets(ax), z[np.lexsort(z.T)])
    # Other labels colour the same map; another fit has another.
    monkeypatch.setattr("genurl_graph.inference.drawing.as_map", lambda z, seed: (z[:, :2], "another"))
    np.testing.assert_array_equal(offsets(model.plot(X[:, 0])), offsets(ax))
    assert [text.get_text() for text in model.fit(X).plot().texts] == ["another"]


def test_a_loaded_model_draws_the_same(tmp_path) -> None:
    model = fitted(2)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(offsets(GenURL.load(tmp_path / "model").plot()), offsets(model.plot()))


@pytest.mark.parametrize("n", [3, 10, 11])
def test_small_embeddings_get_their_map(n: int) -> None:
    points, how = as_map(torch.from_numpy(X[:n]), 0)
    assert points.shape == (n, 2)
    assert how == "5 dimensions brought to 2 by GenURL's reduction"


def test_what_has_no_map() -> None:
    with pytest.raises(NotFittedError):
        GenURL().plot()
    with pytest.raises(InputError, match="plot: found an embedding of one column; expected at least two"):
        fitted(1).plot()
    with pytest.raises(InputError, match=r"labels: found shape \(3,\)"):
        fitted(2).plot([1, 2, 3])
