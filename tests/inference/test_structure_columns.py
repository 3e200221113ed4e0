"""Columns that a second network learns from the edges alone: resolved, trained, transformed, saved."""

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError
from genurl_graph.objectives.base import JointObjective

SMALL = {"encoder.hidden": 16, "encoder.skip": 2, "encoder.structure_columns": 5, "merge.evidence": "none"}


def graph(seed: int = 0, n: int = 120) -> Data:
    data = planted_graph(n, 4 * n, num_features=20, num_classes=4, seed=seed)
    return Data(x=data.x, edge_index=data.edge_index, y=data.y)


def model(dim: int = 16, **more) -> GenURL:
    return GenURL(dim, epochs=3, random_state=0, config=SMALL | more)


def test_parts_stand_side_by_side_and_losses_add_up():
    fitted = model().fit(graph())
    objective = fitted.model_.objective
    assert isinstance(objective, JointObjective)
    main, bare = objective.parts
    # Three blocks of two components, five columns of the structure; the rest is the main network's.
    assert [part.encoder.width for part in (main, bare)] == [16 - 3 * 2 - 5, 5]
    torch.testing.assert_close(fitted.embedding_[:, -5:] / fitted.config_.encoder.skip_deviation, bare.embed())
    torch.testing.assert_close(fitted.embedding_[:, :-5], main.embed())
    assert bare.features.num_features == 120
    with torch.no_grad():
        before = [parameter.clone() for parameter in bare.encoder.parameters()]
    objective().loss.backward()
    assert all(parameter.grad is not None for parameter in bare.encoder.parameters())
    assert all(parameter.grad is not None for parameter in main.encoder.input.parameters())
    assert len(before) > 0


def test_structure_columns_tell_communities_that_features_do_not():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    data = planted_graph(300, 3000, num_features=20, num_classes=3, seed=0)
    data.x = torch.randn(300, 20, generator=torch.Generator().manual_seed(0))
    fitted = GenURL(24, epochs=40, random_state=0, config=SMALL | {"encoder.structure_columns": 8}).fit(data)
    z = fitted.embedding_[:, -8:].numpy()
    start = fitted.untrained_embedding()[:, -8:].numpy()
    probe = LogisticRegression(max_iter=500, C=100.0)
    trained, untrained = (cross_val_score(probe, part / part.std(), data.y.numpy()).mean() for part in (z, start))
    assert trained > 0.9
    assert trained >= untrained


def test_the_fitted_graph_and_one_new_node_are_transformed_and_strangers_get_no_structure(tmp_path):
    data = graph()
    fitted = model().fit(data)
    torch.testing.assert_close(fitted.transform(data), fitted.embedding_, rtol=1e-4, atol=1e-5)
    fitted.save(tmp_path)
    loaded = GenURL.load(tmp_path)
    torch.testing.assert_close(loaded.transform(data), fitted.embedding_, rtol=1e-4, atol=1e-5)
    with pytest.warns(UserWarning, match="the 5 columns of the structure are 0"):
        z = loaded.transform(graph(seed=1, n=60))
    assert z.shape == (60, 16)
    assert bool((z[:, -5:] == 0).all())
    assert z[:, :-5].std(0).min() > 0


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"encoder.structure_columns": 16}, "found 16; expected at most 15"),
        ({"encoder.name": "sign"}, "found 5 with encoder sign"),
        ({"encoder.name": "mlp", "encoder.skip": 0}, "found 5 with encoder mlp"),
        ({"encoder.beside": "always"}, "found 5 with encoder.beside always"),
    ],
)
def test_what_cannot_be_is_refused(settings, found):
    with pytest.raises(InputError, match=f"encoder.structure_columns: {found}"):
        model(**settings).fit(graph())


def test_features_that_predict_edges_leave_the_structure_no_columns():
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
