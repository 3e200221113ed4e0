"""``genurl-graph ablate``: the paper's ablation on a data set of your choice."""

from typing import Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.report import Report, save_table
from genurl_graph.experiments.ablation import (
    EVENTS,
    GAMMA,
    MERGING,
    MERGING_OF_EVENTS,
    MERGING_OF_GRAPHS,
    NU,
    AblationTable,
    K,
    one_at_a_time,
    parse_factors,
    product,
    run_rows,
)
from genurl_graph.experiments.environment import environment, machine
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.results import n_seeds
from genurl_graph.experiments.sources import Source, read_lines, wants_events
from genurl_graph.experiments.tables.source import GRAPHS, describe_split, load_for, own_header
from genurl_graph.experiments.temporal.table import events_of


@click.command()
@options.source
@click.option("--losses", metavar="NAME,...", help="Losses. [default: all, if no factor is named]")
@click.option("--gamma", metavar="X,...", help=f"Weights of the repulsion, each with loss.scale=1. [default: {GAMMA}]")
@click.option("--nu", metavar="X,...", help=f"Degrees of freedom of the embedding's kernel. [default: {NU}]")
@click.option("--k", metavar="N,...", help=f"Numbers of nearest neighbours. [default: {K}]")
@click.option(
    "--merging",
    metavar="MODE,...",
    help=f"Sources of edges: {', '.join(MERGING)}; for whole graphs {', '.join(MERGING_OF_GRAPHS)}; for "
    f"events with a time {', '.join(MERGING_OF_EVENTS)}. [default: all]",
)
@click.option("--full", is_flag=True, help="Run all combinations instead of one factor at a time.")
@options.seeds(default=3, show_default=True)
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10-10-80"]),
    help="Splits of the linear probe. [default: public if the data come with a split, else random-10-10-80]",
)
@options.model
@options.table_files("ablation", "Draw bars, or with --full a heat map (also .pdf, .svg).")
@options.quiet
def ablate(
    source: Source,
    losses: str | None,
    gamma: str | None,
    nu: str | None,
    k: str | None,
    merging: str | None,
    full: bool,
    seeds: int,
    protocol: str | None,
    files: options.TableFiles,
    quiet: bool,
    **model: Any,
) -> None:
    """Vary losses, gamma, nu, k and the source of edges, one at a time or in all combinations.

    The starting point is the preset of the data, with your own options of the model, such as --set; it is the row
    "preset" of the table. If you name no factor, all of them vary. The best row is chosen by validation accuracy; test
    accuracies stand beside it and choose nothing. Your own files need labels (--column label=NAME, or --labels FILE);
    the report says how these are split.

    The preset's scale of the loss is profiled, which cancels gamma, so rows that vary gamma have loss.scale=1. The
    losses kl and infonce have no gamma. A combination that cannot run is listed with the reason.

    Events with a time are evaluated by the pairs of the next window instead of labels: AUC against random pairs by the
    cosine of the embedding, which has seen the windows before those of validation.

    \b
    Examples:
      genurl-graph ablate --dataset cora --seeds 3 --metrics ablation.json --plot ablation.png
      genurl-graph ablate --dataset cora --losses gkl,l2 --gamma 0.5,1,2 --full
      genurl-graph ablate --input edges.csv --features people.csv --column label=club --nu 1,10,100
      genurl-graph ablate --dataset mutag --merging both,views,neighbors
      genurl-graph ablate --dataset collegemsg --merging all,no-interactions,no-identity,no-knn
    """
    from genurl_graph.evaluation.splits import default_protocol

    options.check_source(source)
    files.prepare()
    source = source.with_settings(make_estimator(**model, seed=0).config)
    timed = wants_events(source, model["task"], model["windows"])
    if timed and protocol:
        raise click.UsageError("--protocol goes with labels; events with a time are judged by the next window.")
    data = load_for(source, EVENTS if timed else {"graphs": GRAPHS}.get(model["task"]), labelled=not timed)
    if timed:
        events_of(data)  # not without times
    base = make_estimator(**model, seed=0).resolve(data)
    factors = parse_factors(base, losses, gamma, nu, k, merging)
    rows = product(factors) if full else one_at_a_time(factors)
    protocol = EVENTS if timed else protocol or default_protocol(data)
    header: dict[str, Any] = {
        "dataset": source.name,
        "protocol": protocol,
        "seeds": list(range(seeds)),
        **own_header(source),
        "factors": {factor: list(levels) for factor, levels in factors.items()},
        "full": full,
        **machine(model["device"]),
    }
    configuration = {row.name: row.resolved(model, data) for row in rows}
    results = AblationTable(rows, header, environment(data, model["device"]), configuration, files.metrics)
    if files.resume:
        results.resume()
    report = Report(quiet)
    report.lines(read_lines(source, data))
    if not timed:
        report.line(describe_split(protocol, data))
    run_rows(rows, results, data, model, quiet)
    figure = "AUC of the embedding's cosine" if timed else "linear probe, accuracy"
    report.line(f"\n{figure} in per cent (protocol {protocol}, {n_seeds(range(seeds))})")
    report.results(results)
    if (best := results.best_line()) is not None:
        report.line(f"\n{best}")
    save_table(results, files, report)
    if files.plot:
        from genurl_graph.experiments.ablation_plot import draw

        draw(results, factors, full, files.plot)
        report.files(9, plot=files.plot)
