"""GNNs on sampled neighbourhoods: with all neighbours as on the whole graph, with some of them in the mean."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from genurl_graph import GenURL, datasets
from genurl_graph.config import Config
from genurl_graph.config.parameters import EncoderConfig, LossConfig, SamplingConfig
from genurl_graph.config.views import ViewConfig
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.neighbor_sampler import Neighborhoods, read_fanout
from genurl_graph.graph.propagation import Norm, Propagation
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNN, NORMALIZATION, SAMPLED
from genurl_graph.objectives.mini_batch import NeighborBatchObjective
from genurl_graph.tasks import size
from tests.resumed import assert_resumes

N, F = 30, 12


def features() -> Tensor:
    x = torch.rand(N, F, generator=torch.Generator().manual_seed(0))
    return torch.where(x < 0.3, x, 0.0)


def graph() -> Propagation:
    """Weighted; node N - 1 is isolated."""
    g = torch.Generator().manual_seed(1)
    drawn, weight = torch.randint(0, N - 1, (2, 70), generator=g), torch.rand(70, generator=g) + 0.2
    merged = merge_graphs(drawn, weight, None, None, num_nodes=N)
    return Propagation(merged.edge_index, merged.edge_weight, N)


def encoder(name: str, layers: int = 2, norm: str = "none") -> GNN:
    torch.manual_seed(0)
    made = make_encoder(Config(encoder=EncoderConfig(name, dim=4, hidden=8, layers=layers, norm=norm)), F)
    assert isinstance(made, GNN)
    return made


def objective(
    fanout: str = "-1",
    views: ViewConfig = ViewConfig(),  # noqa: B008 - frozen
    **options: Any,
) -> NeighborBatchObjective:
    propagation = graph()
    apart = ~propagation.is_loop
    edges = torch.stack([propagation.row[apart], propagation.col[apart]])
    return NeighborBatchObjective(
        encoder("gcn"),
        Features(features()),
        options.pop("propagation", propagation),
        edges,
        propagation.weight[apart],
        N,
        LossConfig(metric="cosine", per="row", scale="profile"),
        SamplingConfig(**{"negatives": "batch", "n_negatives": 1, "batch_size": 8, "fanout": fanout} | options),
        views,
    )


@pytest.mark.parametrize("name", SAMPLED)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("fanout", [-1, N])
def test_with_all_neighbours_nodes_are_embedded_as_in_the_whole_graph(name: str, layers: int, fanout: int) -> None:
    model, propagation, x = encoder(name, layers), graph(), Features(features().to_sparse_csr())
    seeds = torch.tensor([7, 0, N - 1, 12])
    neighborhoods = Neighborhoods(propagation, NORMALIZATION[name], [fanout] * layers)
    nodes, drawn = neighborhoods.draw(seeds)
    assert torch.equal(nodes[:4], seeds)
    assert layers > 1 or len(nodes) < N, "not the whole graph"
    found, expected = model(x.rows(nodes), drawn), model(x, model.operator(propagation))[seeds]
    torch.testing.assert_close(found, expected)
    weight = torch.randn(expected.shape)
    ours, theirs = (torch.autograd.grad((z * weight).sum(), list(model.parameters())) for z in (found, expected))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_statistics_of_batches_are_of_nodes_whose_neighbours_were_drawn() -> None:
    model, propagation, x = encoder("gcn", 2, norm="batch"), graph(), Features(features())
    nodes, drawn = Neighborhoods(propagation, "sym", [-1, -1]).draw(torch.arange(N))
    torch.testing.assert_close(model(x.rows(nodes), drawn), model(x, model.operator(propagation)))
    # Nodes at the rim are read, but nothing is computed for them.
    nodes, drawn = Neighborhoods(propagation, "sym", [2, 2]).draw(torch.arange(3))
    widths = [(layer.operator.size(1), layer.num_targets) for layer in drawn]
    assert widths[0][0] == len(nodes) > widths[0][1] == widths[1][0] > widths[1][1] == 3


@pytest.mark.parametrize("norm", ["sym", "row", "none"])
def test_sums_over_drawn_neighbours_have_the_mean_of_the_whole_sums(norm: Norm) -> None:
    propagation, seeds = graph(), torch.arange(N)
    h = torch.randn(N, 3, generator=torch.Generator().manual_seed(2))
    expected = (propagation.operator(norm) @ h).double()
    neighborhoods = Neighborhoods(propagation, norm, [2])
    assert int(neighborhoods.count.max()) > 4
    torch.manual_seed(3)
    total, squares, draws = torch.zeros_like(expected), torch.zeros_like(expected), 800
    for _ in range(draws):
        nodes, (layer,) = neighborhoods.draw(seeds)
        found = (layer.operator @ h[nodes]).double()
        total += found
        squares += found.square()
    mean = total / draws
    error = ((squares / draws - mean.square()).clamp_min(0) / draws).sqrt()
    assert float(error.max()) > 0
    # Ninety means, of which one in two thousand errs by so much.
    assert bool(((mean - expected).abs() <= 4.5 * error + 1e-5).all())


def test_as_many_neighbours_are_drawn_as_asked_for() -> None:
    propagation = graph()
    nodes, layers = Neighborhoods(propagation, "edges", [3, 1]).draw(torch.arange(5))
    degree = propagation.crow.diff() - 1
    # The last layer is that of the batch; the first has these edges and one for each node that they reach.
    assert torch.equal(torch.bincount(layers[1].operator[1], minlength=5), degree[:5].clamp_max(3))
    drawn = torch.bincount(layers[0].operator[1])
    assert torch.equal(drawn[:5], degree[:5].clamp_max(3))
    assert torch.equal(drawn[5:], torch.ones(layers[0].num_targets - 5).long())
    whole = set(map(tuple, propagation.operator("edges").t().tolist()))
    assert set(map(tuple, nodes[layers[0].operator].t().tolist())) <= whole


def test_neighbours_are_drawn_equally_often_and_from_all_parts_of_a_list() -> None:
    """A star of 7 leaves, 3 drawn: two of any three lie in different parts of the list."""
    leaves = torch.arange(1, 8)
    edges = torch.stack([torch.cat([torch.zeros(7).long(), leaves]), torch.cat([leaves, torch.zeros(7).long()])])
    neighborhoods = Neighborhoods(Propagation(edges, torch.ones(14), 8), "edges", [3])
    torch.manual_seed(0)
    counts, draws = torch.zeros(8), 2100
    for _ in range(draws):
        nodes, (layer,) = neighborhoods.draw(torch.tensor([0]))
        leaf = nodes[layer.operator[0]]
        assert len(leaf) == 3
        assert len(leaf.unique()) >= 2
        counts += torch.bincount(leaf, minlength=8)
    assert counts[0] == 0
    # Binomial, about: a deviation of 23 is one standard deviation.
    assert float((counts[1:] - draws * 3 / 7).abs().max()) < 110
    assert bool((neighborhoods.place == -1).all()), "ready for the next batch"


@pytest.mark.parametrize("self_weight", [0.0, 1.0])
def test_the_loss_is_that_of_batches_of_the_whole_graphs_embedding(self_weight: float) -> None:
    made = objective(views=ViewConfig(self_weight=self_weight))
    made.eval()
    z = made.embed()

    def loss() -> float:
        torch.manual_seed(4)
        return float(made().loss.detach())

    found = loss()
    made._embedded = lambda nodes: z[nodes]  # type: ignore[method-assign]
    assert found == pytest.approx(loss(), rel=1e-5)


def test_views_differ_by_their_neighbourhoods() -> None:
    made, seen = objective(fanout="1", views=ViewConfig(self_weight=1.0)), []
    made.encoder.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[1][1].operator.to_dense()))
    torch.manual_seed(0)
    z = [made._embedded(torch.tensor([3, 5, 3])) for _ in range(12)]
    assert len({tuple(operator.flatten().tolist()) for operator in seen}) > 1
    assert all(torch.equal(part[0], part[2]) for part in z)
    assert not torch.equal(z[0][0], z[0][1])


def test_bad_requests_are_named() -> None:
    for text in ("", "0", "15,0", "15;10", "-2", "3.5", "all"):
        with pytest.raises(InputError, match=f"sampling.fanout: found {text!r}; expected numbers of neighbours"):
            objective(fanout=text)
    assert read_fanout("15, 10", 1) == [15]
    assert read_fanout("15,-1", 4) == [15, -1, -1, -1]
    with pytest.raises(InputError, match=r"views\.drop_edges: found 0\.2; expected 0"):
        objective(views=ViewConfig(drop_edges=0.2))
    with pytest.raises(InputError, match=r"sampling\.batch_size: found 1"):
        objective(batch_size=1)
    with pytest.raises(InputError, match="encoder 'gcn' needs a graph"):
        objective(propagation=None)


def test_large_graphs_are_sampled_for_a_gnn_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted_graph(200, 800, 8, 4, seed=0)

    def chosen(**options: Any) -> tuple[str, str, float, int]:
        config = GenURL(**options).resolve(data)
        return config.encoder.name, config.sampling.negatives, config.views.drop_edges, config.training.epochs

    batches = ("batch", 0.0, 25)
    assert chosen(encoder="sage") == ("sage", "shared", 0.4, 50)
    assert chosen(config={"sampling.negatives": "batch"}) == ("gcn", *batches)
    monkeypatch.setattr(size, "FULL_BATCH_NODES", 100)
    assert chosen() == ("sign", *batches)
    for name in SAMPLED:
        assert chosen(encoder=name) == (name, *batches)
    assert chosen(encoder="gat", config={"sampling.negatives": "shared"}) == ("gat", "shared", 0.4, 50)


@pytest.fixture(scope="module")
def planted() -> Any:
    return planted_graph(3000, 30_000, 16, 5, homophily=0.8, noise=0.7, train_share=0.05, seed=1)


@pytest.fixture(scope="module")
def few() -> Any:
    return planted_graph(600, 6000, 16, 5, homophily=0.8, noise=0.7, seed=1)


# Features of `planted` tell groups inside of classes, edges which groups make up a class: adaptive merging doubts them.
FAST = {
    "encoder.hidden": 64,
    "sampling.negatives": "batch",
    "sampling.batch_size": 256,
    "sampling.fanout": "5,5",
    "merge.weighting": "given",
}
# For `few`.
SMALL = FAST | {"sampling.batch_size": 64, "training.lr": 0.01}


class TestTraining:
    """Runs from edges to embedding."""

    def made(self, encoder: str = "gcn", seed: int = 0, epochs: int = 6, config: Any = FAST, **options: Any) -> GenURL:
        return GenURL(16, encoder=encoder, epochs=epochs, random_state=seed, config=config, **options)

    @pytest.mark.parametrize("name", ["gcn", "sage", "sign"])
    def test_learns_what_classes_have_in_common(self, planted: Any, name: str) -> None:
        model = self.made(name).fit(planted)
        trained, untrained, raw = (
            probe_embedding(np.asarray(z), planted, "public")["test"]
            for z in (model.embedding_, model.untrained_embedding(), planted.x)
        )
        assert trained > max(untrained, raw) + 0.15
        torch.testing.assert_close(model.transform(planted), model.embedding_, rtol=0, atol=1e-5)

    def test_a_seed_decides_and_resuming_changes_nothing(self, few: Any, tmp_path: Any) -> None:
        torch.manual_seed(77)  # whatever came before
        made = partial(self.made, epochs=2, config=SMALL)
        model, _ = assert_resumes(made, few, tmp_path / "state", at=1)
        assert not torch.equal(made(seed=1).fit(few).embedding_, model.embedding_)

    @pytest.mark.parametrize("name", ["gat", "gin"])
    def test_every_gnn_trains(self, few: Any, name: str) -> None:
        history = self.made(name, epochs=4, config=SMALL).fit(few).loss_history_
        # Batches differ: without training by up to 0.07 from epoch to epoch.
        assert history[-1] < history[0] - 0.12

    def test_cora(self, data_root: Any) -> None:
        data = datasets.load("cora", root=data_root)
        model = GenURL(encoder="gcn", epochs=2, random_state=0, config={"sampling.negatives": "batch"}).fit(data)
        trained, untrained = (
            probe_embedding(z.numpy(), data, "public")["test"] for z in (model.embedding_, model.untrained_embedding())
        )
        assert trained > untrained + 0.04
        assert trained > 0.78
