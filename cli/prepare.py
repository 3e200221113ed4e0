"""``genurl-graph prepare``: data of any size as partitions of rows."""

from pathlib import Path
from typing import Any

import click

from genurl_graph.cli import options as shared
from genurl_graph.cli.report import Report
from genurl_graph.cli.shared.replaced import announce
from genurl_graph.exceptions import wrong
from genurl_graph.experiments.sources import Source, is_graph_set, read_lines
from genurl_graph.inputs.reading import ReadOptions


class ManyFiles(click.Command):
    """Reads ``--features a b c`` as ``--features a --features b --features c``: what a shell makes of a pattern."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As of click."""
        words: list[str] = []
        after = False
        for word in args:
            if after and not word.startswith("-") and words[-1] != "--features":
                words.append("--features")
            after = word == "--features" or (after and not word.startswith("-"))
            words.append(word)
        return super().parse_args(ctx, words)


@click.command(cls=ManyFiles)
@click.argument("edges", nargs=-1, type=shared.PATH)
@click.option(
    "--features",
    multiple=True,
    type=shared.PATH,
    metavar="FILE...",
    help="Tables of nodes, a row each, with id, features and perhaps a label: files, folders or patterns.",
)
@click.option("--dataset", metavar="NAME", help="Or a data set by its name, which is read as a whole.")
@click.option("--input", "own", type=shared.PATH, help="Or any file that embed reads, which is read as a whole.")
@click.option("--labels", type=shared.PATH, help="With --input: a table of labels.")
@shared.data_root
@click.option("--output", type=shared.PATH, required=True, metavar="FOLDER", help="Folder of the partitions.")
@click.option(
    "--partitions", type=click.IntRange(min=1), help="Number of partitions. [default: as many as --rows gives]"
)
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=1 << 16,
    show_default=True,
    help="Rows of a partition, if --partitions is not given. A worker holds about two partitions at a time.",
)
@click.option(
    "--like",
    type=shared.PATH,
    metavar="FOLDER",
    help="Encode features as in these earlier partitions, for transform by a model that was trained on them.",
)
@click.option("--drop-unknown", is_flag=True, help="Leave out edges to nodes without a row of features.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the order of the nodes."
)
@shared.reading
@shared.quiet
def prepare(
    edges: tuple[Path, ...],
    features: tuple[Path, ...],
    dataset: str | None,
    own: Path | None,
    labels: Path | None,
    data_root: Path | None,
    output: Path,
    partitions: int | None,
    rows: int,
    like: Path | None,
    drop_unknown: bool,
    seed: int,
    options: ReadOptions,
    quiet: bool,
) -> None:
    """Write a graph with features as partitions of rows, so that embed can work on data larger than memory.

    Edges and nodes are tables as text, Parquet or Arrow, read part by part. Ids are numbers or names. Nodes are written
    in an order of their own, by a hash of their ids, so that each partition is a random sample; the ids are kept. Each
    edge is written in both directions, repeats are summed, and self loops are left out. Labels are kept for evaluation
    and never become features.

    \b
    Examples:
      genurl-graph prepare edges/*.parquet --features nodes/*.parquet --output prepared
      genurl-graph prepare edges.csv.gz --features nodes.csv --column id=name --output prepared
      genurl-graph prepare --dataset Cora --partitions 4 --output prepared
    """
    from genurl_graph.inputs.partitioned import Manifest, Prepared
    from genurl_graph.inputs.partitioned.folder import check_new_folder
    from genurl_graph.inputs.tables.edges import count

    sources = [name for name, there in (("EDGES", edges), ("--dataset", dataset), ("--input", own)) if there]
    if len(sources) != 1:
        raise click.UsageError("Give one of EDGES, --dataset NAME and --input PATH.")
    if edges and not features:
        raise wrong("--features", "none", "tables of nodes, a row each (--input takes a graph without features)")
    if not own and labels:
        raise click.UsageError("--labels goes with --input; tables of nodes have a column of labels.")
    if dataset and (features or options.given()):
        raise click.UsageError("A data set of the registry has its own features and columns.")
    for flag, given in (("--drop-unknown", drop_unknown), ("--like", like)):
        if given and not edges:
            raise click.UsageError(f"{flag} goes with EDGES.")
    output = check_new_folder(output)
    announce(output)
    report = Report(quiet)
    manifest = None if like is None else Manifest.read(like)
    how: dict[str, Any] = {"rows": rows, "partitions": partitions, "seed": seed}
    found: Prepared
    if edges:
        found = _of_tables(edges, features, output, options, not quiet, drop_unknown=drop_unknown, like=manifest, **how)
        report.lines(found.manifest.reading["lines"])
    else:
        if len(features) > 1:
            raise wrong("--features", f"{len(features):,} files", "one with --input; many go with EDGES")
        source = Source(dataset, own, next(iter(features), None), labels, data_root, options=options)
        found, lines = _of_source(source, output, not quiet, **how)
        report.lines(lines)
    counts = [
        f"{found.num_nodes:,} nodes",
        f"{found.manifest.num_edges // 2:,} edges",  # each is there in both directions
        f"{found.num_features:,} features",
    ]
    largest = max(map(found.store.size, range(found.store.count)))
    sizes = f"{count(found.store.count, 'partition')} of up to {count(largest, 'row')}"
    report.line(f"prepared {', '.join(counts)}; {sizes}   {output}")


def _of_tables(
    edges: tuple[Path, ...],
    features: tuple[Path, ...],
    output: Path,
    options: ReadOptions,
    progress: bool,
    **how: Any,
) -> Any:
    from functools import partial

    from genurl_graph.datasets.readers.node_tables import find_tables, read_any_blocks
    from genurl_graph.inputs.partitioned import Blocks, prepare_tables

    if options.reading not in (None, "edges", "graph"):
        raise wrong("--as", options.reading, "edges: vectors without any are read by --input")
    read = partial(read_any_blocks, options=options)
    lines, rows = (Blocks(find_tables(paths, what), read) for paths, what in ((edges, "edges"), (features, "features")))
    return prepare_tables(lines, rows, output, options, progress=progress, **how)


def _of_source(source: Source, output: Path, progress: bool, **how: Any) -> tuple[Any, list[str]]:
    from genurl_graph.inputs.columns import FeatureOptions
    from genurl_graph.inputs.input import as_input
    from genurl_graph.inputs.partitioned import write_prepared

    data = source.load(progress)
    if is_graph_set(data):
        raise wrong(source.name, f"{len(data):,} graphs", "one graph, or vectors")
    labels, classes = getattr(data, "y", None), getattr(data, "label_names", None)
    # Features as `embed` has them: of several scales, columns are standardised.
    made = as_input(data, features=FeatureOptions())
    lines = read_lines(source, data)
    if made.plan is not None and made.plan.summary() not in lines:
        lines.append(made.plan.summary())
    if made.edge_attr is not None:
        lines.append("left out: attributes of the edges")
    return write_prepared(made, output, labels=labels, classes=classes, **how), lines
