"""``genurl-graph transform``: new data through a saved model."""

from pathlib import Path

import click

from genurl_graph.cli import options
from genurl_graph.cli.report import Report
from genurl_graph.experiments.sources import Source, read_lines, write_embedding
from genurl_graph.inputs.reading import ReadOptions


@click.command()
@click.option("--model", type=options.PATH, required=True, metavar="DIR", help="What embed --save-model wrote.")
@click.option("--input", "own", type=options.PATH, required=True, help="Graph, edge list, matrix or images to embed.")
@click.option("--features", type=options.PATH, help="Table of node features, where the input has none.")
@options.output("", required=True)
@options.backbone
@options.reading
@options.quiet
def transform(
    model: Path,
    own: Path,
    features: Path | None,
    output: Path,
    backbone: str | None,
    options: ReadOptions,
    quiet: bool,
) -> None:
    """Embed new data with a model that embed --save-model has kept, without training.

    \b
    Examples:
      genurl-graph transform --model model --input new_graph.npz --output new.npz
    """
    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.embeddings import check_embedding_path

    check_embedding_path(output)
    report = Report(quiet)
    estimator = GenURL.load(model)
    source = Source(None, own, features, backbone=backbone, options=options)
    data = source.load(progress=not quiet)
    report.lines(read_lines(source, data))
    z = estimator.transform(data)
    write_embedding(output, z, data, own_file=True)
    report.line(f"embedding {z.shape[0]:,} x {z.shape[1]}   {output}")
