"""`GenURL.plot`: the map of a fitted model, coloured by labels that no training sees."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inference import drawing
from genurl_graph.inference.drawing import as_map, plot_trajectory, trajectory_map
from genurl_graph.inputs.temporal.trajectory import Trajectory

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


def test_windows_are_reduced_together_and_a_sample_keeps_whole_nodes() -> None:
    generator = torch.Generator().manual_seed(0)
    node = torch.arange(40).repeat(3)
    centre = 20.0 * torch.eye(2, 8)[torch.arange(40) % 2]
    z = centre.repeat(3, 1) + torch.randn(120, 8, generator=generator)
    window = torch.arange(3).repeat_interleave(40)
    given = Trajectory(node, window, z, torch.ones(120), torch.arange(4).double(), 40)
    found = trajectory_map(given, 0)
    assert found.rows.tolist() == list(range(120))
    assert found.how == "8 dimensions brought to 2 by GenURL's reduction of all windows together"
    # Maps of windows agree: a group's points of one window are nearest to those of the same group in another.
    first, last = (found.trajectory.embedding[found.trajectory.rows(w)] for w in (0, 2))
    near = torch.cdist(first, last).argmin(1)
    assert bool((near % 2 == torch.arange(40) % 2).all())
    assert torch.equal(trajectory_map(given, 0).trajectory.embedding, found.trajectory.embedding)

    part = trajectory_map(given, 1, most=50)
    assert "a random sample of 16 of 40 nodes, with all their windows" in part.how
    assert torch.bincount(part.trajectory.node).unique().tolist() == [0, 3]
    assert torch.equal(part.trajectory.node, node[part.rows])
    assert part.trajectory.num_nodes == 40
    assert not torch.equal(trajectory_map(given, 2, most=50).rows, part.rows)


def test_two_columns_are_a_map_already() -> None:
    given = Trajectory(torch.arange(2), torch.zeros(2).long(), torch.eye(2), torch.ones(2), torch.zeros(2).double(), 2)
    found = trajectory_map(given, 0)
    assert torch.equal(found.trajectory.embedding, torch.eye(2))
    assert found.how == ""
    with pytest.raises(InputError, match="trajectory"):
        trajectory_map(given._replace(embedding=torch.zeros(2, 1)), 0)


def test_windows_and_ways_are_two_files(tmp_path) -> None:
    node, window = torch.arange(9).repeat(3), torch.arange(3).repeat_interleave(9)
    z = torch.randn(27, 2, generator=torch.Generator().manual_seed(0))
    given = Trajectory(node, window, z, torch.ones(27), torch.arange(4).double(), 9)
    files = plot_trajectory(tmp_path / "map.png", given, title="t", names=list("abcdefghi"))
    assert files == [tmp_path / "map.png", tmp_path / "map-trajectory.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
    with pytest.raises(InputError, match="gif"):
        plot_trajectory(tmp_path / "map.gif", given)


def test_the_ways_are_those_of_nodes_that_move_in_all_dimensions(tmp_path, monkeypatch) -> None:
    node, window = torch.arange(9).repeat(4), torch.arange(4).repeat_interleave(9)
    z = torch.eye(9)[node]
    z[node == 4] += 3.0 * window[node == 4, None]
    given = Trajectory(node, window, z, torch.ones(36), torch.arange(5).double(), 9)
    seen = {}
    monkeypatch.setattr(drawing, "paths", lambda flat, nodes, *_, **words: seen.update(nodes=nodes, **words))
    plot_trajectory(tmp_path / "map.png", given)
    assert seen["nodes"] == [4]
    assert seen["subtitle"].startswith("The node that moves most in 9 dimensions; 9 dimensions")
