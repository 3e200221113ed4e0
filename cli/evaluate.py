"""``genurl-graph evaluate``: an embedding from anywhere against a data set's labels; or link prediction."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.links import (
    EDGES,
    LINKS,
    TEMPORAL_LINKS,
    TEMPORAL_NODES,
    TRIPLES,
    evaluate_edges,
    evaluate_links,
    evaluate_temporal_links,
    evaluate_temporal_nodes,
    evaluate_triples,
)
from genurl_graph.cli.neighborhoods import PROTOCOLS, evaluate_neighborhoods
from genurl_graph.cli.partitioned.embed import is_folder
from genurl_graph.cli.partitioned.evaluate import sampled_rows
from genurl_graph.cli.report import Report, describe_graph_scores
from genurl_graph.cli.shared.replaced import announce
from genurl_graph.exceptions import wrong
from genurl_graph.experiments.edges.source import wants_edges
from genurl_graph.experiments.environment import versions
from genurl_graph.experiments.graphs.table import graphs_of
from genurl_graph.experiments.results import mean_text
from genurl_graph.experiments.scores import mean_of_runs, whole_graph_scores
from genurl_graph.experiments.sources import Source, is_graph_set
from genurl_graph.experiments.tables.source import check_labelled, describe_split

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.evaluation.budget.judgement import Asked

FIGURES = {
    ("probe", "test"): "linear probe, test",
    ("probe", "val"): "linear probe, validation",
    ("probe", "train"): "linear probe, train",
    ("knn", "test"): "{neighbors}-nearest-neighbour vote, test",
    ("cluster", "acc"): "k-means, accuracy",
    ("cluster", "nmi"): "k-means, NMI",
    ("cluster", "ari"): "k-means, ARI",
}


@click.command()
@click.option(
    "--embedding",
    type=options.PATH,
    help="The embedding, a row for each node: .npz .npy .csv .parquet .pt, or a folder of embed --input PREPARED.",
)
@options.source
@options.backbone
@click.option(
    "--protocol",
    type=click.Choice(
        [
            *("public", "random-10", "random-10-10-80", "knn", "cluster", LINKS, "reduce", "retrieval", "graphs"),
            *(TEMPORAL_LINKS, TEMPORAL_NODES, EDGES, TRIPLES),
        ]
    ),
    help="What is evaluated, see above. [default: graphs for many graphs; edges for edges with classes; reduce for a "
    "2-d map of vectors; otherwise public if the data come with a split, else random-10-10-80]",
)
@options.seeds(default=1, show_default=True, help="How many seeds, from --seed on.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first seed.")
@click.option(
    "--blocks",
    type=click.IntRange(min=3),
    help="edges: number of blocks of space, which are held out whole. [default: 20]",
)
@options.full
@options.model
@options.metrics
@options.quiet
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    embedding: Path | None,
    source: Source,
    protocol: str | None,
    seeds: int,
    seed: int,
    blocks: int | None,
    full: bool,
    metrics: Path | None,
    quiet: bool,
    **model: Any,
) -> None:
    """Evaluate an embedding: a file of any tool, against the labels or vectors of a data set or of your own files.

    Rows are matched by node_id if the file has one, otherwise they are taken in the order of the data. The file of an
    embed has the same figures here, to the last digit, if you give its --seed (and its --task and --metric, if you gave
    them there). Large data are evaluated in part, as by embed, unless you give --full. The report says how labels are
    split.

    These protocols evaluate a file. public and random-...: a linear probe, a kNN vote and k-means; knn and cluster: one
    of them alone. reduce: how well neighbourhoods of the vectors are kept (10-NN accuracy, trustworthiness, continuity,
    order of distances, pieces of a class). retrieval: search by the embedding (mAP of labels, recall of labels and of
    true neighbours). graphs (the default for many graphs): classes of whole graphs by support vector machines in 10
    folds, beside rows that need no training.

    These protocols train an embedding for each seed, as the options from --task to --set say, so they take no file.
    links: train on 85 % of the edges, and rank the others. temporal-links: train on the first windows, and rank the
    pairs of each later window by the events before it. triples: train on the training triples, and rank both ends of
    the test triples among all entities; without a test part, triples are held out by the seed.

    Two protocols do either. temporal-nodes compares the trajectory of a file, or one trained for each seed, with
    planted states. edges evaluates rows of edges by the classes of other edges: of the split that came with them, and
    of whole blocks of space if it is known where edges lie.

    Of an embedding by partition, a random sample of 50,000 rows is evaluated, or all rows with --full. The embedding
    knows its prepared folder; --input names that folder if it has moved.

    \b
    Examples:
      genurl-graph evaluate --embedding cora.npz --dataset cora --protocol public
      genurl-graph evaluate --embedding embedded/ --protocol random-10-10-80
      genurl-graph evaluate --embedding map.npz --dataset mnist --protocol reduce
      genurl-graph evaluate --embedding map.npz --input vectors.npy --labels labels.csv --seed 3
      genurl-graph evaluate --embedding mutag.npz --dataset mutag --protocol graphs --full --seeds 5
      genurl-graph evaluate --protocol links --dataset cora --seeds 3
      genurl-graph evaluate --protocol temporal-links --dataset collegemsg --windows 60 --seeds 5
      genurl-graph evaluate --protocol temporal-nodes --dataset planted-switching
      genurl-graph evaluate --protocol edges --dataset linkoping --seeds 10
      genurl-graph evaluate --protocol triples --dataset umls --seeds 5
    """
    partitioned = is_folder(embedding, "output")
    if not partitioned or source.dataset is not None:
        options.check_source(source)
    if blocks is not None and protocol != EDGES:
        raise click.UsageError("--blocks goes with --protocol edges.")
    if protocol is None and not partitioned and wants_edges(source, model["task"]):
        protocol = EDGES
    if protocol == EDGES:
        refuse_options(context, EDGES)
        if embedding is not None:
            check_no_training(context, [*model])
        evaluate_edges(embedding, source, seeds, blocks, metrics, quiet, **model)
        return
    if protocol in (LINKS, TEMPORAL_LINKS, TRIPLES):
        check_links(context, embedding, protocol)
        judges = {LINKS: evaluate_links, TRIPLES: evaluate_triples, TEMPORAL_LINKS: evaluate_temporal_links}
        judges[protocol](source, seeds, metrics, quiet, **model)
        return
    if protocol == TEMPORAL_NODES:
        if embedding is not None:
            check_no_training(context, [*model])
        evaluate_temporal_nodes(embedding, source, range(seed, seed + seeds), metrics, quiet, **model)
        return
    if embedding is None:
        raise click.UsageError("Missing option '--embedding'; only protocols of links and events go without.")
    check_no_training(context, [name for name in model if name not in ("task", "metric")])
    from genurl_graph.evaluation.budget.judgement import Asked, wants_map
    from genurl_graph.evaluation.budget.plan import BUDGET
    from genurl_graph.inputs.embeddings import read_embedding
    from genurl_graph.runtime.files import check_output

    if metrics:
        check_output(metrics, (".json",))
        announce(metrics)
    task, report = model["task"], Report(quiet)
    if partitioned:
        z, data, name, which = sampled_rows(embedding, source, full)
        report.line(which)
        task = "graph"
    else:
        columns = read_embedding(embedding)
        name, data = source.name, source.load(not quiet)
        if protocol == "graphs" or (protocol is None and is_graph_set(data)):
            budget = None if full else BUDGET
            found = evaluate_graphs(embedding, columns, source, data, range(seed, seed + seeds), budget, quiet)
            write_figures(metrics, found, report)
            return
        z = in_order(embedding, columns, name, data)
    if task == "auto":
        task = "reduce" if getattr(data, "edge_index", None) is None else "graph"
    asked = Asked(budget=None) if full else Asked()
    if protocol is None and wants_map(asked, task, z, data):
        protocol = "reduce"
    metric = model["metric"]
    if metric is not None and protocol != "reduce":
        raise click.UsageError("--metric goes with --protocol reduce and links.")
    intro = f"{embedding}: {z.shape[0]:,} x {z.shape[1]}, on {name}, protocol"
    drawn = range(seed, seed + seeds)
    if protocol in PROTOCOLS:
        report.line(f"{intro} {protocol}")
        found = evaluate_neighborhoods(z, name, data, protocol, drawn, asked.budget, report, metric or "euclidean")
    else:
        check_labelled(source, data)
        runs = [label_scores(z, data, task, protocol, one, asked, quiet) for one in drawn]
        means = mean_of_runs(runs)
        protocol = means.get("probe", {}).get("protocol") or protocol or "cluster"
        for why in dict.fromkeys(means.get("left_out", {}).values()):
            report.line(why)
        if "probe" in means:
            report.line(describe_split(protocol, data, means["probe"]["splits"]))
        report.line(f"{intro} {protocol}, per cent")
        report.table(
            (title.format_map(means[group]), mean_text([run[group][key] for run in runs]))
            for (group, key), title in FIGURES.items()
            if key in means.get(group, {})
        )
        cut = runs[0]["evaluation"]["left_out"]
        if cut:
            report.line(f"in part: {'; '.join(cut)}; --full uses all")
        found = {**{group: means.get(group) for group in ("probe", "knn", "cluster")}, "runs": runs}
    about: dict[str, Any] = {"dataset": name, "embedding": str(embedding), "protocol": protocol}
    about |= {"n_nodes": z.shape[0], "dim": z.shape[1], "seeds": list(drawn)}
    write_figures(metrics, about | found, report)


def evaluate_graphs(
    path: Path,
    columns: dict[str, "np.ndarray[Any, Any]"],
    source: Source,
    data: Any,
    drawn: range,
    budget: float | None,
    quiet: bool,
) -> dict[str, Any]:
    """Classify whole graphs by the rows of a file, and by rows without training; what is written of it."""
    from genurl_graph.evaluation.budget.clock import evaluation_clock

    check_labelled(source, data)
    graphs_of(data)  # not a single one
    name = source.name
    z, report = in_order(path, columns, name, data), Report(quiet)
    report.line(f"{path}: {z.shape[0]:,} x {z.shape[1]}, on {name}, protocol graphs")
    runs = []
    for seed in drawn:
        with evaluation_clock(quiet=quiet) as clock:
            runs.append(whole_graph_scores(z, data, seed, budget, clock))
    means = mean_of_runs(runs)
    describe_graph_scores(report, {"graphs": None, "left_out": None, **means})
    about: dict[str, Any] = {"dataset": name, "embedding": str(path), "protocol": "graphs"}
    about |= {"n_graphs": z.shape[0], "dim": z.shape[1], "seeds": list(drawn)}
    return {**about, "graphs": means.get("graphs"), "runs": runs}


def write_figures(path: Path | None, found: dict[str, Any], report: Report) -> None:
    """Write the figures, if a file was named."""
    from genurl_graph.runtime.files import write_json

    if path:
        write_json(path, {**found, "versions": versions()})
        report.line(f"metrics   {path}")


def check_links(context: click.Context, embedding: Path | None, protocol: str) -> None:
    """Link prediction trains its own embeddings, with seeds from 0 on, and is never cut."""
    if embedding is not None:
        raise wrong(
            "--embedding",
            embedding,
            f"none with --protocol {protocol}, which trains its own on each seed's training edges: an embedding that "
            "may have seen the edges to be predicted proves nothing",
        )
    refuse_options(context, protocol)


def refuse_options(context: click.Context, protocol: str) -> None:
    """Refuse options of what is judged in part, or by one seed alone."""
    for name, option in (("seed", "--seed"), ("full", "--full"), ("backbone", "--backbone")):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} does not go with --protocol {protocol}.")


def check_no_training(context: click.Context, names: list[str]) -> None:
    """An embedding that is read is not trained: options of the training would be ignored silently."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
        if parameter.name in names and given:
            raise click.UsageError(f"{parameter.opts[0]} goes with --protocol links; an embedding file is not trained.")


def label_scores(
    z: "Tensor", data: "Data", task: str, protocol: Any, seed: int, asked: "Asked", quiet: bool
) -> dict[str, Any]:
    """Scores against the labels, by group: all of them, or those of one group where the protocol names it."""
    from genurl_graph.evaluation.budget.clock import evaluation_clock
    from genurl_graph.evaluation.budget.judgement import judge

    one = protocol if protocol in ("knn", "cluster") else None
    asked = asked._replace(as_map=False, protocol=None if one is not None else protocol)
    if one is not None:
        asked = asked._replace(parts=(one,))
    with evaluation_clock(quiet=quiet) as clock:
        found = judge(z, data, task, seed, asked, clock=clock)
    return {key: value for key, value in found.items() if value is not None}


def in_order(path: Path, columns: dict[str, "np.ndarray[Any, Any]"], name: str, data: "Data") -> "Tensor":
    """The embedding's rows in the order of the data set's nodes, or of its graphs."""
    import numpy as np
    import pandas
    import torch

    matrix, ids = columns["embedding"], columns.get("node_id")
    count, what = (len(data), "graphs") if is_graph_set(data) else (data.num_nodes, "nodes")
    if len(matrix) != count:
        raise wrong(path, f"{len(matrix):,} rows", f"{count:,}, the {what} of data set {name}")
    if ids is None:
        return torch.from_numpy(matrix)
    expected = np.array(getattr(data, "node_id", None) or range(len(matrix))).astype(str)
    found = pandas.Index(ids.astype(str))
    # Other tools number from one, or use names of their own: rows that cannot be matched are not guessed.
    strange = found[~found.isin(expected)]
    if len(strange):
        raise wrong(path, f"node_id {str(strange[0])!r}", f"{what} of data set {name}, such as {str(expected[0])!r}")
    if found.has_duplicates:
        raise wrong(path, f"node_id {found[found.duplicated()][0]!r} in two rows", f"each of the {what} once")
    return torch.from_numpy(matrix[found.get_indexer(expected)])
