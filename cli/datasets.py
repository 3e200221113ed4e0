"""``genurl-graph datasets``: what can be embedded by name."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genurl_graph.cli import options
from genurl_graph.cli.report import Report
from genurl_graph.datasets.registry import stored

if TYPE_CHECKING:
    from genurl_graph.datasets import DatasetInfo


# What stands in a column, where it is not the attribute of its name.
COLUMNS = {"edges": "n_distinct_edges"}


@click.command()
@click.argument("name", required=False)
@options.data_root
def datasets(name: str | None, data_root: Path | None) -> None:
    """List all data sets, or show the details and files of one.

    \b
    Examples:
      genurl-graph datasets
      genurl-graph datasets cora
    """
    from genurl_graph import datasets as registry

    report, root = Report(), registry.data_root(data_root)
    if name is not None:
        show(report, registry.info(name), root)
        return
    entries = [registry.info(entry) for entry in registry.names()]
    sizes = ("nodes", "edges", "features", "classes")
    parts = ("graphs", "events", "triples")
    for head in (sizes, *((part, *sizes) for part in parts)):
        listed = [e for e in entries if all((getattr(e, f"n_{part}") > 0) == (part in head) for part in parts)]
        rows = [(e.name, *(f"{getattr(e, COLUMNS.get(size, f'n_{size}')):,}" for size in head)) for e in listed]
        rows = [(*row, presence(e, root)) for e, row in zip(listed, rows, strict=True)]
        report.table([("name", *head, "files"), *rows])
        report.line()
    report.line(f"Edges: of events and triples, distinct pairs. Data root: {root}")
    report.line("Missing files are downloaded at the first use; details: genurl-graph datasets NAME")


def presence(entry: "DatasetInfo", root: Path) -> str:
    """Whether the raw files of a data set stand under the data root."""
    if not entry.files:
        return "built in"
    found = sum(stored(root, file) is not None for file in entry.files)
    return "present" if found == len(entry.files) else "missing" if found == 0 else "incomplete"


def show(report: Report, entry: "DatasetInfo", root: Path) -> None:
    pairs = entry.n_events or entry.n_triples
    for key, value in (
        ("name", entry.name),
        ("also", ", ".join(entry.aliases) or "-"),
        ("task", entry.task),
        *([("graphs", f"{entry.n_graphs:,}")] if entry.n_graphs else []),
        *([("events", f"{entry.n_events:,}")] if entry.n_events else []),
        ("nodes", f"{entry.n_nodes:,}"),
        *([("triples", f"{entry.n_triples:,} of {entry.n_relations:,} relations")] if entry.n_triples else []),
        ("edges", f"{entry.n_distinct_edges:,}{' distinct pairs' if pairs else ' directed' if entry.directed else ''}"),
        ("features", f"{entry.n_features:,}"),
        ("classes", f"{entry.n_classes:,}" + (f": {', '.join(entry.classes)}" if entry.classes else "")),
        ("origin", entry.origin),
        ("licence", entry.licence),
        ("cite", entry.citation),
    ):
        report.line(f"{key:<10}{value}")
    if not entry.files:
        report.line(f"{'files':<10}none needed: it comes with an installed library")
        return
    report.line(f"\nfiles ({presence(entry, root)}), expected under {root}")
    for file in entry.files:
        report.line(f"  {'x' if stored(root, file) else '-'} {file}")
    if entry.download_mb:
        report.line(f"download: {entry.download_mb:,} MB")
    report.line("from" if entry.urls else "made by")
    for source in entry.urls or (entry.by_hand,):
        report.line(f"  {source}")
