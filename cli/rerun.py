"""``genurl-graph rerun``: a run again from its metrics file, and whether its figures come out the same."""

from pathlib import Path
from typing import Any

import click

from genurl_graph.cli import FAILED, Stop, options
from genurl_graph.cli.report import Report
from genurl_graph.cli.shared.replaced import announce
from genurl_graph.experiments import repeat


@click.command()
@click.argument("result", type=options.PATH, metavar="RESULT.json")
@options.data_root
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=repeat.TOLERANCE,
    show_default=True,
    help="Allowed difference if bits cannot agree: absolute for shares, relative for other figures.",
)
@click.option(
    "--output", type=options.PATH, metavar="FILE", help="Where to write the new embedding. [default: nowhere]"
)
@options.quiet
def rerun(result: Path, data_root: Path | None, tolerance: float, output: Path | None, quiet: bool) -> None:
    """Repeat the run of a metrics file, and compare the figures.

    The file is one of embed or distill, or a table of compare, ablate, ogb or evaluate --protocol links,
    temporal-links, edges or triples, of which all runs are repeated. Configuration, seeds, input and number of threads
    are those of the file. On the CPU of the same machine, with the same versions, threads and data, all figures (and
    the embedding of a single run) have to agree to the last bit. Otherwise they have to agree within --tolerance, and a
    warning says what differs. Seconds and memory are not compared.

    The exit code is 0 if all figures agree, and 1 if one does not.

    \b
    Examples:
      genurl-graph embed --dataset digits --metrics digits.json
      genurl-graph rerun digits.json
      genurl-graph compare --dataset karate --seeds 2 --epochs 5 --metrics karate.json
      genurl-graph rerun karate.json
    """
    from genurl_graph.inputs.embeddings import check_embedding_path
    from genurl_graph.inputs.temporal.trajectory_files import check_trajectory_path

    stored = repeat.read_metrics(result)
    report, single = Report(quiet), repeat.is_run(stored)
    if output:
        if not single:
            raise click.UsageError("--output goes with a run of embed or distill; a table has no single embedding.")
        timed = stored["task"] == "temporal"
        (check_trajectory_path if timed else check_embedding_path)(output)
        announce(output)
    if single:
        now = repeat.repeat_run(stored, data_root, output, report.line, quiet)
    else:
        now = repeat.repeat_table(stored, data_root, report.line, quiet)
    differences = repeat.other_circumstances(stored, now)
    for difference in differences:
        click.echo(f"Warning: {difference}", err=True)
    exact = not differences and now["environment"]["device"] == "cpu"
    stored, now = repeat.figures_of(stored), repeat.figures_of(now)
    found = repeat.compare_figures(stored, now, 0.0 if exact else tolerance)
    report.line(f"\nfigures that are to agree {'to the last bit' if exact else f'within {tolerance:g}'}")
    rows = [(f.name, text(f.stored), text(f.now), "yes" if f.agrees else "NO") for f in found]
    report.table([("", "stored", "now", "agrees"), *rows])
    wrong = [figure.name for figure in found if not figure.agrees]
    if wrong:
        raise Stop(f"{result}: {len(wrong)} of {len(found)} figures do not agree: {', '.join(wrong)}", FAILED)


def text(value: Any) -> str:
    """A figure for people."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
