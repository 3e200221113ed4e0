"""Protocol "links" of ``genurl-graph evaluate``: train on the training edges, rank the held-out ones."""

from pathlib import Path
from typing import Any

from genurl_graph.cli.report import Report
from genurl_graph.experiments.environment import environment, machine
from genurl_graph.experiments.results import mean_text, n_seeds
from genurl_graph.experiments.scores import LINK_FIGURES, PARTS, SCORERS, TITLES, link_table
from genurl_graph.experiments.sources import describe, load_named, refuse_graphs


def evaluate_links(
    dataset: str, seeds: int, data_root: Path | None, metrics: Path | None, quiet: bool, **model: Any
) -> None:
    """Split, train and score once for every seed; print the table and write the file of metrics."""
    from genurl_graph.evaluation.links import official_split
    from genurl_graph.runtime.files import check_output, write_json

    if metrics:
        check_output(metrics, (".json",))
    name, data = load_named(dataset, data_root)
    refuse_graphs(name, data)
    report = Report(quiet)
    report.line(describe(name, data))
    if official_split(data):
        report.line("its official split: the same edges are held out for every seed")
    rows, more = link_table(data, list(range(seeds)), model)
    sizes = " / ".join(f"{size:,}" for size in more["edges"].values())
    report.line(
        f"\nlink prediction, per cent (protocol links, {sizes} undirected edges for training / validation / test, "
        f"{n_seeds(range(seeds))})"
    )
    header = ["", *(f"{part} {title}" for part in PARTS.values() for title in LINK_FIGURES.values())]
    for scorer, title in SCORERS.items():
        report.line(f"\n{title}")
        report.table([header, *([TITLES[method], *cells(row[scorer])] for method, row in rows.items())])
    if metrics:
        content: dict[str, Any] = {"dataset": name, "protocol": "links", "n_nodes": data.num_nodes}
        content |= {"seeds": list(range(seeds)), "methods": rows, **more}
        content |= {"environment": environment(data, model["device"]), **machine(model["device"])}
        write_json(metrics, content)
        report.line(f"metrics   {metrics}")


def cells(parts: dict[str, Any]) -> list[str]:
    """The figures of one scorer for people, in the order of the header."""
    found = [parts[part][key] for part in PARTS for key in LINK_FIGURES]
    return ["-" if figure is None else mean_text(figure["values"]) for figure in found]
