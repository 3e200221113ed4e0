"""Figures of two runs side by side."""

from genurl_graph.experiments.repeat import agree


def test_shares_are_compared_in_points_and_counts_as_they_are() -> None:
    assert agree("probe.test", {"probe.test": 0.02}, {"probe.test": 0.035}, 0.02)
    assert not agree("loss", {"loss": 0.02}, {"loss": 0.035}, 0.02)
    assert not agree("n_nodes", {"n_nodes": 100}, {"n_nodes": 101}, 0.02)
    assert not agree("knn.test", {"knn.test": 0.5}, {}, 0.02)
