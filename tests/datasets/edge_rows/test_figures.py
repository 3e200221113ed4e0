"""Figures of edges that are rows."""

import torch

from genurl_graph.datasets.edge_rows.figures import edge_figures, first_edge_rows
from genurl_graph.datasets.inspection import inspect
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from genurl_graph.inputs.reading import ReadOptions


def test_figures_count_edges_pairs_and_what_meets() -> None:
    ends = EdgeEnds(torch.tensor([[0, 0, 1, 2], [1, 1, 2, 2]]), 5)
    found = edge_figures(EdgeSet(ends, y=torch.tensor([0, -1, 1, 1])))
    assert (found["edges"], found["nodes"], found["idle"], found["pairs"], found["self_loops"]) == (4, 5, 2, 3, 1)
    assert found["at_a_node"]["most"] == 3
    assert found["labelled"] == 3
    assert found["length"] is None


def test_the_first_edges_have_names_keys_and_labels() -> None:
    ends = EdgeEnds(torch.tensor([[0, 1], [1, 2]]), 3, node_id=["a", "b", "c"], key=[0, 4])
    rows = first_edge_rows(
        EdgeSet(ends, x=torch.tensor([[1.0], [2.0]]), y=torch.tensor([1, -1]), label_names=["p", "q"])
    )
    assert rows == [["source", "target", "key", "label", "1"], ["a", "b", "0", "q", 1.0], ["b", "c", "4", "", 2.0]]


def test_inspect_shows_them_and_says_what_each_column_is(tmp_path) -> None:
    text = "u,v,key,lanes,highway\n10,11,0,1,street\n10,11,1,2,road\n11,12,0,3,road\n"
    (tmp_path / "roads.csv").write_text(text, encoding="utf-8")
    found = inspect(tmp_path / "roads.csv", options=ReadOptions.of("edge-rows", {"label": "highway"}))
    assert found["error"] is None
    assert found["edge_rows"]["edges"] == 3
    roles = {column["column"]: column["role"] for column in found["columns"]}
    assert roles == {"u": "source", "v": "target", "key": "key", "lanes": "feature", "highway": "label"}
