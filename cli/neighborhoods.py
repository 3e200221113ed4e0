"""``genurl-graph evaluate --protocol reduce`` and ``retrieval``: an embedding against the data set's own vectors."""

import functools
from collections.abc import Iterator, Sequence
from operator import getitem
from typing import TYPE_CHECKING, Any

from genurl_graph.cli.report import Report
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.results import mean_text
from genurl_graph.experiments.scores import mean_of_runs, retrieval_run

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

PROTOCOLS = ("reduce", "retrieval")

# Score of the protocol reduce -> title; shares are printed in per cent, the others as they are.
TITLES = {
    "knn_accuracy": "10-NN accuracy, per cent",
    "raw_knn_accuracy": "10-NN accuracy of raw features, per cent",
    "knn_test": "10-NN accuracy, test against train, per cent",
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "triplets": "random-triplet accuracy",
    "pieces": "pieces of a class",
    "largest_piece": "share of a class in its largest piece",
    "spearman": "Spearman of distances",
}
# Score of the protocol retrieval -> title; K is how many are looked at.
RETRIEVAL_TITLES = {
    "map": "mean average precision of labels",
    "label_recall": "label among the first K",
    "neighbor_recall": "true K nearest among the first K",
    "n_queries": "queries",
    "n_database": "items in the database",
}


def evaluate_neighborhoods(
    z: "Tensor",
    name: str,
    data: "Data",
    protocol: str,
    seeds: Sequence[int],
    budget: float | None,
    report: Report,
    metric: str = "euclidean",
) -> dict[str, Any]:
    """Print the scores of an embedding, and return them for the metrics file; seeds change folds and samples only.

    `budget` and `metric` as in `genurl_graph.evaluation.preservation.reduce_scores`, for the protocol reduce.
    """
    from genurl_graph.evaluation.budget.clock import evaluation_clock
    from genurl_graph.evaluation.budget.judgement import map_scores

    if getattr(data, "x", None) is None:
        raise InputError(f"--protocol {protocol}: data set {name} has no vectors to compare the embedding with")
    runs, cut = [], []
    for seed in seeds:
        with evaluation_clock(quiet=report.quiet) as clock:
            if protocol == "reduce":
                scores = map_scores(z, data.x, data, seed, budget, clock, raw=True, metric=metric)
                cut, run = scores["evaluation"]["left_out"], scores["reduce"]
            else:
                run = retrieval_run(z, data, seed)
        runs.append(run)
    how = runs[0]["how"]
    means = mean_of_runs([{key: value for key, value in run.items() if key != "how"} for run in runs])
    rows = []
    for path in score_paths(means):
        values = [functools.reduce(getitem, path, run) for run in runs]
        rows.append((title(path), cell(path, values)))
    report.table(rows)
    for line in dict.fromkeys(how.values()):
        keys = [key for key in how if how[key] == line and key in TITLES]
        report.line(f"{', '.join(TITLES[key].removesuffix(', per cent') for key in keys)}: {line}" if keys else line)
    if cut:
        report.line(f"in part: {'; '.join(cut)}; --full uses all")
    return {protocol: means, "how": how, "runs": runs}


def score_paths(scores: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Keys that lead to each number of nested scores."""
    for key, value in scores.items():
        if isinstance(value, dict):
            yield from score_paths(value, (*above, key))
        else:
            yield (*above, key)


def title(path: tuple[str, ...]) -> str:
    """Title of a score."""
    if len(path) == 1:
        return TITLES[path[0]]
    metric, score, *k = path
    return f"{metric}: {RETRIEVAL_TITLES[score].replace('K', str(*k))}"


def cell(path: tuple[str, ...], values: list[Any]) -> str:
    """The values of all seeds for people."""
    if path[-1] in ("n_queries", "n_database"):
        return f"{values[0]:,}"
    if len(path) > 1 or "knn" in path[0]:
        return mean_text(values)
    return mean_text(values, 2 if path[0] == "pieces" else 4, 1)
