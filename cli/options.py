"""Options that several commands share, each declared once."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from genurl_graph.cli.outputs.files import TableFiles as TableFiles
from genurl_graph.cli.outputs.files import TrainingFiles as TrainingFiles
from genurl_graph.cli.outputs.files import lock as lock
from genurl_graph.cli.outputs.replaced import announce as announce
from genurl_graph.config.durations import parse_windows
from genurl_graph.exceptions import unknown
from genurl_graph.experiments.sources import Source
from genurl_graph.inputs.reading import READINGS, ROLES, as_read_options

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
markdown = click.option("--markdown", type=PATH, metavar="FILE.md", help="Write the table as Markdown.")
seed = click.option("--seed", type=click.IntRange(min=0), help="Makes a run repeatable. [default: drawn, and reported]")
save_model = click.option("--save-model", type=PATH, metavar="DIR", help="Keep the trained model for transform.")
resume = click.option("--resume", is_flag=True, help="Continue an interrupted run from OUTPUT.ckpt, or OUTPUT.work.")
quiet = click.option("--quiet", is_flag=True, help="Print nothing but errors.")
backbone = click.option(
    "--backbone",
    metavar="NAME",
    help="Images only: embed the features that this trained network of timm's gives them. Needs the extra images.",
)


def several(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator of many options, in the order in which the help lists them."""
    return lambda command: functools.reduce(lambda made, option: option(made), reversed(options), command)


def seeds(**default: Any) -> Callable[[Command], Command]:
    """The number of seeds, with a default of the command's own."""
    return click.option("--seeds", type=click.IntRange(min=1), **{"help": "Run seeds 0..N-1.", **default})


def output(default: str, what: str = "Embedding", **more: Any) -> Callable[[Command], Command]:
    """The file of an embedding; `default` says where it lies if it is not named."""
    text = f"{what}: .npz .npy .csv .parquet or .pt.{default}"
    return click.option("--output", type=PATH, metavar="FILE", help=text, **more)


# Size of the embedding, length of the training, and every other setting.
training = several(
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


def _windows(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """The windows, if they can be read; InputError, before any work, if not."""
    if text is not None and text != "auto":
        parse_windows(text)
    return text


def windows(default: str) -> Callable[[Command], Command]:
    """How the time of events is cut."""
    text = (
        "Events with a time: how many windows of equally many events, e.g. 12, or how long each is, e.g. 7d, 36h, "
        f"30min. [default: {default}]"
    )
    return click.option("--windows", metavar="N|LENGTH", callback=_windows, help=text)


# Everything that decides which model is trained and how: `genurl_graph.experiments.models.make_estimator` takes it.
model = several(
    click.option(
        "--task",
        type=click.Choice(["auto", "graph", "reduce", "images", "graphs", "temporal", "edges", "triples"]),
        default="auto",
        show_default=True,
        help="Embed a graph, reduce vectors to few dimensions, learn from views of images, embed whole graphs, a row "
        "each, events with a time, a row for each node and window, edges, a row each, or typed edges, a row for each "
        "entity. auto: "
        "temporal if times or windows are named, graphs if there are many, a graph if there are edges, else reduce.",
    ),
    click.option(
        "--encoder",
        type=click.Choice(
            ["gcn", "sage", "gat", "gin", "gine", "gatv2", "sign", "mlp", "linear", "cnn", "resnet", "free"]
        ),
        help="Network that computes the embedding; sign: in mini-batches; free: an embedding table. "
        "[default: the task's]",
    ),
    windows("20"),
    click.option("--n-neighbors", type=click.IntRange(min=1), help="Nearest neighbours in feature space."),
    click.option(
        "--metric",
        metavar="NAME",
        help="Distance of features: euclidean, cosine, manhattan, correlation, chebyshev, hamming, jaccard. "
        "[default: auto]",
    ),
    click.option(
        "--exaggeration",
        type=float,
        help="Factor of the attraction: larger values separate clusters, 1 keeps the order of near neighbours best.",
    ),
    click.option(
        "--init",
        metavar="NAME|FILE",
        help="Start of an embedding table: pca, spectral, random, or a file of coordinates. [default: the task's]",
    ),
    click.option(
        "--previous",
        metavar="FILE|DIR",
        help="Go on from a finished 2-d map, the file of an embedding or a saved model: its samples stay where they "
        "were. They are found by the names in the file, else they are the first ones.",
    ),
    training,
)


def gathered(name: str, kind: type[Any], *options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """One decorator of options whose values the command takes as one argument, the NamedTuple `kind`."""

    def decorate(command: Callable[..., Any]) -> Any:
        @functools.wraps(command)
        def call(*arguments: Any, **given: Any) -> Any:
            fields = {field: given.pop(field) for field in kind._fields if field in given}
            return command(*arguments, **{name: kind(**fields)}, **given)

        return several(*options)(call)

    return decorate


class Evaluation(NamedTuple):
    """How far a run is evaluated."""

    no_evaluate: bool
    full: bool

    def asked(self) -> Any:
        """The same for `genurl_graph.experiments.scores.embedding_scores`."""
        from genurl_graph.evaluation.budget.judgement import Asked

        if self.no_evaluate and self.full:
            raise click.UsageError("Give one of --no-evaluate and --full.")
        return None if self.no_evaluate else Asked(budget=None) if self.full else Asked()

    def limit(self, seconds: float) -> float | None:
        """Seconds that the evaluation of a run of so many may take."""
        from genurl_graph.evaluation.budget.clock import limit_of

        return None if self.full else limit_of(seconds)


full = click.option(
    "--full",
    is_flag=True,
    help="Evaluate by the whole protocol, however long that takes. [default: as much as takes some 15 s, and say so]",
)


def evaluation(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of how far a run is evaluated, which the command takes as one argument, `evaluation`."""
    no = click.option("--no-evaluate", is_flag=True, help="Write the embedding without judging it.")
    decorate: Callable[..., Callable[..., Any]] = gathered("evaluation", Evaluation, no, full)
    return decorate(command)


class OneOf(click.Choice[str]):
    """A choice whose message is one line, with the nearest name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in self.choices:
            raise unknown(param.opts[0] if param else "choice", value, self.choices)
        return value


# How the user's own files are to be read.
def _reading(where: str) -> tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...]:
    return (
        click.option("--as", "as_", type=OneOf(READINGS), help=f"{where}: what the file is. [default: found out]"),
        click.option(
            "--column",
            multiple=True,
            metavar="ROLE=NAME[,NAME]",
            help=f"{where}: what a column is, by its name, or its number from 1 without a header; roles: "
            f"{', '.join(ROLES)}; repeatable.",
        ),
        click.option(
            "--separator", metavar="CHARACTER", help=f"{where}: between cells; or comma, semicolon, tab, space, pipe."
        ),
        click.option("--decimal", type=OneOf((".", ",")), help=f"{where}: the mark in 0.5 or 0,5."),
        click.option(
            "--directed/--undirected",
            default=None,
            help=f"{where}: whether lines of an edge list have a direction. [default: undirected]",
        ),
    )


def _told(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def call(*arguments: Any, **given: Any) -> Any:
        words = {name: given.pop(name) for name in ("as_", "column", "separator", "decimal", "directed")}
        return command(*arguments, options=as_read_options(**words), **given)

    return call


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of how files are read, which the command takes as one argument, `options`."""
    return several(*_reading("Your own files"))(_told(command))


# What is embedded: a data set of the registry, or the user's own files.
_SOURCE = (
    click.option("--dataset", metavar="NAME", help="A data set of the registry: see genurl-graph datasets."),
    click.option(
        "--input", "own", type=PATH, help="Your own graph, edge list, matrix, images or folder of graphs, instead."
    ),
    click.option("--features", type=PATH, help="With --input: table of node features."),
    click.option(
        "--labels", type=PATH, help="With --input: table of labels, of nodes or graphs, for the evaluation only."
    ),
    data_root,
)


def source(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of what is embedded and how it is read, which the command takes as one argument, `source`."""
    return several(*_SOURCE, *_reading("With --input"))(_told(gathered("source", Source)(command)))


def check_source(source: Source) -> None:
    """Check that exactly one source is named."""
    if (source.dataset is None) == (source.own is None):
        raise click.UsageError("Give one of --dataset NAME and --input PATH.")
    if source.own is None:
        given = [f"--{flag}" for flag in ("features", "labels") if getattr(source, flag) is not None]
        flags = {"as_": "--as", "columns": "--column"}
        for flag in (*given, *(flags.get(name, f"--{name}") for name in source.options.given())):
            raise click.UsageError(f"{flag} goes with --input; a data set of the registry has its own.")


def table_files(what: str, plot: str) -> Callable[[Callable[..., Any]], Any]:
    """Options of the files of a table; the command takes them as `files`."""
    return gathered(
        "files",
        TableFiles,
        metrics,
        markdown,
        click.option("--plot", type=PATH, metavar="FILE.png", help=plot),
        click.option("--resume", is_flag=True, help=f"Go on with --metrics of an interrupted {what}."),
    )


def training_files(output: Callable[..., Any], *more: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Options of the files of a training, `more` between --metrics and --save-model; the command takes `files`."""
    return gathered("files", TrainingFiles, output, metrics, *more, save_model, resume)
