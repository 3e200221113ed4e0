"""Tables and verdicts of bench_triples.py, as Markdown, from its results."""

from __future__ import annotations

from typing import Any

from shared import difference, markdown_row, mean_std, percent, table_head

PARTS = ("sets", "modalities")
METHODS = ("genurl", "distmult", "transe", "frequency")
MODALITIES, BARE = ("table", "text", "noise"), "none"
PLANTED = ("all", *MODALITIES, BARE, "frequency", "truth")
FIGURES = {"mrr": "MRR", "hits1": "Hits@1", "hits3": "Hits@3", "hits10": "Hits@10"}
TITLES = {name: f"GenURL, {name} features" for name in ("all", *MODALITIES)} | {BARE: "GenURL, no features"}
# From issue 24: ConvE's figures, CoDEx's for TransE and ComplEx. MRR.
PUBLISHED = {
    "umls": {"ConvE": 94},
    "kinships": {"ConvE": 83},
    "codex-s": {"TransE": 35.4, "ComplEx": 46.5},
}
# What has to be reached, MRR in per cent.
BARS = {"umls": 91.0, "kinships": 80.0, "codex-s": 35.4}
# Row -> seed -> figures.
Rows = dict[str, dict[str, dict[str, Any]]]


def report(results: dict[str, Any], n_seeds: int) -> None:
    """Print all tables, of what there is so far."""
    for part in PARTS:
        for name, rows in results[part].items():
            order = METHODS if part == "sets" else PLANTED
            table(part, name, {row: figures_of(rows[row], n_seeds) for row in order if row in rows})


def figures_of(runs: dict[str, dict[str, Any]], n_seeds: int) -> dict[str, dict[str, Any]]:
    """The runs of the seeds that are asked for, those that ended."""
    return {seed: run for seed, run in runs.items() if int(seed) < n_seeds and "mrr" in run}


def table(part: str, name: str, rows: Rows) -> None:
    """One data set, or one share of the triples, and what follows from it."""
    rows = {row: runs for row, runs in rows.items() if runs}
    if not rows:
        return
    title = name if part == "sets" else f"planted, {100 * float(name):g} % of the triples kept"
    reference = "genurl" if part == "sets" else BARE
    print(f"\n### {title}, per cent, {max(map(len, rows.values()))} seeds\n")
    print(table_head("", *FIGURES.values(), f"MRR from {TITLES.get(reference, reference)} [95 %]", "CPU s", "peak MB"))
    for row, runs in rows.items():
        found = [*runs.values()]
        shares = [percent(run[figure] for run in found) for figure in FIGURES]
        spent = mean_std([run["cpu_seconds"] for run in found]) if "cpu_seconds" in found[0] else "-"
        peak = f"{max(run['peak_mb'] for run in found):.0f}"
        print(markdown_row(TITLES.get(row, row), *shares, apart(rows, row, reference), spent, peak))
    for source, mrr in PUBLISHED.get(name, {}).items():
        print(markdown_row(f"{source}, published", mrr, *[""] * (len(FIGURES) + 2)))
    print()
    told = [run["pykeen"] for runs in rows.values() for run in runs.values() if "pykeen" in run]
    if told:
        print(f"PyKEEN's evaluator: largest difference {max(told):.0e}.")
    if name in BARS and "genurl" in rows:
        own = 100 * sum(run["mrr"] for run in rows["genurl"].values()) / len(rows["genurl"])
        print(f"GenURL's MRR {own:.1f}, at least {BARS[name]:g} wanted: {'yes' if own >= BARS[name] else 'NO'}.")


def apart(rows: Rows, row: str, reference: str) -> str:
    """Paired difference in MRR over the seeds that both have, in points."""
    both = sorted(rows[row].keys() & rows.get(reference, {}).keys(), key=int)
    if row == reference or not both:
        return "-"
    own, other = ([100 * rows[each][seed]["mrr"] for seed in both] for each in (row, reference))
    return difference(own, other)
