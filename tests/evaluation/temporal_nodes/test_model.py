"""GenURL on a small planted set: groups in windows and changes, beside rows without training."""

from genurl_graph import GenURL
from genurl_graph.datasets.planted_switching import planted_switching
from genurl_graph.evaluation.temporal_nodes import judge_nodes


def test_groups_are_found_in_each_window_and_changes_when_they_happen() -> None:
    events = planted_switching(400, 15_000, communities=4, spans=14, seed=1)
    settings = {"temporal.positions": 16, "training.epochs": 5}
    model = GenURL(task="temporal", windows="1d", random_state=0, config=settings).fit(events)
    found = judge_nodes(events, {"GenURL": model.trajectory_})
    mine, alone = found["GenURL"], found["spectral, each window"]
    assert mine.clusters["window"] > max(0.9, alone.clusters["window"] + 0.1)
    assert mine.clusters["joint"] > 0.9
    assert mine.changes["recall"] > 0.85
    assert mine.changes["precision"] > 0.75
    assert abs(mine.changes["delay"]) < 0.5
    assert mine.identity["probe"] > 0.9
