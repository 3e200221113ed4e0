"""Tables and verdicts of bench_nodes.py, as Markdown, from its results."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from shared import difference, markdown_row, mean_std, percent, table_head

OWN, FIXED = ("genurl", "untrained"), ("raw", "propagated")
DEFAULT_METHODS = ("genurl", *FIXED, "untrained", "cca-ssg", "bgrl", "graphmae", "grace", "node2vec")
# GenURL must be the best of all or this close to it, in per cent, on all data sets but one.
CLOSE = 0.3
# Method -> seed -> figures.
Runs = dict[str, dict[str, dict[str, Any]]]


def report(
    results: dict[str, Any],
    names: Sequence[str],
    methods: Sequence[str],
    links: Sequence[str],
    n_seeds: int,
    best: dict[str, str | None],
) -> None:
    """Print all tables, of what there is so far."""
    runs = {name: results["runs"].get(name, {}) for name in names}
    test = {name: {method: accuracies(runs[name], method, n_seeds) for method in methods} for name in names}
    print(table_head("data set", "method", "seeds", "accuracy", "from GenURL [95 %]", "columns", "CPU s"))
    for name in names:
        for method in methods:
            if method in runs[name]:
                label = method + shortened(runs[name][method])
                print(markdown_row(name, label, *probe_cells(runs[name][method], test[name], method)))
    if "genurl" in methods:
        own_table(runs, results["choices"], n_seeds, best)
    if links:
        print("\nHeld-out links, AUC by cosine\n")
        print(table_head("data set", "seeds", "GenURL", "untrained", "propagated"))
    for name in links:
        rows = [results["links"].get(name, {}).get(row, {}) for row in (*OWN, "propagated")]
        found = [[run["auc"] for seed, run in row.items() if int(seed) < n_seeds and "auc" in run] for row in rows]
        if found[0]:
            print(markdown_row(name, len(found[0]), *(percent(values) if values else "-" for values in found)))
    if "genurl" in methods:
        verdicts(test)


def accuracies(runs: Runs, method: str, n_seeds: int) -> dict[int, float]:
    """Test accuracy in per cent by seed; on given splits, that of a row that no seed changes holds for all."""
    rows = runs.get(method, {})
    if method in FIXED and rows.get("0", {}).get("protocol") == "public":
        rows = {str(seed): rows["0"] for seed in range(n_seeds)}
    return {seed: 100 * rows[str(seed)]["test"] for seed in range(n_seeds) if "test" in rows.get(str(seed), {})}


def probe_cells(rows: dict[str, dict[str, Any]], test: dict[str, dict[int, float]], method: str) -> tuple[str, ...]:
    """Cells of a method beside its name: seeds, accuracy, difference, columns, CPU seconds."""
    found, reference = test[method], test.get("genurl", {})
    if not found:
        first = next(iter(rows.values()))
        return ("0", f"over budget ({first['over']:g} s)" if "over" in first else first.get("error", "-"), "", "", "")
    both = sorted(found.keys() & reference.keys())
    paired = [found[seed] for seed in both], [reference[seed] for seed in both]
    apart = difference(*paired) if both and method != "genurl" else ""
    finished = [row for row in rows.values() if "test" in row]
    seconds = [row["cpu"] for row in finished if "cpu" in row]
    seeds = 1 if method in FIXED and finished[0]["protocol"] == "public" else len(found)
    values = list(found.values())[:seeds]
    return str(seeds), mean_std(values), apart, f"{finished[0]['columns']:,}", f"{mean_std(seconds)}" if seconds else ""


def shortened(rows: dict[str, dict[str, Any]]) -> str:
    """What stands behind the name of a method that got fewer epochs than published."""
    epochs = next((row["epochs"] for row in rows.values() if "epochs" in row), None)
    return "" if epochs is None else f" ({epochs[0]:,} of {epochs[1]:,} epochs)"


def own_table(runs: dict[str, Runs], choices: dict[str, Runs], n_seeds: int, best: dict[str, str | None]) -> None:
    """The other figures of GenURL, and what labels chose."""
    print("\nGenURL's other figures\n")
    print(table_head("data set", "protocol", "splits", "val", "kNN", "k-means ACC", "NMI", "ARI"))
    for name, found in runs.items():
        rows = [row for seed, row in found.get("genurl", {}).items() if int(seed) < n_seeds and "test" in row]
        if rows:
            val = "-" if rows[0]["val"] is None else percent([row["val"] for row in rows])
            clusters = (percent([row["cluster"][key] for row in rows]) for key in ("acc", "nmi", "ari"))
            cells = (rows[0]["protocol"], rows[0]["splits"], val, percent([row["knn"] for row in rows]), *clusters)
            print(markdown_row(name, *cells))
    for name in filter(best.get, runs):
        figures = (f"{value} {percent([row['val'] for row in by.values()])}" for value, by in choices[name].items())
        print(f"\n{name}: {best[name]} chosen ({', '.join(figures)})")


def verdicts(test: dict[str, dict[str, dict[int, float]]]) -> None:
    """Whether GenURL is nowhere below the rows without training, and nearly everywhere the best or close to it."""
    below, behind, n_sets = [], [], 0
    for name, found in test.items():
        mean = {method: statistics.fmean(values.values()) for method, values in found.items() if values}
        if "genurl" not in mean:
            continue
        n_sets += 1
        ours = list(found["genurl"].values())
        deviation = statistics.stdev(ours) if len(ours) > 1 else 0.0
        for method in (*FIXED, "untrained"):
            if mean["genurl"] < mean.get(method, 0) - deviation:
                below.append(f"{name} ({mean['genurl']:.1f} ± {deviation:.1f}, {method} {mean[method]:.1f})")
        winner = max(mean, key=lambda method: mean[method])
        if mean["genurl"] < mean[winner] - CLOSE:
            behind.append(f"{name} ({winner} {mean[winner]:.1f}, {mean['genurl'] - mean[winner]:+.1f})")
    print(f"\nBelow a row without training by more than its deviation: {', '.join(below) or 'nowhere'}.")
    print(
        f"Best or within {CLOSE} of the best on {n_sets - len(behind)} of {n_sets}; not on: {', '.join(behind) or '-'}."
    )
    print(f"All data sets but one, and nowhere below: {'yes' if not below and len(behind) <= 1 else 'no'}.")
