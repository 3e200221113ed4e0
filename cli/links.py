"""Protocols of ``genurl-graph evaluate`` that train embeddings: links, events with a time, edges and typed edges."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli.report import Report
from genurl_graph.cli.shared.replaced import announce
from genurl_graph.exceptions import wrong
from genurl_graph.experiments.edges.rows import EdgeEvaluation, stored_edges
from genurl_graph.experiments.edges.table import edges_of
from genurl_graph.experiments.environment import environment, machine, versions
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.results import mean_text, n_seeds
from genurl_graph.experiments.scores import LINK_FIGURES, PARTS, SCORERS, TITLES, link_table, mean_of_runs
from genurl_graph.experiments.sources import Source, read_lines, refuse_graphs
from genurl_graph.experiments.tables.source import load_for, own_header
from genurl_graph.experiments.temporal.embedding import node_scores, node_table
from genurl_graph.experiments.temporal.links import ROWS, LinkComparison, run_links
from genurl_graph.experiments.temporal.table import PROTOCOL, events_of
from genurl_graph.experiments.triples import methods as triples
from genurl_graph.experiments.triples.source import load_triples, split_lines

if TYPE_CHECKING:
    from genurl_graph.inputs.temporal.event_set import EventSet
    from genurl_graph.inputs.temporal.trajectory import Trajectory

LINKS, TEMPORAL_LINKS, TEMPORAL_NODES, EDGES, TRIPLES = "links", PROTOCOL, "temporal-nodes", "edges", triples.PROTOCOL


def evaluate_links(source: Source, seeds: int, metrics: Path | None, quiet: bool, **model: Any) -> None:
    """Split, train and score once for every seed; print the table and write the file of metrics."""
    from genurl_graph.evaluation.links import official_split
    from genurl_graph.runtime.files import check_output, write_json

    if metrics:
        check_output(metrics, (".json",))
        announce(metrics)
    source = source.with_settings(make_estimator(**model, seed=0).config)
    data = load_for(source, LINKS)
    refuse_graphs(source.name, data)
    report = Report(quiet)
    report.lines(read_lines(source, data))
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
        content: dict[str, Any] = {"dataset": source.name, "protocol": LINKS, **own_header(source)}
        content |= {"n_nodes": data.num_nodes}
        content |= {"seeds": list(range(seeds)), "methods": rows, **more}
        content |= {"environment": environment(data, model["device"]), **machine(model["device"])}
        write_json(metrics, content)
        report.line(f"metrics   {metrics}")


def cells(parts: dict[str, Any]) -> list[str]:
    """The figures of one scorer for people, in the order of the header."""
    found = [parts[part][key] for part in PARTS for key in LINK_FIGURES]
    return ["-" if figure is None else mean_text(figure["values"]) for figure in found]


def evaluate_temporal_links(source: Source, seeds: int, metrics: Path | None, quiet: bool, **model: Any) -> None:
    """Train on the first windows, rank the pairs of the last ones by what came before; print and write the table."""
    from genurl_graph.runtime.files import check_output

    if metrics:
        check_output(metrics, (".json",))
        announce(metrics)
    report = Report(quiet)
    data = events_of(source.load(not quiet, events=True), f"--protocol {TEMPORAL_LINKS}")
    report.lines(read_lines(source, data))
    header = {"protocol": TEMPORAL_LINKS, "windows": model["windows"] or "auto", "source": source.record()}
    comparison = LinkComparison(source, data, **header)
    comparison.check([*ROWS])
    results = comparison.results([*ROWS], seeds, model, {}, metrics)
    run_links(data, results, model, quiet)
    report.line(f"\n{results.caption()}, {n_seeds(range(seeds))}")
    report.results(results)
    report.files(9, metrics=metrics)


def evaluate_triples(source: Source, seeds: int, metrics: Path | None, quiet: bool, **model: Any) -> None:
    """Train on the training triples, rank both ends of the test triples; print and write the table."""
    from genurl_graph.experiments.triples.links import run_triples, triple_results
    from genurl_graph.runtime.files import check_output

    if metrics:
        check_output(metrics, (".json",))
        announce(metrics)
    report = Report(quiet)
    data = load_triples(source, f"--protocol {TRIPLES}")
    report.lines([*read_lines(source, data), *split_lines(data)])
    results = triple_results(source, data, seeds, model, metrics)
    apart = run_triples(data, results, model, quiet, checked=True)
    report.line(f"\n{results.caption()}, {n_seeds(range(seeds))}")
    report.results(results)
    if apart is not None:
        report.line(f"PyKEEN's evaluator counts the same on the first seed: the largest difference is {apart:.0e}")
    report.files(9, metrics=metrics)


def evaluate_temporal_nodes(
    embedding: Path | None, source: Source, seeds: range, metrics: Path | None, quiet: bool, **model: Any
) -> None:
    """Judge trajectories by the known states of nodes: that of a file, or one trained for each seed."""
    from genurl_graph.runtime.files import check_output, write_json

    if metrics:
        check_output(metrics, (".json",))
        announce(metrics)
    report = Report(quiet)
    data = events_of(source.load(not quiet, events=True), f"--protocol {TEMPORAL_NODES}")
    report.lines(read_lines(source, data))
    if data.states is None:
        raise wrong(
            f"data set {source.name}", "no true states of the nodes", "a planted set, such as planted-switching"
        )
    stored = None if embedding is None else stored_trajectory(embedding, source.name, data)
    runs = []
    for seed in seeds:
        found = stored
        if found is None:
            found = make_estimator(**{**model, "task": "temporal"}, seed=seed).fit(data).trajectory_
        runs.append(node_scores(data, {"genurl": found}, seed))
    means = mean_of_runs(runs)
    windows = found.num_windows if found is not None else 0
    report.line(f"\nstates of the nodes in {windows} windows, protocol {TEMPORAL_NODES}, mean of {n_seeds(seeds)}")
    report.table(node_table(means))
    if metrics:
        content: dict[str, Any] = {"dataset": source.name, "protocol": TEMPORAL_NODES, "n_windows": windows}
        content |= {"embedding": None if embedding is None else str(embedding), "seeds": [*seeds]}
        write_json(metrics, {**content, "temporal_nodes": means, "runs": runs, "versions": versions()})
        report.files(9, metrics=metrics)


def evaluate_edges(
    embedding: Path | None,
    source: Source,
    seeds: int,
    blocks: int | None,
    metrics: Path | None,
    quiet: bool,
    **model: Any,
) -> None:
    """Judge embeddings of edges by their labels: that of a file, or one trained for each seed."""
    from genurl_graph.runtime.files import check_output

    if metrics:
        check_output(metrics, (".json",))
        announce(metrics)
    report = Report(quiet)
    data = edges_of(source.load(not quiet, edges=True), f"--protocol {EDGES}")
    report.lines(read_lines(source, data))
    z = None if embedding is None else stored_edges(embedding, source.name, data)
    header = {"protocol": EDGES, "source": source.record(), "embedding": None if embedding is None else str(embedding)}
    comparison = EdgeEvaluation(source, data, **header)
    comparison.judge_by(blocks)
    results = comparison.results(comparison.rows(), seeds, model, {}, metrics)
    comparison.run_here(results, model, quiet, z)
    report.line(f"\n{results.caption()}, {n_seeds(range(seeds))}")
    report.results(results)
    report.lines(comparison.judge.left_out)
    report.files(9, metrics=metrics)


def stored_trajectory(path: Path, name: str, data: "EventSet") -> "Trajectory":
    """The trajectory of a file, its nodes numbered as those of the data set."""
    import pandas as pd
    import torch

    from genurl_graph.inputs.temporal.trajectory_files import read_trajectory

    columns, found, _ = read_trajectory(path)
    if found is None:
        raise wrong(path, "no trajectory", "what embed writes of events with a time")
    if found.num_nodes != len(data):
        raise wrong(path, f"{found.num_nodes:,} nodes", f"{len(data):,}, those of data set {name}")
    ids = columns.get("node_id")
    if ids is None:
        return found
    own = pd.Index([*map(str, data.node_id if data.node_id is not None else range(len(data)))])
    number = own.get_indexer(pd.Index([*map(str, ids)]))
    if (number < 0).any():
        raise wrong(path, f"node_id {ids[int((number < 0).argmax())]!r}", f"nodes of data set {name}")
    node = torch.from_numpy(number)[found.node]
    order = torch.argsort(found.window * len(data) + node)
    return found._replace(
        node=node[order],
        window=found.window[order],
        embedding=found.embedding[order],
        events=found.events[order],
    )
