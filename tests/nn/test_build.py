"""encoders: sparse input equals dense input, and every convolution is the formula it is named after."""

import importlib.util
from typing import Any

import pytest
import torch
import torch_geometric.typing
from torch import Tensor, nn
from torch_geometric.nn import GATConv, GCNConv, GINConv, SAGEConv

from genurl_graph.config import Config
from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.propagation import Propagation
from genurl_graph.nn.build import ENCODERS, make_encoder
from genurl_graph.nn.features import Features, InputLayer
from genurl_graph.nn.gnn import GNN, GNNS, NORMALIZATION
from genurl_graph.nn.layers import PReLU
from genurl_graph.objectives.pair_distances import EdgePattern

N, F = 20, 30


def features() -> Tensor:
    x = torch.rand(N, F, generator=torch.Generator().manual_seed(0))
    return torch.where(x < 0.15, x, 0.0)


def edges() -> Tensor:
    """Node N - 1 is isolated."""
    drawn = torch.randint(0, N - 1, (2, 40), generator=torch.Generator().manual_seed(1))
    return merge_graphs(drawn, None, None, None, num_nodes=N).edge_index


def graph(edge_index: Tensor) -> Propagation:
    return Propagation(edge_index, torch.ones(edge_index.size(1)), N)


def encoder(name: str, layers: int = 2, norm: str = "none", dim: int = 4, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = Config(encoder=EncoderConfig(name, dim=dim, hops=0, hidden=8, layers=layers, norm=norm))
    return make_encoder(config, F, torch.randn(N, dim))


def run(model: Any, x: Tensor, edge_index: Tensor | None = None, keep: Tensor | None = None) -> Tensor:
    z: Tensor = model(Features(x), model.operator(graph(edges() if edge_index is None else edge_index)), keep)
    return z


def gradients(model: nn.Module, z: Tensor) -> dict[str, Tensor | None]:
    weight = torch.randn(z.shape, generator=torch.Generator().manual_seed(2))
    model.zero_grad()
    (z * weight).sum().backward()
    return {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_sparse_input_equals_dense_input(name: str, layers: int, masked: bool) -> None:
    model, x = encoder(name, layers), features()
    keep = (torch.arange(F) % 3 > 0).float() if masked else None
    dense = run(model, x, keep=keep)
    expected = gradients(model, dense)
    sparse = run(model, x.to_sparse_csr(), keep=keep)
    found = gradients(model, sparse)
    assert sparse.shape == (N, 4)
    torch.testing.assert_close(sparse, dense)
    for key, value in expected.items():
        # Before batch normalisation a bias has the gradient 0: what is left is rounding.
        atol = 5e-5 if name == "factorized-linear" and key.endswith("bias") else 1e-5
        torch.testing.assert_close(found[key], value, rtol=1.3e-6, atol=atol, msg=lambda m, key=key: f"{key}: {m}")
    if keep is not None:
        torch.testing.assert_close(run(model, x * keep), dense)


@pytest.mark.parametrize("name", ENCODERS)
def test_every_parameter_learns(name: str) -> None:
    model = encoder(name, 2, norm="batch")
    for key, gradient in gradients(model, run(model, features().to_sparse_csr())).items():
        if name == "free" or "bias" not in key:  # batch normalisation cancels the bias before it
            assert gradient is not None, key
            assert gradient.abs().sum() > 0, key


def test_gcn_is_its_formula() -> None:
    """Z = A PReLU(A X W1 + b1) W2 + b2 with A = D^-1/2 (A + I) D^-1/2 (arXiv 1609.02907, eq. 2 and 9)."""
    model, x = encoder("gcn"), features()
    nn.init.normal_(model.convs[0].bias)
    a = torch.eye(N)
    a[edges()[0], edges()[1]] = 1
    a = a / (a.sum(0).sqrt()[:, None] * a.sum(1).sqrt()[None])
    first, second = model.convs
    hidden = a @ x @ model.input.weight + first.bias
    hidden = torch.where(hidden > 0, hidden, model.acts[0].weight * hidden)
    torch.testing.assert_close(run(model, x.to_sparse_csr()), a @ hidden @ second.lin.weight.t() + second.bias)


@pytest.mark.parametrize("name", ["sage", "gin", "gat", "gcn"])
def test_convolutions_are_pygs_own_on_the_edge_list(name: str) -> None:
    model, x, edge_index = encoder(name, layers=1), features(), edges()
    ours = model.convs[0]
    h = model.input(Features(x))
    if name == "sage":
        reference: nn.Module = SAGEConv(8, 4, aggr="mean")
    elif name == "gin":
        reference = GINConv(ours.nn, train_eps=True)
        nn.init.constant_(ours.eps, 0.3)
    else:  # the input layer is the convolution's own linear map
        reference = (GATConv if name == "gat" else GCNConv)(F, 4)
        h = x
    state = ours.state_dict()
    if name in ("gat", "gcn"):
        state["lin.weight"] = model.input.weight.detach().t()
    reference.load_state_dict(state)
    torch.testing.assert_close(run(model, x), reference(h, edge_index))


@pytest.mark.parametrize("name", [*GNNS, "mlp"])
def test_renaming_nodes_renames_the_embedding(name: str) -> None:
    model, x, edge_index = encoder(name), features(), edges()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(3))
    place = order.argsort()
    renamed = merge_graphs(place[edge_index], None, None, None, num_nodes=N).edge_index
    torch.testing.assert_close(
        run(model, x[order].to_sparse_csr(), renamed), run(model, x.to_sparse_csr())[order], rtol=1e-4, atol=1e-5
    )


def test_only_gnns_look_at_the_graph() -> None:
    other = merge_graphs(edges().flip(0) // 2, None, None, None, num_nodes=N).edge_index
    for name in ENCODERS:
        model = encoder(name)
        assert torch.equal(run(model, features()), run(model, features(), other)) == (name not in GNNS)


def test_features_never_become_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """100,000 x 200,000 features would take 80 GB; 300,000 entries of them take 5 MB."""
    n, f, per_row = 100_000, 200_000, 3
    monkeypatch.setattr(Tensor, "to_dense", None)
    column = torch.randint(0, f // per_row, (n, per_row)) * per_row + torch.arange(per_row)
    x = torch.sparse_csr_tensor(
        torch.arange(0, n * per_row + 1, per_row),
        column.reshape(-1),
        torch.ones(n * per_row),
        (n, f),
        check_invariants=False,
    )
    layer = InputLayer(f, 2, bias=True)
    z = layer(Features(x), torch.ones(f))
    z.sum().backward()
    assert layer.weight.grad is not None
    torch.testing.assert_close(z[0], layer.weight[column[0]].sum(0))
    assert torch.equal(layer.weight.grad[:, 0], torch.bincount(column.reshape(-1), minlength=f).float())


def test_constants_follow_their_module_to_a_device_and_are_in_no_checkpoint() -> None:
    propagation, pattern = graph(edges()), EdgePattern(edges(), N)
    assert propagation.pair.numel() == propagation.weight.numel()  # computed before the move
    assert pattern.row_by_column.numel() == pattern.row.numel()
    large = Features(features(), stays=True)
    for module in (propagation, pattern, Features(features()), large):
        assert not module.state_dict()
        module.to("meta")
    assert propagation.weight.is_meta
    assert propagation.pair.is_meta
    assert pattern.row_by_column.is_meta
    assert not large.x.is_meta


@pytest.mark.parametrize("name", ["gcn", "mlp"])
def test_dropout_and_batch_statistics_belong_to_training(name: str) -> None:
    torch.manual_seed(0)
    model = make_encoder(Config(encoder=EncoderConfig(name, dim=4, hops=0, hidden=8, dropout=0.5, norm="batch")), F)
    assert not torch.equal(run(model, features()), run(model, features()))
    model.eval()
    assert torch.equal(run(model, features()), run(model, features()))


def test_embedding_table_starts_where_it_is_told() -> None:
    start = torch.randn(N, 4)
    model = make_encoder(Config(encoder=EncoderConfig("free", dim=4)), F, start)
    assert torch.equal(model(), start)
    assert model().data_ptr() != start.data_ptr()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "gnn"},
            "encoder.name: found 'gnn'; expected one of gcn, sage, gat, gin, gine, gatv2, sign, mlp, linear, "
            "factorized-linear, free, cnn, resnet",
        ),
        ({"name": "free"}, "encoder free: found no initial coordinates"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_encoder(Config(encoder=EncoderConfig(**arguments)), F)


def test_gnns_need_a_graph() -> None:
    with pytest.raises(InputError, match="encoder 'gcn' needs a graph"):
        encoder("gcn").operator(None)
    with pytest.raises(InputError, match="encoder: found 'mlp'; expected one of gcn"):
        GNN(EncoderConfig("mlp"), F)
    assert set(NORMALIZATION) == set(GNNS)


@pytest.fixture(params=["torch", "torch-scatter"])
def segments(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyG's segment functions without torch-scatter, and with it where it is installed."""
    with_scatter = request.param == "torch-scatter"
    if with_scatter and importlib.util.find_spec("torch_scatter") is None:
        pytest.skip("torch-scatter is not installed (extra 'scatter')")
    monkeypatch.setattr(torch_geometric.typing, "WITH_TORCH_SCATTER", with_scatter)


@pytest.mark.usefixtures("segments")
def test_attention_and_merging_with_and_without_torch_scatter() -> None:
    model, x = encoder("gat", layers=1), features()
    conv = model.convs[0]
    h = x @ model.input.weight
    score = (h @ conv.att_src.view(-1))[:, None] + (h @ conv.att_dst.view(-1))[None]
    a = torch.eye(N, dtype=torch.bool)
    a[edges()[0], edges()[1]] = True
    score = nn.functional.leaky_relu(score, 0.2).masked_fill(~a, -torch.inf)
    expected = score.softmax(0).t() @ h + conv.bias
    torch.testing.assert_close(run(model, x), expected)
    assert all(g is not None and g.abs().sum() > 0 for g in gradients(model, run(model, x)).values())

    twice = torch.tensor([[0, 0, 1], [1, 1, 2]])
    weights = torch.tensor([0.5, 2.0, 1.0])
    assert merge_graphs(twice, weights, None, None, num_nodes=3).edge_weight.tolist() == [2.5, 2.5, 1, 1]
    short = merge_graphs(twice, weights, None, None, num_nodes=3, how="geodesic", cutoff=9.0)
    assert short.edge_weight.tolist() == [0.5, 1.5, 0.5, 1, 1.5, 1]


@pytest.mark.parametrize("name", ["gcn", "sage", "gin"])
def test_gradients_through_the_graph_are_those_of_a_dense_matrix(name: str) -> None:
    """The transposes that the backward pass is given are the right ones, for two layers and dropped edges."""
    model, x = encoder(name), features()
    torch.manual_seed(3)
    operator = model.operator(graph(edges()), 0.3)
    ours = gradients(model, model(Features(x), operator))
    dense = operator.to_dense()
    for conv in model.convs:
        conv.message_and_aggregate = lambda adj_t, x: dense @ (x if isinstance(x, Tensor) else x[0])
    reference = gradients(model, model(Features(x), operator))
    for key, value in ours.items():
        torch.testing.assert_close(value, reference[key])


def test_prelu_is_torchs() -> None:
    torch.manual_seed(0)
    ours, theirs = PReLU(), nn.PReLU()
    h = torch.cat([torch.randn(6, 4), torch.zeros(1, 4)]).requires_grad_()
    weight = torch.randn(7, 4)
    found, expected = ours(h), theirs(h)
    assert torch.equal(found, expected)
    for one, other in zip(
        torch.autograd.grad((found * weight).sum(), (h, ours.weight)),
        torch.autograd.grad((expected * weight).sum(), (h, theirs.weight)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
