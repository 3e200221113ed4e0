"""The user's own edges: read as rows, and written so that they join back."""

from types import SimpleNamespace

import pandas as pd
import torch

from genurl_graph.experiments.sources import Source, write_result
from genurl_graph.inputs.edge_rows import EdgeSet
from genurl_graph.inputs.reading import ReadOptions


def test_a_table_is_read_as_rows_and_its_embedding_joins_back(tmp_path) -> None:
    roads = pd.DataFrame({"u": [7, 7, 8], "v": [8, 8, 9], "key": [0, 1, 0], "lanes": [1, 2, 3], "kind": [*"aba"]})
    roads.to_csv(tmp_path / "roads.csv", index=False)
    source = Source(None, tmp_path / "roads.csv", options=ReadOptions.of(columns={"label": "kind"}))
    data = source.load(edges=True)
    assert isinstance(data, EdgeSet)
    estimator = SimpleNamespace(embedding_=torch.eye(3))
    files = write_result(tmp_path / "z.csv", estimator, data, own_file=True)
    assert [*files.values()] == [tmp_path / "z.csv"]
    found = pd.read_csv(tmp_path / "z.csv")
    joined = roads.merge(found, left_on=["u", "v", "key"], right_on=["source", "target", "key"])
    assert joined[["e0", "e1", "e2"]].to_numpy().tolist() == torch.eye(3).tolist()
    assert joined["label"].tolist() == ["a", "b", "a"]
