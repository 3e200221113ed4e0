"""``genurl-graph inspect``: what files would be read as; nothing is run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from genurl_graph.cli import BAD_INPUT, options
from genurl_graph.cli.partitioned.inspect import inspect_folder, is_partitioned
from genurl_graph.cli.report import Report
from genurl_graph.inputs.reading import ReadOptions


@click.command()
@click.argument("files", nargs=-1, type=options.PATH, metavar="FILE...")
@click.option("--input", "own", type=options.PATH, metavar="FILE", help="The same as FILE, as embed takes it.")
@click.option("--features", type=options.PATH, help="A table of node features that belongs to each file.")
@click.option("--labels", type=options.PATH, help="A table of node labels that belongs to each file.")
@options.reading
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, a list with one entry per file.")
@click.pass_context
def inspect(
    context: click.Context,
    /,
    files: tuple[Path, ...],
    own: Path | None,
    features: Path | None,
    labels: Path | None,
    options: ReadOptions,
    as_json: bool,
) -> None:
    """Show how files are read, with a preview and the figures of the graph. Nothing is trained.

    The options are those of embed. A file that cannot be read is shown with the reason and its first lines, and the
    exit code is 2.

    \b
    Examples:
      genurl-graph inspect drugs.csv lists/contacts.csv.gz
      genurl-graph inspect edges.csv --features nodes.csv --column label=segment
      genurl-graph inspect messages.txt --column time=3 --json
      genurl-graph inspect facts.tsv --as triples --features vectors/
    """
    from genurl_graph.datasets import inspection
    from genurl_graph.runtime.files import to_json

    if bool(files) == (own is not None):
        raise click.UsageError("Give one of FILE... and --input FILE.")
    report, found = Report(), []
    for path in files if own is None else (own,):
        partitioned = is_partitioned(path)
        one = inspect_folder(path) if partitioned else inspection.inspect(path, features, labels, options)
        found.append(one)
        if not as_json and partitioned:
            report.lines([*[""] * (len(found) > 1), str(path)])
            report.lines([f"Error: {one['error']}"] if one["error"] else one["lines"])
        elif not as_json:
            if len(found) > 1:
                report.line()
            show(report, one)
        elif one["error"]:
            click.echo(f"Error: {one['error']}", err=True)
    if as_json:
        click.echo(to_json(found))
    if any(one["error"] for one in found):
        context.exit(BAD_INPUT)


def show(report: Report, found: dict[str, Any]) -> None:
    """Print what is known of one file."""
    from genurl_graph.inputs.triples.figures import relation_rows, triple_lines

    report.line(found["file"])
    if found["error"]:
        click.echo(f"Error: {found['error']}", err=True)
    report.lines(found["lines"])
    if found["columns"]:
        heads = ("column", "role", "kind", "missing", "distinct", "becomes")
        several = len({column["file"] for column in found["columns"]}) > 1
        rows = [[column[head] for head in (*heads, *["file"] * several)] for column in found["columns"]]
        aligned(report, "columns", [[*heads, *["file"] * several], *rows])
    if found["note"]:
        report.line(f"no preview: {found['note']}")
    aligned(report, "first rows", found["rows"])
    aligned(report, "first nodes", found["nodes"])
    aligned(report, "first edges", found["edges"])
    aligned(report, "first graphs", found["first_graphs"])
    aligned(report, "first events", found["first_events"])
    aligned(report, "first triples", found["first_triples"])
    aligned(report, "first edges, each a row", found["first_edge_rows"])
    if found["graph"]:
        report.line("graph")
        report.lines(f"  {line}" for line in graph_lines(found["graph"]))
    if found["graphs"]:
        report.line("graphs")
        report.lines(f"  {line}" for line in graphs_lines(found["graphs"]))
    if found["events"]:
        report.line("events")
        report.lines(f"  {line}" for line in events_lines(found["events"]))
    if found["triples"]:
        aligned(report, "relations", relation_rows(found["triples"]))
        report.line("triples")
        report.lines(f"  {line}" for line in triple_lines(found["triples"]))
    if found["edge_rows"]:
        report.line("edges, each a row")
        report.lines(f"  {line}" for line in edge_row_lines(found["edge_rows"]))


def aligned(report: Report, title: str, rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under a title, their columns to the left."""
    if not rows:
        return
    report.line(title)
    width = max(map(len, rows))
    texts = [["" if cell is None else text(cell) for cell in (*row, *[""] * (width - len(row)))] for row in rows]
    sizes = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        report.line("  " + "   ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip())


def text(cell: Any) -> str:
    """One cell of a preview."""
    return f"{cell:.4g}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell)


def events_lines(events: dict[str, Any]) -> list[str]:
    """The figures of events in words."""
    unit = "" if events["unit"] in ("numbers", "snapshots") else f", {events['unit']}"
    nodes = ", ".join(f"{name} {value:g}" for name, value in events["of_a_node"].items())
    lines = [
        f"{events['events']:,} events among {events['nodes']:,} nodes, {events['idle']:,} of them without any",
        f"{events['pairs']:,} distinct pairs, {events['reciprocal']:.0%} of them in both directions",
        f"from {events['first']} to {events['last']} ({events['span']}), {events['times']:,} different times{unit}",
        f"events in tenths of this time: {', '.join(f'{count:,}' for count in events['spans'])}",
        f"events of a node: {nodes}",
    ]
    if events["weight"]:
        lines.append("weights: " + ", ".join(f"{name} {value:g}" for name, value in events["weight"].items()))
    return lines + ([f"{events['features']:,} features of the events"] if events["features"] else [])


def edge_row_lines(edges: dict[str, Any]) -> list[str]:
    """The figures of edges that are rows in words."""
    kind = "directed" if edges["directed"] else "undirected"
    lines = [
        f"{edges['edges']:,} {kind} edges between {edges['nodes']:,} nodes, {edges['idle']:,} of them without any",
        f"{edges['pairs']:,} distinct pairs, {edges['self_loops']:,} self loops",
        f"edges at a node: {', '.join(f'{name} {value:g}' for name, value in edges['at_a_node'].items())}",
        f"other edges that an edge meets: median {edges['neighbours']:g}",
    ]
    if edges["length"]:
        lines.append("length: " + ", ".join(f"{name} {value:,.4g}" for name, value in edges["length"].items()))
    labelled = "" if edges["labelled"] is None else f", {edges['labelled']:,} edges with a label"
    return [*lines, f"{edges['features']:,} features of the edges{labelled}"]


def graphs_lines(graphs: dict[str, Any]) -> list[str]:
    """The figures of many graphs in words."""
    sizes = ", ".join(f"{name} {value:g}" for name, value in graphs["size"].items())
    kind = "directed " if graphs["directed"] else ""
    return [
        f"{graphs['graphs']:,} graphs, {graphs['empty']:,} of them without nodes; {graphs['nodes']:,} nodes, "
        f"{graphs['edges']:,} {kind}edges in all",
        f"nodes of a graph: {sizes}",
    ]


def graph_lines(graph: dict[str, Any]) -> list[str]:
    """The figures of a graph in words."""

    def count(key: str, one: str, more: str = "") -> str:
        return f"{graph[key]:,} {one if graph[key] == 1 else more or one + 's'}"

    degrees = ", ".join(f"{name} {value:g}" for name, value in graph["degree"].items())
    kind = "directed " if graph["directed"] else ""
    return [
        f"{count('nodes', 'node')}, {count('edges', kind + 'edge')}, total weight {graph['total_weight']:,g}",
        f"{count('components', 'component')}, {graph['largest']:,} nodes in the largest, "
        f"{count('isolated', 'isolated node')}, {count('self_loops', 'self loop')}, "
        f"{count('repeats', 'repeated line')}",
        f"neighbours of a node: {degrees}",
    ]
