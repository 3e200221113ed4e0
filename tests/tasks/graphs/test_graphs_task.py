"""The recipe of collections of graphs: from a collection to a trained embedding."""

from pathlib import Path
from typing import Any

import pytest
import torch

from genurl_graph import datasets
from genurl_graph.config import Config
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.collection.convert import as_collection
from genurl_graph.inputs.input import Input
from genurl_graph.runtime.random import seeded
from genurl_graph.tasks import TrainingProblem
from genurl_graph.tasks.graphs import build, resolve_graphs
from genurl_graph.training.loop import train
from tests.nn.graphs.random_graphs import random_graphs

FEW: dict[str, Any] = {"training.epochs": 8, "sampling.batch_size": 8, "encoder.hidden": 8, "encoder.dim": 40}


def as_input(collection: GraphCollection) -> Input:
    return Input(None, None, None, collection.num_graphs, "torch", graphs=collection)


def problem(collection: GraphCollection, **asked: Any) -> TrainingProblem:
    data = as_input(collection)
    with seeded(0):
        return build(data, resolve_graphs(data, {**FEW, **asked}), 0, torch.device("cpu"))


@pytest.fixture(scope="module")
def graphs() -> GraphCollection:
    return random_graphs([5, 0, 1, 7, 4, 12, 3, 2, 9, 6, 8, 8], 3)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"merge.feature_weight": 0.0},
        {"views.self_weight": 0.0},
        {"similarity.among": "samples"},
        {"encoder.dim": 2},
        {"graphs.kinds": "guided,subgraph"},
        {"training.precision": "bf16"},
        {"encoder.skip": 0, "encoder.pooling": "max", "loss.name": "infonce", "neighbors.n_neighbors": 2},
    ],
)
def test_a_collection_is_embedded(graphs: GraphCollection, asked: dict[str, Any]) -> None:
    made = problem(graphs, **asked)
    assert isinstance(made.config, Config)
    before = {name: p.detach().clone() for name, p in made.objective.named_parameters()}
    with seeded(0):
        losses = train(made.objective, made.config.training)
    z = made.objective.embed()
    assert z.shape == (graphs.num_graphs, made.config.encoder.dim)
    assert torch.isfinite(z).all()
    assert len(losses) == 8
    # What is hidden changes with the progress of the training, and so does how hard it is.
    assert sum(losses[4:]) < sum(losses[:4]) or "graphs.kinds" in asked
    # Every weight has moved.
    moved = [name for name, p in made.objective.named_parameters() if torch.equal(p, before[name])]
    assert moved == []
    assert (made.merged.edge_index.numel() > 0) == (asked.get("merge.feature_weight") != 0)


def test_two_runs_agree_to_the_bit(graphs: GraphCollection) -> None:
    found = []
    for _ in range(2):
        made = problem(graphs)
        with seeded(0):
            train(made.objective, made.config.training)  # type: ignore[union-attr]
        found.append(made.objective.embed())
    assert torch.equal(*found)


def test_a_config_is_resolved(graphs: GraphCollection) -> None:
    data = as_input(graphs)
    resolved = resolve_graphs(data, {})
    assert resolved.task == "graphs"
    assert resolved.encoder.skip > 0
    assert resolved.similarity.perplexity == resolved.neighbors.n_neighbors
    # Two columns are a map of what is trained.
    assert resolve_graphs(data, {"encoder.dim": 2}).encoder.skip == 0
    few = as_input(graphs.take(torch.tensor([0, 3, 4])))
    assert resolve_graphs(few, {}).neighbors.n_neighbors == 2
    # Large collections are passed through less often, unless it is asked for.
    assert resolved.training.epochs == 60
    assert resolve_graphs(data._replace(num_nodes=100_000), {}).training.epochs == 10
    assert resolve_graphs(data._replace(num_nodes=100_000), {"training.epochs": 50}).training.epochs == 50
    with pytest.raises(InputError, match=r"^encoder.skip: found 40 of 40 columns; expected less than 40"):
        resolve_graphs(data, {"encoder.dim": 40, "encoder.skip": 40})
    with pytest.raises(InputError, match=r"^task graphs: encoder: found 'gcn'; expected gin"):
        resolve_graphs(data, {"encoder.name": "gcn"})


def test_what_cannot_be_is_refused(graphs: GraphCollection) -> None:
    with pytest.raises(InputError, match=r"found 0 for both; expected edges of at least one source"):
        problem(graphs, **{"merge.feature_weight": 0, "views.self_weight": 0})
    with pytest.raises(InputError, match=r"^data: found 1 graphs with nodes; expected at least 2"):
        problem(graphs.take(torch.tensor([0, 1])))


@pytest.mark.data
def test_mutag_is_told_apart_without_its_labels(data_root: Path) -> None:
    if not (data_root / "TUDataset" / "MUTAG").is_dir():
        pytest.skip(f"{data_root} has no TUDataset/MUTAG")
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    mutag = datasets.load("mutag", root=data_root)
    data = as_collection(mutag)
    with seeded(0):
        made = build(data, resolve_graphs(data, {"training.epochs": 10}), 0, torch.device("cpu"))
        train(made.objective, made.config.training)  # type: ignore[union-attr]
    z = made.objective.embed()
    assert z.shape[0] == 188
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    # The larger class has 66.5 %.
    assert cross_val_score(model, z.numpy(), mutag.y.numpy(), cv=10).mean() > 0.8
