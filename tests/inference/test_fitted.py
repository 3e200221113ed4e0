"""What a fitted model says of itself, and what it answers where there is nothing to show."""

import networkx
import pytest

from genurl_graph import GenURL, datasets


@pytest.fixture(scope="module")
def model() -> GenURL:
    return GenURL(8, random_state=0, epochs=1, config={"encoder.hidden": 8}).fit(datasets.load("karate"))


def test_reprs_are_a_line(model: GenURL) -> None:
    assert repr(model.model_) == "TrainedModel(task graph, encoder gcn, 1 epoch, embedding [34, 8])"
    assert repr(model.graph_) == "MergedGraph(34 nodes, 78 edges: 78 predefined)"


def test_the_graph_is_the_users_with_its_names(model: GenURL) -> None:
    graph = model.graph_.to_networkx(model.node_id_)
    assert {frozenset(edge) for edge in graph.edges} == {frozenset(edge) for edge in networkx.karate_club_graph().edges}


def test_parts_that_a_model_lacks_are_named(model: GenURL, tmp_path) -> None:
    assert not hasattr(GenURL(), "graph_")
    with pytest.raises(AttributeError, match=r"^trajectory_: a model of task graph has none$"):
        _ = model.trajectory_
    model.save(tmp_path / "model")
    with pytest.raises(AttributeError, match=r"^graph_: a loaded model has none$"):
        _ = GenURL.load(tmp_path / "model").graph_
