"""The run that an embedding came from, out of what embed wrote of it."""

import json
from pathlib import Path

import torch

from genurl_graph.experiments.explorer.compose import drawn
from genurl_graph.experiments.explorer.runs import known_run
from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.collection.graph_set import GraphSet


def chains() -> GraphSet:
    """Four chains of three nodes, the edges of both directions."""
    ends = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    edges = torch.cat([ends + 3 * i for i in range(4)], 1)
    return GraphSet.of(GraphCollection(None, edges, None, None, 3 * torch.arange(5), 4 * torch.arange(5)))


def test_edges_of_a_graph_count_once() -> None:
    (nodes, edges), _ = drawn(chains())
    assert (nodes.values.tolist(), edges.values.tolist()) == ([3] * 4, [2] * 4)  # type: ignore[union-attr]


def test_a_run_whose_graphs_had_fewer_descriptors_than_were_asked_for_is_found_again(tmp_path: Path) -> None:
    metrics = tmp_path / "m.json"
    config = {"encoder": {"name": "gin", "dim": 12, "skip": 32}, "loss": {"gamma": 0.7}}
    metrics.write_text(json.dumps({"config": config, "seed": 3, "task": "graphs", "n_graphs": 4}))
    run = known_run("chains", chains(), metrics)
    assert (run.config.encoder.skip, run.config.loss.gamma, run.seed) == (32, 0.7, 3)
