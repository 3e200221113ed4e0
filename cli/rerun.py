"""``genurl-graph rerun``: a run again from its metrics file, and whether its figures come out the same."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import FAILED, Stop, options
from genurl_graph.cli.figures import TOLERANCE, Figure, circumstances, compare, figures_of
from genurl_graph.cli.report import Report, describe
from genurl_graph.cli.source import Source
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL

# What a metrics file must hold to be repeated.
NEEDED = ("run", "environment", "hardware", "versions", "config", "seed", "task", "embedding_crc32")


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
    """Repeat a run of embed or distill from the file that its --metrics wrote, and compare the figures.

    Configuration, seed, input and number of threads are those of the file. On the CPU of the same machine, with the
    same versions, threads and data, all figures and the embedding itself have to agree to the last bit; else within
    --tolerance, and a warning says what differs. Seconds and memory are not compared.

    The exit code is 0 if all figures agree, 1 if not.

    \b
    Examples:
      genurl-graph embed --dataset digits --metrics digits.json
      genurl-graph rerun digits.json
    """
    from genurl_graph.io import check_output

    stored = read(result)
    if output:
        check_output(output)
    source = Source.recorded(stored["run"], data_root)
    report = Report(quiet)
    data = source.load()
    report.line(describe(source.name, data))
    now = repeat(stored, source, data, output)
    differences = circumstances(stored, now)
    for difference in differences:
        click.echo(f"Warning: {difference}", err=True)
    exact = not differences and now["device"] == "cpu"
    found = compare(figures_of(stored), figures_of(now), 0.0 if exact else tolerance)
    show(report, found, exact, tolerance)
    wrong = [figure.name for figure in found if not figure.agrees]
    if wrong:
        raise Stop(f"{result}: {len(wrong)} of {len(found)} figures do not agree: {', '.join(wrong)}", FAILED)


def read(path: Path) -> dict[str, Any]:
    """The metrics file of a run; InputError where it cannot be repeated from."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    lacking = [key for key in NEEDED if not isinstance(found, dict) or key not in found]
    if lacking:
        raise InputError(
            f"{path}: has no {', '.join(map(repr, lacking))}; expected a file that --metrics of embed or distill has "
            "written (by this version: earlier ones did not keep all that a repetition needs)"
        )
    command = found["run"].get("command") if isinstance(found["run"], dict) else None
    if command not in ("embed", "distill"):
        raise InputError(f"{path}: found a run of {command!r}; expected embed or distill")
    return dict(found)


def repeat(stored: dict[str, Any], source: Source, data: "Data", output: Path | None) -> dict[str, Any]:
    """The figures of the same run, now."""
    from genurl_graph.cli.distill import evaluate as evaluate_student
    from genurl_graph.cli.embed import write_embedding
    from genurl_graph.cli.embed_report import collect
    from genurl_graph.cli.scores import evaluate
    from genurl_graph.io import to_json

    use_threads(stored["environment"]["threads"])
    estimator = make(stored)
    teacher, more = None, {key: stored["run"][key] for key in ("command", "teacher") if key in stored["run"]}
    if stored["run"]["command"] == "distill":
        teacher, more["teacher_crc32"] = teach(Path(stored["run"]["teacher"]), data)
    estimator.fit(data, teacher=teacher)
    if estimator.config_.to_dict() != stored["config"]:
        raise InputError("config: this version makes another configuration of the stored one; expected the same")
    scores = evaluate(estimator, data) if teacher is None else evaluate_student(estimator, teacher, data)
    if output:
        write_embedding(output, estimator.embedding_, data, own_file=source.own is not None)
    # As a file gives them back, so that they can be compared with those of one.
    figures: dict[str, Any] = json.loads(to_json(collect(source, data, estimator, scores, {}, more)))
    return figures


def make(stored: dict[str, Any]) -> "GenURL":
    """An estimator of the stored configuration, on the device that it ran on where there is one."""
    import torch

    from genurl_graph.config import flatten
    from genurl_graph.estimator import GenURL

    device = "auto" if stored["device"] == "cuda" and not torch.cuda.is_available() else stored["device"]
    settings = {key: value for key, value in flatten(stored["config"]).items() if key != "task"}
    return GenURL(task=stored["task"], device=device, random_state=stored["seed"], config=settings)


def teach(path: Path, data: "Data") -> "tuple[Tensor, int]":
    """The teacher's features of the samples, and their checksum."""
    from genurl_graph.checkpoint import checksum
    from genurl_graph.cli.distill import teach as features_of

    if not path.exists():
        raise InputError(f"teacher: there is no {path} any more")
    taught = features_of(path, data)
    return taught, checksum(taught)


def use_threads(number: int) -> None:
    """As many threads as there were, if this machine has the cores."""
    import torch

    from genurl_graph.cli.machine import usable_cores

    torch.set_num_threads(min(number, usable_cores()))


def show(report: Report, found: list[Figure], exact: bool, tolerance: float) -> None:
    how = "to the last bit" if exact else f"within {tolerance:g}"
    report.line(f"\nfigures that are to agree {how}")
    rows = [(f.name, text(f.stored), text(f.now), "yes" if f.agrees else "NO") for f in found]
    report.table(rows, header=("", "stored", "now", "agrees"))


def text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
