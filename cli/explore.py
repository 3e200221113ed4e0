"""``genurl-graph explore``: an embedding as one HTML file to look around in."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.evaluate import in_order
from genurl_graph.cli.partitioned.embed import is_folder
from genurl_graph.cli.report import Report
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.experiments.edges.rows import stored_edges
from genurl_graph.experiments.edges.source import is_edge_set, wants_edges
from genurl_graph.experiments.explorer.own_columns import read_columns
from genurl_graph.experiments.explorer.rows import read_rows, row_names, triple_graph, what_rows
from genurl_graph.experiments.explorer.runs import Run, input_of, known_run
from genurl_graph.experiments.sources import Source, is_graph_set, named_labels
from genurl_graph.experiments.triples.source import is_triple_set, wants_triples

if TYPE_CHECKING:
    from torch import Tensor

    from genurl_graph.graph.knn import Neighbors
    from genurl_graph.inputs.collection.graph_set import GraphSet
    from genurl_graph.plotting.explorer.colours import Column
    from genurl_graph.plotting.explorer.drawings import Drawings
    from genurl_graph.plotting.explorer.scene import Scene

# Neighbours in the embedding that a node's card lists.
NEAREST = 10
# Clusters of k-means where no labels say how many there are.
CLUSTERS = 10
NO_GRAPH = "No data set was named, so neighbours are those in the embedding; --dataset NAME shows the merged graph"


@click.command()
@click.argument("embedding", type=options.PATH)
@options.source
@click.option(
    "--run",
    "metrics",
    type=options.PATH,
    metavar="FILE.json",
    help="What embed --metrics wrote: the graph is merged again with its settings and seed. [default: preset, seed 0]",
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
    source: Source,
    metrics: Path | None,
    columns: Path | None,
    clusters: int | None,
    output: Path,
    show: bool,
    quiet: bool,
) -> None:
    """Make an HTML page of an embedding: zoom, search, colours, and a node's neighbours by edge source.

    The page is one file that needs no network. With a data set or an input it shows the source of every edge of the
    merged graph: predefined, kNN, or both. Nothing is trained for that, the merged graph is computed once more. An
    embedding of more than two dimensions is brought to two by the reduction task. Of whole graphs, the chosen one is
    drawn beside the map. Of events with a time the page has a slider and a play button: points move from window to
    window. Of edges a point is an edge, called by its ends; of typed edges it is an entity, whose neighbours share a
    triple with it.

    \b
    Examples:
      genurl-graph explore karate-embedding.npz --dataset karate --output karate.html
      genurl-graph explore digits-embedding.npz --dataset digits --run digits.json --open
      genurl-graph explore collegemsg-embedding.npz --dataset collegemsg
    """
    started = time.perf_counter()
    known = any(source[:4]) or bool(source.options.given())
    if known:
        options.check_source(source)
    elif metrics:
        raise click.UsageError("--run goes with --dataset or --input, whose graph it merges again.")
    from genurl_graph.experiments.explorer.moving import compose_moving
    from genurl_graph.inputs.temporal.convert import is_events
    from genurl_graph.plotting.explorer.page import PAGE_SUFFIXES, plotly_script, write_page
    from genurl_graph.runtime.files import check_output

    if is_folder(embedding, "output"):
        raise wrong(
            embedding, "an embedding by partition", f"one of its tables, such as {embedding}/part-00000.parquet"
        )
    plotly_script()  # an InputError before the work rather than after it
    check_output(output, PAGE_SUFFIXES)
    found = read_rows(embedding)
    stored, moving = found.columns, found.trajectory is not None
    d = stored["embedding"].shape[1]
    if d == 1:
        raise InputError(f"{embedding}: one dimension, but the explorer draws two")
    name = source.name if known else embedding.stem
    data = None
    if known:
        typed = not moving and wants_triples(source, "auto")
        rows = not moving and ("source" in stored or wants_edges(source, "auto"))
        data = source.load(events=moving, edges=rows, triples=typed)
    if metrics and is_triple_set(data):
        raise click.UsageError("--run merges a graph again, which typed edges do not need: the page shows all of them.")
    if metrics and moving:
        raise click.UsageError("--run merges a graph again, which the page of nodes that move does not show.")
    if moving and data is not None and not is_events(data):
        raise wrong(name, "no events with a time", f"those that {embedding} was made of")
    run = known_run(name, data, metrics) if known and not moving else None
    names = row_names(stored, data if run else None)
    own = read_columns(columns, names) if columns else []
    if moving:
        scene = compose_moving(embedding, found, name, data, names, own, clusters)
    else:
        scene = compose(embedding, stored, name, run, names, own, clusters)
    write_page(output, scene)
    report = Report(quiet)
    report.line(f"{scene.title}: {'; '.join(scene.notes)}")
    changing = [] if scene.timeline is None else scene.timeline.columns
    report.line("colours: " + ", ".join(column.name for column in [*scene.columns, *changing]))
    report.line(scene.merged_about)
    seconds = time.perf_counter() - started
    report.line(f"page   {output}   {output.stat().st_size / 1e6:.1f} MB, {seconds:.1f} s")
    if show:
        import webbrowser

        if not webbrowser.open(output.resolve().as_uri()):
            report.line(f"no browser was found; open {output} in one")


def drawn(data: "GraphSet") -> "tuple[list[Column], Drawings]":
    """Sizes of the graphs as columns, and a drawing of each."""
    from genurl_graph.plotting.explorer.colours import Numbers
    from genurl_graph.plotting.explorer.drawings import drawings

    found, plan = data.collection, data.feature_plan
    sizes = Numbers("Nodes", "Nodes of the graph", found.sizes().float().numpy())
    edges = Numbers("Edges", "Edges of the graph, each direction counted", found.edge_ptr.diff().float().numpy())
    return [sizes, edges], drawings(found, None if plan is None else plan.names)


def compose(
    path: Path,
    stored: dict[str, Any],
    name: str,
    run: Run | None,
    names: list[str],
    own: "list[Column]",
    clusters: int | None,
) -> "Scene":
    """Everything the page shows."""
    import torch

    from genurl_graph.graph.knn import knn
    from genurl_graph.inference.drawing import as_map
    from genurl_graph.inputs.collection.convert import as_collection
    from genurl_graph.inputs.columns import FeatureOptions
    from genurl_graph.plotting.explorer import measures
    from genurl_graph.plotting.explorer.colours import Categories, labels
    from genurl_graph.plotting.explorer.scene import Scene
    from genurl_graph.tasks import graphs
    from genurl_graph.tasks.merged_graph import merged_graph

    z = torch.from_numpy(stored["embedding"])
    label: Any = stored.get("label")
    merged, neighbors = None, None
    if run:
        ordered = stored_edges(path, name, run.data) if is_edge_set(run.data) else None
        z = in_order(path, stored, name, run.data) if ordered is None else ordered
        label = named_labels(run.data)
        if is_triple_set(run.data):
            merged = triple_graph(run.data)
        elif is_graph_set(run.data):
            merged = graphs.build(as_collection(run.data), run.config, run.seed, torch.device("cpu"), None).merged
        else:
            read = FeatureOptions(run.config.input.scale, run.config.input.text)
            given = input_of(run.data, read, run.config.edges)
            merged, neighbors = merged_graph(given, run.config, run.seed, torch.device("cpu"))
    n, d = z.shape
    points, how = as_map(z, run.seed if run else 0)
    # Angles are what the graph task trains; the origin of a 2-d map means nothing.
    metric = "cosine" if d > 2 and run and run.config.task not in ("reduce", "images") else "euclidean"
    nearest = knn(z, NEAREST, metric=metric, clamp=True).indices

    known = labels("Label", "Classes of the data", label) if label is not None else None
    count = clusters or (len(known.names) if isinstance(known, Categories) else 0)
    columns: list[Column] = [] if known is None else [known]
    columns += own
    sizes, drawings = drawn(run.data) if run and is_graph_set(run.data) else ([], None)
    columns += sizes
    degrees = measures.degrees(merged, n) if merged else []
    columns += degrees[:1] if run and is_triple_set(run.data) else degrees
    columns.append(measures.clusters(z.numpy(), count if count > 1 else CLUSTERS))
    columns += preserved(z, points, nearest, run, neighbors)
    space = f"{d} dimensions" if d > 2 else "the 2-d map"
    return Scene(
        title=name,
        points=points.numpy(),
        notes=[f"{n:,} {what_rows(stored, run.data if run else None)}; {how or 'embedding of 2 dimensions'}"],
        columns=columns,
        node_id=None if names == list(map(str, range(n))) else names,
        nearest=nearest,
        nearest_about=f"In {space}, {measures.METRIC_NAMES[metric]}",
        merged=merged,
        merged_about=run.about if run else NO_GRAPH,
        drawings=drawings,
    )


def preserved(
    z: "Tensor", points: "Tensor", nearest: "Tensor", run: Run | None, neighbors: "Neighbors | None"
) -> "list[Column]":
    """How far the 2-d map keeps neighbourhoods: of the features, and of an embedding of more dimensions.

    Local trustworthiness of each point where all can be ranked against all; beyond that the share of neighbours kept.
    """
    from genurl_graph.evaluation.preservation import EXACT_UP_TO
    from genurl_graph.graph.knn import knn
    from genurl_graph.plotting.explorer import measures

    n, d = z.shape
    columns: list[Any] = []
    if n <= EXACT_UP_TO:
        if run and not is_graph_set(run.data) and getattr(run.data, "x", None) is not None:
            metric = "cosine" if run.config.neighbors.metric == "cosine" else "euclidean"
            columns.append(measures.local_trustworthiness(run.data.x, points, metric, "features"))
        if d > 2:
            columns.append(measures.local_trustworthiness(z, points, "euclidean", "embedding"))
    else:
        references = {"features": neighbors.indices if neighbors else None}
        references["embedding"] = nearest if d > 2 else None
        for what, reference in references.items():
            if reference is not None:
                shown = knn(points, reference.size(1)).indices
                columns.append(measures.preserved_neighbours(reference.cpu(), shown, what))
    return [one for one in columns if one is not None]
