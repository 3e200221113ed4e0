"""``genurl-graph rerun``: a run again from its metrics file, and whether its figures come out the same."""

import json
from pathlib import Path
from typing import Any

import click

from genurl_graph.cli import FAILED, Stop, options
from genurl_graph.cli.figures import TOLERANCE, Figure, circumstances, compare, figures_of
from genurl_graph.cli.repeat import repeat_run
from genurl_graph.cli.repeat_tables import needed, repeat_table
from genurl_graph.cli.report import Report
from genurl_graph.exceptions import InputError

REPEATABLE = "embed, distill, compare, ablate, ogb or evaluate --protocol links"
# What a metrics file must hold to be repeated: of one run, of a table of runs.
CIRCUMSTANCES = ("environment", "hardware", "versions")
RUN = ("run", *CIRCUMSTANCES, "config", "seed", "task", "embedding_crc32")
TABLE = ("dataset", "protocol", "seeds", *CIRCUMSTANCES)


@click.command()
@click.argument("result", type=options.PATH, metavar="RESULT.json")
@options.data_root
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=TOLERANCE,
    show_default=True,
    help="Difference allowed where bits cannot be expected to agree: absolute for shares, relative for other figures.",
)
@click.option("--output", type=options.PATH, metavar="FILE", help="Keep the new embedding.")
@options.quiet
def rerun(result: Path, data_root: Path | None, tolerance: float, output: Path | None, quiet: bool) -> None:
    """Repeat what a file of --metrics holds, and compare the figures.

    It may be a file of embed or distill, or a table of compare, ablate, ogb or evaluate --protocol links, of which all
    runs are repeated. Configuration, seeds, input and number of threads are those of the file. On the CPU of the same
    machine, with the same versions, threads and data, all figures, and the embedding of a single run, have to agree to
    the last bit; else within --tolerance, and a warning says what differs. Seconds and memory are not compared.

    The exit code is 0 if all figures agree, 1 if not.

    \b
    Examples:
      genurl-graph embed --dataset digits --metrics digits.json
      genurl-graph rerun digits.json
      genurl-graph compare --dataset karate --seeds 2 --epochs 5 --metrics karate.json
      genurl-graph rerun karate.json
    """
    from genurl_graph.inputs.embeddings import check_embedding_path

    stored = read(result)
    report, single = Report(quiet), is_run(stored)
    if output:
        if not single:
            raise click.UsageError("--output goes with a run of embed or distill; a table has no single embedding.")
        check_embedding_path(output)
    now = repeat_run(stored, data_root, output, report) if single else repeat_table(stored, data_root, report)
    differences = circumstances(stored, now)
    for difference in differences:
        click.echo(f"Warning: {difference}", err=True)
    exact = not differences and now["environment"]["device"] == "cpu"
    found = compare(figures_of(stored), figures_of(now), 0.0 if exact else tolerance)
    show(report, found, exact, tolerance)
    wrong = [figure.name for figure in found if not figure.agrees]
    if wrong:
        raise Stop(f"{result}: {len(wrong)} of {len(found)} figures do not agree: {', '.join(wrong)}", FAILED)


def read(path: Path) -> dict[str, Any]:
    """The metrics file of a run, or of a table of runs; InputError where it cannot be repeated from."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    found = found if isinstance(found, dict) else {}
    table = not is_run(found) and "protocol" in found
    lacking = [key for key in (TABLE if table else RUN) if key not in found]
    if table and not lacking:
        lacking = [key for key in needed(found) if key not in found]
    if lacking:
        raise InputError(
            f"{path}: has no {', '.join(map(repr, lacking))}; expected a file that --metrics of {REPEATABLE} has "
            "written (by this version: earlier ones did not keep all that a repetition needs)"
        )
    if not table:
        command = found["run"].get("command") if isinstance(found["run"], dict) else None
        if command not in ("embed", "distill"):
            raise InputError(f"{path}: found a run of {command!r}; expected {REPEATABLE}")
    return found


def is_run(found: dict[str, Any]) -> bool:
    """Whether it is one run, and not a table of many."""
    return "run" in found


def show(report: Report, found: list[Figure], exact: bool, tolerance: float) -> None:
    how = "to the last bit" if exact else f"within {tolerance:g}"
    report.line(f"\nfigures that are to agree {how}")
    rows = [(f.name, text(f.stored), text(f.now), "yes" if f.agrees else "NO") for f in found]
    report.table(rows, header=("", "stored", "now", "agrees"))


def text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
