"""The README's table of results: print it, run what it is made of, or write it into the README.

    python tests/benchmarks/readme_table.py            # print it, from tests/benchmarks/results/nodes.json
    python tests/benchmarks/readme_table.py --run      # run what is missing there, then print it
    python tests/benchmarks/readme_table.py --write    # put it between the markers in README.md

`--run` is bench_nodes.py with the options below, one process of one thread: two hours on an idle core, most of them for
Amazon Photo. The file is that of docs/results/nodes.md, rewritten after each run: stop when you like, and go on
by the same command; `--datasets cora` runs a part. Each run holds the commit that computed it, GenURL's the settings
that the data decided. To measure anew, name a new file by `--runs`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import bench_nodes
from node_tables import accuracies
from shared import benchmark_parser, markdown_row, mean_std, read_runs, table_head

REPOSITORY = Path(__file__).resolve().parents[2]
RUNS, README = Path(__file__).with_name("results") / "nodes.json", REPOSITORY / "README.md"
BEGIN, END = "<!-- results -->", "<!-- /results -->"
SEEDS, REPEATS = 10, 5
# Of baselines: epochs, and CPU seconds of one fit.
MOST_EPOCHS, BUDGET = 300, 400
# Names of the registry, and heads of the columns.
DATASETS = {"Cora": "Cora", "CiteSeer": "CiteSeer", "Amazon-Photo": "Amazon Photo"}
METHODS = {
    "genurl": "**GenURL**",
    "cca-ssg": "CCA-SSG",
    "untrained": "GenURL, untrained",
    "propagated": "propagated features",
    "raw": "raw features",
}
# From the papers, by their own classifiers: arXiv 2205.10803 and arXiv 2102.06514.
PUBLISHED = {"Cora": "84.2 (GraphMAE)", "CiteSeer": "73.4 (GraphMAE)", "Amazon-Photo": "93.2 (BGRL)"}


def main() -> int:
    """Run, write, print; 1 if a run failed or no data set is complete."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--run", action="store_true", help="run what is missing")
    parser.add_argument("--datasets", default=",".join(DATASETS), metavar="NAME,...", help="run these only")
    parser.add_argument("--runs", type=Path, default=RUNS, help="file of the runs")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    failed = 0
    if options.run:
        from genurl_graph.runtime.files import write_json

        options.runs.parent.mkdir(parents=True, exist_ok=True)
        asked = {"datasets": options.datasets, "methods": ",".join(METHODS), "seeds": SEEDS, "repeats": REPEATS}
        asked |= {"most-epochs": MOST_EPOCHS, "budget": BUDGET}
        words = [f"--{key}={value}" for key, value in asked.items()]
        failed = bench_nodes.main([*words, f"--output={options.runs}"])
        write_json(options.runs, (found := read_runs(options.runs)) | {"days": days(commits(found["runs"]))})
    results = read_runs(options.runs)
    if gaps := missing(results.get("runs", {})):
        print(f"left out, as runs are missing: {', '.join(gaps)}; go on with --run", file=sys.stderr)
    if len(gaps) == len(DATASETS):
        return 1
    text = table(results)
    if options.write:
        README.write_text(replaced(README.read_text(encoding="utf-8"), text), encoding="utf-8")
    print(text)
    return failed


def missing(runs: dict[str, Any]) -> list[str]:
    """Data sets of which a row lacks seeds."""
    found = {name: [len(accuracies(runs.get(name, {}), row, SEEDS)) for row in METHODS] for name in DATASETS}
    return [name for name, counts in found.items() if min(counts) < SEEDS]


def table(results: dict[str, Any]) -> str:
    """The table of what is complete and the line below it, as Markdown; the best mean of a column is bold."""
    names = [name for name in DATASETS if name not in missing(results["runs"])]
    runs = {name: {row: results["runs"][name][row] for row in METHODS} for name in names}
    test = {name: {row: [*accuracies(runs[name], row, SEEDS).values()] for row in METHODS} for name in names}
    lines = [table_head("Method", *(DATASETS[name] for name in names))]
    for method, label in METHODS.items():
        lines.append(markdown_row(label, *(cell(test[name], method) for name in names)))
    lines.append(markdown_row("best published", *(PUBLISHED[name] for name in names)))
    by_day: dict[str, list[str]] = {}
    for commit in commits(runs):
        by_day.setdefault(results["days"][commit], []).append(commit)
    told = ", ".join(f"{', '.join(of_day)} ({day})" for day, of_day in sorted(by_day.items()))
    how = "python tests/benchmarks/readme_table.py --run"
    return "\n".join([*lines, "", f"*{SEEDS} seeds, commit {told}: `{how}`*"])


def cell(rows: dict[str, list[float]], method: str) -> str:
    """Mean and deviation of a row; of one that no seed changes, its value."""
    values = rows[method]
    told = mean_std(values if len(set(values)) > 1 else values[:1])
    return f"**{told}**" if statistics.fmean(values) == max(map(statistics.fmean, rows.values())) else told


def commits(runs: dict[str, Any]) -> list[str]:
    """The commits that computed the runs."""
    return sorted({run["commit"] for rows in runs.values() for seeds in rows.values() for run in seeds.values()})


def days(names: list[str]) -> dict[str, str]:
    """The day of each commit."""
    show = ["git", "-C", str(REPOSITORY), "show", "-s", "--format=%cs"]
    return {
        name: subprocess.run(
            [*show, name.removesuffix("-dirty")], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in names
    }


def replaced(page: str, text: str) -> str:
    """The page with this text between its markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md: found no {BEGIN} ... {END}; expected both markers")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
