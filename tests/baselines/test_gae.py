"""Graph auto-encoders: the sampled loss against the authors' loss over all pairs, and its sampler."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torch_geometric.data import Data

from genurl_graph.baselines import get_baseline
from genurl_graph.baselines.common import make_encoder, prepare
from genurl_graph.baselines.gae import GraphAutoEncoder
from genurl_graph.exceptions import InputError


def model(graph, variational):
    prepared = prepare("gae", graph, "none")
    torch.manual_seed(0)
    encoder = make_encoder("gcn", prepared.features.num_features, 8, 8, 2)
    return GraphAutoEncoder(encoder, prepared, variational=variational)


def adjacency(graph):
    a = torch.eye(graph.num_nodes, dtype=torch.float64)
    a[graph.edge_index[0], graph.edge_index[1]] = 1
    return a


@pytest.mark.parametrize("variational", [False, True])
def test_over_all_pairs_the_loss_is_the_authors(graph, variational, monkeypatch):
    objective = model(graph, variational)
    a = adjacency(graph)
    monkeypatch.setattr(objective, "non_edges", lambda: (a == 0).nonzero().T)
    torch.manual_seed(3)
    with torch.no_grad():
        found = objective()
        z = objective.view().double()
    n, total = graph.num_nodes, float(a.sum())
    kl = 0.0
    if variational:
        mean, log_deviation = z.chunk(2, dim=1)
        torch.manual_seed(3)
        z = mean + torch.randn(mean.shape).double() * log_deviation.exp()
        kl = float(-0.5 / n * (1 + 2 * log_deviation - mean**2 - (2 * log_deviation).exp()).sum(1).mean())
    # Weighted cross-entropy over all pairs, as tkipf/gae has it.
    weight, norm = (n * n - total) / total, n * n / (2 * (n * n - total))
    cross = norm * binary_cross_entropy_with_logits(z @ z.T, a, pos_weight=torch.tensor(weight).double())
    assert float(found.attraction) == pytest.approx(float(cross), rel=1e-5)
    assert float(found.repulsion) == pytest.approx(kl, rel=1e-5)
    assert float(found.loss) == pytest.approx(float(cross) + kl, rel=1e-5)


def test_non_edges_are_drawn_uniformly_from_all_of_them(graph):
    objective = model(graph, False)
    empty = adjacency(graph) == 0
    torch.manual_seed(0)
    counts = torch.zeros(empty.shape)
    for _ in range(400):
        row, col = objective.non_edges()
        counts.index_put_((row, col), torch.ones(row.numel()), accumulate=True)
    assert float(counts[~empty].sum()) == 0
    drawn = counts[empty]
    assert float(drawn.min()) > 0
    # Chi-squared by degree of freedom: 1 with a deviation of sqrt(2 / entries), here 0.04.
    assert float(((drawn - drawn.mean()) ** 2 / drawn.mean()).mean()) == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("name", ["gae", "vgae"])
def test_embedding_tells_edges_from_other_pairs(graph, name):
    z = get_baseline(name, {"epochs": 60})(graph, 0, "cpu")
    assert z.shape == (40, 16)
    a = adjacency(graph)
    products = (z @ z.T).double()
    off = ~torch.eye(40, dtype=torch.bool)
    assert products[(a == 1) & off].mean() > products[a == 0].mean() + 0.5


def test_graphs_it_cannot_read(graph):
    complete = Data(x=torch.eye(3), edge_index=(1 - torch.eye(3)).nonzero().T)
    with pytest.raises(InputError, match="gae: found a complete graph"):
        get_baseline("gae")(complete, 0, "cpu")
    with pytest.raises(InputError, match="gae: found a data set without edges"):
        get_baseline("gae")(Data(x=torch.eye(3)), 0, "cpu")


def test_nodes_without_features_are_their_own(graph):
    graph.num_nodes, graph.x = 40, None
    assert prepare("gae", graph, "none").features.num_features == 40
    assert torch.isfinite(get_baseline("vgae", {"epochs": 2})(graph, 0, "cpu")).all()
