"""Consistent features that the edges neither confirm nor refute stand apart: neither they nor the edges are lost."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.exceptions import InputError
from genurl_graph.graph.evidence import measure_evidence
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.nn.build import trained_columns

N, GROUPS, COLUMNS = 240, 4, 32
SMALL = {"encoder.hidden": 32, "sampling.n_negatives": 64, "encoder.dim": 64}


def graph(columns: int = COLUMNS, seed: int = 0) -> Data:
    """Edges within groups `y`, and features that tell other groups, `kind`, which no edge knows."""
    r = np.random.default_rng(seed)
    y, kind = np.arange(N) % GROUPS, r.integers(GROUPS, size=N)
    ends = r.integers(N, size=(2, 40 * N))
    ends = ends[:, (y[ends[0]] == y[ends[1]]) & (ends[0] != ends[1])][:, : 4 * N]
    edges = torch.from_numpy(np.unique(np.concatenate([ends, ends[::-1]], 1), axis=1))
    x = 1.5 * r.normal(size=(GROUPS, columns))[kind] + r.normal(size=(N, columns))
    return Data(torch.from_numpy(x).float(), edges, y=torch.from_numpy(y), kind=torch.from_numpy(kind), num_nodes=N)


def fit(data: Data, epochs: int = 3, **config: object) -> GenURL:
    return GenURL(epochs=epochs, random_state=0, config=SMALL | config).fit(data)


def accuracy(z: torch.Tensor, labels: torch.Tensor) -> float:
    """Of a linear probe with a tenth of the labels."""
    return float(probe_embedding(z, Data(y=labels, num_nodes=N), "random-10-10-80", seed=0, n_repeats=3)["test"])


def test_undecided_features_stand_beside_what_is_trained_on_the_edges_alone(one_thread: None) -> None:
    data = graph()
    model = fit(data, **{"encoder.structure_columns": 0})
    c = model.config_.encoder
    assert (c.beside, c.structure) == ("apart", "identity")
    assert (model.graph_summary_["evidence"], model.graph_summary_["reads"]) == (0, "apart")
    assert (model.graph_summary_["n_feature"], c.skip) == (0, 32)
    bare = Data(edge_index=data.edge_index, num_nodes=N)
    alone = fit(bare, **{"encoder.dim": 32, "encoder.skip": 0, "encoder.structure": "identity"})
    assert trained_columns(alone.config_) == 32
    assert torch.equal(model.embedding_[:, : trained_columns(model.config_)], alone.embedding_)


def test_what_edges_know_and_what_features_know_is_kept() -> None:
    data = graph()
    z = fit(data, epochs=30).embedding_
    assert accuracy(z, data.y) > 0.9
    assert accuracy(data.x, data.y) < 0.5
    assert accuracy(z, data.kind) > 0.8
    assert accuracy(fit(data, epochs=30, **{"merge.evidence": 0}).embedding_, data.kind) < 0.5


def test_few_columns_count_half_and_categories_noise_and_related_features_are_not_undecided() -> None:
    undecided = graph()
    kinds = torch.nn.functional.one_hot(undecided.kind * 5 + torch.arange(N) % 5).float()
    noise = torch.randn(N, COLUMNS, generator=torch.Generator().manual_seed(1))
    related = torch.randn(GROUPS, COLUMNS, generator=torch.Generator().manual_seed(0))[undecided.y] + 0.5 * noise
    tables = [undecided.x, graph(columns=8).x, kinds, noise, related]
    found = [measure_evidence(as_graph(Data(x, undecided.edge_index, num_nodes=N)), "euclidean") for x in tables]
    assert [evidence.undecided for evidence in found] == [1, 0.5, 0, 0, 0]


def test_features_that_depend_on_each_other_alone_take_nothing_from_the_edges() -> None:
    data = graph()
    bare = fit(Data(edge_index=data.edge_index, num_nodes=N), epochs=30)
    z = fit(data, epochs=30).embedding_
    assert accuracy(z, data.y) > accuracy(bare.embedding_, data.y) - 0.05


def test_little_evidence_takes_little_from_the_edges() -> None:
    data = graph()
    model = fit(data, **{"merge.evidence": 0.02, "encoder.beside": "always"})
    assert model.graph_summary_["feature_consistency"] > 0.6
    assert model.graph_summary_["reliability_mean"] >= 0.98


def test_a_model_embeds_the_fitted_graph_again_and_others_by_features(tmp_path) -> None:
    data = graph()
    model = fit(data)
    torch.testing.assert_close(model.transform(data), model.embedding_, rtol=1e-4, atol=1e-4)
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    torch.testing.assert_close(loaded.transform(data), model.embedding_, rtol=1e-4, atol=1e-4)
    other = data.clone()
    other.edge_index = other.edge_index[:, 2:]
    with pytest.warns(UserWarning, match="features alone embed it"):
        z = loaded.transform(other)
    first = trained_columns(model.config_)
    last = first + model.config_.encoder.skip
    torch.testing.assert_close(z[:, first:last], model.embedding_[:, first:last], rtol=1e-4, atol=1e-4)


def test_sparse_features_may_stand_apart_when_it_is_asked_for() -> None:
    data = graph()
    data.x = (data.x > 1.5).float()
    model = fit(data, **{"encoder.beside": "apart"})
    assert model.config_.encoder.skip == 32
    torch.testing.assert_close(model.transform(data), model.embedding_, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"encoder.name": "mlp"}, "task graph, encoder mlp"),
        ({"encoder.structure": "roles"}, "encoder.structure roles"),
        ({"sampling.negatives": "batch"}, "sampling.negatives batch"),
        ({"merge.evidence": "none"}, "kNN edges that count in any case"),
    ],
)
def test_features_that_have_to_be_read_cannot_stand_apart(changes: dict[str, object], found: str) -> None:
    with pytest.raises(InputError, match=rf"encoder\.beside: found apart with {found}; expected always or never"):
        fit(graph(), **changes, **{"encoder.beside": "apart"})


def test_features_stand_apart_only_where_there_is_room_for_them() -> None:
    for settings in ({"encoder.dim": 8}, {"encoder.skip": 0}):
        assert fit(graph(), **settings).config_.encoder.beside == "never"


def test_structure_that_is_asked_for_decides() -> None:
    model = fit(graph(), **{"encoder.structure": "roles"})
    assert (model.graph_summary_["reads"], model.config_.encoder.beside) == ("structure", "never")
