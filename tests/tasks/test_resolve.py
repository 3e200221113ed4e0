"""Which settings the graph preset resolves to, by what the features are."""

import pytest
import torch
from torch_geometric.data import Data, HeteroData

from genurl_graph import GenURL, datasets
from genurl_graph.config.toml import flatten
from genurl_graph.graph import edge_reliability
from genurl_graph.tasks.resolve import resolve_normalization
from tests.graph.test_edge_reliability import blobs, edges_of


def graph(consistent=True):
    x, y = blobs(n=200, columns=200)
    if not consistent:
        x = (torch.rand(x.shape, generator=torch.Generator().manual_seed(5)) < 0.2).float()
    return Data(x=x, edge_index=edges_of(y, alike=True), y=y)


def chosen(data, **arguments):
    config = GenURL(**arguments).resolve(data)
    return config.encoder.name, config.merge.feature_weight


def test_consistent_features_weigh_more_and_are_kept_apart():
    assert chosen(graph(consistent=True)) == ("sage", 30.0)
    assert chosen(graph(consistent=False)) == ("gcn", 1.5)


def test_what_is_asked_for_stands():
    assert chosen(graph(), encoder="gcn") == ("gcn", 1.5)
    assert chosen(graph(), config={"encoder.name": "gat"}) == ("gat", 1.5)
    assert chosen(graph(), config={"merge.feature_weight": 2.0}) == ("sage", 2.0)
    assert chosen(graph(), encoder="sign")[1] == 1.5


def test_without_features_or_with_types_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(edge_reliability, "feature_consistency", lambda *_: pytest.fail("nobody should ask"))
    data = graph()
    assert chosen(Data(edge_index=data.edge_index, num_nodes=200)) == ("gcn", 1.5)
    typed = HeteroData()
    typed["page"].x = data.x
    typed["page", "links", "page"].edge_index = data.edge_index
    assert GenURL().resolve(typed).encoder.name == "gcn"


def test_a_fit_asks_once(monkeypatch):
    asked = []
    answer = edge_reliability.feature_consistency
    monkeypatch.setattr(edge_reliability, "feature_consistency", lambda *given: asked.append(given) or answer(*given))
    small = {"encoder.hidden": 8, "encoder.dim": 4, "training.epochs": 1}
    model = GenURL(random_state=0, config=small).fit(graph())
    assert len(asked) == 1
    assert model.graph_summary_["coherence"] == answer(*asked[0])
    assert model.encoder_name_ == "sage"


@pytest.mark.parametrize(
    ("name", "encoder"), [("cora", "gcn"), ("citeseer", "gcn"), ("photo", "sage"), ("wisconsin", "sage")]
)
def test_real_features(name, encoder, data_root):
    assert GenURL().resolve(datasets.load(name, data_root)).encoder.name == encoder


def test_auto_normalisation_looks_at_signs() -> None:
    x = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    assert resolve_normalization(x, "auto") == "rows"
    assert resolve_normalization(x.to_sparse_csr(), "auto") == "rows"
    assert resolve_normalization(-x, "auto") == "columns"
    assert resolve_normalization(-x.to_sparse_csr(), "auto") == "columns"
    assert resolve_normalization(-x, "none") == "none"


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (graph(), set()),
        (graph().x, set()),
        (Data(edge_index=graph().edge_index, num_nodes=200), {"neighbors.metric"}),
    ],
    ids=["graph", "vectors", "bare"],
)
def test_what_stays_auto_is_documented_where_it_is_read(data, left):
    config = flatten(GenURL().resolve(data).to_dict())
    known = {"neighbors.backend", "merge.cutoff", "loss.scale", "encoder.image"}
    assert {key for key, value in config.items() if value == "auto"} - known == left
