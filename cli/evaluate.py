"""``genurl-graph evaluate``: an embedding from anywhere against a data set's labels; or link prediction."""

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.neighborhoods import PROTOCOLS, evaluate_neighborhoods
from genurl_graph.cli.report import Report, mean_std_percent, versions
from genurl_graph.cli.scores import cluster_scores, knn_test, load_labelled, load_named
from genurl_graph.exceptions import InputError

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
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Repeat with seeds 0..N-1.")
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
    continuity, Spearman), retrieval ranks a database (mAP of labels, recall of labels and of true neighbours).

    With --protocol links there is no file: for each seed a new embedding is trained on the training edges alone, as the
    options from --task to --set say, and judged by how it ranks the held-out edges. They go with links only.

    \b
    Examples:
      genurl-graph evaluate --embedding cora.npz --dataset cora --protocol public
      genurl-graph evaluate --embedding picture.npz --dataset mnist --protocol reduce
      genurl-graph evaluate --protocol links --dataset cora --seeds 3
    """
    if protocol == "links":
        from genurl_graph.cli.links import evaluate_links

        if embedding is not None:
            raise InputError(
                f"--embedding: found {embedding}, but --protocol links takes none: an embedding that may have seen the "
                "edges to be predicted proves nothing, so it trains its own on each seed's training edges"
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
    if protocol in PROTOCOLS:
        name, data = load_named(dataset, data_root)
        z = in_order(embedding, columns, name, data)
        evaluate_neighborhoods(z, name, data, protocol, seeds, embedding, metrics, quiet)
        return
    name, data = load_labelled(dataset, data_root)
    z = in_order(embedding, columns, name, data)
    runs = [figures(z, data, protocol, seed) for seed in range(seeds)]
    means = {group: {key: mean([run[group][key] for run in runs]) for key in runs[0][group]} for group in runs[0]}
    splits = means.get("probe", {}).get("protocol") or protocol

    report = Report(quiet)
    report.line(f"{embedding}: {z.shape[0]:,} x {z.shape[1]}, on {name}, protocol {splits}, per cent")
    report.table(
        (title, mean_std_percent([run[group][key] for run in runs]))
        for (group, key), title in FIGURES.items()
        if group in means
    )
    if metrics:
        content: dict[str, Any] = {"dataset": name, "embedding": str(embedding), "protocol": splits}
        content |= {"n_nodes": z.shape[0], "dim": z.shape[1], "seeds": list(range(seeds))}
        content |= {group: means.get(group) for group in ("probe", "knn", "cluster")}
        write_json(metrics, {**content, "runs": runs, "versions": versions()})
        report.line(f"metrics   {metrics}")


def check_no_training(context: click.Context, names: list[str]) -> None:
    """An embedding that is read is not trained: options of the training would be ignored silently."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
        if parameter.name in names and given:
            raise click.UsageError(f"{parameter.opts[0]} goes with --protocol links; an embedding file is not trained.")


def mean(values: list[Any]) -> Any:
    """Mean of numbers; the common value of anything else (the protocol's name)."""
    return values[0] if isinstance(values[0], str) else statistics.fmean(values)


def figures(z: "Tensor", data: "Data", protocol: str | None, seed: int) -> dict[str, dict[str, Any]]:
    if protocol == "knn":
        return {"knn": {"test": knn_test(z, data, seed)}}
    if protocol == "cluster":
        return {"cluster": cluster_scores(z, data, seed)}
    from genurl_graph.evaluation.protocols import evaluate_embedding

    return dict(evaluate_embedding(z, data, protocol, seed=seed))


def in_order(path: Path, columns: dict[str, "np.ndarray[Any, Any]"], name: str, data: "Data") -> "Tensor":
    """The embedding's rows in the order of the data set's nodes."""
    import numpy as np
    import torch

    matrix, ids = columns["embedding"], columns.get("node_id")
    if len(matrix) != data.num_nodes:
        raise InputError(f"{path}: {len(matrix):,} rows, but data set {name} has {data.num_nodes:,} nodes")
    if ids is None:
        return torch.from_numpy(matrix)
    expected = np.array(getattr(data, "node_id", None) or range(len(matrix))).astype(str)
    found = ids.astype(str)
    # Other tools number from one, or use names of their own: rows that cannot be matched are not guessed.
    strange = found[~np.isin(found, expected)].tolist()
    if strange:
        known = str(expected[0])
        raise InputError(f"{path}: node_id {strange[0]!r} is no node of data set {name}, e.g. {known!r} is")
    unique, position = np.unique(found, return_index=True)
    if len(unique) != len(found):
        raise InputError(f"{path}: node_id has {len(found) - len(unique):,} repeated entries")
    return torch.from_numpy(matrix[position[np.searchsorted(unique, expected)]])
