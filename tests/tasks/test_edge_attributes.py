"""Edge attributes in a fit: weights, transform, files, and runs without attributes."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch_geometric.data import Data, HeteroData

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from tests.graph.edge_attributes.planted import planted_edges, signs

SMALL = {"encoder.hidden": 16, "training.epochs": 20}


@pytest.fixture(scope="module")
def graph():
    ends, same, y = planted_edges(400, inside=0.5)
    attributes = signs(same)
    return Data(
        edge_index=torch.cat([ends, ends.flip(0)], 1), edge_attr=torch.cat([attributes] * 2), num_nodes=400, y=y
    )


def fit(data, **config):
    return GenURL(16, task="graph", random_state=0, config=SMALL | config).fit(data)


def accuracy(model, data):
    z = model.embedding_.numpy()
    return LogisticRegression(max_iter=500).fit(z[:200], data.y[:200]).score(z[200:], data.y[200:])


def test_attributes_that_tell_help(graph):
    with_them, without = fit(graph), fit(graph, **{"merge.edge_attributes": "none"})
    assert with_them.config_.merge.edge_attributes == 1.0
    assert without.config_.merge.edge_attributes == "none"
    assert accuracy(with_them, graph) > accuracy(without, graph) + 0.05
    assert "edges are weighted by them" in with_them.reading_[-1]
    assert with_them.graph_summary_["edge_attributes"]["columns"] == 2


def test_noise_changes_no_bit(graph):
    noise = Data(edge_index=graph.edge_index, num_nodes=400)
    noise.edge_attr = torch.randn(graph.num_edges, 2, generator=torch.Generator().manual_seed(0))
    found = fit(noise)
    assert found.config_.merge.edge_attributes == 0.0
    assert torch.equal(found.embedding_, fit(Data(edge_index=graph.edge_index, num_nodes=400)).embedding_)


def test_new_edges_are_weighted_as_fitted_ones(graph, tmp_path):
    model = fit(graph)
    assert torch.allclose(model.transform(graph), model.embedding_, atol=1e-5)
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    assert torch.allclose(loaded.transform(graph), model.embedding_, atol=1e-5)
    with pytest.raises(InputError, match="transform: edge attributes: found 0 columns; expected the 2 that"):
        loaded.transform(Data(edge_index=graph.edge_index, num_nodes=400))


def test_a_share_without_attributes_is_refused(graph):
    bare = Data(edge_index=graph.edge_index, num_nodes=400)
    with pytest.raises(InputError, match=r"merge.edge_attributes: found 0.5 without edge attributes"):
        fit(bare, **{"merge.edge_attributes": 0.5})
    assert fit(bare, **{"training.epochs": 1}).config_.merge.edge_attributes == "none"


def test_relations_leave_attributes_out():
    data = HeteroData()
    data["a"].num_nodes = 4
    data["a", "to", "a"].edge_index = torch.tensor([[0, 1, 2], [1, 2, 3]])
    data["a", "to", "a"].edge_attr = torch.ones(3, 2)
    with pytest.warns(UserWarning, match="edge_attr with 2 columns is ignored"):
        assert fit(data, **{"training.epochs": 1}).config_.merge.edge_attributes == "none"


@pytest.mark.parametrize("encoder", ["gine", "gatv2"])
def test_encoders_read_attributes(graph, encoder, tmp_path):
    short = {"training.epochs": 2, "merge.edge_attributes": "none", "encoder.name": encoder}
    model = fit(graph, **short)
    other = graph.clone()
    other.edge_attr = graph.edge_attr.flip(0) * torch.tensor([-3.0, 1.0])
    assert torch.allclose(model.transform(graph), model.embedding_, atol=1e-5)
    assert not torch.allclose(model.transform(other), model.embedding_, atol=1e-2)
    model.save(tmp_path / "model")
    assert torch.allclose(GenURL.load(tmp_path / "model").transform(graph), model.embedding_, atol=1e-5)
    with pytest.raises(InputError, match="transform: edge attributes: found 0 columns; expected the 2 that"):
        model.transform(Data(edge_index=graph.edge_index, num_nodes=400))
    with pytest.raises(InputError, match=f"encoder {encoder}: found sampling.negatives batch"):
        fit(graph, **short, **{"sampling.negatives": "batch"})


def test_encoders_of_attributes_need_none(graph):
    bare = Data(edge_index=graph.edge_index, num_nodes=400)
    model = fit(bare, **{"training.epochs": 2, "encoder.name": "gine"})
    assert torch.allclose(model.transform(bare), model.embedding_, atol=1e-5)
