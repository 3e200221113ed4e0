"""``genurl-graph compare``: methods side by side on one data set, over seeds."""

import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options, runs
from genurl_graph.cli.report import Report, as_config, bar, describe
from genurl_graph.cli.results import Results
from genurl_graph.cli.runs import FIXED, METHODS, Job, Run
from genurl_graph.cli.scores import load_labelled, probe_test
from genurl_graph.cli.stored import environment
from genurl_graph.exceptions import InputError
from genurl_graph.peers import PEERS, peer_settings, require

if TYPE_CHECKING:
    from torch_geometric.data import Data

ALL_METHODS = (*METHODS, *PEERS)


@click.command()
@click.option("--dataset", required=True, metavar="NAME", help="See genurl-graph datasets.")
@click.option(
    "--methods",
    default=",".join(METHODS),
    show_default=True,
    help=f"Separated by commas, in the table's order: some of {', '.join(ALL_METHODS)}.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=10, show_default=True, help="Run seeds 0..N-1.")
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10", "random-10-10-80"]),
    help="Splits of the linear probe. [default: public where the data set has it, else random-10-10-80]",
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
@click.option("--resume", is_flag=True, help="Go on with --metrics of an interrupted comparison.")
@options.quiet
def compare(
    dataset: str,
    methods: str,
    seeds: int,
    protocol: str | None,
    data_root: Path | None,
    assignments_of_peers: tuple[str, ...],
    metrics: Path | None,
    markdown: Path | None,
    resume: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Compare methods on one data set by the linear probe: mean ± unbiased standard deviation over seeds.

    All see the same seeds, splits and probe. Peers run with their published settings (--peer-set changes one); options
    of the model, except --device, are those of genurl and untrained. Each method runs in a process of its own; peak
    memory is that process's, libraries included. --metrics is rewritten after each run, for --resume.
    """
    from genurl_graph.evaluation.protocols import default_protocol
    from genurl_graph.io import atomic_write, check_output

    chosen = parse_methods(methods)
    changes = parse_peer_settings(assignments_of_peers, chosen)
    if metrics:
        check_output(metrics, (".json",))
    if markdown:
        check_output(markdown, (".md",))
    name, data = load_labelled(dataset, data_root)
    check_methods(chosen, data)
    protocol = protocol or default_protocol(data)
    report = Report(quiet)
    report.line(describe(name, data))
    configuration = {method: resolved(method, name, data, model, changes.get(method, {})) for method in chosen}
    header = {"dataset": name, "protocol": protocol, "seeds": list(range(seeds))}
    results = Results(header, environment(data, model["device"]), configuration, metrics)
    if resume:
        results.resume()
    threads = results.environment["threads"]
    with terminable(), bar(sum(len(results.todo(method)) for method in chosen), quiet) as shown:
        for method in chosen:
            todo = results.todo(method)
            job = Job(method, todo, name, data_root, model, changes.get(method, {}), threads)
            with closing(embeddings(job)) as found:
                for run, seed in zip(found, todo, strict=True):
                    earlier = results.runs[method]["probe_test"]
                    # The same rows on the public split give the same probe: it is not computed twice.
                    repeated = earlier and method in FIXED and protocol == "public"
                    accuracy = earlier[0] if repeated else probe_test(run.embedding, data, protocol, seed)
                    results.add(method, accuracy, run.seconds, run.peak_memory_mb)
                    shown.update()
    results.write()
    report.line(f"\nlinear probe, test accuracy in per cent (protocol {protocol}, {seeds} seeds)")
    rows, columns = results.table()
    report.table(rows, header=columns)
    if markdown:
        with atomic_write(markdown) as temporary:
            temporary.write_text(results.markdown(), encoding="utf-8")
        report.line(f"\nmarkdown  {markdown}")
    if metrics:
        report.line(f"\nmetrics   {metrics}")


def embeddings(job: Job) -> Generator[Run, None, None]:
    """The runs of a job, one a seed; what no seed changes is computed once."""
    if not job.seeds:
        return
    fixed = job.method in FIXED
    with closing(runs.run_apart(job._replace(seeds=job.seeds[:1]) if fixed else job)) as found:
        for run in found:
            for _ in job.seeds if fixed else (None,):
                yield run


@contextmanager
def terminable() -> Iterator[None]:
    """Context in which SIGTERM is what Ctrl-C is: the process of a method must not outlive this one."""
    if threading.current_thread() is not threading.main_thread():  # where Python handles no signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def parse_methods(text: str) -> list[str]:
    return options.parse_names("--methods", "method", text.replace("_", "-"), ALL_METHODS)


def parse_peer_settings(assignments: tuple[str, ...], chosen: list[str]) -> dict[str, dict[str, Any]]:
    """``("grace.epochs=5",)`` to ``{"grace": {"epochs": "5"}}``, checked."""
    found: dict[str, dict[str, Any]] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        method, dot, setting = key.strip().partition(".")
        if not (equals and dot):
            raise InputError(f"--peer-set: found {text!r}; expected METHOD.KEY=VALUE, such as grace.epochs=100")
        if method not in PEERS or method not in chosen:
            peers = ", ".join(name for name in chosen if name in PEERS) or "none"
            raise InputError(f"--peer-set: found {method!r}; expected a peer of --methods ({peers})")
        found.setdefault(method, {})[setting] = value.strip()
        peer_settings(method, None, found[method])
    return found


def check_methods(chosen: list[str], data: "Data") -> None:
    """Before any long work: what a method needs of the data set and of the installation is there."""
    for method in chosen:
        if method in PEERS:
            require(method)
        lacking = None
        if method in (*PEERS, "propagated") and getattr(data, "edge_index", None) is None:
            lacking = "edges"
        elif method in (*FIXED, "dgi", "graphcl", "bgrl", "vicreg", "barlow") and getattr(data, "x", None) is None:
            lacking = "node features"
        if lacking:
            raise InputError(f"--methods: {method} needs {lacking}, which the data set does not have")


def resolved(method: str, name: str, data: "Data", model: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """All settings that a method runs with."""
    if method in PEERS:
        return peer_settings(method, name, changes)
    if method in FIXED:
        return {}
    return as_config(options.make_estimator(**model, seed=0).resolve(data))
