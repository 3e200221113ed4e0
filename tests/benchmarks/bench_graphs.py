"""GenURL beside other embeddings of whole graphs: one configuration, the same folds. One command, all tables.

    python tests/benchmarks/bench_graphs.py --seeds 5 --jobs 2 --output graphs.json

Protocol `graphs`: stratified 10 folds, support vector machines with an RBF and a linear kernel apart, C chosen inside
the training folds; a logistic regression that learns from 10 % of the labels. Mean and unbiased deviation over seeds,
each of which has weights and folds of its own, the same folds for all methods, and paired differences with 95 %
intervals. Beside trained methods stand the rows that need no training (`genurl_graph.evaluation.graph_classification`).

Seed 0 of everything comes first, and the file is rewritten after each run: stop when you like (the tables are printed),
go on by the same command, print what there is with `--report`. `--again genurl` runs a method anew, the others stay.
"""

from __future__ import annotations

import functools
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from graph_tables import METHODS, UNTRAINED, report
from shared import (
    Job,
    OverBudget,
    benchmark_parser,
    keep_results,
    one_thread_a_process,
    read_runs,
    same_settings,
    timed,
    within,
)

DATASETS = "mutag,proteins,nci1,ptc_mr,imdb-binary,imdb-multi"


class Asked(NamedTuple):
    """What all jobs of a call share; `changes` of the preset."""

    root: Path | None
    budget: float
    changes: dict[str, Any]


def main() -> int:
    """Run what is missing, then print the tables; 1 if a job failed."""
    parser = benchmark_parser(__doc__, DATASETS, seeds=5, output=True)
    parser.add_argument("--methods", default=",".join(METHODS), metavar="NAME,...")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--budget", type=float, default=3600.0, help="CPU seconds of one fit [3600]")
    parser.add_argument("--again", default="", metavar="METHOD,...", help="forget the runs of these methods")
    parser.add_argument("--report", action="store_true", help="run nothing, print the tables of --output")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each [1]")
    options = parser.parse_args()
    one_thread_a_process()  # before anything that reads the variables is imported, here or in a worker
    from genurl_graph import datasets

    names = list(dict.fromkeys(datasets.info(name).name for name in options.datasets.split(",") if name))
    methods, asked, results = prepare(parser, options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failed = 0
    try:
        if not options.report:
            jobs = missing(names, methods, options.seeds, results, asked)
            failed = keep_results(work, jobs, options.jobs, results, options.output, asked)
    except KeyboardInterrupt:
        failed = 1
        print("stopped: the same command goes on from here", file=sys.stderr)
    report(results["runs"], names, methods, options.seeds)
    return 1 if failed else 0


def prepare(parser: ArgumentParser, options: Namespace) -> tuple[list[str], Asked, dict[str, Any]]:
    """Methods, what jobs share, and the results so far."""
    from genurl_graph.config import load_preset
    from genurl_graph.config.toml import parse_assignments

    methods, again = (list(dict.fromkeys(filter(None, text.split(",")))) for text in (options.methods, options.again))
    for method in (*methods, *again):
        if method not in METHODS:
            parser.error(f"--methods: {method!r} is none of {', '.join(METHODS)}")
    if options.report and options.output is None:
        parser.error("--report: needs --output, the file to read")
    changes = parse_assignments(options.set)
    own = load_preset("graphs").override(changes).to_dict()
    results = read_runs(options.output) or {"own": own, "runs": {}}
    for found in results["runs"].values():
        for method in again:
            found.pop(method, None)
    if "genurl" in again or not any("genurl" in found for found in results["runs"].values()):
        results["own"] = own
    if not options.report and not same_settings(results["own"], own):
        parser.error(f"--output {options.output}: holds GenURL of other settings; name a new file, or --again genurl")
    return methods, Asked(options.data_root, options.budget, changes), results


def missing(names: list[str], methods: list[str], seeds: int, results: dict[str, Any], asked: Asked) -> Iterator[Job]:
    """Jobs without results, seed by seed, small sets first."""
    for seed in range(seeds):
        for name in names:
            for method in methods:
                found = results["runs"].get(name, {}).get(method, {})
                first = found.get("0", {})
                # Nothing is to be learnt from a further seed.
                hopeless = "error" in first or first.get("over", 0) >= asked.budget
                if not hopeless and (str(seed) not in found or "over" in found[str(seed)]):
                    yield Job("runs", name, (method,), seed)


def work(job: Job, asked: Asked) -> dict[str, dict[str, Any]]:
    """Figures of a job. Runs in a worker."""
    from genurl_graph.evaluation.graph_classification.judgement import graph_figures, plan_graphs
    from genurl_graph.evaluation.graph_classification.references import as_row
    from genurl_graph.exceptions import DivergenceError, InputError

    (method,), data = job.rows, load(job.name, asked.root)
    y = data.y.numpy()
    plan = plan_graphs(int((y >= 0).sum()), 1, int(y.max()) + 1, None)
    try:
        z, spent = embed(method, job.name, job.seed, asked)
    except OverBudget:
        return {method: {"over": asked.budget}}
    except (InputError, DivergenceError) as error:
        return {method: {"error": str(error)}}
    judged, figures = timed(lambda: graph_figures(as_row(method, z, y), y, job.seed, plan))
    return {method: figures | {"columns": z.shape[1]} | spent | {"judged_cpu": judged.cpu}}


def embed(method: str, name: str, seed: int, asked: Asked) -> tuple[Any, dict[str, float]]:
    """Embedding or kernel of a method, and the CPU seconds to it; what no seed changes is made once."""
    from genurl_graph.evaluation.graph_classification.figures import FIXED

    if method in FIXED:
        return fixed(method, name, asked.root)
    return made(method, load(name, asked.root), seed, asked.budget, asked.changes)


@functools.lru_cache(maxsize=2)
def fixed(method: str, name: str, root: Path | None) -> tuple[Any, dict[str, float]]:
    """A row that no seed changes."""
    return made(method, load(name, root), 0, 1e6, {})


def made(method: str, data: Any, seed: int, budget: float, changes: dict[str, Any]) -> tuple[Any, dict[str, float]]:
    """An embedding or kernel, and the CPU seconds to it."""
    from genurl_graph.baselines.graphs import get_graph_baseline
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.graph_classification.references import reference
    from genurl_graph.experiments.graphs.table import graphs_of

    graphs = graphs_of(data)
    with within(budget) as spent:
        if method == "genurl":
            z = GenURL(task="graphs", random_state=seed, config=changes).fit(data).embedding_
        elif method in UNTRAINED:
            z = reference(method, graphs, seed)
        else:
            z = get_graph_baseline(method)(graphs, seed, "cpu")
    return z, spent


@functools.lru_cache(maxsize=2)
def load(name: str, root: Path | None) -> Any:
    """A data set, kept for the next job of the same process."""
    from genurl_graph import datasets

    return datasets.load(name, root)


if __name__ == "__main__":
    sys.exit(main())
