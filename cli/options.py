"""Options that several commands share, declared once, and what they mean for the library."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
data_root = click.option(
    "--data-root",
    type=PATH,
    help="Folder of the data sets. [default: $GENURL_DATA, else the user's cache folder]",
)
metrics = click.option("--metrics", type=PATH, metavar="FILE.json", help="Write all figures as JSON.")
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print all figures as JSON on stdout, the rest on stderr."
)
seed = click.option("--seed", type=click.IntRange(min=0), help="Makes a run repeatable. [default: drawn, and reported]")
quiet = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


def model(command: Command) -> Command:
    """Everything that decides which model is trained and how."""
    task = click.option(
        "--task",
        type=click.Choice(["auto", "graph", "reduce", "images"]),
        default="auto",
        show_default=True,
        help="Embed a graph, reduce vectors to few dimensions, or learn from views of images. auto: a graph if there "
        "are edges, else reduce.",
    )
    encoder = click.option(
        "--encoder",
        type=click.Choice(["gcn", "sage", "gat", "gin", "sign", "mlp", "linear", "cnn", "resnet", "free"]),
        help="Network that computes the embedding; sign: in mini-batches; free: a table. [default: the task's]",
    )
    return task(encoder(training(command)))


def training(command: Command) -> Command:
    """Size of the embedding, length of the training, and every other setting."""
    for option in reversed(
        (
            click.option("--dim", type=click.IntRange(min=1), help="Embedding dimensions. [default: the task's]"),
            click.option("--epochs", type=click.IntRange(min=1), help="Passes of training. [default: the task's]"),
            click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
            click.option(
                "--config",
                type=PATH,
                metavar="FILE.toml",
                help="Settings that differ from the task's defaults, e.g. [loss] gamma = 0.5, or a named set of them: "
                "words, shallow, tldr.",
            ),
            click.option(
                "--set",
                "assignments",
                multiple=True,
                metavar="KEY=VALUE",
                help="One such setting, e.g. loss.gamma=0.5; wins over --config; repeatable.",
            ),
        )
    ):
        command = option(command)
    return command


def make_estimator(
    *,
    task: str,
    encoder: str | None,
    dim: int | None,
    epochs: int | None,
    device: str,
    config: Path | Mapping[str, Any] | None,
    assignments: tuple[str, ...],
    seed: int | None,
    **more: Any,
) -> "GenURL":
    """The estimator that the options of `model` describe; `more` goes to its constructor.

    `config` may be a configuration by dotted names, too: `repeated` makes such options of one that was stored.
    """
    from genurl_graph.config import read_settings
    from genurl_graph.config.toml import parse_assignments
    from genurl_graph.estimator import GenURL

    overrides: dict[str, Any] = read_settings(config) if isinstance(config, Path) else dict(config or {})
    overrides |= parse_assignments(assignments)
    return GenURL(
        n_components=dim,
        task=task,
        encoder=encoder or "auto",
        epochs=epochs,
        device=device,
        random_state=seed,
        config=overrides or None,
        **more,
    )


def again(device: str) -> str:
    """The device that a run was on, where there is one."""
    import torch

    return "auto" if device == "cuda" and not torch.cuda.is_available() else device


def repeated(config: Mapping[str, Any], device: str) -> dict[str, Any]:
    """Options of the model that lead to a stored configuration again, on `device` where there is one."""
    from genurl_graph.config.toml import flatten

    return {
        "task": config["task"],
        **dict.fromkeys(("encoder", "dim", "epochs")),
        "device": again(device),
        "config": {key: value for key, value in flatten(config).items() if key != "task"},
        "assignments": (),
    }


def parse_names(option: str, noun: str, text: str, known: Iterable[str]) -> list[str]:
    """``"a, B"`` to ``["a", "b"]``, each once; InputError for a name that is not `known`, or for none at all."""
    known = tuple(known)
    words = (word.strip().lower() for word in text.split(","))
    chosen = list(dict.fromkeys(word for word in words if word))
    unknown = [word for word in chosen if word not in known]
    if unknown or not chosen:
        found = f"unknown {noun} {unknown[0]!r}" if unknown else f"no {noun}"
        near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.5) if unknown else []
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"{option}: {found}{hint}, expected some of {','.join(known)}")
    return chosen


def check_files(metrics: Path | None, markdown: Path | None, plot: Path | None) -> None:
    """Find out before any run whether its results can be written."""
    from genurl_graph.plotting import PLOT_SUFFIXES
    from genurl_graph.runtime.files import check_output

    for path, suffixes in ((metrics, (".json",)), (markdown, (".md",)), (plot, PLOT_SUFFIXES)):
        if path:
            check_output(path, suffixes)


def lock(*paths: Path | None) -> None:
    """Let no other run write these files until this command ends."""
    from genurl_graph.runtime.files import exclusive

    click.get_current_context().with_resource(exclusive(*(path for path in paths if path)))


def write_metrics(figures: dict[str, Any], path: Path | None, as_json: bool) -> None:
    """Write the figures of a run where they were asked for: to a file, and to standard output."""
    from genurl_graph.runtime.files import to_json, write_json

    if path:
        write_json(path, figures)
    if as_json:
        click.echo(to_json(figures))
