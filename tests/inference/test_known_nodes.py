"""New nodes beside those of the fit: the fitted ones are known by their names, or if the graph is the same."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError

GRAPH = planted_graph(240, 1200, num_features=2, num_classes=4, seed=0)
CLASSES = GRAPH.y.numpy()


def tables(nodes: np.ndarray, shift: int = 0) -> pd.DataFrame:
    """Edges among some nodes as a table of names, in an order of its own."""
    ends = GRAPH.edge_index.numpy()
    inside = np.isin(ends, nodes).all(0) & (ends[0] < ends[1])
    names = np.array([f"node {i + shift}" for i in range(240)])
    return pd.DataFrame({"source": names[ends[0, inside]], "target": names[ends[1, inside]]}).sample(
        frac=1, random_state=0
    )


def test_new_nodes_are_embedded_by_their_fitted_neighbours():
    old = np.random.default_rng(0).permutation(240)[:190]
    model = GenURL(n_components=32, random_state=0).fit(tables(old))
    probe = LogisticRegression(max_iter=1000)
    probe.fit(model.embedding_.numpy(), [CLASSES[int(name[5:])] for name in model.node_id_])
    whole = tables(np.arange(240))
    z = model.transform(whole)
    names = GenURL(n_components=2, epochs=1, random_state=0).fit(whole).node_id_
    new = [i for i, name in enumerate(names) if int(name[5:]) not in set(old)]
    truth = [CLASSES[int(names[i][5:])] for i in new]
    assert len(new) > 40
    assert probe.score(z[new], truth) > 0.85  # by chance a quarter


def test_a_saved_model_knows_its_nodes(tmp_path):
    edges = tables(np.arange(240))
    model = GenURL(n_components=4, epochs=2, random_state=0).fit(edges)
    model.save(tmp_path / "model")
    torch.testing.assert_close(
        torch.from_numpy(GenURL.load(tmp_path / "model").transform(edges)), model.embedding_, atol=1e-5, rtol=1e-4
    )


def test_names_that_do_not_fit_the_embedding_are_damage(tmp_path):
    GenURL(n_components=4, epochs=1, random_state=0).fit(tables(np.arange(240))).save(tmp_path / "model")
    note = json.loads((tmp_path / "model" / "model.json").read_text())
    note["nodes"]["names"].pop()
    (tmp_path / "model" / "model.json").write_text(json.dumps(note))
    with pytest.raises(InputError, match="its nodes are not as many"):
        GenURL.load(tmp_path / "model")


def test_the_fitted_graph_is_known_without_names():
    data = GRAPH.clone()
    del data.x
    model = GenURL(n_components=4, epochs=2, random_state=0).fit(data)
    torch.testing.assert_close(model.transform(data), model.embedding_, atol=1e-5, rtol=1e-4)
    other = planted_graph(240, 1200, num_classes=4, num_features=2, seed=1)
    del other.x
    with pytest.raises(InputError, match="structure=identity knows only the fitted nodes, and this graph has none"):
        model.transform(other)


def test_a_graph_of_strangers_is_refused():
    model = GenURL(n_components=4, epochs=2, random_state=0).fit(tables(np.arange(240)))
    with pytest.raises(InputError, match="this graph has none of their ids"):
        model.transform(tables(np.arange(240), shift=1000))


def test_strangers_with_features_are_embedded_by_these_and_it_is_said():
    def with_means(seed: int):
        data = planted_graph(240, 1200, num_features=2, num_classes=4, seed=seed)
        generator = torch.Generator().manual_seed(seed)
        data.x = torch.stack([data.y % 2, data.y // 2], 1) + 0.3 * torch.randn(240, 2, generator=generator)
        return data

    model = GenURL(n_components=4, epochs=2, random_state=0).fit(with_means(0))
    assert model.config_.encoder.beside == "always"
    with pytest.warns(UserWarning, match="features alone embed it"):
        z = model.transform(with_means(1))
    assert z.shape == (240, 4)
    assert torch.isfinite(z).all()
