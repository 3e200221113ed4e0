"""An embedding of events with a time: what is said of it, and what a metrics file holds of it."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from genurl_graph.experiments.results import percent

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.budget.clock import Clock
    from genurl_graph.evaluation.budget.judgement import Asked
    from genurl_graph.inputs.temporal.event_set import EventSet
    from genurl_graph.inputs.temporal.trajectory import Trajectory

NodeScores = dict[str, dict[str, float | None]]

# Against the truth of planted events.
NODE_FIGURES = {
    "clusters_window": "NMI, windows",
    "clusters_joint": "NMI, all rows",
    "changes_recall": "changes found",
    "changes_precision": "finds right",
    "identity_nmi": "NMI, nodes",
    "identity_probe": "probe, nodes",
}


def supra_graph_lines(summary: Mapping[str, Any]) -> list[str]:
    """The supra-graph of a run in words."""
    rows, windows, trained = summary["n_rows"], summary["n_windows"], summary["n_windows_trained"]
    part = "" if trained == windows else f", of {trained:,} windows that the encoder was trained on"
    return [
        f"supra-graph: {rows:,} rows, (node, window){part}; {windows:,} windows",
        f"{summary['n_interaction']:,} interaction edges, {summary['n_identity']:,} identity edges "
        f"({percent(summary['mass_identity'])} % of the total weight), {summary['n_feature']:,} kNN edges by activity",
    ]


def event_record(data: "EventSet", trajectory: "Trajectory") -> dict[str, Any]:
    """What a metrics file holds of events, beside what it holds of any input."""
    edges = data.edges
    return {
        "n_events": data.num_events,
        "n_windows": trajectory.num_windows,
        "n_rows": len(trajectory.node),
        "unit": data.unit,
        "span": [float(edges.time[0]), float(edges.time[-1])],
        "window_start": trajectory.starts.tolist(),
    }


def event_scores(
    estimator: "GenURL", data: "EventSet", asked: "Asked | None", clock: "Clock | None" = None
) -> dict[str, Any]:
    """Scores after a fit: of planted events against the truth, else by the labels of the nodes; None without either.

    Keys are those of `genurl_graph.evaluation.budget.judgement.judge`, and ``temporal_nodes``: row > figure.
    """
    from genurl_graph.evaluation.budget.judgement import KEYS, judge

    scores: dict[str, Any] = dict.fromkeys((*KEYS, "temporal_nodes"))
    if asked is None:
        return scores
    if data.states is not None:
        scores["temporal_nodes"] = node_scores(data, {"genurl": estimator.trajectory_}, estimator.seed_)
        return scores | {"evaluation": {"budget": asked.budget, "left_out": []}}
    found = judge(estimator.embedding_, data.graph(), "graph", estimator.seed_, asked, clock=clock)
    return scores | found


def node_scores(data: "EventSet", trajectories: "Mapping[str, Trajectory]", seed: int) -> NodeScores:
    """The protocol `temporal-nodes`: row > figure; rows that need no training stand beside the trajectories."""
    from genurl_graph.evaluation.temporal_nodes import judge_nodes

    found = {row: figures._asdict() for row, figures in judge_nodes(data, trajectories, seed=seed).items()}
    return {
        row: {
            f"{group}_{name}": None if math.isnan(value) else value
            for group, values in figures.items()
            for name, value in values.items()
        }
        for row, figures in found.items()
    }


def node_table(scores: Mapping[str, Mapping[str, float | None]]) -> Iterator[tuple[str, ...]]:
    """Rows of text of `node_scores`, heads first."""
    kinds = [(key, title) for key, title in NODE_FIGURES.items() if any(key in figures for figures in scores.values())]
    yield ("", *(title for _, title in kinds))
    for row, figures in scores.items():
        values = [figures.get(key) for key, _ in kinds]
        yield ("GenURL" if row == "genurl" else row, *("" if value is None else f"{value:.3f}" for value in values))
