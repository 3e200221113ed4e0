"""``genurl-graph explore``: an embedding as one HTML file to look around in."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from genurl_graph.cli import options
from genurl_graph.cli.embed_report import in_plane, named_labels
from genurl_graph.cli.evaluate import in_order
from genurl_graph.cli.report import Report
from genurl_graph.cli.source import Source, source
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.config import Config
    from genurl_graph.plotting.explorer.colours import Column
    from genurl_graph.plotting.explorer.scene import Scene
    from genurl_graph.tasks.merge_summary import Merge

# Neighbours in the embedding that a node's card lists.
NEAREST = 10
# Clusters of k-means where no labels say how many there are.
CLUSTERS = 10


class Run(NamedTuple):
    """What is known of the run that made an embedding: its data, its settings and its seed."""

    name: str
    data: "Data | None" = None
    config: "Config | None" = None
    seed: int = 0
    stored: bool = False


@click.command()
@click.argument("embedding", type=options.PATH)
@source
@click.option(
    "--run",
    "metrics",
    type=options.PATH,
    metavar="FILE.json",
    help="What embed --metrics wrote: the merge is repeated with its settings and seed. [default: the preset, seed 0]",
)
@click.option(
    "--columns", type=options.PATH, metavar="FILE.csv", help="More to colour by: a row a node, by id or in order."
)
@click.option(
    "--clusters",
    type=click.IntRange(min=2),
    help=f"Clusters of k-means. [default: as many as there are labels, else {CLUSTERS}]",
)
@click.option("--output", type=options.PATH, default=Path("explorer.html"), show_default=True, metavar="FILE.html")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@options.quiet
def explore(
    embedding: Path,
    metrics: Path | None,
    columns: Path | None,
    clusters: int | None,
    output: Path,
    show: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Make an HTML page of an embedding: zoom, search, colours, and a node's neighbours by where they come from.

    The page is one file that needs no network. With a data set or an input it shows what the merge did: which
    neighbours were given, which the features added, and which are both. Nothing is trained for that, the merged graph
    is computed once more. An embedding of more than two dimensions is brought to two by the reduction task.

    \b
    Examples:
      genurl-graph explore karate-embedding.npz --dataset karate --output karate.html
      genurl-graph explore digits-embedding.npz --dataset digits --run digits.json --open
    """
    started = time.perf_counter()
    # The data that it is of: labels, and neighbours by where they come from.
    origin = Source(**given) if any(given[key] for key in ("dataset", "own", "features", "labels")) else None
    if origin:
        origin.check()
    elif metrics:
        raise click.UsageError("--run goes with --dataset or --input, whose merge it repeats.")
    from genurl_graph.inputs.embeddings import read_embedding
    from genurl_graph.plotting.explorer.page import PAGE_SUFFIXES, check_plotly, write_page
    from genurl_graph.runtime.files import check_output

    check_plotly()
    check_output(output, PAGE_SUFFIXES)
    stored = read_embedding(embedding)
    d = stored["embedding"].shape[1]
    if d == 1:
        raise InputError(f"{embedding}: one dimension, but the explorer draws two")
    run = Run(embedding.stem)
    if origin:
        run = known_run(origin.name, origin.load(), metrics)
    names = node_names(stored, run.data)
    own: list[Column] = []
    if columns:
        from genurl_graph.cli.columns import read_columns

        own = read_columns(columns, names)
    scene = compose(embedding, stored, run, names, own, clusters)
    write_page(output, scene)
    report = Report(quiet)
    report.line(f"{scene.title}: {'; '.join(scene.notes)}")
    report.line("colours: " + ", ".join(column.name for column in scene.columns))
    report.line(scene.merged_about)
    seconds = time.perf_counter() - started
    report.line(f"page   {output}   {output.stat().st_size / 1e6:.1f} MB, {seconds:.1f} s")
    if show:
        import webbrowser

        if not webbrowser.open(output.resolve().as_uri()):
            report.line(f"no browser was found; open {output} in one")


def known_run(name: str, data: "Data", metrics: Path | None) -> Run:
    """The run on `data`, with the settings and the seed that embed --metrics wrote, or the preset's."""
    import torch

    from genurl_graph.config.toml import flatten
    from genurl_graph.inputs.input import as_input
    from genurl_graph.tasks.resolve import resolve_config

    given = as_input(data)
    if metrics is None:
        return Run(name, data, resolve_config(given, device=torch.device("cpu")))
    try:
        content = json.loads(metrics.read_text(encoding="utf-8"))
        settings, seed, task, count = (content[key] for key in ("config", "seed", "task", "n_nodes"))
        overrides = flatten({key: value for key, value in settings.items() if key != "task"})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"--run {metrics}: not what embed --metrics writes ({error!r})") from error
    if count != given.num_nodes:
        raise InputError(f"--run {metrics}: of {count} nodes, but {name} has {given.num_nodes}")
    return Run(name, data, resolve_config(given, task, overrides), seed, stored=True)


def node_names(stored: dict[str, Any], data: "Data | None") -> list[str]:
    """Names of the nodes in the order of the points."""
    given = getattr(data, "node_id", None) if data is not None else stored.get("node_id")
    return [str(name) for name in (range(len(stored["embedding"])) if given is None else given)]


def compose(
    path: Path, stored: dict[str, Any], run: Run, names: list[str], own: "list[Column]", clusters: int | None
) -> "Scene":
    """Everything the page shows."""
    import torch

    from genurl_graph.graph.knn import Metric, knn
    from genurl_graph.plotting.explorer import measures
    from genurl_graph.plotting.explorer.colours import Categories, labels
    from genurl_graph.plotting.explorer.scene import Scene
    from genurl_graph.tasks.merge_summary import merge

    z = torch.from_numpy(stored["embedding"])
    label: Any = stored.get("label")
    if run.data is not None:
        z, label = in_order(path, stored, run.name, run.data), named_labels(run.data)
    n, d = z.shape
    points, how = in_plane(z, run.seed)
    # Angles are what the graph task trains; the origin of a picture means nothing.
    metric: Metric = "cosine" if d > 2 and run.config is not None and run.config.task == "graph" else "euclidean"
    nearest = knn(z, NEAREST, metric=metric, clamp=True).indices

    known = labels("Label", "Classes of the data", label) if label is not None else None
    found = None
    if run.data is not None and run.config is not None:
        from genurl_graph.inputs.input import as_input

        found = merge(as_input(run.data), run.config, run.seed, torch.device("cpu"))
    count = clusters or (len(known.names) if isinstance(known, Categories) else 0)
    columns: list[Column] = [] if known is None else [known]
    columns += own
    columns += measures.degrees(found.graph, n) if found else []
    columns.append(measures.clusters(z.numpy(), count if count > 1 else CLUSTERS))
    columns += preserved(z, points, nearest, run, found)
    space = f"{d} dimensions" if d > 2 else "the picture"
    return Scene(
        title=run.name,
        points=points.numpy(),
        notes=[f"{n:,} nodes; {how or 'embedding of 2 dimensions'}"],
        columns=columns,
        node_id=None if names == list(map(str, range(n))) else names,
        nearest=nearest,
        nearest_about=f"In {space}, {measures.METRIC_NAMES[metric]}",
        merged=found.graph if found else None,
        merged_about=about_merge(run),
    )


def preserved(z: "Tensor", points: "Tensor", nearest: "Tensor", run: Run, found: "Merge | None") -> "list[Column]":
    """How far the picture keeps neighbourhoods: of the features, and of an embedding of more dimensions.

    Local trustworthiness of each point where all can be ranked against all; beyond that the share of neighbours kept.
    """
    from genurl_graph.evaluation.preservation import EXACT_UP_TO
    from genurl_graph.graph.knn import knn
    from genurl_graph.plotting.explorer import measures

    n, d = z.shape
    columns: list[Any] = []
    if n <= EXACT_UP_TO:
        if run.data is not None and run.config is not None and run.data.x is not None:
            metric = "cosine" if run.config.neighbors.metric == "cosine" else "euclidean"
            columns.append(measures.local_trustworthiness(run.data.x, points, metric, "features"))
        if d > 2:
            columns.append(measures.local_trustworthiness(z, points, "euclidean", "embedding"))
    else:
        references = {"features": found.neighbors.indices if found and found.neighbors else None}
        references["embedding"] = nearest if d > 2 else None
        for what, reference in references.items():
            if reference is not None:
                shown = knn(points, reference.size(1)).indices
                columns.append(measures.preserved_neighbours(reference.cpu(), shown, what))
    return [one for one in columns if one is not None]


def about_merge(run: Run) -> str:
    """Where the merged graph of the page comes from."""
    if run.config is None:
        return (
            "No data set was named, so neighbours are those in the embedding; --dataset NAME shows what the merge did"
        )
    settings = "the settings of the run" if run.stored else f"the preset of the task {run.config.task}"
    return f"Merged graph of {run.name}, by {settings}, seed {run.seed}"
