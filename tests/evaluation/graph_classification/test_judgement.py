"""What is judged of whole graphs, and how much of it: by sizes, and without graphs that have no label."""

import numpy as np
import pytest

from genurl_graph.evaluation.graph_classification.figures import REFERENCES
from genurl_graph.evaluation.graph_classification.judgement import (
    SIZES,
    GraphPlan,
    graph_figures,
    judge_graphs,
    mean_ranks,
    plan_graphs,
)
from genurl_graph.evaluation.graph_classification.references import as_row, reference
from genurl_graph.evaluation.graph_classification.rows import Row
from genurl_graph.inputs.collection import GraphCollection
from tests.evaluation.blobs import blobs
from tests.graph.descriptors.conftest import planted, renumbered


@pytest.fixture(scope="module")
def collection() -> GraphCollection:
    return planted([6, 7, 8] * 8, seed=3)


@pytest.fixture
def two_strengths(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("svm", "few_labels"):
        monkeypatch.setattr(f"genurl_graph.evaluation.graph_classification.{module}.STRENGTHS", (0.1, 1.0))


@pytest.mark.usefixtures("two_strengths")
def test_graphs_without_a_label_are_left_out() -> None:
    z, y = blobs(90, 3, noise=2.0)
    row, plan = Row.of(z, y), GraphPlan(2)
    kept = graph_figures(row.take(np.arange(60)), y[:60], 0, plan)
    assert graph_figures(row, np.where(np.arange(90) < 60, y, -1), 0, plan) == kept


@pytest.mark.usefixtures("two_strengths")
def test_figures_are_those_of_the_seed_and_of_a_sample() -> None:
    z, y = blobs(90, 2, noise=9.0)
    found = judge_graphs(z, y, None, 0)
    assert found == judge_graphs(z, y, None, 0)
    assert found["graphs"].keys() == {"genurl"}
    assert found["graphs"]["genurl"].keys() == {"rbf", "linear"}
    assert found["graphs"] != judge_graphs(z, y, None, 1)["graphs"]
    plan = GraphPlan(2, graphs=60)
    assert graph_figures(Row.of(z, y), y, 0, plan).keys() == {"rbf", "linear", "few"}
    assert plan.cuts(90) == ["60 random graphs of 90", "2 of 9 inner folds"]


def test_labels_that_are_missing_or_too_few_are_told() -> None:
    z, y = blobs(60, 2)
    assert judge_graphs(z, None, None, 0)["left_out"] == {"graphs": "no labels, so no evaluation"}
    few = judge_graphs(z, np.where(np.arange(60) < 12, y, -1), None, 0)
    assert few["graphs"] is None
    assert few["left_out"]["graphs"].startswith("no classification of graphs: 6 graphs")


def test_less_is_done_of_more_graphs() -> None:
    assert plan_graphs(150, 1, 2).graphs is None
    small, large = plan_graphs(1_100, 5, 2), plan_graphs(50_000, 5, 3)
    assert small.graphs is None or small.graphs < 1_100
    assert large.inner == 2
    assert large.graphs in SIZES
    whole = plan_graphs(4_110, 5, 2, budget=None)
    assert whole == GraphPlan(4)
    assert "few" in whole.figures
    assert plan_graphs(50_000, 1, 2, budget=None).graphs == SIZES[0]


def test_references_do_not_depend_on_the_order_of_nodes(collection: GraphCollection) -> None:
    for name in ("histogram", "wl"):
        found = reference(name, collection, 0)
        assert np.allclose(found, reference(name, renumbered(collection, 1), 0))
        assert as_row(name, found, np.zeros(24)).rbf().shape == (24, 24)


def test_untrained_weights_are_those_of_the_seed(collection: GraphCollection) -> None:
    first, again, other = (reference("untrained", collection, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    joined = reference("concat", collection, 0)
    parts = [as_row(name, reference(name, collection, 0), np.zeros(24)).products() for name in REFERENCES]
    assert np.allclose(joined, sum(parts[:3]) / 3)
    assert joined.trace() == pytest.approx(24)


def test_the_kernel_is_that_of_grakel(collection: GraphCollection) -> None:
    grakel = pytest.importorskip("grakel")
    assert collection.x is not None
    kinds = collection.x.argmax(1).tolist()
    graphs = []
    for g in range(collection.num_graphs):
        nodes = range(*collection.node_ptr[g : g + 2].tolist())
        edges = slice(*collection.edge_ptr[g : g + 2].tolist())
        pairs = [tuple(pair) for pair in collection.edge_index[:, edges].T.tolist()]
        graphs.append([pairs, {v: kinds[v] for v in nodes}])
    expected = grakel.WeisfeilerLehman(n_iter=4, normalize=True, base_graph_kernel=grakel.VertexHistogram)
    assert np.allclose(reference("wl", collection, 0), expected.fit_transform(graphs))


def test_ranks_are_means_over_data_sets() -> None:
    tables = {"a": {"x": 0.9, "y": 0.8, "z": 0.1}, "b": {"x": 0.7, "y": 0.7}}
    assert mean_ranks(tables) == {"x": 1.25, "y": 1.75}
    assert mean_ranks({}) == {}
