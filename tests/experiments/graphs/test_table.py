"""The table of whole graphs holds each accuracy apart, and what is no set of graphs does not get into it."""

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph.exceptions import InputError
from genurl_graph.experiments.graphs.table import GraphTable, graphs_of


def test_differences_are_paired_by_seed_for_each_accuracy() -> None:
    header = {"dataset": "MUTAG", "protocol": "graphs", "seeds": [0, 1]}
    table = GraphTable(header, {"device": "cpu", "threads": 1}, {"genurl": {}, "wl": {}}, None)
    for seed, shift in enumerate((0.0, 0.1)):
        for name, own in (("genurl", 0.8), ("wl", 0.7)):
            run = {"rbf": own + shift, "linear": own - shift, "few": 0.5, "seconds": 1.0, "peak_memory_mb": 5.0}
            table.add(name, run)
            assert len(table.todo(name)) == 1 - seed
    row = table.rows()["wl"]
    assert row["mean"] == pytest.approx({"rbf": 0.75, "linear": 0.65, "few": 0.5})
    for figure, difference in (("rbf", -0.1), ("linear", -0.1), ("few", 0.0)):
        assert row["difference"][figure] == pytest.approx(dict.fromkeys(("mean", "low", "high"), difference))
    assert table.table()[2][1:5] == ("75.0 ± 7.1", "65.0 ± 7.1", "50.0 ± 0.0", "-10.0 [-10.0, -10.0]")


def test_vectors_are_no_set_of_graphs() -> None:
    with pytest.raises(InputError, match="expected a data set of many graphs"):
        graphs_of(Data(x=torch.rand(5, 2)))
