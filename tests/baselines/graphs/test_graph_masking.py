"""GraphMAE of whole graphs: its layer is the authors' GIN, hidden features reach no output, the loss falls."""

import pytest
import torch

from genurl_graph.baselines.graphs.common import Layer, prepare
from genurl_graph.baselines.graphs.graphmae import OWN, READOUTS, MaskedGraphs
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.nn.graphs.adjacency import Adjacency
from genurl_graph.nn.layers import BatchNorm, PReLU
from genurl_graph.runtime.random import seeded
from genurl_graph.training.loop import train


@pytest.fixture
def make(rings_and_stars):
    def made(**changes):
        settings = baseline_settings("graphmae", None, {"hidden": 8, "batch": 30, **changes}, task="graphs")
        torch.manual_seed(0)
        return MaskedGraphs(prepare("graphmae", rings_and_stars, "degrees", "cpu"), settings)

    return made


def test_a_layer_is_pygs_gin_on_graphs_with_self_loops(rings_and_stars):
    from torch_geometric.nn import GINConv
    from torch_geometric.utils import add_self_loops

    torch.manual_seed(0)
    layer = Layer([torch.nn.Linear(3, 8), BatchNorm(8), PReLU(), torch.nn.Linear(8, 5)], OWN).eval()
    looped = add_self_loops(rings_and_stars.edge_index)[0]
    expected = GINConv(layer.map)(rings_and_stars.x, looped)
    torch.testing.assert_close(layer(rings_and_stars.x, Adjacency.of(rings_and_stars)), expected)


def test_hidden_features_reach_no_output(make):
    """All nodes hidden, none replaced: what is rebuilt does not depend on the features."""
    objective = make(mask=0.999, replace=0.0, drop_features=0.0)
    seen = []
    objective.decoder.register_forward_hook(lambda module, given, out: seen.append(out.detach()))
    for scale in (1.0, 5.0):
        objective.collection = objective.collection._replace(x=objective.collection.x * scale)
        with seeded(1):
            objective(0.0)
    torch.testing.assert_close(*seen)


def test_loss_falls_and_all_weights_learn(make):
    objective = make(replace=0.2)
    with seeded(0):
        history = train(objective, TrainingConfig(epochs=40, lr=1e-2))
    assert sum(history[-5:]) < 0.8 * sum(history[:5])
    assert [name for name, p in objective.named_parameters() if p.grad is None] == []


def test_readouts_are_of_the_rows_of_nodes(make):
    objective = make()
    graphs = objective.collection
    nodes = objective.eval().rows(graphs.x, Adjacency.of(graphs)).detach()
    parts = [nodes[slice(*graphs.node_ptr[g : g + 2].tolist())] for g in range(graphs.num_graphs)]
    for how in READOUTS:
        objective.readout = how
        expected = [part.amax(0) if how == "max" else getattr(part, how)(0) for part in parts]
        torch.testing.assert_close(objective.embed(), torch.stack(expected))
