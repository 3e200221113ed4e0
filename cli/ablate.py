"""``genurl-graph ablate``: the paper's ablation on a data set of your choice."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.ablation import Ablation
from genurl_graph.cli.comparison import save, show
from genurl_graph.cli.grid import BASE, GAMMA, MERGING, NU, K, Row, assignments, one_at_a_time, parse_factors, product
from genurl_graph.cli.report import Report, as_config, bar, describe, percent
from genurl_graph.cli.scores import load_labelled
from genurl_graph.cli.stored import environment, machine
from genurl_graph.exceptions import DivergenceError, InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data


@click.command()
@click.option("--dataset", required=True, metavar="NAME", help="See genurl-graph datasets.")
@click.option("--losses", metavar="NAME,...", help="Losses. [default, as for all factors, if none is named: all]")
@click.option("--gamma", metavar="X,...", help=f"Weights of the repulsion, each with loss.scale=1. [{GAMMA}]")
@click.option("--nu", metavar="X,...", help=f"Degrees of freedom of the embedding's kernel. [{NU}]")
@click.option("--k", metavar="N,...", help=f"Feature-space neighbours. [{K}]")
@click.option("--merging", metavar="MODE,...", help=f"Where edges come from: {', '.join(MERGING)}. [all]")
@click.option("--full", is_flag=True, help="All combinations of the levels, not one factor at a time.")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Run seeds 0..N-1.")
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10-10-80"]),
    help="Splits of the linear probe. [default: public where the data set has it, else random-10-10-80]",
)
@options.data_root
@options.model
@options.metrics
@click.option("--markdown", type=options.PATH, metavar="FILE.md", help="Write the table as Markdown.")
@click.option(
    "--plot", type=options.PATH, metavar="FILE.png", help="Bars, or with --full a heat map (also .pdf, .svg)."
)
@click.option("--resume", is_flag=True, help="Go on with --metrics of an interrupted ablation.")
@options.quiet
def ablate(
    dataset: str,
    losses: str | None,
    gamma: str | None,
    nu: str | None,
    k: str | None,
    merging: str | None,
    full: bool,
    seeds: int,
    protocol: str | None,
    data_root: Path | None,
    metrics: Path | None,
    markdown: Path | None,
    plot: Path | None,
    resume: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Vary losses, gamma, nu, k and the merging mode around the preset, one factor at a time or all together.

    Without any factor all of them vary. Options of the model, such as --set, change what is varied around ("preset" in
    the table). Validation accuracies choose; test accuracies stand beside them and choose nothing.

    A profiled scale, the preset's, cancels gamma; rows that vary it have loss.scale=1. `kl` and `infonce` have no
    gamma at all. A combination that cannot run is listed with its reason.

    \b
    Examples:
      genurl-graph ablate --dataset cora --seeds 3 --metrics ablation.json --plot ablation.png
      genurl-graph ablate --dataset cora --losses gkl,l2 --gamma 0.5,1,2 --full
    """
    from genurl_graph.evaluation.protocols import default_protocol

    options.check_files(metrics, markdown, plot)
    options.lock(metrics, markdown, plot)
    name, data = load_labelled(dataset, data_root)
    base = options.make_estimator(**model, seed=0).resolve(data)
    factors = parse_factors(base, losses, gamma, nu, k, merging)
    rows = product(factors) if full else one_at_a_time(factors)
    header: dict[str, Any] = {
        "dataset": name,
        "protocol": protocol or default_protocol(data),
        "seeds": list(range(seeds)),
        "factors": {factor: list(levels) for factor, levels in factors.items()},
        "full": full,
        **machine(model["device"]),
    }
    configuration = {row.name: resolved(row, data, model) for row in rows}
    results = Ablation(rows, header, environment(data, model["device"]), configuration, metrics)
    if resume:
        results.resume()
    report = Report(quiet)
    report.line(describe(name, data))
    with bar(sum(len(results.todo(row.name)) for row in rows), quiet) as shown:
        for row in rows:
            for seed in results.todo(row.name):
                try:
                    results.add(row.name, *run(row, data, model, header["protocol"], seed))
                except (InputError, DivergenceError) as error:
                    if row.name == BASE:
                        raise
                    results.refuse(row.name, str(error))
                    break
                finally:
                    shown.update()
    describe_results(report, results)
    save(results, report, metrics, markdown)
    if plot:
        from genurl_graph.cli.ablation_plot import draw

        draw(results, factors, full, plot)
        report.line(f"picture   {plot}")


def resolved(row: Row, data: "Data", model: dict[str, Any]) -> dict[str, Any]:
    """All settings that a row runs with; those of a row that cannot are what was asked for."""
    try:
        return as_config(options.make_estimator(**varied(row, model), seed=0).resolve(data))
    except InputError:
        return dict(row.settings)


def varied(row: Row, model: dict[str, Any]) -> dict[str, Any]:
    """Options of the model with the settings of a row, which win over --config and --set."""
    return {**model, "assignments": (*model["assignments"], *assignments(row.settings))}


def run(row: Row, data: "Data", model: dict[str, Any], protocol: str, seed: int) -> tuple[float, float, float]:
    """Validation accuracy, test accuracy and seconds to the embedding."""
    from genurl_graph.evaluation.protocols import probe_embedding

    start = time.perf_counter()
    z = options.make_estimator(**varied(row, model), seed=seed).fit(data).embedding_
    seconds = time.perf_counter() - start
    probe = probe_embedding(z, data, protocol, seed=seed)
    return float(probe["val"]), float(probe["test"]), seconds


def describe_results(report: Report, results: Ablation) -> None:
    protocol, seeds = results.header["protocol"], len(results.header["seeds"])
    report.line(f"\nlinear probe, accuracy in per cent (protocol {protocol}, {seeds} seed{'s' if seeds > 1 else ''})")
    show(results, report)
    best = results.best()
    if best is not None:
        found = results.to_dict()["rows"][best]
        report.line(
            f"\n* best by validation: {results.title(best)}, {percent(found['val_mean'])}; its test accuracy is "
            f"{percent(found['test_mean'])}"
        )
