"""``genurl-graph transform``: new data through a saved model."""

from pathlib import Path

import click

from genurl_graph.cli import options
from genurl_graph.cli.embed import write_embedding
from genurl_graph.cli.report import Report, describe
from genurl_graph.cli.source import backbone, seen_by


@click.command()
@click.option("--model", type=options.PATH, required=True, metavar="DIR", help="What embed --save-model wrote.")
@click.option(
    "--input", "source", type=options.PATH, required=True, help="Graph, edge list, matrix or images to embed."
)
@click.option("--features", type=options.PATH, help="Table of node features, where the input has none.")
@click.option("--output", type=options.PATH, required=True, help="Embedding: .npz .npy .csv .parquet or .pt.")
@backbone
@options.quiet
def transform(
    model: Path, source: Path, features: Path | None, output: Path, backbone: str | None, quiet: bool
) -> None:
    """Embed new data with a model that embed --save-model has kept, without training.

    \b
    Examples:
      genurl-graph transform --model model --input new_graph.npz --output new.npz
    """
    from genurl_graph import datasets
    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.embeddings import check_embedding_path

    check_embedding_path(output)
    report = Report(quiet)
    estimator = GenURL.load(model)
    data = seen_by(backbone, datasets.read(source, features), progress=not quiet)
    report.line(describe(source.stem, data))
    z = estimator.transform(data)
    write_embedding(output, z, data, own_file=True)
    report.line(f"embedding {z.shape[0]:,} x {z.shape[1]}   {output}")
