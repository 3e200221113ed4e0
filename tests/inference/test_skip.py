"""Components in a fitted model: the same for the fitted nodes, for new ones beside them, and after saving."""

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.nn.build import skip_blocks, trained_columns
from tests.graph.edge_reliability.test_edge_reliability import blobs, edges_of

N, DIM, WIDTH = 90, 24, 5
SMALL = {
    "encoder.hidden": 16,
    "encoder.dim": DIM,
    "encoder.skip": WIDTH,
    "encoder.structure_columns": 0,
    "encoder.structure": "identity",
    "encoder.normalize": "rows",
    "encoder.skip_deviation": 0.25,
    "sampling.n_negatives": 32,
    "neighbors.n_neighbors": 8,
    "merge.evidence": "none",
}
KINDS = {
    "gcn": {},
    "sign": {"encoder.name": "sign"},
    "batches": {"encoder.name": "gcn", "sampling.negatives": "batch", "sampling.batch_size": 64},
}


# So many axes are found exactly, whatever the first directions are. And what an encoder propagates over depends on the
# order of nodes where edges are judged by samples.
FEW = 15
EXACT = {
    "merge.propagation_weight": 0.0,
    "merge.weighting": "given",
    "encoder.normalize": "none",
    "input.scale": "none",
}


def graph(columns: int = 70, seed: int = 0) -> Data:
    x, y = blobs(n=N, columns=columns, seed=seed)
    return Data(x=x, edge_index=edges_of(y, alike=True, count=200), num_nodes=N)


def fit(data: Data, seed: int = 0, epochs: int = 2, **config: object) -> GenURL:
    return GenURL(epochs=epochs, random_state=seed, config=SMALL | config).fit(data)


def skip_of(model: GenURL, z: Tensor | None = None) -> Tensor:
    """The columns of an embedding, by default the fitted one, that are components."""
    return (model.embedding_ if z is None else z)[:, trained_columns(model.config_) :]


def distances(z: Tensor) -> Tensor:
    return torch.cdist(z.double(), z.double())


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest) -> GenURL:
    return fit(graph(), **KINDS[request.param])


def test_they_stand_after_the_trained_columns(model: GenURL) -> None:
    config = model.config_
    assert model.embedding_.shape == (N, DIM)
    assert trained_columns(config) + skip_blocks(config) * WIDTH == DIM
    assert skip_of(model).size(1) == 3 * WIDTH
    deviation = skip_of(model).std(0, correction=0)
    torch.testing.assert_close(deviation, torch.full_like(deviation, 0.25), rtol=1e-3, atol=0)


def test_the_fitted_graph_and_a_saved_model_repeat_them(model: GenURL, tmp_path) -> None:
    found = model.transform(graph())
    assert torch.equal(skip_of(model, found), skip_of(model))
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    assert torch.equal(loaded.embedding_, model.embedding_)
    assert torch.equal(loaded.transform(graph()), found)


def test_an_untrained_encoder_has_the_same(model: GenURL) -> None:
    start = model.untrained_embedding()
    assert torch.equal(skip_of(model, start), skip_of(model))
    trained = trained_columns(model.config_)
    assert not torch.allclose(start[:, :trained], model.embedding_[:, :trained])


def test_a_new_node_moves_none_but_its_neighbours(model: GenURL) -> None:
    """Features are projected on the stored axes, whatever stands beside them; averages change near the new node."""
    data = graph()
    x = torch.cat([data.x, data.x[:1]])
    edges = torch.cat([data.edge_index, torch.tensor([[0, N], [N, 0]])], 1)
    z = model.transform(Data(x=x, edge_index=edges))
    raw, first, _ = skip_of(model, z).split(WIDTH, 1)
    old = skip_of(model).split(WIDTH, 1)
    torch.testing.assert_close(raw[:N], old[0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(raw[N], raw[0], rtol=1e-5, atol=1e-6)
    moved = (first[:N] - old[1]).abs().amax(1) > 1e-5
    assert moved[0]
    assert not moved.all()


def test_a_new_graph_is_projected_on_the_stored_axes(model: GenURL) -> None:
    other = graph(seed=4)
    raw = skip_of(model, model.transform(other))[:, :WIDTH]
    axes, mean = model.model_.encoder.components.axes[0], model.model_.encoder.components.mean[0]
    # Bags of words, which a cosine compares.
    rows = torch.nn.functional.normalize(other.x, dim=1)
    torch.testing.assert_close(raw, rows @ axes - mean, rtol=1e-4, atol=1e-5)


def test_two_steps_are_those_over_the_graph_of_the_encoder() -> None:
    data = graph(FEW)
    model = fit(data, epochs=1, **EXACT)
    a = torch.zeros(N, N)
    a[data.edge_index[0], data.edge_index[1]] = 1
    a += torch.eye(N)
    a = a.sum(1).rsqrt()[:, None] * a * a.sum(1).rsqrt()
    for hops, block in enumerate(skip_of(model).split(WIDTH, 1)):
        averages = torch.linalg.matrix_power(a.double(), hops) @ data.x.double()
        u, s, _ = torch.linalg.svd(averages - averages.mean(0), full_matrices=False)
        expected = distances(u[:, :WIDTH] * s[:WIDTH])
        found = distances(block)
        torch.testing.assert_close(found / found.mean(), expected / expected.mean(), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("kind", ["gcn", "sign", "batches"])
def test_training_is_that_of_the_trained_columns_alone(kind: str) -> None:
    alone = fit(graph(), epochs=1, **KINDS[kind], **{"encoder.skip": 0, "encoder.dim": DIM - 3 * WIDTH})
    beside = fit(graph(), epochs=1, **KINDS[kind])
    assert alone.loss_history_ == beside.loss_history_
    assert torch.equal(alone.embedding_, beside.embedding_[:, : DIM - 3 * WIDTH])
    assert beside.n_parameters_ == alone.n_parameters_ + 3 * WIDTH * (70 + 1)


def test_the_seed_changes_none() -> None:
    first, second = fit(graph()), fit(graph(), seed=1, epochs=1)
    assert torch.equal(skip_of(first), skip_of(second))
    assert not torch.allclose(first.embedding_, second.embedding_)


@pytest.mark.parametrize("kind", ["gcn", "sign"])
def test_sparse_and_dense_features_give_the_same(kind: str) -> None:
    """And "sign", which reads the averages, the same as a GNN, which averages."""
    data = graph(FEW)
    wide = Data(x=torch.cat([data.x, torch.zeros(N, 400)], 1), edge_index=data.edge_index)
    expected = distances(skip_of(fit(data, epochs=1, **EXACT)))
    found = skip_of(fit(wide, epochs=1, **EXACT, **KINDS[kind]))
    torch.testing.assert_close(distances(found), expected, rtol=1e-2, atol=1e-3)


def test_the_order_of_nodes_is_that_of_rows() -> None:
    data = graph(FEW)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    moved = Data(x=data.x[order], edge_index=order.argsort()[data.edge_index])
    one, other = (distances(skip_of(fit(given, epochs=1, **EXACT))) for given in (data, moved))
    torch.testing.assert_close(other, one[order][:, order], rtol=1e-2, atol=1e-3)


def test_structure_beside_features_is_left_out() -> None:
    plain, beside = fit(graph(), epochs=1), fit(graph(), epochs=1, **{"encoder.beside": "always"})
    assert beside.config_.encoder.beside == "always"
    torch.testing.assert_close(distances(skip_of(beside)), distances(skip_of(plain)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(beside.transform(graph()), beside.embedding_, rtol=1e-4, atol=1e-4)


def test_the_deviation_is_their_weight() -> None:
    light, heavy = (fit(graph(), epochs=1, **{"encoder.skip_deviation": weight}) for weight in (0.1, 2.0))
    torch.testing.assert_close(20 * skip_of(light), skip_of(heavy), rtol=1e-4, atol=1e-4)
    trained = trained_columns(light.config_)
    assert torch.equal(light.embedding_[:, :trained], heavy.embedding_[:, :trained])


def test_trained_columns_of_a_gnn_have_deviation_1() -> None:
    """Of the nodes themselves, not of the views of a few steps."""
    model = fit(graph(), epochs=1)
    trained = model.embedding_[:, : trained_columns(model.config_)]
    assert float((trained.std(0, correction=0) - 1).abs().max()) < 0.05
    assert float(trained.mean(0).abs().max()) < 1e-4
