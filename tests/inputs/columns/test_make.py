"""Features of whatever comes: matrices, tables, a Data that was read."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import datasets
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions, FeaturePlan, make_features, read_data_features

UNITS = np.column_stack([np.linspace(20, 60, 30) + np.arange(30) % 7, np.linspace(3e4, 9e4, 30)])


def test_matrices_of_comparable_columns_stay_as_they_are():
    x = np.random.default_rng(0).normal(size=(30, 20))
    found, plan = make_features(x)
    assert plan is None
    assert torch.equal(found, torch.from_numpy(x).float())
    assert make_features(UNITS, scale="none")[1] is None


def test_a_plan_of_other_rows_is_applied():
    _, plan = make_features(UNITS)
    assert torch.equal(make_features(UNITS[3:5], plan)[0], plan.apply(UNITS)[3:5])
    assert read_data_features(Data(x=torch.from_numpy(UNITS)), FeatureOptions.of_model(plan), False)[1] is plan
    with pytest.raises(InputError, match="found 3 features; the model was fitted on 2"):
        make_features(np.ones((4, 3)), plan)


def test_new_rows_of_a_model_without_a_plan_have_none():
    x, plan = read_data_features(Data(x=torch.from_numpy(UNITS)), FeatureOptions.of_model(None), False)
    assert plan is None
    assert torch.equal(x, torch.from_numpy(UNITS).float())
    # Nor by that of their own table.
    data = Data(x=torch.zeros(30, 2), feature_table=pd.DataFrame(UNITS), feature_plan=FeaturePlan.fit(UNITS))
    assert torch.equal(read_data_features(data, FeatureOptions.of_model(None), False)[0], x)


def test_a_file_of_raw_columns(tmp_path):
    people = pd.DataFrame({"name": [f"n{i}" for i in range(30)], "age": UNITS[:, 0], "town": ["A", "B", "C"] * 10})
    people.to_csv(tmp_path / "people.csv", index=False)
    pd.DataFrame({"source": people.name, "target": np.roll(people.name, 1)}).to_csv(tmp_path / "edges.csv", index=False)
    data = datasets.read(tmp_path / "edges.csv", features=tmp_path / "people.csv")
    assert data.feature_plan.names == ["age", "town=A", "town=B", "town=C"]
    for options in (FeatureOptions(), AS_THEY_ARE, FeatureOptions.of_model(data.feature_plan)):
        x, plan = read_data_features(data, options, True)
        assert plan == data.feature_plan
        assert torch.equal(x, data.x)
    # A table that says nothing is no input, and is remembered.
    people[["name"]].assign(one=1).to_csv(tmp_path / "people.csv", index=False)
    data = datasets.read(tmp_path / "edges.csv", features=tmp_path / "people.csv")
    assert read_data_features(data, FeatureOptions(), True) == (None, data.feature_plan)
