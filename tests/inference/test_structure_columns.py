"""Positions of nodes beside the trained columns: resolved, embedded, transformed, saved."""

import json

import networkx as nx
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.evaluation.links import inner_products, link_split, ranking
from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.spectral import walk_positions
from genurl_graph.inputs.input import as_input

SMALL = {"encoder.hidden": 16, "encoder.skip": 2, "encoder.structure_columns": 5, "merge.evidence": "none"}


def graph(seed: int = 0, n: int = 120) -> Data:
    data = planted_graph(n, 4 * n, num_features=20, num_classes=4, seed=seed)
    return Data(x=data.x, edge_index=data.edge_index, y=data.y)


def model(dim: int = 16, **more) -> GenURL:
    return GenURL(dim, epochs=3, random_state=0, config=SMALL | more)


def test_positions_stand_beside_the_trained_columns_and_are_not_trained():
    data = graph()
    fitted = model().fit(data)
    encoder, deviation = fitted.model_.encoder, fitted.config_.encoder.structure_deviation
    # Three blocks of two components, five positions; the rest is the network's.
    assert encoder.width == 16 - 3 * 2 - 5
    given = predefined_graph(as_input(data))
    positions = walk_positions(given.edge_index, given.edge_weight, 120, 5)
    torch.testing.assert_close(fitted.embedding_[:, -5:], positions * 5**0.5 * deviation)
    torch.testing.assert_close(fitted.untrained_embedding()[:, -5:], fitted.embedding_[:, -5:])
    assert all(parameter.requires_grad for parameter in encoder.parameters())
    assert "structure.table" not in dict(encoder.named_parameters())
    double = model(**{"encoder.structure_deviation": 2 * deviation}).fit(data)
    torch.testing.assert_close(double.embedding_[:, -5:], 2 * fitted.embedding_[:, -5:])
    torch.testing.assert_close(double.embedding_[:, :-5], fitted.embedding_[:, :-5])


def test_positions_tell_communities_that_features_do_not():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    data = planted_graph(300, 3000, num_features=20, num_classes=3, seed=0)
    data.x = torch.randn(300, 20, generator=torch.Generator().manual_seed(0))
    fitted = GenURL(24, epochs=1, random_state=0, config=SMALL | {"encoder.structure_columns": 8}).fit(data)
    z, probe = fitted.embedding_.numpy(), LogisticRegression(max_iter=500, C=100.0)
    # Three communities, features of noise: chance is 1/3.
    positions, features = (cross_val_score(probe, part, data.y.numpy()).mean() for part in (z[:, -8:], data.x.numpy()))
    assert positions > 0.9
    assert features < 0.5


def test_the_columns_of_positions_rank_held_out_edges_above_what_features_say():
    caves = nx.relaxed_caveman_graph(40, 12, 0.1, seed=0)
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(480) // 12
    # Features tell eight groups of caves, edges tell caves.
    x = torch.randn(8, 16, generator=generator)[y // 5] + torch.randn(480, 16, generator=generator)
    data = Data(x=x, edge_index=torch.tensor([*caves.to_directed().edges]).T, y=y)
    split = link_split(data, 0)
    settings = {"encoder.hidden": 32, "encoder.structure_columns": "auto", "encoder.skip": "auto"}
    fitted = GenURL(64, epochs=30, random_state=0, config=settings).fit(split.graph)
    count = fitted.config_.encoder.structure_columns
    assert count >= 8

    def auc(z: torch.Tensor) -> float:
        near = inner_products(torch.nn.functional.normalize(z).numpy(), split.test.edge_index)
        return ranking(near, split.test.label.numpy())["auc"]

    positions, components = fitted.embedding_[:, -count:], fitted.embedding_[:, fitted.model_.encoder.width : -count]
    assert auc(positions) > max(0.9, auc(components) + 0.02)
    assert auc(fitted.embedding_) > 0.95


def test_the_fitted_graph_and_one_new_node_are_transformed_and_strangers_get_no_structure(tmp_path):
    data = graph()
    fitted = model().fit(data)
    torch.testing.assert_close(fitted.transform(data), fitted.embedding_, rtol=1e-4, atol=1e-5)
    fitted.save(tmp_path)
    loaded = GenURL.load(tmp_path)
    torch.testing.assert_close(loaded.transform(data), fitted.embedding_, rtol=1e-4, atol=1e-5)
    with pytest.warns(UserWarning, match="their 5 columns are 0"):
        z = loaded.transform(graph(seed=1, n=60))
    assert z.shape == (60, 16)
    assert bool((z[:, -5:] == 0).all())
    assert z[:, :-5].std(0).min() > 0


def test_models_of_before_load_unless_a_second_network_made_their_columns(tmp_path):
    plain = model(**{"encoder.structure_columns": 0}).fit(graph())
    walked = model(**{"encoder.structure_deviation": 0.1}).fit(graph())
    for fitted in (plain, walked):
        fitted.save(tmp_path)
        note = json.loads((tmp_path / "model.json").read_text())
        del note["config"]["encoder"]["structure_deviation"]
        note["config"]["encoder"] |= {"structure_by": "walk", "skip_deviation": 0.1}
        (tmp_path / "model.json").write_text(json.dumps(note))
        loaded = GenURL.load(tmp_path)
        assert loaded.config_.encoder.structure_deviation == 0.1
        torch.testing.assert_close(loaded.transform(graph()), fitted.embedding_, rtol=1e-4, atol=1e-5)
    del note["config"]["encoder"]["structure_by"]
    (tmp_path / "model.json").write_text(json.dumps(note))
    with pytest.raises(InputError, match="found 5 that an earlier version trained; expected a new fit"):
        GenURL.load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"encoder.structure_columns": 16}, "found 16; expected at most 15"),
        ({"encoder.name": "sign"}, "found 5 with encoder sign"),
        ({"encoder.name": "mlp", "encoder.skip": 0}, "found 5 with encoder mlp"),
    ],
)
def test_what_cannot_be_is_refused(settings, found):
    with pytest.raises(InputError, match=f"encoder.structure_columns: {found}"):
        model(**settings).fit(graph())


def test_features_that_predict_edges_leave_no_columns_for_positions():
    known = {"encoder.structure_columns": "auto", "encoder.skip": "auto"}
    assert model(64, **known).resolve(graph()).encoder.structure_columns == 0
    # A grid: features say nothing, and what is near is near.
    side = 20
    node = torch.arange(side * side).view(side, side)
    down, right = (node[:-1], node[1:]), (node[:, :-1], node[:, 1:])
    pairs = torch.cat([torch.stack([one.flatten(), two.flatten()]) for one, two in (down, right)], 1)
    x = torch.randn(side * side, 20, generator=torch.Generator().manual_seed(0))
    grid = Data(x=x, edge_index=torch.cat([pairs, pairs.flip(0)], 1))
    found = model(64, **known).resolve(grid).encoder
    assert 8 <= found.structure_columns <= 64 // 3
    assert found.dim - found.structure_columns - 3 * found.skip >= 64 // 4
