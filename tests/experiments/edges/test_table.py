"""The table of edges: splits apart, differences by seed, and no columns of blocks where there are none."""

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph.exceptions import InputError
from genurl_graph.experiments.edges.table import EdgeTable, earlier_of, edges_of


def filled(blocks: int | None) -> EdgeTable:
    header = {"dataset": "roads", "protocol": "edges", "split": "given", "blocks": blocks, "seeds": [0, 1]}
    table = EdgeTable(header, {"device": "cpu", "threads": 1}, {"genurl": {}, "raw": {}, "majority": {}}, None)
    for shift in (0.0, 0.1):
        for name, own in (("genurl", 0.8), ("raw", 0.6), ("majority", 0.4)):
            space = {"blocks_micro": None, "blocks_macro": None}
            if blocks:
                space = {"blocks_micro": own - shift, "blocks_macro": own - 0.1}
            table.add(name, {"micro": own, "macro": own - 0.2, **space, "seconds": 1.0, "peak_memory_mb": 5.0})
    return table


def test_both_splits_stand_side_by_side_with_paired_differences() -> None:
    table = filled(20)
    row = table.rows()["raw"]
    assert row["difference"]["micro"] == pytest.approx({"mean": -0.2, "low": -0.2, "high": -0.2})
    assert row["mean"]["blocks_micro"] == pytest.approx(0.55)
    heads = table.table()[0]
    assert heads[1:5] == ("micro F1", "macro F1", "micro F1, blocks", "macro F1, blocks")
    assert table.table()[2][3] == "55.0 ± 7.1"
    assert "20 blocks of space" in table.caption()
    assert table.notes() == ["majority reads labels of the training edges"]
    assert earlier_of(table, "raw")["micro"] == 0.6


def test_without_blocks_there_are_no_columns_of_them() -> None:
    table = filled(None)
    assert not any("blocks" in head for head in table.table()[0])
    assert "blocks" not in table.caption()
    assert table.rows()["raw"]["mean"]["blocks_micro"] is None


def test_a_graph_whose_rows_are_nodes_is_refused() -> None:
    with pytest.raises(InputError, match="--task edges: found a data set whose rows are not edges"):
        edges_of(Data(x=torch.rand(5, 2)))
