"""Options that several commands share, each declared once."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from genurl_graph.cli.shared.defaults import EMBEDDING_TASKS, PresetOption
from genurl_graph.cli.shared.files import TableFiles as TableFiles
from genurl_graph.cli.shared.files import TrainingFiles as TrainingFiles
from genurl_graph.cli.shared.files import lock as lock
from genurl_graph.cli.shared.replaced import announce as announce
from genurl_graph.config.durations import parse_windows
from genurl_graph.exceptions import unknown
from genurl_graph.experiments.sources import Source
from genurl_graph.inputs.reading import READINGS, ROLES, as_read_options

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
data_root = click.option(
    "--data-root",
    type=PATH,
    help="Folder of the downloaded data sets. [default: $GENURL_DATA, else the user's cache folder]",
)
metrics = click.option("--metrics", type=PATH, metavar="FILE.json", help="Write all figures as JSON.")
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print all figures as JSON on stdout, everything else on stderr."
)
markdown = click.option("--markdown", type=PATH, metavar="FILE.md", help="Write the table as Markdown.")
seed = click.option(
    "--seed", type=click.IntRange(min=0), help="Makes a run repeatable. [default: drawn at random, and printed]"
)
save_model = click.option("--save-model", type=PATH, metavar="DIR", help="Save the trained model for transform.")
resume = click.option("--resume", is_flag=True, help="Continue an interrupted run from OUTPUT.ckpt, or OUTPUT.work.")
quiet = click.option("--quiet", is_flag=True, help="Print errors only.")
backbone = click.option(
    "--backbone",
    metavar="NAME",
    help="Images only: embed the features of this pretrained timm network instead of pixels. Needs the extra images.",
)


def several(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator of many options, in the order in which the help lists them."""
    return lambda command: functools.reduce(lambda made, option: option(made), reversed(options), command)


def seeds(**default: Any) -> Callable[[Command], Command]:
    """The number of seeds, with a default of the command's own."""
    return click.option(
        "--seeds", type=click.IntRange(min=1), **{"help": "How many seeds to run: 0, 1, ... N-1.", **default}
    )


def output(default: str, what: str = "the embedding", **more: Any) -> Callable[[Command], Command]:
    """The file of an embedding; `default` says where it lies if it is not named."""
    text = f"Where to write {what}: .npz .npy .csv .parquet or .pt.{default}"
    return click.option("--output", type=PATH, metavar="FILE", help=text, **more)


# Size of the embedding, length of the training, and every other setting.
training = several(
    click.option(
        "--dim",
        cls=PresetOption,
        key="encoder.dim",
        type=click.IntRange(min=1),
        help="Number of dimensions of the embedding.",
    ),
    click.option(
        "--epochs", cls=PresetOption, key="training.epochs", type=click.IntRange(min=1), help="Number of epochs."
    ),
    click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="auto: the GPU if there is one.",
    ),
    click.option(
        "--config",
        type=PATH,
        metavar="FILE.toml",
        help="Settings other than the task's defaults, e.g. [loss] gamma = 0.5; or one of the named sets words, "
        "shallow, tldr.",
    ),
    click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="One setting, e.g. loss.gamma=0.5; repeatable; wins over --config. genurl-graph config --task TASK lists "
        "all settings with their defaults.",
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
        "Events with a time: the number of windows (with equally many events), e.g. 12, or their length, e.g. 7d, 36h, "
        f"30min. [default: {default}]"
    )
    return click.option("--windows", metavar="N|LENGTH", callback=_windows, help=text)


# Everything that decides which model is trained and how: `genurl_graph.experiments.models.make_estimator` takes it.
model = several(
    click.option(
        "--task",
        type=click.Choice(["auto", *EMBEDDING_TASKS]),
        default="auto",
        show_default=True,
        help="What is embedded. graph: nodes of a graph; reduce: vectors, in few dimensions; images: images, by "
        "augmented views; graphs: whole graphs; temporal: nodes by window, from events with a time; edges: edges; "
        "triples: entities of typed edges. auto: by the data.",
    ),
    click.option(
        "--encoder",
        cls=PresetOption,
        key="encoder.name",
        type=click.Choice(
            ["gcn", "sage", "gat", "gin", "gine", "gatv2", "sign", "mlp", "linear", "cnn", "resnet", "free"]
        ),
        help="Network that computes the embedding. sign: a GNN for large graphs; free: an embedding table.",
    ),
    windows("20"),
    click.option(
        "--n-neighbors",
        cls=PresetOption,
        key="neighbors.n_neighbors",
        type=click.IntRange(min=1),
        help="Number of nearest neighbours by features (kNN edges).",
    ),
    click.option(
        "--metric",
        metavar="NAME",
        help="Distance of features: euclidean, cosine, manhattan, correlation, chebyshev, hamming, jaccard. "
        "[default: auto: cosine for bags of words, and where it predicts edges better; else euclidean]",
    ),
    click.option(
        "--exaggeration",
        cls=PresetOption,
        key="loss.exaggeration",
        type=float,
        help="Factor of the attraction: larger values separate clusters, 1 keeps the order of near neighbours best.",
    ),
    click.option(
        "--init",
        cls=PresetOption,
        key="encoder.init",
        metavar="NAME|FILE",
        help="Start of an embedding table: pca, spectral, random, or a file of coordinates.",
    ),
    click.option(
        "--previous",
        metavar="FILE|DIR",
        help="Continue from an earlier 2-d map (its file, or a saved model): its samples stay where they are. They are "
        "found by their names in the file; without names they are the first rows.",
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
    help="Evaluate by the whole protocol, however long it takes. [default: as much as takes about 15 s]",
)


def evaluation(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of how far a run is evaluated, which the command takes as one argument, `evaluation`."""
    no = click.option("--no-evaluate", is_flag=True, help="Skip the evaluation.")
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
        click.option("--as", "as_", type=OneOf(READINGS), help=f"{where}: what the file holds. [default: detected]"),
        click.option(
            "--column",
            multiple=True,
            metavar="ROLE=NAME[,NAME]",
            help=f"{where}: the role of a column, named by its header, or by its number from 1 if there is none; "
            f"repeatable. Roles: {', '.join(ROLES)}.",
        ),
        click.option(
            "--separator",
            metavar="CHARACTER",
            help=f"{where}: the character between cells, or comma, semicolon, tab, space, pipe. [default: detected]",
        ),
        click.option(
            "--decimal",
            type=OneOf((".", ",")),
            help=f"{where}: the decimal mark, as in 0.5 or 0,5. [default: detected]",
        ),
        click.option(
            "--directed/--undirected",
            default=None,
            help=f"{where}: whether the edges of an edge list have a direction. [default: undirected]",
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


class WithoutArguments(click.Command):
    """A command of options alone; a file without --input is told so."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise click.UsageError(f"found {rest[0]!r} without an option; expected --input FILE or --dataset NAME", ctx)
        return rest


# What is embedded: a data set of the registry, or the user's own files.
_SOURCE = (
    click.option("--dataset", metavar="NAME", help="A data set by its name; genurl-graph datasets lists them."),
    click.option(
        "--input", "own", type=PATH, help="Or your own file: a graph, an edge list, a matrix, or a folder of images."
    ),
    click.option("--features", type=PATH, help="With --input: a table of node features."),
    click.option(
        "--labels", type=PATH, help="With --input: a table of labels, used for the evaluation only, never for training."
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
        click.option("--resume", is_flag=True, help=f"Continue an interrupted {what} from its --metrics file."),
    )


def training_files(output: Callable[..., Any], *more: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Options of the files of a training, `more` between --metrics and --save-model; the command takes `files`."""
    return gathered("files", TrainingFiles, output, metrics, *more, save_model, resume)
