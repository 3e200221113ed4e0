"""Classes of roads by frozen embeddings of edges: GenURL beside rows without training. One command, all tables.

    python tests/benchmarks/bench_edges.py --seeds 10 --jobs 2 --output edges.json

Protocol `edges`: a logistic regression, its penalty chosen on validation edges; micro and macro F1 on test edges of the
given split, and of blocks of space, of which whole ones are held out, others for each seed. A seed is that of the model
and of the blocks. Mean and unbiased deviation over seeds, in per cent, and paired differences with 95 % intervals.
Majority and label propagation read labels of training edges, and no embedding.

The file is rewritten after each run: stop when you like, go on by the same command, print what there is with
`--report`. `--again genurl` runs a method anew, the others stay.
"""

from __future__ import annotations

import functools
import signal
import statistics
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shared import (
    Job,
    benchmark_parser,
    difference,
    keep_results,
    markdown_row,
    mean_std,
    one_thread_a_process,
    percent,
    read_runs,
    same_settings,
    table_head,
    timed,
)

METHODS = ("genurl", "untrained", "propagated", "raw", "label-propagation", "majority")
# Rows that see no labels, and what GenURL has to reach on the given split (micro F1).
UNSUPERVISED, WANTED = ("propagated", "raw"), 85.0
# Data set -> row -> micro F1 on the given split, from the paper of Gharaee et al. (2021): trained with labels.
PUBLISHED = {"linkoping": {"GAIN, supervised, published": "80.9"}}
# Method -> seed -> figures.
Runs = Mapping[str, Mapping[str, Mapping[str, Any]]]


class Asked(NamedTuple):
    """What all jobs of a call share; `changes` of the preset."""

    root: Path | None
    blocks: int
    changes: dict[str, Any]


def main() -> int:
    """Run what is missing, then print the tables; 1 if a job failed."""
    parser = benchmark_parser(__doc__, "linkoping", seeds=10, output=True)
    parser.add_argument("--methods", default=",".join(METHODS), metavar="NAME,...")
    parser.add_argument("--blocks", type=int, default=20, help="blocks of space [20]")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--again", default="", metavar="METHOD,...", help="forget the runs of these methods")
    parser.add_argument("--report", action="store_true", help="run nothing, print the tables of --output")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each [1]")
    options = parser.parse_args()
    one_thread_a_process()  # before anything that reads the variables is imported, here or in a worker
    names, methods, asked, results = prepare(parser, options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failed = 0
    try:
        if not options.report:
            jobs = missing(names, methods, options.seeds, results)
            failed = keep_results(work, jobs, options.jobs, results, options.output, asked)
    except KeyboardInterrupt:
        failed = 1
        print("stopped: the same command goes on from here", file=sys.stderr)
    for name in names:
        report(name, {method: runs for method, runs in results["runs"].get(name, {}).items() if method in methods})
        if not options.report:
            describe_ties(name, options.data_root)
    return 1 if failed else 0


def prepare(parser: ArgumentParser, options: Namespace) -> tuple[list[str], list[str], Asked, dict[str, Any]]:
    """Data sets, methods, what jobs share, and the results so far."""
    from genurl_graph import datasets
    from genurl_graph.config import load_preset
    from genurl_graph.config.toml import parse_assignments

    methods, again = (list(dict.fromkeys(filter(None, text.split(",")))) for text in (options.methods, options.again))
    for method in (*methods, *again):
        if method not in METHODS:
            parser.error(f"--methods: {method!r} is none of {', '.join(METHODS)}")
    if options.report and options.output is None:
        parser.error("--report: needs --output, the file to read")
    changes = parse_assignments(options.set)
    own = {"config": load_preset("edges").override(changes).to_dict(), "blocks": options.blocks}
    results = read_runs(options.output) or {"own": own, "runs": {}}
    for found in results["runs"].values():
        for method in again:
            found.pop(method, None)
    if "genurl" in again and results["own"]["blocks"] == options.blocks:
        results["own"] = own
    if not options.report and not same_settings(results["own"], own):
        parser.error(f"--output {options.output}: holds runs of other settings; name a new file, or --again genurl")
    names = [datasets.info(name).name for name in options.datasets.split(",") if name]
    return names, methods, Asked(options.data_root, options.blocks, changes), results


def missing(names: list[str], methods: list[str], seeds: int, results: dict[str, Any]) -> Iterator[Job]:
    """Jobs without results, seed by seed."""
    for seed in range(seeds):
        for name in names:
            for method in methods:
                if str(seed) not in results["runs"].get(name, {}).get(method, {}):
                    yield Job("runs", name, (method,), seed)


def work(job: Job, asked: Asked) -> dict[str, dict[str, Any]]:
    """Figures of a job. Runs in a worker."""
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.edges.figures import FIXED, LABEL_READERS
    from genurl_graph.evaluation.edges.references import reference_embedding

    (method,), (data, judge) = job.rows, load(job.name, asked.root, asked.blocks)
    if method in LABEL_READERS:
        seconds, figures = timed(lambda: judge.reader(method, job.seed))
        return {method: figures | {"cpu": seconds.cpu}}
    if method in FIXED:
        seconds, z = timed(lambda: reference_embedding(method, data))
    else:
        changes = asked.changes | ({"training.epochs": 1} if method == "untrained" else {})
        estimator = GenURL(task="edges", random_state=job.seed, config=changes, device="cpu")
        seconds, z = timed(lambda: estimator.fit(data).embedding_)
        if method == "untrained":
            seconds, z = timed(estimator.untrained_embedding)
    return {method: judge.embedding(z, job.seed) | {"cpu": seconds.cpu, "columns": z.shape[1]}}


@functools.lru_cache(maxsize=1)
def load(name: str, root: Path | None, blocks: int) -> tuple[Any, Any]:
    """A data set and its splits, kept for the next job of the same process."""
    from genurl_graph import datasets
    from genurl_graph.evaluation.edges.judgement import EdgeJudge

    data = datasets.load(name, root)
    return data, EdgeJudge(data, blocks)


def report(name: str, runs: Runs) -> None:
    """Print the figures of all methods, and what GenURL adds to each other row."""
    from genurl_graph.evaluation.edges.figures import FIGURES

    if not runs:
        return
    print(f"\n### {name}, F1 in per cent\n")
    print(table_head("", *FIGURES.values(), "columns", "CPU s", "seeds"))
    ordered = [method for method in METHODS if method in runs]
    for method in ordered:
        rows = [*runs[method].values()]
        cells = [percent([row[figure] for row in rows]) for figure in FIGURES]
        print(
            markdown_row(method, *cells, rows[0].get("columns", ""), mean_std([row["cpu"] for row in rows]), len(rows))
        )
    for row, value in PUBLISHED.get(name, {}).items():
        print(markdown_row(row, value, *[""] * (len(FIGURES) + 2)))
    if "genurl" not in runs:
        return
    print()
    print(table_head("GenURL less [95 %]", *FIGURES.values()))
    for method in ordered[1:]:
        print(markdown_row(method, *(paired(runs["genurl"], runs[method], figure) for figure in FIGURES)))
    print()
    verdicts(runs)


def describe_ties(name: str, root: Path | None) -> None:
    """Print how much of the line graph, and of the strokes, lies within classes; labels are read for that alone."""
    import torch

    from genurl_graph import datasets
    from genurl_graph.graph.line_graph import line_edges
    from genurl_graph.graph.line_graph.strokes import strokes

    data = datasets.load(name, root)
    ends, y = data.edges, data.y
    if ends.bearings is None:
        return
    print(f"\n### {name}: shares within classes, in per cent\n")
    for straight in (0.0, 1.0, 2.0, 4.0):
        found = line_edges(ends.ends, ends.num_nodes, bearings=ends.bearings, straight=straight)
        same = y[found.edge_index[0]] == y[found.edge_index[1]]
        share = float(found.edge_weight[same].sum() / found.edge_weight.sum())
        print(f"* weight of the line graph between edges of one class, straight {straight:g}: {100 * share:.1f}")
    stroke = strokes(ends.ends, ends.num_nodes, ends.bearings)
    count = torch.zeros(int(stroke.max()) + 1, int(y.max()) + 1).index_put_((stroke, y), torch.ones(1), accumulate=True)
    share = float(count.amax(1).sum() / len(y))
    print(f"* edges of the commonest class of their stroke, {len(count):,} strokes: {100 * share:.1f}")


def verdicts(runs: Runs) -> None:
    """Say whether GenURL reaches what is wanted."""
    own = [100 * row["micro"] for row in runs["genurl"].values()]
    reached = "reached" if statistics.fmean(own) >= WANTED else "NOT reached"
    print(f"* given split: {mean_std(own)} micro F1, wanted {WANTED:g}: {reached}")
    for method in (each for each in UNSUPERVISED if each in runs):
        for figure in ("blocks_micro", "blocks_macro"):
            seeds = sorted(runs["genurl"].keys() & runs[method].keys())
            gains = [100 * (runs["genurl"][seed][figure] - runs[method][seed][figure]) for seed in seeds]
            spread = statistics.stdev([100 * runs["genurl"][seed][figure] for seed in seeds]) if len(seeds) > 1 else 0.0
            told = "above" if statistics.fmean(gains) > spread else "NOT above"
            print(f"* {figure} from {method}: {statistics.fmean(gains):+.1f}, {told} the deviation {spread:.1f}")


def paired(own: Mapping[str, Any], other: Mapping[str, Any], figure: str) -> str:
    """Difference over the seeds that both have."""
    seeds = sorted(own.keys() & other.keys(), key=int)
    values = ([100 * row[seed][figure] for seed in seeds] for row in (own, other))
    return difference(*values) if seeds else "-"


if __name__ == "__main__":
    sys.exit(main())
