"""Which entity stands at the other end of a typed edge? GenURL beside DistMult, TransE and frequency. One command.

    python tests/benchmarks/bench_triples.py --seeds 5 --jobs 2 --output triples.json

Part `sets`: protocol `triples` on UMLS, Kinships and CoDEx-S, one configuration for all. Both ends of each test triple
are ranked among all entities; other right answers are left out, ties count neither for nor against. GenURL reads the
training triples alone and is judged after its last epoch; baselines, of the same size, choose their epoch on the
validation triples. Where PyKEEN is installed, its evaluator counts the first seed's ranks, too.

Part `modalities`: planted knowledge graphs, one for each seed, of whose training triples a share is kept.
GenURL with no features, with each modality alone and with all: a table and texts that tell of the entities, and noise
that tells nothing; a fifth of the entities lacks each. Row "truth": the scores that the triples were drawn by.

Mean and unbiased deviation over seeds in per cent, paired differences with 95 % intervals, CPU seconds of the fit. The
file is rewritten after each run: the same command goes on from there, `--report` prints the tables of what there is,
`--again genurl` runs rows anew.
"""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from shared import Job, benchmark_parser, keep_results, one_thread_a_process, read_runs, same_settings
from triple_tables import BARE, METHODS, MODALITIES, PARTS, PLANTED, report

DATASETS = "umls,kinships,codex-s"
SHARES = "1,0.5,0.25,0.1"
# Of `planted_knowledge`: entities and triples.
SIZE = (1000, 20_000)


class Asked(NamedTuple):
    """What all jobs of a call share; `changes` of the preset, `settings` of baselines."""

    root: Path | None
    changes: tuple[str, ...]
    settings: dict[str, dict[str, Any]]


def main() -> int:
    """Run what is missing, then print the tables; 1 if a job failed."""
    parser = benchmark_parser(__doc__, DATASETS, seeds=5, output=True)
    parser.add_argument("--parts", default=",".join(PARTS), metavar="PART,...")
    parser.add_argument("--methods", default=",".join(METHODS), metavar="NAME,...", help="rows of part sets")
    parser.add_argument("--rows", default=",".join(PLANTED), metavar="NAME,...", help="rows of part modalities")
    parser.add_argument("--kept", default=SHARES, metavar="SHARE,...", help="training triples that are there")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--peer-set", action="append", default=[], metavar="METHOD.KEY=VALUE", help="of a baseline")
    parser.add_argument("--again", default="", metavar="ROW,...", help="forget the runs of these rows")
    parser.add_argument("--report", action="store_true", help="run nothing, print the tables of --output")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each [1]")
    options = parser.parse_args()
    one_thread_a_process()  # before anything that reads the variables is imported, here or in a worker
    asked, results = prepare(parser, options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failed = 0
    try:
        if not options.report:
            jobs = missing(options, results)
            failed = keep_results(work, jobs, options.jobs, results, options.output, asked)
    except KeyboardInterrupt:
        failed = 1
        print("stopped: the same command goes on from here", file=sys.stderr)
    report(results, options.seeds)
    return 1 if failed else 0


def prepare(parser: ArgumentParser, options: Namespace) -> tuple[Asked, dict[str, Any]]:
    """What jobs share, and the results so far."""
    from genurl_graph.baselines.settings import baseline_settings
    from genurl_graph.baselines.triples import TRIPLE_BASELINES
    from genurl_graph.experiments.probe_table import parse_baseline_settings

    if options.report and options.output is None:
        parser.error("--report: needs --output, the file to read")
    for given, known in ((options.methods, METHODS), (options.rows, PLANTED), (options.parts, PARTS)):
        for row in filter(None, given.split(",")):
            if row not in known:
                parser.error(f"{row!r} is none of {', '.join(known)}")
    changes = parse_baseline_settings((*options.peer_set,), [*TRIPLE_BASELINES], TRIPLE_BASELINES, "triples")
    own = {name: baseline_settings(name, None, changes.get(name), "triples") for name in TRIPLE_BASELINES}
    settings = {"changes": [*options.set], "baselines": own, "planted": [*SIZE]}
    results = read_runs(options.output) or {"settings": settings, **{part: {} for part in PARTS}}
    for part in PARTS:
        for found in results[part].values():
            for row in filter(None, options.again.split(",")):
                found.pop(row, None)
    if options.again:
        results["settings"] = settings
    if not options.report and not same_settings(results["settings"], settings):
        parser.error(f"--output {options.output}: holds runs of other settings; name a new file, or --again ROW")
    return Asked(options.data_root, tuple(options.set), changes), results


def missing(options: Namespace, results: dict[str, Any]) -> Iterator[Job]:
    """Jobs without results, seed by seed."""
    lists = {"sets": (options.datasets, options.methods), "modalities": (options.kept, options.rows)}
    for seed in range(options.seeds):
        for part in filter(None, options.parts.split(",")):
            names, rows = ([*filter(None, text.split(","))] for text in lists[part])
            for name in names:
                for row in rows:
                    if str(seed) not in results[part].get(name, {}).get(row, {}):
                        yield Job(part, name, (row,), seed)


def work(job: Job, asked: Asked) -> dict[str, dict[str, Any]]:
    """Figures of a row. Runs in a worker."""
    from genurl_graph.exceptions import DivergenceError, InputError
    from genurl_graph.experiments.environment import peak_mb, reset_peak

    (row,) = job.rows
    reset_peak()
    try:
        found = of_set(row, job, asked) if job.part == "sets" else of_planted(row, job, asked)
    except (InputError, DivergenceError) as error:
        return {row: {"error": str(error)}}
    return {row: found | {"peak_mb": peak_mb()}}


def of_set(row: str, job: Job, asked: Asked) -> dict[str, float]:
    """A method on a data set, with its own parts."""
    from genurl_graph import datasets
    from genurl_graph.evaluation.triples.pykeen import has_pykeen
    from genurl_graph.experiments.triples.methods import judge_method

    data = datasets.load(job.name, asked.root)
    return judge_method(order(row, job.seed, asked), data, job.seed, twice=job.seed == 0 and has_pykeen())


def of_planted(row: str, job: Job, asked: Asked) -> dict[str, float]:
    """GenURL with some modalities, or what stands beside it, on a planted graph of the seed."""
    import dataclasses

    from genurl_graph.datasets.planted_knowledge import Planted, planted_knowledge
    from genurl_graph.evaluation.triples.protocol import judge_triples
    from genurl_graph.experiments.triples.methods import judge_method

    data = planted_knowledge(*SIZE, kept=float(job.name), seed=job.seed)
    if row == "truth":
        return judge_triples(Planted.of(SIZE[0], 12, 4, 5, job.seed), data)._asdict()
    if row in ("frequency", BARE):
        return judge_method(order("triples-only" if row == BARE else row, job.seed, asked), data, job.seed)
    wanted = MODALITIES if row == "all" else (row,)
    held = tuple(modality for modality in data.modalities if modality.name in wanted)
    return judge_method(order("genurl", job.seed, asked), dataclasses.replace(data, modalities=held), job.seed)


def order(method: str, seed: int, asked: Asked) -> Any:
    """What a comparison would ask for."""
    from genurl_graph.experiments.runs import Order

    model = dict.fromkeys(("encoder", "dim", "config", "epochs")) | {"task": "triples", "device": "cpu"}
    return Order(method, (seed,), {**model, "assignments": asked.changes}, dict(asked.settings.get(method, {})))


if __name__ == "__main__":
    sys.exit(main())
