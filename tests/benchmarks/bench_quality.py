"""Quality of the graph preset on real graphs: linear probe over seeds beside its reference rows, as a Markdown table.

Every seed trains with its own initial weights and views and, under a protocol of random splits, draws its own splits.
The rows without training ("propagated", "raw") are evaluated once, with the splits of seed 0. After each job the
JSON file is rewritten, and a job that it holds is not run again: stop and start as you like.

    python tests/benchmarks/bench_quality.py --datasets cora,citeseer --seeds 10 --output quality.json

``--select KEY=A,B,...`` lets labels choose one of these values for each data set before anything is tested: the highest
mean, over the first `CHOOSING` seeds, of the accuracy inside the training and validation nodes of a public split
(`genurl_graph.evaluation.statistics`), or of the validation accuracy where splits are random. Test nodes have no say; a
value that is not chosen is never tested. ``--select config=preset,shallow`` chooses between sets of settings.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import operator
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from shared import benchmark_parser, markdown_row, percent, read_runs, table_head

REFERENCES = ("propagated", "raw")
# A job: the data set, and its seed or the name of a reference row.
Job = tuple[str, str]
# Seeds of each value that `--select` tries.
CHOOSING = 3


def main() -> int:
    """Run what is missing, then print the table; 1 if a job failed."""
    parser = benchmark_parser(__doc__, "cora,citeseer,photo,cora_ml,cs", seeds=10, output=True)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--select", metavar="KEY=A,B,...", help="let the labels outside the test nodes choose a value")
    parser.add_argument("--protocol", choices=["public", "random-10", "random-10-10-80"], help="[each data set's own]")
    parser.add_argument("--repeats", type=int, help="random splits a seed [the protocol's own number]")
    parser.add_argument("--jobs", type=int, default=1, help="processes, which share the cores [1]")
    options = parser.parse_args()
    # One number for all libraries: BLAS with more threads than there are cores spins, and takes several times as long.
    threads = os.environ.get("OMP_NUM_THREADS", str(max((os.cpu_count() or 1) // options.jobs, 1)))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, threads)  # before anything that reads them is imported, here or in a worker

    from genurl_graph import datasets
    from genurl_graph.config import load_preset
    from genurl_graph.config.toml import parse_assignments

    assignments = parse_assignments(options.set)
    preset = load_preset("graph").override(assignments)
    tried = parse_select(options.select)
    for change in tried.values():
        preset.override(change)
    if tried and options.protocol == "random-10":
        parser.error("--select: protocol random-10 has no validation nodes to choose by")
    names = list(dict.fromkeys(datasets.info(name).name for name in options.datasets.split(",")))
    settings = {"config": preset.to_dict(), "select": tried}
    settings |= {"protocol": options.protocol, "repeats": options.repeats}
    results = read_runs(options.output) or {"settings": settings, "choices": {}, "runs": {}}
    if json.loads(json.dumps(results["settings"])) != json.loads(json.dumps(settings)):
        parser.error(f"--output {options.output}: holds results of other settings; name a new file")
    failed = 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    context = multiprocessing.get_context("spawn")  # forking a process that runs torch's threads may hang
    pool = ProcessPoolExecutor(options.jobs, mp_context=context)
    try:
        choosing = {
            (name, f"{value} {seed}"): assignments | change
            for name in names
            for seed in range(CHOOSING)
            for value, change in tried.items()
        }
        failed += finish(pool, choice, choosing, "choices", results, options)
        best = {name: choose(results["choices"].get(name, {}), tried) for name in names}
        # A data set without all of its choices is not tested.
        changes = {name: assignments | tried.get(value, {}) for name, value in best.items() if value is not None}
        rows = [*map(str, range(options.seeds)), *REFERENCES]
        work = {(name, row): change for name, change in changes.items() for row in rows}
        failed += finish(pool, run, work, "runs", results, options)
    finally:
        # After Ctrl-C only the jobs that run now are waited for.
        pool.shutdown(cancel_futures=True)
    show(results["runs"], changes, options.seeds)
    for name in changes if tried else ():
        figures = ", ".join(f"{key} {percent([mean])}" for key, mean in means(results["choices"][name], tried).items())
        print(f"\n{name}: {best[name]} chosen ({figures})")
    return 1 if failed else 0


def finish(
    pool: ProcessPoolExecutor,
    function: Callable[..., Any],
    work: dict[Job, dict[str, Any]],
    part: str,
    results: dict[str, Any],
    options: argparse.Namespace,
) -> int:
    """Run the jobs that a part of `results` does not hold, each with its settings; how many failed."""
    from genurl_graph.runtime.files import write_json

    kept = results[part]
    jobs = [job for job in work if job[1] not in kept.get(job[0], {})]
    print(f"{part}: {len(jobs)} of {len(work)} jobs to do, {options.jobs} at a time", file=sys.stderr)
    common = (options.data_root, options.protocol, options.repeats)
    waiting = {pool.submit(function, job, *common, work[job]): job for job in jobs}
    failed = 0
    for future in as_completed(waiting):
        name, row = waiting[future]
        try:
            found = future.result()
        except Exception as error:  # one data set that cannot be loaded must not cost the others
            failed += 1
            print(f"{name} {row}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        kept.setdefault(name, {})[row] = found
        accuracy = found if isinstance(found, float) else found["probe"]["test"]
        print(f"{name} {row}: {percent([accuracy])}", file=sys.stderr)
        if options.output is not None:
            write_json(options.output, results)
    return failed


def parse_select(text: str | None) -> dict[str, dict[str, Any]]:
    """``"KEY=A,B"`` to ``{"KEY=A": {KEY: A}, "KEY=B": {KEY: B}}``; nothing for None.

    Values of ``config`` are named sets of settings (``presets/method-NAME.toml``), and "preset", which changes nothing.
    """
    from genurl_graph.config import read_method
    from genurl_graph.config.toml import parse_assignments

    def change(key: str, value: str) -> dict[str, Any]:
        if key != "config":
            return {key: value}
        found = {} if value == "preset" else read_method(value)
        if found is None:
            raise SystemExit(f"--select config: found {value!r}; expected preset or the name of a method")
        return found

    pairs = parse_assignments([] if text is None else [text]).items()
    return {
        f"{key}={value}": change(key, value) for key, values in pairs for value in map(str.strip, values.split(","))
    }


@functools.lru_cache(maxsize=1)
def load(name: str, root: Path | None) -> Any:
    """A data set, kept for the next job of the same process."""
    from genurl_graph import datasets

    return datasets.load(name, root)


def run(
    job: Job, root: Path | None, protocol: str | None, repeats: int | None, assignments: dict[str, Any]
) -> dict[str, Any]:
    """All numbers of one seed, or the probe of one reference row. Runs in a worker."""
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.protocols import evaluate_embedding, probe_embedding, propagated_features, raw_features

    name, row = job
    data = load(name, root)
    if row in REFERENCES:
        x = raw_features(data) if row == "raw" else propagated_features(data)
        return {"probe": probe_embedding(x, data, protocol, seed=0, n_repeats=repeats)}
    seed = int(row)
    model = GenURL(task="graph", random_state=seed, config=assignments).fit(data)
    started = time.perf_counter()
    scores = evaluate_embedding(model.embedding_, data, protocol, seed=seed, n_repeats=repeats)
    untrained = probe_embedding(model.untrained_embedding(), data, protocol, seed=seed, n_repeats=repeats)
    seconds = model.seconds_ | {"evaluate": time.perf_counter() - started}
    return {**scores, "untrained": untrained, "seconds": seconds, "loss": model.loss_history_[-1]}


def choice(
    job: Job, root: Path | None, protocol: str | None, repeats: int | None, assignments: dict[str, Any]
) -> float:
    """What a value is chosen by, for one seed: accuracy in [0, 1] without the test nodes. Runs in a worker."""
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.protocols import probe_embedding
    from genurl_graph.evaluation.splits import default_protocol, splits
    from genurl_graph.evaluation.statistics import inner_accuracy

    name, row = job
    data, seed = load(name, root), int(row.rpartition(" ")[2])
    z = GenURL(task="graph", random_state=seed, config=assignments).fit(data).embedding_
    if (protocol or default_protocol(data)) == "public":
        return statistics.fmean(inner_accuracy(z, data.y, split) for split in splits("public", data))
    return float(probe_embedding(z, data, protocol, seed=seed, n_repeats=repeats)["val"])


def means(found: dict[str, float], tried: Iterable[str]) -> dict[str, float]:
    """Mean of `choice` over the seeds, for each value."""
    return {value: statistics.fmean(found[f"{value} {seed}"] for seed in range(CHOOSING)) for value in tried}


def choose(found: dict[str, float], tried: Iterable[str]) -> str | None:
    """The value of highest mean, the first among equals; "" without values, None if a seed of one is missing."""
    try:
        figures = means(found, tried)
    except KeyError:
        return None
    return max(figures, key=lambda value: figures[value], default="")


def show(runs: dict[str, dict[str, Any]], names: Iterable[str], n_seeds: int) -> None:
    """Markdown: a line for each data set, accuracies in per cent, mean and unbiased deviation over seeds."""
    head = ("data set", "protocol", "seeds", "GenURL", "untrained", *REFERENCES)
    print(table_head(*head, "val", "kNN", "cluster ACC", "NMI", "ARI", "graph + train (s)", "evaluate (s)"))
    for name in names:
        found = runs.get(name, {})
        seeds = [found[str(seed)] for seed in range(n_seeds) if str(seed) in found]
        if not seeds:
            continue

        def over(*path: str, rows: list[dict[str, Any]] = seeds) -> str:
            values = [functools.reduce(operator.getitem, path, row) for row in rows]
            return "-" if None in values else percent(values)

        references = [over("probe", "test", rows=[found[row]]) if row in found else "-" for row in REFERENCES]
        scores = [over("probe", "val"), over("knn", "test"), *(over("cluster", key) for key in ("acc", "nmi", "ari"))]
        trained = statistics.fmean(row["seconds"]["graph"] + row["seconds"]["train"] for row in seeds)
        evaluated = statistics.fmean(row["seconds"]["evaluate"] for row in seeds)
        first = (name, seeds[0]["probe"]["protocol"], len(seeds), over("probe", "test"), over("untrained", "test"))
        print(markdown_row(*first, *references, *scores, f"{trained:.1f}", f"{evaluated:.1f}"))


if __name__ == "__main__":
    sys.exit(main())
