"""GenURL beside other embeddings of nodes: one probe, one budget, the same seeds and splits. One command, all tables.

    python tests/benchmarks/bench_nodes.py --seeds 10 --links cora,photo --jobs 2 --output nodes.json

Accuracy of the linear probe by each data set's own protocol (its masks, else random splits, `--repeats` of them a
seed), mean and unbiased deviation over seeds, and the paired difference from GenURL with its 95 % interval. Every seed
trains with weights and views of its own; random splits are those of the seed, for all methods alike. CPU seconds are
those of the fit; a method whose fit takes more than `--budget` of them is over budget and gets no further seed.
`--most-epochs` trains baselines no longer than that: the learning rate rises by as much as the epochs fall, to MOST_LR
at most, and the table says so.

Seed 0 of everything comes first, and the file is rewritten after each job: stop when you like (the table is printed),
go on by the same command. `--again genurl,untrained` runs methods anew and keeps the others.

Rows that no seed changes ("propagated", "raw") are evaluated once where the splits are given. Of those with more than
WIDE columns the probe reads the first principal components, which only help them: 90.7 becomes 93.0 on Coauthor CS.

``--select KEY=A,B,...`` lets the labels outside the test nodes choose one of these values for each data set before
anything is tested (label_choice.py).
"""

from __future__ import annotations

import functools
import signal
import statistics
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from label_choice import CHOOSING, choose, inner, parse_select
from node_tables import DEFAULT_METHODS, FIXED, OWN, report
from shared import (
    Job,
    OverBudget,
    benchmark_parser,
    keep_results,
    one_thread_a_process,
    read_runs,
    same_settings,
    within,
)

DATASETS = "cora,citeseer,cora_ml,photo,cs,actor,minesweeper,cornell,texas,wisconsin"
# Inputs with more columns than this are probed by so many components.
WIDE, COMPONENTS = 4096, 512
# Learning rate of a baseline with fewer epochs than published, unless the published one is larger.
MOST_LR = 1e-3


class Asked(NamedTuple):
    """What all jobs of a call share; `changes` of the preset by data set, or by value that is tried."""

    root: Path | None
    protocol: str | None
    repeats: int | None
    most_epochs: int | None
    budget: float
    changes: dict[str, dict[str, Any]]


def main(arguments: list[str] | None = None) -> int:
    """Run what is missing, then print the tables; 1 if a job failed."""
    parser = benchmark_parser(__doc__, DATASETS, seeds=10, output=True)
    parser.add_argument("--methods", default=",".join(DEFAULT_METHODS), metavar="NAME,...")
    parser.add_argument("--links", default="", metavar="NAME,...", help="data sets for the AUC of held-out links, too")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--select", metavar="KEY=A,B,...", help="let the labels outside the test nodes choose a value")
    parser.add_argument("--protocol", choices=["public", "random-10", "random-10-10-80"], help="[each data set's own]")
    parser.add_argument("--repeats", type=int, help="random splits a seed [the protocol's own number]")
    parser.add_argument("--budget", type=float, default=1800.0, help="CPU seconds of one fit [1800]")
    parser.add_argument("--most-epochs", type=int, help="of a baseline [as published]")
    parser.add_argument("--again", default="", metavar="METHOD,...", help="forget the runs of these methods")
    parser.add_argument("--report", action="store_true", help="run nothing, print the tables of --output")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each [1]")
    options = parser.parse_args(arguments)
    one_thread_a_process()  # before anything that reads the variables is imported, here or in a worker
    methods, names, links = check(parser, options)
    asked, tried, results = prepare(parser, options, names)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failed, best = 0, dict.fromkeys(names, "")
    try:
        if tried:
            choosing = [Job("choices", n, (value,), seed) for n in names for seed in range(CHOOSING) for value in tried]
            failed += finish(choosing, asked, results, options)
            best = {name: choose(results["choices"].get(name, {}), tried) for name in names}
        # A data set without all of its choices is not tested.
        names = [name for name in names if best[name] is not None]
        chosen = {name: asked.changes[best[name] or ""] for name in names}
        links = [name for name in links if name in chosen]
        failed += finish(
            planned(names, methods, links, options.seeds), asked._replace(changes=chosen), results, options
        )
    except KeyboardInterrupt:
        failed += 1
        print("stopped: the same command goes on from here", file=sys.stderr)
    report(results, names, methods, links, options.seeds, best)
    return 1 if failed else 0


def check(parser: ArgumentParser, options: Namespace) -> tuple[list[str], list[str], list[str]]:
    """Methods, data sets, and data sets for links, by their full names."""
    from genurl_graph import datasets
    from genurl_graph.baselines import BASELINES, require

    methods, again = (list(dict.fromkeys(filter(None, text.split(",")))) for text in (options.methods, options.again))
    for method in (*methods, *again):
        if method not in (*OWN, *FIXED, *BASELINES):
            parser.error(f"--methods: {method!r} is none of {', '.join((*OWN, *FIXED, *BASELINES))}")
        if method in BASELINES:
            require(method)
    if options.select and options.protocol == "random-10":
        parser.error("--select: protocol random-10 has no validation nodes to choose by")
    if options.report and options.output is None:
        parser.error("--report: needs --output, the file to read")
    texts = (options.datasets, options.links)
    names, links = (list(dict.fromkeys(datasets.info(n).name for n in text.split(",") if n)) for text in texts)
    return methods, list(dict.fromkeys(names + links)), links


def prepare(
    parser: ArgumentParser, options: Namespace, names: list[str]
) -> tuple[Asked, dict[str, dict[str, Any]], dict[str, Any]]:
    """What jobs share, the values that labels choose from, and the results so far."""
    from genurl_graph.config import load_preset
    from genurl_graph.config.toml import parse_assignments

    assignments = parse_assignments(options.set)
    preset = load_preset("graph").override(assignments)
    tried = parse_select(options.select)
    for change in tried.values():
        preset.override(change)
    changes = {"": assignments} | {value: assignments | change for value, change in tried.items()}
    limits = options.most_epochs, options.budget
    asked = Asked(options.data_root, options.protocol, options.repeats, *limits, changes)
    judged = {"protocol": options.protocol, "repeats": options.repeats, "most_epochs": options.most_epochs}
    own = {"config": preset.to_dict(), "select": tried}
    results = read_runs(options.output) or {"judged": judged, "own": own, "choices": {}, "runs": {}, "links": {}}
    again = set(filter(None, options.again.split(",")))
    for part in ("runs", "links"):
        for name in names:
            for method in again & results[part].get(name, {}).keys():
                del results[part][name][method]
    if again & set(OWN):
        if not same_settings(results["own"], own):
            results["choices"] = {}
        results["own"] = own
    if not same_settings(results["judged"], judged) or (not options.report and not same_settings(results["own"], own)):
        parser.error(
            f"--output {options.output}: holds results of other settings; name a new file, or --again "
            "genurl,untrained where only GenURL's differ"
        )
    return asked, tried, results


def planned(names: list[str], methods: list[str], links: list[str], seeds: int) -> Iterator[Job]:
    """All jobs, seed by seed. One fit gives both rows of `OWN`."""
    own = tuple(method for method in OWN if method in methods)
    groups = ([own] if own else []) + [(method,) for method in methods if method not in OWN]
    for seed in range(seeds):
        for name in names:
            yield from (Job("runs", name, group, seed) for group in groups)
            if name in links:
                yield Job("links", name, (*OWN, "propagated"), seed)


def finish(jobs: Iterable[Job], asked: Asked, results: dict[str, Any], options: Namespace) -> int:
    """Run the jobs that `results` does not hold; how many failed."""

    def is_done(job: Job, row: str) -> bool:
        found = results[job.part].get(job.name, {}).get(row, {})
        first = found.get("0", {})
        # Nothing is to be learnt from a further seed.
        hopeless = job.part == "runs" and ("error" in first or first.get("over", 0) >= asked.budget)
        constant = row in FIXED and first.get("protocol") == "public"
        return hopeless or constant or (str(job.seed) in found and "over" not in found[str(job.seed)])

    missing = (job for job in jobs if not all(is_done(job, row) for row in job.rows))
    left = iter(()) if options.report else missing
    return keep_results(work, left, options.jobs, results, options.output, asked)


def work(job: Job, asked: Asked) -> dict[str, dict[str, Any]]:
    """Figures of the rows of a job. Runs in a worker."""
    from genurl_graph.exceptions import DivergenceError, InputError

    warm()
    data = load(job.name, asked.root)
    try:
        return {"choices": choice, "runs": run, "links": link_aucs}[job.part](job, data, asked)
    except OverBudget:
        return {row: {"over": asked.budget} for row in job.rows}
    except (InputError, DivergenceError) as error:  # such as a method that needs features on a graph without
        return {row: {"error": str(error)} for row in job.rows}


@functools.cache
def warm() -> None:
    """Embed a small graph, so that no imports are counted as the first fit's time."""
    from genurl_graph import datasets
    from genurl_graph.baselines import get_baseline
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.protocols import evaluate_embedding

    data = datasets.load("karate")
    z = GenURL(task="graph", epochs=1).fit(data).embedding_
    evaluate_embedding(z, data, "random-10-10-80", n_repeats=1)
    get_baseline("cca-ssg", {"epochs": 1})(data, 0, "cpu")


@functools.lru_cache(maxsize=2)
def load(name: str, root: Path | None) -> Any:
    """A data set, kept for the next job of the same process."""
    from genurl_graph import datasets

    return datasets.load(name, root)


def run(job: Job, data: Any, asked: Asked) -> dict[str, dict[str, Any]]:
    """Probe of all rows of a job; of GenURL, the other figures as well."""
    from genurl_graph.baselines import get_baseline
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.protocols import evaluate_embedding, probe_embedding
    from genurl_graph.evaluation.splits import default_protocol

    (row, *_), seed = job.rows, job.seed
    how = (data, asked.protocol or default_protocol(data))
    drawn = {"seed": seed, "n_repeats": asked.repeats}
    if row in FIXED:
        z, columns, spent = fixed(row, job.name, asked.root, asked.budget)
        return {row: probe(z, *how, **drawn, scaled=columns > z.shape[1]) | {"columns": columns} | spent}
    if row not in OWN:
        shorter, published = fewer_epochs(row, getattr(data, "name", None), asked.most_epochs)
        with within(asked.budget) as spent:
            z = get_baseline(row, shorter)(data, seed, "cpu")
        epochs = {"epochs": [shorter["epochs"], published]} if shorter else {}
        return {row: probe_embedding(z, *how, **drawn) | {"columns": z.shape[1]} | spent | epochs}
    # The untrained encoder needs the graph, but no training.
    change = asked.changes[job.name] | ({} if row == "genurl" else {"training.epochs": 1})
    with within(asked.budget) as spent:
        model = GenURL(task="graph", random_state=seed, config=change).fit(data)
    found = {}
    for row in job.rows:
        z = model.embedding_ if row == "genurl" else model.untrained_embedding()
        if row == "genurl":
            figures = evaluate_embedding(z, *how, **drawn)
            scores = figures["probe"] | {"knn": figures["knn"]["test"], "cluster": figures["cluster"]} | spent
            scores["resolved"] = resolved(model)
        else:
            scores = probe_embedding(z, *how, **drawn)
        found[row] = scores | {"columns": z.shape[1]}
    return found


def resolved(model: Any) -> dict[str, Any]:
    """What the data decided: resolved settings that differ from the task's preset."""
    from genurl_graph.config import load_preset
    from genurl_graph.config.toml import flatten

    preset = flatten(load_preset("graph").to_dict())
    return {key: value for key, value in flatten(model.config_.to_dict()).items() if value != preset[key]}


def fewer_epochs(method: str, dataset: str | None, most: int | None) -> tuple[dict[str, Any], int]:
    """Changes of a baseline's settings that train it for at most so many epochs, and how many are published."""
    from genurl_graph.baselines.settings import baseline_settings

    settings = baseline_settings(method, dataset)
    epochs, lr = settings["epochs"], settings["lr"]
    if most is None or epochs <= most:
        return {}, epochs
    return {"epochs": most, "lr": min(lr * epochs / most, max(lr, MOST_LR))}, epochs


def probe(z: Any, data: Any, protocol: str, seed: int, n_repeats: int | None, scaled: bool) -> dict[str, Any]:
    """As `probe_embedding`, of principal components too."""
    from genurl_graph.evaluation.probe import linear_probe
    from genurl_graph.evaluation.protocols import probe_embedding
    from genurl_graph.evaluation.splits import labels_of, splits

    if not scaled:
        return probe_embedding(z, data, protocol, seed=seed, n_repeats=n_repeats)
    y, drawn = labels_of(data), splits(protocol, data, seed=seed, n_repeats=n_repeats)
    tests = [linear_probe(z, y, split, protocol, scaled=True)["test"] for split in drawn]
    return {"protocol": protocol, "test": statistics.fmean(tests), "splits": len(tests)}


@functools.lru_cache(maxsize=32)
def fixed(row: str, name: str, root: Path | None, budget: float) -> tuple[Any, int, dict[str, float]]:
    """A row that needs no training as the probe reads it, how many columns it has, and the seconds."""
    from genurl_graph.evaluation.probe import standardised_components
    from genurl_graph.experiments.scores import fixed_embedding

    with within(budget) as spent:
        z = fixed_embedding(row, load(name, root))
    columns = int(z.shape[1])
    return (standardised_components(z, COMPONENTS) if columns > WIDE else z), columns, spent


def link_aucs(job: Job, data: Any, asked: Asked) -> dict[str, dict[str, Any]]:
    """AUC of held-out links by cosine; every row is made from the training edges alone."""
    from sklearn.preprocessing import normalize

    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.links import inner_products, link_split, ranking
    from genurl_graph.evaluation.protocols import propagated_features
    from genurl_graph.inputs.sparse import to_scipy_or_numpy

    split = link_split(data, job.seed)
    with within(asked.budget):
        model = GenURL(task="graph", random_state=job.seed, config=asked.changes[job.name]).fit(split.graph)
    rows = {"genurl": model.embedding_, "untrained": model.untrained_embedding()}
    if data.x is not None:
        rows["propagated"] = propagated_features(split.graph)
    pairs, label = split.test.edge_index, split.test.label.numpy()
    units = {row: normalize(to_scipy_or_numpy(z)) for row, z in rows.items()}
    found = {row: {"auc": ranking(inner_products(z, pairs), label)["auc"]} for row, z in units.items()}
    return {row: found.get(row, {}) for row in job.rows}


def choice(job: Job, data: Any, asked: Asked) -> dict[str, dict[str, Any]]:
    """What labels choose by, of one value and seed."""
    from genurl_graph.estimator import GenURL

    (value,) = job.rows
    z = GenURL(task="graph", random_state=job.seed, config=asked.changes[value]).fit(data).embedding_
    return {value: {"val": inner(z, data, asked.protocol, job.seed, asked.repeats)}}


if __name__ == "__main__":
    sys.exit(main())
