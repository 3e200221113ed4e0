"""The merged graph computed alone is the one that a fit trains on."""

import pytest
import torch

from genurl_graph import GenURL, datasets
from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import as_input
from genurl_graph.tasks.merged_graph import merged_graph

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("karate", {"task": "graph"}),
        ("blocks", {"task": "graph", "config": {"merge.evidence": "none"}}),
        ("blocks", {"task": "graph", "config": {"merge.how": "geodesic"}}),
        ("blocks", {"task": "reduce"}),
        ("blocks", {"task": "reduce", "encoder": "linear", "config": {"encoder.normalize": "pca", "neighbors.pca": 4}}),
    ],
)
def test_merge_equals_that_of_a_fit(name: str, options: dict, ogb_blocks, one_thread: None) -> None:
    data = datasets.load("karate") if name == "karate" else datasets.load("ogbn-arxiv", ogb_blocks)
    model = GenURL(2, epochs=1, random_state=3, **options).fit(data)
    merged, neighbors = merged_graph(as_input(data, features=FeatureOptions()), model.config_, 3, CPU)
    for alone, fitted in zip(merged[:3], model.graph_[:3], strict=True):
        torch.testing.assert_close(alone, fitted, rtol=0, atol=0)
    assert (neighbors is None) == (name == "karate")


def test_distillation_is_refused() -> None:
    with pytest.raises(InputError, match="distill"):
        merged_graph(as_input(torch.randn(20, 3)), load_preset("distill"), 0, CPU)
