"""Which pairs have an event in the next window? GenURL beside scores that need no training. One command, all tables.

    python tests/benchmarks/bench_temporal.py --seeds 5 --jobs 2 --output temporal.json

Two parts, one configuration for all data sets. Part `links`: protocol temporal-links, windows of equally many events;
AUC by kind of negatives, and mean reciprocal rank of every pair among all nodes, other right answers left out, ties at
their mean rank. Part `roland`: ROLAND's snapshots and fixed split, and ranks as its code and EvolveGCN's count them
(`genurl_graph.evaluation.temporal_links.roland`), to be read beside their figures: .229 and .220 by ROLAND.

The embedding is fitted to the windows before validation, later windows are embedded one by one; the weights of the
score are fitted to the validation windows. Row "without embedding": the same score by history alone. A seed is that of
the model, the score and the negatives. Mean and unbiased deviation over seeds, in per cent, and paired differences with
95 % intervals. The file is rewritten after each run: the same command goes on from there, `--report` prints the tables.
"""

from __future__ import annotations

import signal
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shared import (
    Job,
    benchmark_parser,
    difference,
    keep_results,
    markdown_row,
    one_thread_a_process,
    percent,
    read_runs,
    same_settings,
    table_head,
    timed,
)

DATASETS = "collegemsg,bitcoin-otc"
PARTS = ("links", "roland")
COLUMNS = {
    "links": ("random", "historical", "inductive", "active", "mrr"),
    "roland": ("every pair", "rows", "best"),
}
OWN, ABLATED = "GenURL", "GenURL, without embedding"
LAST_SEEN, DEGREES = "last seen, then degree", "degree product, last 3 windows"
# What must be beaten: figure, and the score that is best at it.
DUELS = (("active", LAST_SEEN), ("mrr", LAST_SEEN), ("historical", DEGREES), ("mrr", DEGREES))


class Asked(NamedTuple):
    """What all jobs of a call share."""

    root: Path | None
    windows: str
    embedding: bool
    changes: tuple[str, ...]


def main() -> int:
    """Run what is missing, then print the tables; 1 if a job failed."""
    parser = benchmark_parser(__doc__, DATASETS, seeds=5, output=True)
    parser.add_argument("--windows", default="100", help="of part links, as of compare [100]")
    parser.add_argument("--parts", default=",".join(PARTS), metavar="PART,...")
    parser.add_argument("--history", action="store_true", help="no embedding: what is known by history alone")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--report", action="store_true", help="run nothing, print the tables of --output")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each [1]")
    options = parser.parse_args()
    one_thread_a_process()  # before anything that reads the variables is imported, here or in a worker
    names, parts = ([*filter(None, text.split(","))] for text in (options.datasets, options.parts))
    asked = Asked(options.data_root, options.windows, not options.history, tuple(options.set))
    settings = {"windows": asked.windows, "embedding": asked.embedding, "changes": asked.changes}
    results = read_runs(options.output) or {"settings": settings, **{part: {} for part in PARTS}}
    if not options.report and not same_settings(results["settings"], settings):
        parser.error(f"--output {options.output}: holds runs of other settings, {results['settings']}; name a new file")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failed = 0
    try:
        if not options.report:
            jobs = missing(names, parts, options.seeds, results, OWN if asked.embedding else ABLATED)
            failed = keep_results(work, jobs, options.jobs, results, options.output, asked)
    except KeyboardInterrupt:
        failed = 1
        print("stopped: the same command goes on from here", file=sys.stderr)
    for part in parts:
        for name in names:
            report(part, name, results[part].get(name, {}))
    return 1 if failed else 0


def missing(names: list[str], parts: list[str], seeds: int, results: Mapping[str, Any], own: str) -> Iterator[Job]:
    """Jobs without results, seed by seed."""
    for seed in range(seeds):
        for part in parts:
            for name in names:
                if str(seed) not in results[part].get(name, {}).get(own, {}):
                    yield Job(part, name, (own,), seed)


def work(job: Job, asked: Asked) -> dict[str, dict[str, Any]]:
    """Figures of all rows. Runs in a worker."""
    from genurl_graph import datasets
    from genurl_graph.evaluation.temporal_links.fitted_score import own_scores
    from genurl_graph.evaluation.temporal_links.protocol import judge
    from genurl_graph.evaluation.temporal_links.roland import SNAPSHOTS, roland_figures, snapshot_split
    from genurl_graph.experiments.temporal.methods import genurl_positions
    from genurl_graph.experiments.temporal.table import split_of

    data = datasets.load(job.name, asked.root)
    cut = SNAPSHOTS[job.name]
    links = job.part == "links"
    split = split_of(data, asked.windows) if links else snapshot_split(data.edges, cut)
    positions, spent = None, 0.0
    if asked.embedding:
        model = dict.fromkeys(("encoder", "dim", "config", "epochs")) | {"task": "temporal", "device": "cpu"}
        model |= {"windows": str(len(split.windows)), "assignments": asked.changes}
        seconds, positions = timed(lambda: genurl_positions(model, data, split, job.seed))
        spent = seconds.cpu
    scorers = own_scores(split, positions, job.seed, both_ends=not links and cut.both_ends)
    found = {row: {**each.auc, "mrr": each.mrr} for row, each in judge(split, scorers, seed=job.seed).items()}
    if not links:
        ranks = roland_figures(split, scorers, cut.both_ends, job.seed)
        found = {row: {"every pair": found[row]["mrr"], **each._asdict()} for row, each in ranks.items()}
    return {row: figures | {"embedding_cpu": spent} for row, figures in found.items()}


def report(part: str, name: str, rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print the table of a data set, and who beats whom."""
    if not rows:
        return
    seeds = sorted({seed for runs in rows.values() for seed in runs}, key=int)
    print(f"\n### {name}, {part}, {len(seeds)} seeds, per cent\n")
    print(table_head("", *COLUMNS[part]))
    ordered = sorted(rows, key=lambda row: (row != OWN, row != ABLATED))
    for row in ordered:
        runs = [rows[row][seed] for seed in seeds if seed in rows[row]]
        print(markdown_row(row, *(percent(run[column] for run in runs) for column in COLUMNS[part])))
    print()
    for own in (row for row in (OWN, ABLATED) if row in rows):
        for column, other in DUELS if part == "links" else ((column, LAST_SEEN) for column in COLUMNS[part]):
            duel(rows, own, other, column, seeds)
    if OWN in rows and ABLATED in rows:
        for column in COLUMNS[part]:
            duel(rows, OWN, ABLATED, column, seeds)
        spent = statistics.fmean(rows[OWN][seed]["embedding_cpu"] for seed in seeds if seed in rows[OWN])
        print(f"embedding: {spent:.0f} CPU s")


def duel(rows: Mapping[str, Any], own: str, other: str, column: str, seeds: list[str]) -> None:
    """Print the paired difference of two rows with its interval."""
    both = [seed for seed in seeds if seed in rows[own] and seed in rows[other]]
    ours, theirs = ([100 * rows[row][seed][column] for seed in both] for row in (own, other))
    print(f"{column}: {own} - {other}: {difference(ours, theirs)}")


if __name__ == "__main__":
    sys.exit(main())
