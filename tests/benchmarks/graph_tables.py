"""Tables and verdicts of bench_graphs.py, as Markdown, from its results."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from shared import difference, markdown_row, mean_std, table_head

TRAINED, UNTRAINED = ("genurl", "graphcl", "infograph", "graphmae"), ("histogram", "wl", "untrained", "concat")
METHODS = (*TRAINED, *UNTRAINED)
FIGURES = {"rbf": "RBF SVM", "linear": "linear SVM", "few": "logistic regression on 10 % of the labels"}
# From GraphMAE's README and S2GAE's paper: C or the epoch chosen on test folds, one tuned configuration a data set.
PUBLISHED = {
    "InfoGraph": {"MUTAG": 89.0, "PROTEINS": 74.4, "NCI1": 76.2, "IMDB-BINARY": 73.0, "IMDB-MULTI": 49.7},
    "GraphCL": {"MUTAG": 86.8, "PROTEINS": 74.4, "NCI1": 77.9, "IMDB-BINARY": 71.1, "IMDB-MULTI": 48.6},
    "GraphMAE": {"MUTAG": 88.2, "PROTEINS": 75.3, "NCI1": 80.4, "IMDB-BINARY": 75.5, "IMDB-MULTI": 51.6},
    "S2GAE": {"MUTAG": 88.3, "PROTEINS": 76.4, "NCI1": 80.8, "IMDB-BINARY": 75.8, "IMDB-MULTI": 51.8},
}
# Data set -> method -> seed -> figures; and data set -> method -> accuracies in per cent by seed.
Runs = dict[str, dict[str, dict[str, dict[str, Any]]]]
Accuracies = dict[str, dict[str, dict[int, float]]]


def report(runs: Runs, names: Sequence[str], methods: Sequence[str], n_seeds: int) -> None:
    """Print all tables, of what there is so far."""
    for figure, title in FIGURES.items():
        found = {name: accuracies(runs.get(name, {}), methods, figure, n_seeds) for name in names}
        print(f"\n## {title}, accuracy in per cent\n")
        accuracy_table(found, names, methods, published=figure != "few")
        if "genurl" in methods:
            print()
            gain_table(found, names, title)
    cost_table(runs, names, methods)


def accuracies(
    runs: dict[str, dict[str, dict[str, Any]]], methods: Sequence[str], figure: str, n_seeds: int
) -> dict[str, dict[int, float]]:
    """Accuracy of each method by seed, in per cent."""
    return {
        method: {int(s): 100 * run[figure] for s, run in runs[method].items() if int(s) < n_seeds and figure in run}
        for method in methods
        if any(figure in run for run in runs.get(method, {}).values())
    }


def accuracy_table(found: Accuracies, names: Sequence[str], methods: Sequence[str], published: bool) -> None:
    """Mean and deviation of each method on each set of graphs, and its mean rank among all."""
    from genurl_graph.evaluation.graph_classification.judgement import mean_ranks

    means = {name: mean_of(found[name]) for name in names if found[name]}
    ranks = mean_ranks(means)
    print(table_head("method", *names, "mean rank", "seeds"))
    for method in methods:
        cells = [mean_std([*found[name][method].values()]) if method in found[name] else "-" for name in names]
        seeds = {len(found[name][method]) for name in names if method in found[name]}
        rank = f"{ranks[method]:.2f}" if method in ranks else "-"
        print(
            markdown_row(
                method,
                *cells,
                rank,
                "-".join(str(count) for count in sorted({min(seeds), max(seeds)})) if seeds else "0",
            )
        )
    for source, figures in PUBLISHED.items() if published else ():
        print(markdown_row(f"{source}, published", *(figures.get(name, "-") for name in names), "", ""))


def gain_table(found: Accuracies, names: Sequence[str], title: str) -> None:
    """GenURL less the best row without training, less all of them side by side, and less each trained baseline."""
    others = [method for method in TRAINED[1:] if any(method in found[name] for name in names)]
    print(table_head(f"GenURL, {title}", "best single row", "from it [95 %]", "from concat [95 %]", *others))
    above, below, compared = {"single": 0, "concat": 0}, [], 0
    for name in names:
        own = found[name].get("genurl")
        means = mean_of({method: found[name][method] for method in UNTRAINED[:3] if method in found[name]})
        if not own or not means:
            continue
        compared += 1
        best = max(means, key=lambda method: means[method])
        rows = {"single": best, "concat": "concat", **{method: method for method in others}}
        cells = {key: paired(own, found[name].get(method, {})) for key, method in rows.items()}
        for key in above:
            gain = statistics.fmean(own.values()) - statistics.fmean(found[name].get(rows[key], own).values())
            above[key] += gain > 0
            if gain < -(statistics.stdev(own.values()) if len(own) > 1 else 0.0):
                below.append(f"{name} ({rows[key]} {gain:+.1f})")
        print(markdown_row(name, best, *cells.values()))
    print(
        f"\nAbove the best single row without training on {above['single']} of {compared}, above their concatenation "
        f"on {above['concat']}; below by more than the deviation: {', '.join(below) or 'nowhere'}."
    )


def paired(own: dict[int, float], other: dict[int, float]) -> str:
    """Difference over the seeds that both have."""
    both = sorted(own.keys() & other.keys())
    return difference([own[seed] for seed in both], [other[seed] for seed in both]) if both else "-"


def mean_of(found: dict[str, dict[int, float]]) -> dict[str, float]:
    """Mean accuracy of each method."""
    return {method: statistics.fmean(values.values()) for method, values in found.items() if values}


def cost_table(runs: Runs, names: Sequence[str], methods: Sequence[str]) -> None:
    """CPU seconds of an embedding, and what did not end."""
    print("\n## CPU seconds of an embedding\n")
    print(table_head("method", *names))
    for method in methods:
        cells = []
        for name in names:
            rows = [*runs.get(name, {}).get(method, {}).values()]
            done = [row["cpu"] for row in rows if "cpu" in row]
            failed = next(
                (f"over {row['over']:g}" if "over" in row else row["error"] for row in rows if "cpu" not in row), "-"
            )
            cells.append(mean_std(done) if done else failed)
        print(markdown_row(method, *cells))
