"""A model keeps the plan of its features: new rows are treated as the fitted ones were."""

import copy
import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inference.fit import _describe
from genurl_graph.inputs.columns import FeatureOptions, FeaturePlan, make_features
from genurl_graph.inputs.input import as_input
from genurl_graph.training.checkpoint import find_difference
from tests.inputs.columns.test_plan import people

# The rows are random: a fit would soon leave them for the edges.
QUICK = {
    "merge.evidence": "none",
    "encoder.beside": "never",
    "encoder.hidden": 16,
    "training.epochs": 3,
    "neighbors.n_neighbors": 5,
}


def vote(z, y):
    return cross_val_score(KNeighborsClassifier(10), z, y, cv=5).mean()


def ring(n):
    nodes = torch.arange(n)
    return torch.stack([torch.cat([nodes, (nodes + 1) % n]), torch.cat([(nodes + 1) % n, nodes])])


def read(table):
    """A Data as a table that was read makes it."""
    x, plan = make_features(table)
    data = Data(x=x, edge_index=ring(len(table)), num_nodes=len(table))
    data.feature_table, data.feature_plan = table, plan
    return data


def test_wine_is_in_different_units():
    wine = load_wine()
    z = GenURL(random_state=0, deterministic=True).fit_transform(wine.data)
    raw = GenURL(random_state=0, deterministic=True, scale=False).fit_transform(wine.data)
    assert vote(z, wine.target) > 0.84 > 0.75 > vote(raw, wine.target)


def test_seconds_since_1970():
    generator = np.random.default_rng(0)
    y = np.repeat(np.arange(5), 40)
    seconds = 1.7e9 + generator.normal(size=(200, 4)) * 20 + generator.normal(size=(5, 4))[y] * 200
    for scale in ("auto", False):
        assert vote(GenURL(random_state=0, scale=scale).fit_transform(seconds), y) > 0.98


@pytest.mark.parametrize("encoder", ["mlp", "free"])
def test_a_table_is_embedded_and_new_rows_are_treated_alike(encoder, tmp_path):
    table = people()
    model = GenURL(2, encoder=encoder, random_state=0, config=QUICK | {"encoder.anchors": 0})
    z = model.fit(table).transform(table)
    assert z.shape == (200, 2)
    # The ids name the rows.
    assert model.n_features_in_ == 9
    assert list(model.feature_names_in_) == [name for name in table if name != "customer_id"]
    assert list(model.node_id_) == list(table["customer_id"])
    assert model.feature_plan_.summary().startswith("features: age, income, visits (standardised)")
    assert list(model.get_feature_names_out()) == ["genurl0", "genurl1"]
    # One row is multiplied in another order than many.
    np.testing.assert_allclose(model.transform(table.iloc[[7]]), z[[7]], rtol=0 if encoder == "free" else 1e-5)
    model.save(tmp_path)
    again = GenURL.load(tmp_path)
    np.testing.assert_array_equal(again.transform(table), z)
    assert again.feature_plan_ == model.feature_plan_
    # Columns go by their names; those that were left out may be absent.
    other = table[table.columns[::-1]].drop(columns=["note", "const"]).assign(more=3)
    for each in (model, again):
        np.testing.assert_array_equal(each.transform(other), z)
        with pytest.raises(InputError, match="no 'country'; expected 'age', 'income', 'country'"):
            each.transform(table.drop(columns="country"))
    with pytest.raises(InputError, match=r"column 'income': found .*'much'; expected numbers"):
        model.transform(table.iloc[:3].assign(income=["1", "2", "much"]))


def test_tables_of_comparable_numbers_go_by_their_names_too():
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 20)), columns=[f"c{i}" for i in range(20)])
    model = GenURL(2, random_state=0, config=QUICK).fit(table)
    assert model.feature_plan_ is None
    np.testing.assert_array_equal(model.transform(table[table.columns[::-1]]), model.embedding_)
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(table.rename(columns={"c3": "d3"}))


def test_a_graph_with_raw_columns_is_transformed_by_the_plan_of_the_model(tmp_path):
    table = people()
    model = GenURL(4, encoder="gcn", random_state=0, config=QUICK).fit(read(table))
    z = model.transform(read(table))
    torch.testing.assert_close(z, model.embedding_, rtol=1e-4, atol=1e-5)
    # Half of the rows would be encoded otherwise by themselves.
    half, other = table[table.country != "FR"], GenURL(4, encoder="mlp", random_state=0, config=QUICK).fit(read(table))
    assert read(half).feature_plan != model.feature_plan_
    kept = np.flatnonzero(table.country != "FR")
    assert torch.equal(other.transform(read(half)), other.transform(read(table))[kept])
    other.save(tmp_path)
    assert torch.equal(GenURL.load(tmp_path).transform(read(half)), other.transform(read(half)))


def test_scale_makes_the_plan_of_data_that_were_read_anew():
    data = read(people())
    found = as_input(data, features=FeatureOptions())
    assert found.plan is data.feature_plan
    assert torch.equal(found.x.to_dense(), data.x.to_dense())
    raw = as_input(data, features=FeatureOptions("none"))
    assert {c.how for c in raw.plan.used if c.kind == "number"} == {"as it is"}
    assert as_input(data, features=FeatureOptions(text="tfidf")).x.size(1) > 256
    data.feature_table = data.feature_table.iloc[:5]
    with pytest.raises(InputError, match="feature_table: found 5 rows; expected 200"):
        as_input(data, features=FeatureOptions("none"))


def test_columns_that_say_nothing_leave_the_edges_alone():
    data = Data(x=torch.ones(12, 1), edge_index=ring(12))
    model = GenURL(2, random_state=0, config=QUICK).fit(data)
    bare = GenURL(2, random_state=0, config=QUICK).fit(Data(edge_index=ring(12), num_nodes=12))
    assert torch.equal(model.embedding_, bare.embedding_)
    assert model.feature_plan_.lines() == ["1: left out, constant"]
    table = pd.DataFrame({"id": [f"n{i}" for i in range(12)]})
    assert torch.equal(GenURL(2, random_state=0, config=QUICK).fit(read(table)).embedding_, bare.embedding_)


def test_images_are_never_scaled():
    images = np.random.default_rng(0).random((20, 3, 4, 4)) * 255
    rows = images.transpose(0, 2, 3, 1).reshape(20, 48).astype(np.float32)
    for data in (images, Data(x=torch.from_numpy(rows), image_shape=(4, 4, 3))):
        found = as_input(data, features=FeatureOptions("columns"))
        assert found.plan is None
        np.testing.assert_allclose(found.x, rows)


def test_a_user_s_own_network_reads_what_the_user_hands_in():
    wine = load_wine().data.astype(np.float32)
    seen = []
    own = torch.nn.Linear(13, 3)
    own.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))  # after a probe of zeros
    GenURL(task="distill", encoder=own, epochs=1, random_state=0).fit(wine, teacher=np.eye(178, 5))
    rows = torch.cat(seen)
    assert bool(torch.isin(rows[rows.abs().sum(1) > 0], torch.from_numpy(wine)).all())


def test_models_of_earlier_versions_load(tmp_path):
    wine = load_wine().data
    model = GenURL(2, encoder="mlp", random_state=0, scale=False, config=QUICK | {"encoder.anchors": 0}).fit(wine)
    model.save(tmp_path)
    note = json.loads((tmp_path / "model.json").read_text())
    del note["config"]["input"], note["config"]["merge"]["evidence"], note["config"]["encoder"]["beside"], note["plan"]
    (tmp_path / "model.json").write_text(json.dumps(note))
    again = GenURL.load(tmp_path)
    np.testing.assert_array_equal(again.transform(wine), model.transform(wine))
    assert again.config_.input.scale == "none"


def test_checkpoints_of_earlier_versions_are_of_the_same_run():
    data = as_input(torch.randn(20, 20))
    config = GenURL().resolve(data.x)
    run = _describe(data, config, 0, None)
    stored = copy.deepcopy(run)
    del stored["config"]["input"]
    assert find_difference(stored, run) is None
    del stored["config"]["encoder"]["beside"]
    assert find_difference(stored, run) is None
    run["config"]["encoder"]["beside"] = "always"
    assert find_difference(stored, run) == "config.encoder.beside is None there and 'always' here"
    planned = data._replace(plan=FeaturePlan.fit(people()))
    assert find_difference(_describe(data, config, 0, None), _describe(planned, config, 0, None)).startswith(
        "plan is None there"
    )
