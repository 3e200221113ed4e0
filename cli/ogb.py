"""``genurl-graph ogb``: a data set of the Open Graph Benchmark by its own rules, with its leaderboard's fields."""

import shlex
from pathlib import Path
from typing import Any

import click

from genurl_graph.cli import INTERRUPTED, Stop, options
from genurl_graph.cli.report import Report
from genurl_graph.experiments.environment import environment
from genurl_graph.experiments.models import resolved
from genurl_graph.experiments.ogb_table import OgbTable, data_sizes, ogb_dataset, ogb_machine, run_rows
from genurl_graph.experiments.results import n_seeds
from genurl_graph.experiments.sources import describe


class Remembering(click.Command):
    """A command that knows the words it was called with: reports quote them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = [word for word in args if word != "--resume"]  # the whole report comes from the call without it
        ctx.meta["command"] = shlex.join(["genurl-graph", "ogb", *words])
        return super().parse_args(ctx, args)


@click.command(cls=Remembering)
@click.option("--dataset", required=True, metavar="NAME", help="ogbn-arxiv or ogbn-products.")
@options.seeds(default=10, show_default=True)
@options.data_root
@options.model
@click.option("--probe-epochs", type=click.IntRange(min=1), help="Number of epochs of both probes. [default: 60]")
@click.option("--report", type=options.PATH, metavar="FILE.md", help="Where to write the report. [default: NAME.md]")
@click.option(
    "--metrics", type=options.PATH, metavar="FILE.json", help="The report as JSON. [default: NAME.json beside --report]"
)
@click.option("--resume", is_flag=True, help="Continue after the last finished seed of --metrics.")
@click.option("--yes", is_flag=True, help="Allow downloads above 1 GB. The command never asks.")
@options.quiet
@click.pass_context
def ogb(
    context: click.Context,
    /,
    dataset: str,
    seeds: int,
    data_root: Path | None,
    probe_epochs: int | None,
    report: Path | None,
    metrics: Path | None,
    resume: bool,
    yes: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Embed an OGB data set without labels, for several seeds, and evaluate the frozen embedding by OGB's Evaluator.

    Two probes are reported: logistic regression (validation nodes choose its penalty) and an MLP (they choose its
    epoch). Raw features, propagated features and the untrained encoder stand beside them, once each.

    Raw files and splits are read without pickles. The report has the fields of the leaderboard. It is rewritten after
    every seed, and --resume continues from there.

    \b
    Examples:
      genurl-graph ogb --dataset ogbn-arxiv --seeds 10 --report arxiv.md
      genurl-graph ogb --dataset ogbn-arxiv --seeds 10 --report arxiv.md --resume
    """
    from genurl_graph import datasets
    from genurl_graph.evaluation.minibatch_probe import settings

    entry = ogb_dataset(dataset)
    report = report or Path(f"{entry.name}.md")
    metrics = metrics or report.with_suffix(".json")
    options.TableFiles(metrics, report, None, resume).prepare()
    data = datasets.load(entry.name, data_root, large_download=yes)
    shown = Report(quiet)
    shown.line(describe(entry.name, data))
    own = resolved(model, data)
    around = {**environment(data, model["device"]), "probe": settings(probe_epochs)}
    header = {
        "dataset": entry.name,
        "protocol": "ogb",
        "seeds": list(range(seeds)),
        "method": "GenURL",
        "external_data": False,
        "command": context.meta["command"],
        **ogb_machine(around["device"]),
        "data": data_sizes(entry, data),
    }
    rows = {"genurl": own, "untrained": own, "propagated": {"hops": 2}, "raw": {}}
    results = OgbTable(header, around, rows, metrics)
    results.report = report
    if resume:
        results.resume()
    try:
        run_rows(results, data, model, quiet)
    except KeyboardInterrupt as error:
        advice = f"what was finished, if anything, is in {metrics}; the same command with --resume goes on from there"
        raise Stop(f"interrupted; {advice}", INTERRUPTED) from error
    results.write()
    shown.line(f"\naccuracy by OGB's Evaluator, {n_seeds(range(seeds))}, mean ± standard deviation")
    shown.results(results)
    shown.line()
    shown.files(9, report=report, metrics=metrics)
