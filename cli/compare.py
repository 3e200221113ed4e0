"""``genurl-graph compare``: methods side by side on one data set, over seeds."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.baselines import BASELINES, require
from genurl_graph.baselines.reduction import REDUCERS
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.cli import options, reduce_runs, runs
from genurl_graph.cli.compare_reduce import DEFAULT_METHODS, DEFAULT_SEEDS, compare_reduce
from genurl_graph.cli.comparison import Outputs, parse_baseline_settings, save, show, terminable
from genurl_graph.cli.report import Report, as_config, bar, describe
from genurl_graph.cli.results import ProbeResults
from genurl_graph.cli.runs import FIXED, METHODS, Job, Run
from genurl_graph.cli.scores import load_labelled, probe_test
from genurl_graph.cli.stored import environment, machine
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data

ALL_METHODS = (*METHODS, *BASELINES)


@click.command()
@click.option("--dataset", required=True, metavar="NAME", help="See genurl-graph datasets.")
@click.option(
    "--methods",
    help=f"Separated by commas, in the table's order: some of {', '.join(ALL_METHODS)}; with --task reduce some of "
    f"{', '.join(reduce_runs.METHODS)}. [default: {','.join(METHODS)}; reduce: {DEFAULT_METHODS}]",
)
@click.option("--seeds", type=click.IntRange(min=1), help="Run seeds 0..N-1. [default: 10; reduce: 3]")
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10", "random-10-10-80", "reduce"]),
    help="Splits of the linear probe, or reduce: neighbourhoods kept. [default: reduce with --task reduce, else public "
    "where the data set has it, else random-10-10-80]",
)
@options.data_root
@options.model
@click.option(
    "--peer-set",
    "assignments_of_peers",
    multiple=True,
    metavar="METHOD.KEY=VALUE",
    help="Change a published setting of a peer, e.g. grace.epochs=100; repeatable.",
)
@options.metrics
@click.option("--markdown", type=options.PATH, metavar="FILE.md", help="Write the table as Markdown.")
@click.option("--plot", type=options.PATH, metavar="FILE.png", help="reduce: one picture a method, in one panel.")
@click.option(
    "--embeddings",
    type=options.PATH,
    metavar="DIR",
    help="reduce: keep each method's embedding of seed 0 as METHOD.npz; --plot --resume draws from there.",
)
@click.option("--resume", is_flag=True, help="Go on with --metrics of an interrupted comparison.")
@options.quiet
def compare(
    dataset: str,
    methods: str | None,
    seeds: int | None,
    protocol: str | None,
    data_root: Path | None,
    assignments_of_peers: tuple[str, ...],
    metrics: Path | None,
    markdown: Path | None,
    plot: Path | None,
    embeddings: Path | None,
    resume: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Compare methods on one data set by the linear probe: mean ± unbiased standard deviation over seeds.

    All see the same seeds, splits and probe. Peers run with their published settings (--peer-set changes one); options
    of the model, except --device, are those of genurl and untrained. Each method runs in a process of its own; peak
    memory is that process's, libraries included. --metrics is rewritten after each run, for --resume.

    With --task reduce, vectors are brought to --dim dimensions (2) and judged by 10-NN accuracy, trustworthiness,
    continuity and Spearman's correlation of distances. Seconds include the search for neighbours; a first run in a new
    process, with imports and what is compiled at the first call, is reported apart as cold.

    \b
    Examples:
      genurl-graph compare --dataset cora --methods genurl,untrained,cca-ssg --seeds 10 --markdown table.md
      genurl-graph compare --dataset mnist --task reduce --methods genurl,umap,pca --plot panel.png
    """
    reduce = protocol == "reduce" or (protocol is None and model["task"] == "reduce")
    known, default = (reduce_runs.METHODS, DEFAULT_METHODS) if reduce else (ALL_METHODS, ",".join(METHODS))
    chosen = options.parse_names("--methods", "method", (methods or default).replace("_", "-"), known)
    changes = parse_baseline_settings(assignments_of_peers, chosen, REDUCERS if reduce else BASELINES)
    outputs = Outputs(metrics, markdown, plot, embeddings, resume)
    outputs.check(reduce)
    options.lock(metrics, markdown, plot, embeddings)
    report = Report(quiet)
    if reduce:
        compare_reduce(dataset, chosen, seeds or DEFAULT_SEEDS, changes, data_root, model, outputs, report)
        return
    from genurl_graph.evaluation.protocols import default_protocol

    seeds = seeds or 10
    name, data = load_labelled(dataset, data_root)
    check_methods(chosen, data)
    protocol = protocol or default_protocol(data)
    report.line(describe(name, data))
    configuration = {method: resolved(method, name, data, model, changes.get(method, {})) for method in chosen}
    header = {"dataset": name, "protocol": protocol, "seeds": list(range(seeds)), **machine(model["device"])}
    results = ProbeResults(header, environment(data, model["device"]), configuration, metrics)
    if resume:
        results.resume()
    threads = results.environment["threads"]
    jobs = [Job(m, results.todo(m), name, data_root, model, changes.get(m, {}), threads) for m in chosen]
    run_jobs(jobs, results, data, quiet)
    report.line(f"\nlinear probe, test accuracy in per cent (protocol {protocol}, {seeds} seeds)")
    show(results, report)
    save(results, report, metrics, markdown)


def run_jobs(jobs: list[Job], results: ProbeResults, data: "Data", quiet: bool) -> None:
    """Add the runs of all jobs, judged by the probe, to the results."""
    protocol = results.header["protocol"]
    with terminable(), bar(sum(len(job.seeds) for job in jobs), quiet) as shown:
        for job in jobs:
            with closing(embeddings_of(job)) as found:
                for run, seed in zip(found, job.seeds, strict=True):
                    earlier = results.runs[job.method]["probe_test"]
                    # The same rows on the public split give the same probe: it is not computed twice.
                    again = earlier and job.method in FIXED and protocol == "public"
                    accuracy = earlier[0] if again else probe_test(run.embedding, data, protocol, seed)
                    results.add(job.method, {"probe_test": accuracy}, run)
                    shown.update()


def embeddings_of(job: Job) -> Generator[Run, None, None]:
    """The runs of a job, one a seed; what no seed changes is computed once."""
    if not job.seeds:
        return
    fixed = job.method in FIXED
    with closing(runs.run_apart(job._replace(seeds=job.seeds[:1]) if fixed else job)) as found:
        for run in found:
            for _ in job.seeds if fixed else (None,):
                yield run


def check_methods(chosen: list[str], data: "Data") -> None:
    """Before any long work: what a method needs of the data set and of the installation is there."""
    for method in chosen:
        if method in BASELINES:
            require(method)
        lacking = None
        if method in (*BASELINES, "propagated") and getattr(data, "edge_index", None) is None:
            lacking = "edges"
        elif method in (*FIXED, "dgi", "graphcl", "bgrl", "vicreg", "barlow") and getattr(data, "x", None) is None:
            lacking = "node features"
        if lacking:
            raise InputError(f"--methods: {method} needs {lacking}, which the data set does not have")


def resolved(method: str, name: str, data: "Data", model: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """All settings that a method runs with."""
    if method in BASELINES:
        return baseline_settings(method, name, changes)
    if method in FIXED:
        return {}
    return as_config(options.make_estimator(**model, seed=0).resolve(data))
