"""Features count as far as they are shown to tell something: what a fit reads, says, and can transform."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError

SMALL = {"encoder.hidden": 16, "sampling.n_negatives": 32}


def graph(features: str = "none", n: int = 120, seed: int = 0) -> Data:
    """Three blocks of random edges, most of them within a block; features that tell the blocks apart, or noise."""
    r = np.random.default_rng(seed)
    y = np.arange(n) % 3
    ends = r.integers(n, size=(2, 12 * n))
    ends = ends[:, (y[ends[0]] == y[ends[1]]) | (r.random(12 * n) < 0.1)][:, : 5 * n]
    x = {
        "none": None,
        "noise": r.normal(size=(n, 2)),
        "related noise": r.normal(size=(n, 1)) + 0.2 * r.normal(size=(n, 6)),
        "informative": y[:, None] * np.array([1.0, -1.0]) + 0.5 * r.normal(size=(n, 2)),
        "one of many": np.concatenate([y[:, None] + 0.5 * r.normal(size=(n, 1)), r.normal(size=(n, 20))], 1),
        "words": r.random((n, 200)) < 0.05,
        "degree": np.bincount(ends.ravel(), minlength=n)[:, None].astype(float),
    }[features]
    edges = torch.from_numpy(np.unique(np.concatenate([ends, ends[::-1]], 1), axis=1))
    edges = edges[:, edges[0] != edges[1]]
    if features == "degree":
        x = torch.bincount(edges[0], minlength=n).double()[:, None].numpy()
    x = None if x is None else torch.from_numpy(np.asarray(x, dtype=np.float32))
    return Data(x=x, edge_index=edges, num_nodes=n, y=torch.from_numpy(y))


def fit(data: Data, seed: int = 0, **config: object) -> GenURL:
    return GenURL(4, epochs=3, random_state=seed, config=SMALL | config).fit(data)


@pytest.mark.parametrize("features", ["noise", "words"])
def test_features_that_tell_nothing_leave_the_run_on_the_edges_alone(features: str, one_thread: None) -> None:
    model, bare = fit(graph(features)), fit(graph())
    assert model.graph_summary_["evidence"] == 0
    assert model.graph_summary_["reads"] == "structure"
    assert torch.equal(model.embedding_, bare.embedding_)
    assert model.n_features_in_ == graph(features).x.size(1)


def test_features_that_tell_something_are_read_beside_the_structure() -> None:
    model = fit(graph("informative"))
    assert model.graph_summary_["evidence"] == 1
    assert (model.graph_summary_["reads"], model.config_.encoder.beside) == ("both", "always")
    assert model.graph_summary_["n_feature"] > 0


def test_one_column_among_noise_is_found() -> None:
    model = fit(graph("one of many"))
    weight = model.statistics_["weight"]
    assert weight[0] == 1
    assert float((weight[1:] > 0.5).float().mean()) < 0.2


def test_a_degree_is_named_and_left_out() -> None:
    with pytest.warns(UserWarning, match="column 1 is the degree"):
        model = fit(graph("degree"))
    assert model.graph_summary_["reads"] == "structure"


def test_the_decision_does_not_depend_on_the_seed() -> None:
    found = {fit(graph("informative"), seed).config_.merge.evidence for seed in range(3)}
    assert len(found) == 1


def test_nothing_is_measured_where_it_is_not_wanted() -> None:
    model = fit(graph("noise"), **{"merge.evidence": "none"})
    assert "evidence" not in model.graph_summary_
    assert model.config_.encoder.beside == "never"
    assert model.graph_summary_["n_feature"] > 0


def test_evidence_may_be_given_and_weighs_knn_edges() -> None:
    half, full = (fit(graph("noise"), **{"merge.evidence": share}) for share in (0.5, 1.0))
    assert half.config_.merge.evidence == 0.5
    share = [model.graph_summary_["mass_feature"] for model in (half, full)]
    assert 0 < share[0] < share[1]


@pytest.mark.parametrize("features", ["noise", "informative"])
def test_structure_in_a_model_knows_the_fitted_graph_again(features: str, tmp_path) -> None:
    data = graph(features)
    model = fit(data)
    torch.testing.assert_close(model.transform(data), model.embedding_, rtol=1e-4, atol=1e-4)
    other = data.clone()
    other.edge_index = other.edge_index[:, 2:]
    if features == "noise":
        with pytest.raises(InputError, match=r"encoder\.structure=identity knows only the fitted nodes"):
            model.transform(other)
    else:
        with pytest.warns(UserWarning, match="features alone embed it"):
            model.transform(other)
    model.save(tmp_path / "one")
    assert torch.equal(GenURL.load(tmp_path / "one").embedding_, model.embedding_)
    walks = fit(data, **{"encoder.structure": "random_walk"})
    torch.testing.assert_close(walks.transform(data), walks.embedding_, rtol=1e-4, atol=1e-4)
    walks.save(tmp_path / "two")
    torch.testing.assert_close(GenURL.load(tmp_path / "two").transform(data), walks.embedding_, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("encoder", ["mlp", "sign"])
def test_encoders_of_rows_keep_their_features(encoder: str) -> None:
    data = graph("noise")
    model = fit(data, **{"encoder.name": encoder})
    assert model.graph_summary_["reads"] == "features"
    assert model.graph_summary_["n_feature"] == 0
    torch.testing.assert_close(model.transform(data), model.embedding_, rtol=1e-4, atol=1e-4)


def test_only_a_gnn_reads_structure_beside_features() -> None:
    with pytest.raises(InputError, match=r"encoder\.beside: found always with encoder mlp"):
        fit(graph("informative"), **{"encoder.name": "mlp", "encoder.beside": "always"})


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_a_random_attribute_changes_nothing_on_les_miserables(draw: int) -> None:
    import networkx
    from torch_geometric.utils import from_networkx

    bare = from_networkx(networkx.les_miserables_graph())
    more = bare.clone()
    more.x = 100 * torch.rand(77, 1, generator=torch.Generator().manual_seed(draw))
    found = [GenURL(n_components=16, epochs=3, random_state=0).fit(data).embedding_ for data in (bare, more)]
    assert torch.equal(*found)
