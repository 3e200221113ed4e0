"""Maps of GenURL beside UMAP, PaCMAP and openTSNE on many data sets: what a viewer sees, time and memory, with bars.

    python tests/benchmarks/bench_maps.py --output maps.json                       # six data sets, all methods
    python tests/benchmarks/bench_maps.py --output maps.json --runs 0              # prints the tables of a file again
    python tests/benchmarks/bench_maps.py --methods genurl --reuse maps.json --set loss.exaggeration=1
    python tests/benchmarks/bench_maps.py --sets "" --sizes 200000,1000000 --runs 1 --output sizes.json
    python tests/benchmarks/bench_maps.py --sets "" --kinds --runs 1 --output kinds.json

Each method runs in a process of its own, with its defaults. A first map of at most 5,000 rows loads and compiles all
that is needed; the runs that follow are warm (openTSNE compiles nothing, and goes without). Seconds are from the
vectors to the map, neighbour search included, median of all runs; memory is the largest of the process. Scores are
means over the runs, by `reduce_scores`; pieces of ORL, whose classes have ten points, are those of 4 neighbours.
--output is written after each run, and the same command goes on from there. --reuse takes the other methods' runs out
of an earlier file. `*` marks seconds of a machine that was busy when a run began: there --threads 1 and CPU seconds say
more.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from map_data import KINDS, SETS, load
from shared import benchmark_parser, commit, markdown_row, read_runs, table_head

from genurl_graph.baselines.reduction import REDUCERS, require_reducer
from genurl_graph.exceptions import InputError, LostProcessError
from genurl_graph.experiments.environment import peak_mb, reset_peak, usable_cores
from genurl_graph.experiments.reduce_table import ReduceJob
from genurl_graph.experiments.runs import Run, run_apart

METHODS = ("genurl", "umap", "pacmap", "tsne")
SCORES = ("knn_accuracy", "trustworthiness", "continuity", "triplets", "pieces", "largest_piece")
WARM_UP_ROWS = 5_000
# Megabytes.
GB = 1_000

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class MapJob(ReduceJob):
    """Warm runs of one method, after a first one of some rows."""

    @property
    def n_runs(self) -> int:
        return len(self.seeds)

    def run(self) -> Generator[Run, None, None]:
        os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"), str(self.threads)))
        import numpy as np

        vectors = np.load(self.vectors)
        self.load()
        if self.method != "tsne":
            self.reduce(vectors[:WARM_UP_ROWS].copy(), 0)
        for seed in self.seeds:
            x = vectors.copy()
            reset_peak()
            start, cpu = time.perf_counter(), time.process_time()
            z, stages = self.reduce(x, seed)
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            yield Run(z, seconds, peak_mb(), None, {**(stages or {}), "cpu": cpu})

    def reduce(self, x: Any, seed: int) -> tuple[Any, dict[str, float] | None]:
        if self.method in REDUCERS:
            return super().reduce(x, seed)
        from genurl_graph.experiments.models import make_estimator

        model = make_estimator(**self.model, seed=seed).fit(x)
        recall = model.knn_recall_
        more = {} if recall is None else {"recall": float(recall)}
        return model.embedding_.cpu().numpy(), {**model.seconds_, "epochs": float(model.n_iter_), **more}


class Bar(NamedTuple):
    """A measured value against its limit."""

    text: str
    value: float
    limit: float
    at_least: bool

    @property
    def margin(self) -> float:
        """How far inside of the limit; negative outside."""
        return self.value - self.limit if self.at_least else self.limit - self.value

    @property
    def passed(self) -> bool:
        return self.margin > -1e-9


def bars(name: str, n: int, rows: Rows) -> list[Bar]:
    """The bars of a data set; those whose other methods were not run are left out."""

    def of(key: str, *methods: str) -> list[float]:
        return [rows[m][key] for m in methods if m in rows and rows[m][key] is not None]

    found: list[Bar] = []

    def bar(text: str, key: str, others: list[float], *, at_least: bool, factor: float = 1, slack: float = 0) -> None:
        own = of(key, "genurl")
        if own and others:
            best = max(others) if at_least else min(others)
            found.append(Bar(text, own[0], factor * best + slack, at_least))

    pair = ("umap", "pacmap")
    if not name.startswith("groups-") or not name.partition("-")[2].isdecimal():
        bar("1 pieces <= better of UMAP, PaCMAP + 0.2", "pieces", of("pieces", *pair), at_least=False, slack=0.2)
        text = "1 largest piece >= better of UMAP, PaCMAP - .02"
        bar(text, "largest_piece", of("largest_piece", *pair), at_least=True, slack=-0.02)
        slack = 0 if name.startswith(("mnist", "fashion")) else -0.005
        text = f"2 10-NN >= best{' - .005' if slack else ''}"
        bar(text, "knn_accuracy", of("knn_accuracy", *METHODS[1:]), at_least=True, slack=slack)
        text = "2 trustworthiness >= openTSNE - .004"
        bar(text, "trustworthiness", of("trustworthiness", "tsne"), at_least=True, slack=-0.004)
        bar("2 continuity >= UMAP - .004", "continuity", of("continuity", "umap"), at_least=True, slack=-0.004)
        bar("2 triplets >= UMAP", "triplets", of("triplets", "umap"), at_least=True)
    factor = 0.5 if n >= 60_000 else 0.7
    if 10_000 <= n < 200_000:
        bar(f"3 seconds <= {factor} PaCMAP", "seconds", of("seconds", "pacmap"), at_least=False, factor=factor)
        bar("3 seconds <= 0.35 UMAP", "seconds", of("seconds", "umap"), at_least=False, factor=0.35)
    elif 200_000 <= n < 1_000_000:
        bar("3 seconds <= 0.4 fastest", "seconds", of("seconds", *METHODS[1:]), at_least=False, factor=0.4)
    for size, gigabytes in ((60_000, 1.6), (1_000_000, 8.0)):
        if n == size:
            bar(f"3 memory <= {gigabytes} GB", "peak_memory_mb", [gigabytes * GB], at_least=False)
    return found


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean scores, median seconds and largest memory of a method's runs."""
    found: dict[str, Any] = {
        score: None if None in (values := [run[score] for run in runs]) else statistics.fmean(values)
        for score in SCORES
    }
    found["seconds"] = statistics.median(run["seconds"] for run in runs)
    found["peak_memory_mb"] = max(run["peak_memory_mb"] for run in runs)
    found["cpu"] = statistics.median(run["stages"]["cpu"] for run in runs)
    found["busy"] = max(run["load"] for run in runs) > 0.7 * usable_cores()
    recalls = [run["stages"]["recall"] for run in runs if "recall" in run["stages"]]
    found["recall"] = statistics.fmean(recalls) if recalls else None
    return found


def show(name: str, stored: dict[str, Any]) -> list[bool]:
    """Print the table of a data set, and its bars; which of them are passed."""
    rows = {method: summarise(stored["runs"][method]) for method in METHODS if stored["runs"].get(method)}
    if not rows:
        return []
    print(f"\n**{name}**, {stored['n']:,} x {stored['columns']:,}\n")
    print(
        table_head(
            *("method", "runs", "10-NN %", "trustworthiness", "continuity", "triplets", "pieces", "largest piece"),
            *("seconds", "x genurl", "CPU s", "peak MB", "recall"),
        )
    )
    for method, row in rows.items():
        shown = [
            "-" if row[key] is None else f"{100 * row[key]:.1f}" if key == "knn_accuracy" else f"{row[key]:.{digits}f}"
            for key, digits in zip(SCORES, (1, 3, 3, 3, 2, 3), strict=True)
        ]
        ratio = f"{row['seconds'] / rows['genurl']['seconds']:.2f}" if "genurl" in rows else "-"
        seconds = f"{row['seconds']:.1f}{'*' if row['busy'] else ''}"
        recall = "" if row["recall"] is None else f"{row['recall']:.3f}"
        runs = len(stored["runs"][method])
        cpu, peak = f"{row['cpu']:.1f}", f"{row['peak_memory_mb']:,.0f}"
        print(markdown_row(method, runs, *shown, seconds, ratio, cpu, peak, recall))
    found = bars(name, stored["n"], rows)
    if found:
        print("\n" + table_head("bar", "GenURL", "limit", "margin", ""))
    for bar in found:
        cells = (f"{bar.value:.4g}", f"{bar.limit:.4g}", f"{bar.margin:+.3g}", "PASS" if bar.passed else "**FAIL**")
        print(markdown_row(bar.text, *cells), flush=True)
    return [bar.passed for bar in found]


def run_method(job: MapJob, judge: Any, keep: Any) -> None:
    """The runs of a job, each judged and kept; a method that fails is said and left out."""
    # What is not compiled has no second run in its process that is faster, and goes on from each.
    jobs = [job] if job.method != "tsne" else [dataclasses.replace(job, seeds=(seed,)) for seed in job.seeds]
    try:
        for one in jobs:
            load_before = os.getloadavg()[0]
            with closing(run_apart(one)) as found:
                for seed, run in zip(one.seeds, found, strict=True):
                    before = time.perf_counter()
                    scores = judge(run.embedding)
                    judged = {"seed": seed, **scores, "judge_seconds": time.perf_counter() - before}
                    keep({**judged, **run.figures(), "load": load_before})
                    print(f"  {one.method}, seed {seed}: {run.seconds:.1f} s", file=sys.stderr, flush=True)
    except (InputError, LostProcessError) as error:
        print(f"  {job.method}: {error}", file=sys.stderr, flush=True)


def judged(x: Any, y: Any, z: Any, budget: float | None) -> dict[str, Any]:
    """Scores of a map. Where all classes are too small for 10 neighbours (ORL), their pieces are those of 4."""
    from genurl_graph.evaluation.layout import pieces
    from genurl_graph.evaluation.preservation import reduce_scores

    scores = reduce_scores(x, z, y, budget=budget)
    if scores["pieces"] is None and len((found := pieces(z, y, k=4)).pieces):
        scores |= {"pieces": float(found.pieces.mean()), "largest_piece": float(found.largest.mean())}
    return scores


def complete(name: str, stored: dict[str, Any], options: Any, write: Any) -> None:
    """Run what is missing of a data set."""
    import numpy as np

    def missing(method: str) -> tuple[int, ...]:
        wanted = min(options.runs, options.tsne_runs) if method == "tsne" else options.runs
        return tuple(range(len(stored["runs"].get(method, [])), wanted))

    methods = [m for m in options.methods if missing(m) and not (m == "tsne" and stored["n"] >= 200_000)]
    if not methods:
        return
    x, y = load(name)
    print(f"{name}: {x.shape[0]:,} x {x.shape[1]:,}", file=sys.stderr, flush=True)
    model = {"task": "reduce", "encoder": None, "dim": 2, "epochs": options.epochs, "device": options.device}
    model |= {"config": None, "assignments": tuple(options.set)}
    with tempfile.TemporaryDirectory(prefix="genurl-graph-") as scratch:
        file = Path(scratch) / "vectors.npy"
        np.save(file, x)
        for method in methods:
            job = MapJob(method, missing(method), model, {}, file, 2, options.threads)

            def keep(run: dict[str, Any], method: str = method) -> None:
                stored["runs"].setdefault(method, []).append(run | {"commit": commit()})
                write()

            run_method(job, lambda z: judged(x, y, z, options.budget), keep)


def installed(method: str) -> bool:
    """Whether the package of a method is there; says so if not."""
    try:
        if method in REDUCERS:
            require_reducer(method)
    except InputError as error:
        print(f"{error}: left out", file=sys.stderr)
        return False
    return True


def names_of(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def main() -> None:
    parser = benchmark_parser(__doc__, output=True)
    parser.add_argument("--sets", type=names_of, default=list(SETS), metavar="NAME,...", help=", ".join(SETS))
    parser.add_argument("--kinds", type=names_of, nargs="?", const=list(KINDS), default=[], help=", ".join(KINDS))
    parser.add_argument("--sizes", type=names_of, default=[], metavar="N,...", help="50 Gaussian groups, 50 columns")
    parser.add_argument("--methods", type=names_of, default=list(METHODS), metavar="NAME,...")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tsne-runs", type=int, default=1, help="openTSNE takes minutes a run")
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of GenURL")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="of the scores of a run")
    parser.add_argument("--reuse", type=Path, metavar="FILE", help="an earlier file, for the other methods' runs")
    options = parser.parse_args()
    options.methods = [method for method in options.methods if installed(method)]
    found, earlier = read_runs(options.output), read_runs(options.reuse)

    def write() -> None:
        if options.output:
            options.output.with_suffix(".part").write_text(json.dumps(found, indent=1) + "\n")
            options.output.with_suffix(".part").replace(options.output)

    passed: list[bool] = []
    for name in (*options.sets, *options.kinds, *(f"groups-{size}" for size in options.sizes)):
        if name not in found:
            x = earlier.get(name) or dict(zip(("n", "columns"), load(name)[0].shape, strict=True))
            found[name] = {"n": x["n"], "columns": x["columns"], "threads": options.threads, "runs": {}}
        for method, runs in earlier.get(name, {"runs": {}})["runs"].items():
            if method != "genurl" and len(runs) > len(found[name]["runs"].get(method, [])):
                found[name]["runs"][method] = runs
        complete(name, found[name], options, write)
        passed += show(name, found[name])
    if passed:
        print(f"\n{sum(passed)} of {len(passed)} bars passed")


if __name__ == "__main__":
    main()
