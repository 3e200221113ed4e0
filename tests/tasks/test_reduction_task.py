"""The reduction recipe: P of vectors, and the start of the embedding table."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.graph import knn_edges
from genurl_graph.graph.projection import principal_axes, principal_components
from genurl_graph.inputs.input import as_input
from genurl_graph.tasks import encoder_input, reduction
from genurl_graph.tasks.initialization import START_SCALE
from genurl_graph.tasks.prepare import feature_similarities
from genurl_graph.tasks.resolve import resolve_steps

CPU = torch.device("cpu")
FIXED = {
    "sampling.negatives": "permuted",
    "sampling.n_negatives": 20,
    "neighbors.n_neighbors": 4,
    "neighbors.metric": "euclidean",
    "similarity.perplexity": 4.0,
    "encoder.init": "pca",
    "encoder.dim": 2,
}


def build(data, config=None):
    found = as_input(data)
    resolved = load_preset("reduce").override(FIXED | (config or {}))
    return reduction.build(found, found.x, resolved, 0, CPU), found, resolved


@pytest.fixture
def vectors():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(40, 7, generator=generator) * torch.arange(1.0, 8)


def test_p_holds_the_symmetric_similarities(vectors):
    problem, data, config = build(vectors)
    _, edges, p = feature_similarities(data, config, 0, CPU)
    merged = problem.merged
    assert torch.equal(merged.edge_index, edges)
    torch.testing.assert_close(merged.edge_weight, p)
    a = torch.zeros(40, 40)
    a[edges[0], edges[1]] = p
    torch.testing.assert_close(a, a.T)
    assert ((p > 0) & (p <= 1)).all()
    # The nearest neighbour of a node is as similar to it as can be.
    assert (a.max(1).values > 0.999).all()


def test_graph_that_comes_along_is_merged(vectors):
    edge_index = torch.tensor([[0, 1], [39, 38]])
    problem, *_ = build(Data(x=vectors, edge_index=edge_index))
    merged = problem.merged
    pairs = set(map(tuple, merged.edge_index.T.tolist()))
    assert {(0, 39), (39, 0), (1, 38), (38, 1)} <= pairs
    assert merged.edge_weight.max() == 1


def test_table_starts_at_small_principal_components(vectors):
    problem, *_ = build(vectors)
    start = problem.objective.embed()
    assert float(start[:, 0].std()) == pytest.approx(START_SCALE, rel=0.05)
    expected = PCA(2).fit_transform(vectors.numpy())
    for column in range(2):
        assert abs(np.corrcoef(start[:, column].numpy(), expected[:, column])[0, 1]) > 0.99


def test_table_wider_than_the_data_starts_with_noise(vectors):
    start = build(vectors[:, :2], {"encoder.dim": 5})[0].objective.embed()
    assert start.shape == (40, 5)
    assert (start.std(0) > 0).all()
    random = build(vectors, {"encoder.init": "random"})[0].objective.embed()
    assert float(random.std()) == pytest.approx(START_SCALE, rel=0.3)


def test_no_more_components_than_samples_or_features(vectors):
    assert principal_components(vectors[:5], 50, 0).shape == (5, 5)
    assert principal_components(vectors, 50, 0).shape == (40, 7)
    assert principal_components(vectors.to_sparse_csr(), 50, 0).shape == (40, 7)


def test_components_of_sparse_and_dense_vectors_agree(vectors):
    dense, sparse = (principal_components(x, 3, 0, centre=False) for x in (vectors, vectors.to_sparse_csr()))
    torch.testing.assert_close(dense.abs(), sparse.abs(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("dim", "kind"), [(2, "dense"), (5, "dense"), (2, "sparse"), (2, "cosine")])
def test_axes_that_encoder_and_search_share_are_found_once(vectors, dim, kind, monkeypatch):
    found = []
    for module in (knn_edges, encoder_input):
        monkeypatch.setattr(
            module, "principal_axes", lambda *a, **k: found.append(principal_axes(*a, **k)) or found[-1]
        )
    x = torch.where(vectors.abs() > 12, vectors, 0.0) if kind == "sparse" else vectors
    config = {"neighbors.pca": 3, "neighbors.metric": "cosine" if kind == "cosine" else "euclidean"}
    model = GenURL(n_components=dim, encoder="mlp", n_neighbors=4, epochs=1, random_state=0, config=config).fit(x)
    assert len(found) == 1
    # The space is the one that a search of its own would have found.
    own = knn_edges.feature_space(as_input(x), model.config_, encoder_input.PCA_SEED)
    torch.testing.assert_close(model.model_.space.vectors, own.vectors)


@pytest.mark.parametrize("encoder", ["free", "mlp"])
def test_nearly_empty_newcomer_is_placed_as_in_company(encoder):
    """Alone it is a sparse matrix, in company a dense one."""
    x = torch.rand(80, 40, generator=torch.Generator().manual_seed(0))
    x[5, 2:] = 0
    model = GenURL(encoder=encoder, epochs=1, random_state=0, config={"neighbors.pca": 5}).fit(x)
    alone, company = model.transform(x[5:6]), model.transform(x[:10])[5:6]
    torch.testing.assert_close(alone, company, rtol=0 if encoder == "free" else 1e-4, atol=1e-5)


def test_weights_of_a_graph_without_features_are_p(tmp_path):
    """Its map: `weights` as they are, divided by the largest; the start is spectral."""
    edges = torch.tensor([[0, 1, 2, 3, 4], [1, 2, 3, 4, 0]])
    weight = torch.tensor([4.0, 2.0, 1.0, 4.0, 3.0])
    model = GenURL(task="reduce", random_state=0).fit(Data(edge_index=edges, edge_weight=weight, num_nodes=5))
    p = torch.zeros(5, 5)
    p[edges[0], edges[1]] = p[edges[1], edges[0]] = weight / 4
    found = torch.zeros(5, 5)
    found[model.graph_.edge_index[0], model.graph_.edge_index[1]] = model.graph_.edge_weight
    assert torch.equal(found, p)
    assert model.config_.encoder.init == "spectral"
    assert model.embedding_.shape == (5, 2)
    with pytest.raises(InputError, match="fitted on a graph"):
        model.transform(Data(edge_index=edges, num_nodes=5))
    with pytest.warns(UserWarning, match="cannot transform new data"):
        model.save(tmp_path / "map")
    assert torch.equal(GenURL.load(tmp_path / "map").embedding_, model.embedding_)


def test_bad_requests(vectors):
    with pytest.raises(InputError, match="no features; expected vectors, or the encoder free"):
        build(Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2), {"encoder.name": "mlp"})
    with pytest.raises(InputError, match="found 'gcn'; expected one of free, mlp"):
        build(vectors, {"encoder.name": "gcn"})


def test_sampling_and_learning_rate_follow_dimensions_and_size():
    preset = load_preset("reduce")
    for change, n, kind, count, rate in (
        ({}, 400, "all", 399, 0.6),
        ({}, 40_000, "all", 39_999, 6.0),
        ({"encoder.dim": 3}, 10_000, "permuted", 20, 1.5),
        ({"encoder.dim": 32}, 40, "shared", 512, 1.5),
        ({"loss.name": "bce"}, 40, "permuted", 20, 1.5),
        ({"loss.per": "row"}, 40, "permuted", 20, 1.5),
        ({"sampling.n_negatives": 7, "encoder.dim": 32, "training.lr": 0.2}, 40, "shared", 7, 0.2),
    ):
        found = resolve_steps(preset.override(change), n)
        assert found.pop("training.lr") == pytest.approx(rate)
        assert found.pop("loss.late_exaggeration") == pytest.approx(1 - 0.5 * min(1, n / 10_000) ** 0.125)
        assert found == {"sampling.negatives": kind, "sampling.n_negatives": count}


def test_given_coordinates_are_the_start_on_the_scale_of_all_starts(vectors):
    given = torch.randn(40, 2, generator=torch.Generator().manual_seed(1)) * torch.tensor([30.0, 3.0]) + 100
    model = GenURL(init=given, epochs=1, random_state=0).fit(vectors)
    start = model.untrained_embedding()
    assert float(start.std(0).max()) == pytest.approx(START_SCALE, rel=0.05)
    for column in range(2):
        assert np.corrcoef(start[:, column], given[:, column])[0, 1] > (0.99, 0.95)[column]
    assert model.config_.encoder.init == "given"
    same = GenURL(init=torch.zeros(40, 2), epochs=1, random_state=0).fit(vectors).untrained_embedding()
    assert float(same.std()) == pytest.approx(START_SCALE, rel=0.3)  # noise, where all rows are the same


def test_start_is_refused_where_there_is_no_table(vectors):
    given = torch.randn(40, 2)
    for encoder in ("mlp", "linear"):
        with pytest.raises(InputError, match=rf"init: found coordinates for the encoder {encoder}; expected an embed"):
            GenURL(encoder=encoder, init=given, epochs=1).fit(vectors)
    with pytest.raises(InputError, match=r"init: found 2 columns; expected 3, those of the embedding"):
        GenURL(3, init=given, epochs=1).fit(vectors)
    with pytest.raises(InputError, match=r"encoder.init: found 'given' without coordinates"):
        GenURL(config={"encoder.init": "given"}, epochs=1).fit(vectors)
