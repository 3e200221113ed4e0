"""What ``embed`` says of a run, to people and in the metrics file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli import launch
from genurl_graph.cli.machine import hardware
from genurl_graph.cli.report import Report, n_edges, n_features, peak_memory_mb, percent, versions
from genurl_graph.cli.scores import REFERENCES
from genurl_graph.cli.stored import environment
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.cli.source import Source
    from genurl_graph.estimator import GenURL


def named_labels(data: "Data") -> Any:
    """Labels by name where they have names, else as numbers; None without labels."""
    y, names = getattr(data, "y", None), getattr(data, "label_names", None)
    return y if y is None or names is None else [names[code] for code in y.tolist()]


def describe_run(report: Report, estimator: "GenURL") -> None:
    merged, d = estimator.graph_summary_, estimator.embedding_.shape[1]
    if estimator.task_ != "images":
        # Those have a graph for each batch only.
        report.line(
            f"merged graph: {merged['n_predefined']:,} edges predefined, {merged['n_feature']:,} from features, "
            f"{merged['n_both']:,} both; "
            f"components {merged['n_components_before']:,} -> {merged['n_components_after']:,}"
        )
    if "trust_mean" in merged and merged["agreement"] is not None:
        report.line(
            f"features foretell edges by {merged['agreement']:.2f} and each other by {merged['coherence']:.2f} "
            f"(areas under the curve, 0.5 is chance): edges trusted to {percent(merged['trust_mean'])} %; "
            f"{percent(merged['mass_feature'])} % of the similarities' mass on feature edges alone"
        )
    if "mass_columns" in merged:
        share = percent(merged["mass_columns"])
        report.line(f"{merged['n_columns']:,} feature columns are nodes: {share} % of all similarities")
    report.line(
        f"task {estimator.task_}, encoder {encoder_name(estimator)}, {d} dimensions, "
        f"seed {estimator.seed_}, {estimator.device_}; graph {estimator.seconds_['graph']:.1f} s, "
        f"{estimator.n_iter_} epochs {estimator.seconds_['train']:.1f} s, "
        f"loss {estimator.loss_history_[-1]:.4g}"
    )


def encoder_name(estimator: "GenURL") -> str:
    """The encoder, and how it was trained where that was chosen for the size of the graph."""
    from genurl_graph.nn.gnn import GNNS

    name, sampling = estimator.encoder_name_, estimator.config_.sampling
    batches = estimator.task_ == "graph" and name in GNNS and sampling.negatives == "batch"
    return f"{name} in batches of {sampling.batch_size:,} with {sampling.fanout} neighbours" if batches else name


def describe_scores(report: Report, scores: dict[str, Any]) -> None:
    if scores["probe"] is None:
        report.line("no labels, so no evaluation")
        return
    protocol, splits = scores["probe"]["protocol"], scores["probe"]["splits"]
    mean = f", mean of {splits} splits" if splits > 1 else ""
    report.line(f"\nlinear probe, test accuracy in per cent (protocol {protocol}{mean})")
    rows = [("GenURL", percent(scores["probe"]["test"]))]
    rows += [(title, percent(scores["reference"][name])) for name, title in REFERENCES.items()]
    report.table(rows)
    cluster = scores["cluster"]
    report.line(
        f"20-nearest-neighbour vote {percent(scores['knn']['test'])}; "
        f"k-means ACC {percent(cluster['acc'])}, NMI {percent(cluster['nmi'])}, ARI {percent(cluster['ari'])}"
    )


def draw(path: Path, name: str, estimator: "GenURL", data: "Data") -> None:
    """Draw the embedding; beyond two dimensions, what the reduction task of this tool makes of it."""
    from genurl_graph.plotting import scatter

    z = estimator.embedding_
    subtitle = f"{len(z):,} nodes, encoder {estimator.encoder_name_}, seed {estimator.seed_}"
    if z.shape[1] == 1:
        raise InputError("--plot draws two dimensions, but the embedding has one")
    points, how = in_plane(z, estimator.seed_)
    scatter(points, named_labels(data), path=path, title=name, subtitle=f"{subtitle}; {how}" if how else subtitle)


def in_plane(z: "Tensor", seed: int) -> "tuple[Tensor, str]":
    """An embedding of at least two columns as a picture [n, 2], and in words how it became one ("" if it was one)."""
    from genurl_graph.estimator import GenURL

    n, d = z.shape
    if d == 2:
        return z, ""
    # A graph smaller than the preset's neighbourhood still gets its picture.
    neighbours = n - 1 if n <= 10 else None
    flat = GenURL(2, task="reduce", n_neighbors=neighbours, random_state=seed).fit_transform(z)
    return flat, f"{d} dimensions brought to 2 by GenURL's reduction"


def collect(
    source: "Source",
    data: "Data",
    estimator: "GenURL",
    scores: dict[str, Any],
    seconds: dict[str, float],
    run: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Contents of the metrics file; scripts rely on these keys, and ``rerun`` on the last ones.

    `run` is what else a repetition needs to know.
    """
    from genurl_graph.training.checkpoint import checksum

    return {
        "dataset": source.name,
        "task": estimator.task_,
        "n_nodes": data.num_nodes,
        "n_edges": n_edges(data),
        "n_features": n_features(data),
        "dim": estimator.embedding_.shape[1],
        "seed": estimator.seed_,
        "device": estimator.device_,
        "seconds": {key: round(value, 3) for key, value in seconds.items()},
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "loss": estimator.loss_history_[-1],
        "graph": dict(estimator.graph_summary_),
        **scores,
        "config": estimator.config_.to_dict(),
        "versions": versions(),
        "embedding_crc32": checksum(estimator.embedding_),
        "run": {"command": "embed", **source.record(), "processes": launch.count(), **(run or {})},
        "environment": environment(data, estimator.device_),
        "hardware": hardware(estimator.device_),
    }
