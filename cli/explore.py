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
from genurl_graph.experiments.explorer.compose import CLUSTERS, Choices, compose
from genurl_graph.experiments.explorer.moving import compose_moving
from genurl_graph.experiments.explorer.own_columns import read_columns
from genurl_graph.experiments.explorer.rows import read_rows, row_names
from genurl_graph.experiments.explorer.runs import Run, known_run
from genurl_graph.experiments.sources import Source
from genurl_graph.experiments.triples.source import is_triple_set, wants_triples

if TYPE_CHECKING:
    from torch import Tensor


@click.command()
@click.argument("embedding", required=False, type=options.PATH, metavar="EMBEDDING")
@options.source
@click.option(
    "--run",
    "metrics",
    type=options.PATH,
    metavar="FILE.json",
    help="What embed --metrics wrote: the graph is merged again with its settings and seed. [default: preset, seed 0]",
)
@click.option(
    "--columns",
    type=options.PATH,
    metavar="FILE.csv",
    help="More to colour, size, filter and search by: a row a node, by id or in order.",
)
@options.gathered(
    "choices",
    Choices,
    click.option("--color-by", metavar="COLUMN", help="Colour points by this column first. [default: the labels]"),
    click.option(
        "--size-by", metavar="COLUMN", help="Size points by this column of numbers first. [default: one size]"
    ),
    click.option(
        "--clusters",
        type=click.IntRange(min=2),
        help=f"Clusters of k-means. [default: as many as there are labels, else {CLUSTERS}]",
    ),
    click.option(
        "--words",
        metavar="COLUMN",
        help="Name the clusters by frequent words of this column, or of the ids. [default: a column of text, "
        "else the features where these are words, else ids]",
    ),
    click.option(
        "--images",
        type=options.PATH,
        metavar="FOLDER",
        help="Show the images of this folder, whose files are called by the ids. [default: the data's own]",
    ),
    click.option("--no-images", is_flag=True, help="Leave the images of the data out: a smaller page."),
)
@click.option("--output", type=options.PATH, default=Path("explorer.html"), show_default=True, metavar="FILE.html")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@options.quiet
def explore(
    embedding: Path | None,
    source: Source,
    metrics: Path | None,
    columns: Path | None,
    choices: Choices,
    output: Path,
    show: bool,
    quiet: bool,
) -> None:
    """Make an HTML page of an embedding: a map to zoom, search, filter and colour, with each point's neighbours.

    The page is one file that needs no network. With a data set or an input it shows which edges of the merged graph are
    predefined, which are kNN edges, and which are both; the graph is merged again for that, nothing is trained. More
    than two dimensions are reduced to two. Clusters are named by frequent words, and images are shown where the data
    are images.

    A point is a node, a vector, a whole graph, which is drawn beside the map, an edge, or an entity of typed edges.
    Events with a time become a page with a slider, on which points move from window to window.

    \b
    Examples:
      genurl-graph explore karate-embedding.npz --dataset karate --output karate.html
      genurl-graph explore papers.npz --input papers.csv --color-by published --size-by citations
      genurl-graph explore digits-embedding.npz --dataset digits --run digits.json --open
      genurl-graph explore collegemsg-embedding.npz --dataset collegemsg
    """
    started = time.perf_counter()
    known = any(source[:4]) or bool(source.options.given())
    if known:
        options.check_source(source)
    elif metrics:
        raise click.UsageError("--run goes with --dataset or --input, whose graph it merges again.")
    if embedding is None:
        file = f"{source.name if known else 'NAME'}-embedding.npz"
        given = f" --input {source.own}" if source.own else f" --dataset {source.dataset}" if source.dataset else ""
        raise click.UsageError(
            f"Missing EMBEDDING, the file that embed --output has written, e.g. genurl-graph explore {file}{given}"
        )
    from genurl_graph.inputs.temporal.convert import is_events
    from genurl_graph.plotting.explorer.page import PAGE_SUFFIXES, write_page
    from genurl_graph.runtime.files import check_output

    if is_folder(embedding, "output"):
        raise wrong(
            embedding, "an embedding by partition", f"one of its tables, such as {embedding}/part-00000.parquet"
        )
    check_output(output, PAGE_SUFFIXES)
    options.announce(output)
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
        scene = compose_moving(embedding, found, name, data, names, own, choices)
    else:
        z = ordered(embedding, stored, name, run)
        scene = compose(z, stored, name, run, names, own, choices, source.dataset)
    write_page(output, scene)
    report = Report(quiet)
    report.line(f"{scene.title}: {'; '.join(scene.notes)}")
    changing = [] if scene.timeline is None else scene.timeline.columns
    report.line("columns: " + "; ".join(column.name for column in [*scene.columns, *changing]))
    report.line(scene.merged_about)
    if scene.images is not None:
        report.line(f"{scene.images.about}, {len(scene.images.sheet) / 1e6:.1f} MB")
    seconds = time.perf_counter() - started
    report.line(f"page   {output}   {output.stat().st_size / 1e6:.1f} MB, {seconds:.1f} s")
    if show:
        import webbrowser

        if not webbrowser.open(output.resolve().as_uri()):
            report.line(f"no browser was found; open {output} in one")


def ordered(path: Path, stored: dict[str, Any], name: str, run: Run | None) -> "Tensor":
    """The embedding of the file, in the order of the run's data if there is a run."""
    import torch

    if run is None:
        return torch.from_numpy(stored["embedding"])
    found = stored_edges(path, name, run.data) if is_edge_set(run.data) else None
    return in_order(path, stored, name, run.data) if found is None else found
