"""``genurl-graph evaluate``: an embedding from anywhere, against the labels of a data set."""

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.report import Report, mean_std_percent, versions
from genurl_graph.cli.scores import cluster_scores, knn_test, load_labelled
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
@click.option("--embedding", type=options.PATH, required=True, help="Rows for all nodes: .npz .npy .csv .parquet .pt.")
@click.option("--dataset", required=True, metavar="NAME", help="Whose labels and splits to use.")
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10", "random-10-10-80", "knn", "cluster"]),
    help="Splits for all figures, or one figure alone. [default: public where the data set has it, "
    "else random-10-10-80]",
)
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Repeat with seeds 0..N-1.")
@options.data_root
@options.metrics
@options.quiet
def evaluate(
    embedding: Path,
    dataset: str,
    protocol: str | None,
    seeds: int,
    data_root: Path | None,
    metrics: Path | None,
    quiet: bool,
) -> None:
    """Evaluate an embedding file against the labels of a data set.

    Rows are matched by node_id where the file has the data set's ids, else taken in the data set's order.
    """
    from genurl_graph.io import check_output, read_embedding, write_json

    if metrics:
        check_output(metrics, (".json",))
    columns = read_embedding(embedding)
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
