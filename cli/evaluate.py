"""``genurl-graph evaluate``: an embedding from anywhere against a data set's labels; or link prediction."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.neighborhoods import PROTOCOLS, evaluate_neighborhoods
from genurl_graph.cli.report import Report
from genurl_graph.exceptions import wrong
from genurl_graph.experiments.environment import versions
from genurl_graph.experiments.results import mean_text
from genurl_graph.experiments.scores import mean_of_runs
from genurl_graph.experiments.sources import load_named

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor
    from torch_geometric.data import Data

FIGURES = {
    ("probe", "test"): "linear probe, test",
    ("probe", "val"): "linear probe, validation",
    ("probe", "train"): "linear probe, train",
    ("knn", "test"): "20-nearest-neighbour vote, test",
    ("cluster", "acc"): "k-means, accuracy",
    ("cluster", "nmi"): "k-means, NMI",
    ("cluster", "ari"): "k-means, ARI",
}


@click.command()
@click.option("--embedding", type=options.PATH, help="Rows for all nodes: .npz .npy .csv .parquet .pt. Not for links.")
@click.option("--dataset", required=True, metavar="NAME", help="Whose labels, or edges, and splits to use.")
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10", "random-10-10-80", "knn", "cluster", "links", "reduce", "retrieval"]),
    help="Splits for all figures, or one figure alone; links: train on 85 % of the edges, find the others; "
    "reduce: neighbourhoods kept; retrieval: search by the embedding. "
    "[default: public where the data set has it, else random-10-10-80]",
)
@options.seeds(default=1, show_default=True, help="Repeat with seeds 0..N-1.")
@options.data_root
@options.model
@options.metrics
@options.quiet
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    embedding: Path | None,
    dataset: str,
    protocol: str | None,
    seeds: int,
    data_root: Path | None,
    metrics: Path | None,
    quiet: bool,
    **model: Any,
) -> None:
    """Evaluate an embedding file against the labels of a data set.

    Rows are matched by node_id where the file has the data set's ids, else taken in the data set's order.

    --protocol reduce compares neighbourhoods with those of the data set's vectors (10-NN accuracy, trustworthiness,
    continuity, order of distances, pieces of a class), retrieval ranks a database (mAP of labels, recall of labels and
    of true neighbours).

    With --protocol links there is no file: for each seed a new embedding is trained on the training edges alone, as the
    options from --task to --set say, and judged by how it ranks the held-out edges. They go with links only.

    \b
    Examples:
      genurl-graph evaluate --embedding cora.npz --dataset cora --protocol public
      genurl-graph evaluate --embedding map.npz --dataset mnist --protocol reduce
      genurl-graph evaluate --protocol links --dataset cora --seeds 3
    """
    if protocol == "links":
        from genurl_graph.cli.links import evaluate_links

        if embedding is not None:
            raise wrong(
                "--embedding",
                embedding,
                "none with --protocol links, which trains its own on each seed's training edges: an embedding that may "
                "have seen the edges to be predicted proves nothing",
            )
        evaluate_links(dataset, seeds, data_root, metrics, quiet, **model)
        return
    if embedding is None:
        raise click.UsageError("Missing option '--embedding'; only --protocol links goes without.")
    check_no_training(context, list(model))
    from genurl_graph.inputs.embeddings import read_embedding
    from genurl_graph.runtime.files import check_output, write_json

    if metrics:
        check_output(metrics, (".json",))
    columns = read_embedding(embedding)
    neighborhoods = protocol in PROTOCOLS
    name, data = load_named(dataset, data_root, labelled=not neighborhoods)
    z = in_order(embedding, columns, name, data)
    report, intro = Report(quiet), f"{embedding}: {z.shape[0]:,} x {z.shape[1]}, on {name}, protocol"
    if protocol in PROTOCOLS:
        report.line(f"{intro} {protocol}")
        found = evaluate_neighborhoods(z, name, data, protocol, seeds, report)
    else:
        runs = [label_scores(z, data, protocol, seed) for seed in range(seeds)]
        means = mean_of_runs(runs)
        protocol = means.get("probe", {}).get("protocol") or protocol or "cluster"
        for why in dict.fromkeys(means.get("left_out", {}).values()):
            report.line(why)
        report.line(f"{intro} {protocol}, per cent")
        report.table(
            (title, mean_text([run[group][key] for run in runs]))
            for (group, key), title in FIGURES.items()
            if key in means.get(group, {})
        )
        found = {**{group: means.get(group) for group in ("probe", "knn", "cluster")}, "runs": runs}
    if metrics:
        content: dict[str, Any] = {"dataset": name, "embedding": str(embedding), "protocol": protocol}
        content |= {"n_nodes": z.shape[0], "dim": z.shape[1], "seeds": list(range(seeds))}
        write_json(metrics, {**content, **found, "versions": versions()})
        report.line(f"metrics   {metrics}")


def check_no_training(context: click.Context, names: list[str]) -> None:
    """An embedding that is read is not trained: options of the training would be ignored silently."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
        if parameter.name in names and given:
            raise click.UsageError(f"{parameter.opts[0]} goes with --protocol links; an embedding file is not trained.")


def label_scores(z: "Tensor", data: "Data", protocol: str | None, seed: int) -> dict[str, dict[str, Any]]:
    """Scores against the labels, by group: all of them, or those of one group where the protocol names it."""
    from genurl_graph.evaluation.clustering import cluster
    from genurl_graph.evaluation.protocols import evaluate_embedding, knn_embedding

    if protocol == "knn":
        return {"knn": {"test": knn_embedding(z, data, seed=seed)}}
    if protocol == "cluster":
        return {"cluster": cluster(z, data.y, seed)}
    return evaluate_embedding(z, data, protocol, seed=seed)


def in_order(path: Path, columns: dict[str, "np.ndarray[Any, Any]"], name: str, data: "Data") -> "Tensor":
    """The embedding's rows in the order of the data set's nodes."""
    import numpy as np
    import pandas
    import torch

    matrix, ids = columns["embedding"], columns.get("node_id")
    if len(matrix) != data.num_nodes:
        raise wrong(path, f"{len(matrix):,} rows", f"{data.num_nodes:,}, the nodes of data set {name}")
    if ids is None:
        return torch.from_numpy(matrix)
    expected = np.array(getattr(data, "node_id", None) or range(len(matrix))).astype(str)
    found = pandas.Index(ids.astype(str))
    # Other tools number from one, or use names of their own: rows that cannot be matched are not guessed.
    strange = found[~found.isin(expected)]
    if len(strange):
        raise wrong(path, f"node_id {strange[0]!r}", f"nodes of data set {name}, such as {expected[0]!r}")
    if found.has_duplicates:
        raise wrong(path, f"node_id {found[found.duplicated()][0]!r} in two rows", "each node once")
    return torch.from_numpy(matrix[found.get_indexer(expected)])
