"""Which settings the graph preset resolves to, by what the features are."""

import pandas as pd
import pytest
import torch
from torch_geometric.data import Data, HeteroData

from genurl_graph import GenURL, datasets
from genurl_graph.config.toml import flatten
from genurl_graph.exceptions import InputError
from genurl_graph.graph import edge_reliability
from genurl_graph.inputs.columns import make_features
from genurl_graph.tasks.resolve import resolve_normalization
from tests.graph.edge_reliability.test_edge_reliability import blobs, edges_of


def graph(consistent=True):
    x, y = blobs(n=200, columns=200)
    if not consistent:
        x = (torch.rand(x.shape, generator=torch.Generator().manual_seed(5)) < 0.2).float()
    return Data(x=x, edge_index=edges_of(y, alike=True), y=y)


def chosen(data, **arguments):
    config = GenURL(**arguments).resolve(data)
    return config.encoder.name, config.merge.feature_weight


@pytest.mark.parametrize("consistent", [True, False])
def test_one_preset_whatever_the_features_tell(consistent):
    """But for what the skip reads, features or roles, no setting jumps from one value to another."""
    data = graph(consistent)
    assert chosen(data) == ("gcn", 1.0)
    found = GenURL().resolve(data).encoder
    assert (found.dim, found.structure) == (384, "identity" if consistent else "both")


def test_what_is_asked_for_stands():
    assert chosen(graph(), config={"encoder.name": "gat"}) == ("gat", 1.0)
    assert chosen(graph(), config={"merge.feature_weight": 2.0}) == ("gcn", 2.0)
    assert chosen(graph(), encoder="sign")[1] == 1.5


def test_without_features_or_with_types_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(edge_reliability, "feature_consistency", lambda *_: pytest.fail("nobody should ask"))
    data = graph()
    assert chosen(Data(edge_index=data.edge_index, num_nodes=200)) == ("gcn", 1.0)
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
    assert model.graph_summary_["feature_consistency"] == answer(*asked[0]).value


def test_epochs_that_are_asked_for_are_all_run():
    asked = {"training.tolerance": 0.1}
    given = ({}, asked, {"training.epochs": 30}, {"training.schedule": "cosine"}, asked | {"training.epochs": 30})
    found = [GenURL(config=config).resolve(graph()).training.tolerance for config in given]
    assert found[1:] == [0.1, 0.0, 0.0, 0.1]
    assert found[0] > 0
    assert GenURL(epochs=30).resolve(graph()).training.tolerance == 0
    assert GenURL().resolve(graph().x).training.tolerance == 0, "other tasks keep their epochs"


@pytest.mark.parametrize(("name", "least", "most"), [("cora", 1, 64), ("citeseer", 60, 85), ("wisconsin", 86, 117)])
def test_real_features(name, least, most, data_root):
    """Cora's features are of little consistency, CiteSeer's of much: two thirds of the columns, in three blocks.

    Web pages link to unlike ones, which leaves more to components.
    """
    assert least <= GenURL().resolve(datasets.load(name, data_root)).encoder.skip <= most


def test_auto_normalisation_looks_for_bags_of_words() -> None:
    generator = torch.Generator().manual_seed(0)
    words = (torch.rand(30, 20, generator=generator) < 0.2).float()
    pixels = torch.rand(30, 20, generator=generator)
    for x in (words, words.to_sparse_csr()):
        assert resolve_normalization(x, "auto") == "rows"
        assert resolve_normalization(-x, "auto") == "columns"
        assert resolve_normalization(-x, "none") == "none"
    assert resolve_normalization(words[:, :10], "auto") == "columns"
    assert resolve_normalization(pixels, "auto") == "columns"
    # Vectors that are no nodes.
    assert resolve_normalization(pixels, "auto", graph=False) == "rows"
    assert resolve_normalization(-pixels, "auto", graph=False) == "columns"


def test_what_a_plan_has_scaled_is_compared_as_it_is() -> None:
    table = pd.DataFrame({"age": [20.0, 45.0, 31.0, 60.0], "country": ["DE", "FR", "DE", "FR"]})
    x, plan = make_features(table)
    assert resolve_normalization(x, "auto", plan=plan) == "none"
    config = GenURL().resolve(table)
    assert (config.neighbors.metric, config.encoder.normalize, config.input.scale) == ("euclidean", "none", "columns")
    assert GenURL(task="graph", scale=False).resolve(graph()).input.scale == "none"


def test_columns_in_different_units_of_a_graph() -> None:
    data = graph()
    ages = torch.rand(200, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([80, 50_000])
    config = GenURL(config={"merge.evidence": "none"}).resolve(Data(x=ages, edge_index=data.edge_index))
    assert (config.neighbors.metric, config.encoder.normalize, config.input.scale) == ("euclidean", "none", "columns")
    with pytest.raises(InputError, match=r"scale: found 'rows'; expected True, False or 'auto'"):
        GenURL(scale="rows").resolve(data)


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
