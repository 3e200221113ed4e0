"""``genurl-graph embed``: a graph or a table of vectors in, an embedding with its evaluation out."""

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import INTERRUPTED, Stop, launch, options
from genurl_graph.cli.report import Report, describe, n_edges, n_features, peak_memory_mb, percent, versions
from genurl_graph.cli.scores import REFERENCES, evaluate
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL


@click.command()
@click.option("--dataset", metavar="NAME", help="A data set of the registry: see genurl-graph datasets.")
@click.option("--input", "source", type=options.PATH, help="Your own graph, edge list, matrix or images, instead.")
@click.option("--features", type=options.PATH, help="With --input: table of node features.")
@click.option("--labels", type=options.PATH, help="With --input: table of node labels, for the evaluation only.")
@options.data_root
@options.model
@options.seed
@launch.devices
@click.option(
    "--output",
    type=options.PATH,
    metavar="FILE",
    help="Embedding: .npz .npy .csv .parquet or .pt. [default: NAME-embedding.npz in the current folder]",
)
@options.metrics
@click.option("--plot", type=options.PATH, metavar="FILE.png", help="Draw the embedding (also .pdf, .svg).")
@click.option("--save-model", type=options.PATH, metavar="DIR", help="Keep the trained model for transform.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run from OUTPUT.ckpt.")
@options.quiet
def embed(
    dataset: str | None,
    source: Path | None,
    features: Path | None,
    labels: Path | None,
    data_root: Path | None,
    devices: int,
    output: Path | None,
    metrics: Path | None,
    plot: Path | None,
    save_model: Path | None,
    resume: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Embed a data set or your own file.

    Where there are labels, the embedding is evaluated by a linear probe, beside the raw features, the
    propagated features and the same encoder untrained. Labels never enter the training.

    Ctrl-C leaves a checkpoint, OUTPUT.ckpt; the same command with --resume continues from it.
    """
    start = time.perf_counter()
    check_source(dataset, source, features, labels)
    name = dataset_name(dataset) if dataset else source.stem  # type: ignore[union-attr]  # one of them is there
    output = output or Path(f"{name}-embedding.npz")
    check_outputs(output, metrics, plot, save_model, model["dim"])
    checkpoint = output.with_name(output.name + ".ckpt")
    if resume and not checkpoint.exists():
        raise InputError(f"--resume: there is no checkpoint {checkpoint} to continue from")

    launch.relaunch(devices, checkpoint)
    first = launch.is_first()
    report = Report(quiet or not first)
    data = load(dataset, source, features, labels, data_root)
    report.line(describe(name, data))
    estimator = options.make_estimator(**model, verbose=not quiet, checkpoint=checkpoint, resume=resume)
    fit(estimator, data, checkpoint)
    if not first:
        return
    write_embedding(output, estimator.embedding_, data, own_file=source is not None)
    if save_model:
        estimator.save(save_model)
    describe_run(report, estimator)

    before = time.perf_counter()
    scores = evaluate(estimator, data)
    seconds = {**estimator.seconds_, "evaluate": time.perf_counter() - before}
    describe_scores(report, scores)
    if plot:
        draw(plot, name, estimator, data)
    seconds["total"] = time.perf_counter() - start
    if metrics:
        from genurl_graph.io import write_json

        write_json(metrics, collect(name, data, estimator, scores, seconds))
    remove(checkpoint)
    n, d = estimator.embedding_.shape
    report.line()
    for what, path in (
        (f"embedding {n:,} x {d}", output),
        ("metrics", metrics),
        ("picture", plot),
        ("model", save_model),
    ):
        if path:
            report.line(f"{what:<24} {path}")


def check_source(dataset: str | None, source: Path | None, features: Path | None, labels: Path | None) -> None:
    if (dataset is None) == (source is None):
        raise click.UsageError("Give one of --dataset NAME and --input PATH.")
    for flag, value in (("--features", features), ("--labels", labels)):
        if value is not None and source is None:
            raise click.UsageError(f"{flag} goes with --input; a data set of the registry has its own.")


def dataset_name(name: str) -> str:
    from genurl_graph import datasets

    return datasets.info(name).name


def check_outputs(
    output: Path, metrics: Path | None, plot: Path | None, save_model: Path | None, dim: int | None
) -> None:
    """Find out before the training whether its results can be written."""
    from genurl_graph.io import check_folder, check_output
    from genurl_graph.plotting import PLOT_SUFFIXES

    check_output(output)
    if metrics:
        check_output(metrics, (".json",))
    if plot:
        check_output(plot, PLOT_SUFFIXES)
        if dim == 1:
            raise InputError("--plot draws two dimensions, but --dim is 1; leave one of them out")
    if save_model:
        check_folder(save_model)


def load(
    dataset: str | None, source: Path | None, features: Path | None, labels: Path | None, root: Path | None
) -> "Data":
    from genurl_graph import datasets

    if source is not None:
        return datasets.read(source, features, labels)
    assert dataset is not None
    return datasets.load(dataset, root)


def fit(estimator: "GenURL", data: "Data", checkpoint: Path, **fit_params: Any) -> None:
    from genurl_graph.distributed import process_group

    try:
        with process_group(estimator.device):
            estimator.fit(data, **fit_params)
    except KeyboardInterrupt as error:
        advice = "interrupted before the first checkpoint; nothing was written"
        if checkpoint.exists():
            advice = f"interrupted; the same command with --resume continues from {checkpoint}"
        raise Stop(advice, INTERRUPTED) from error


def write_embedding(path: Path, embedding: "Tensor", data: "Data", *, own_file: bool) -> None:
    """Write the embedding; from a user's own file, labels come out under the names they came in with."""
    from genurl_graph import io

    label = named_labels(data) if own_file else getattr(data, "y", None)
    io.write_embedding(path, embedding, node_id=getattr(data, "node_id", None), label=label)


def named_labels(data: "Data") -> Any:
    """Labels by name where they have names, else as numbers; None without labels."""
    y, names = getattr(data, "y", None), getattr(data, "label_names", None)
    return y if y is None or names is None else [names[code] for code in y.tolist()]


def describe_run(report: Report, estimator: "GenURL") -> None:
    merged, d = estimator.graph_summary_, estimator.embedding_.shape[1]
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
    report.line(
        f"task {estimator.task_}, encoder {estimator.encoder_name_}, {d} dimensions, "
        f"seed {estimator.seed_}, {estimator.device_}; graph {estimator.seconds_['graph']:.1f} s, "
        f"{estimator.n_iter_} epochs {estimator.seconds_['train']:.1f} s, "
        f"loss {estimator.loss_history_[-1]:.4g}"
    )


def describe_scores(report: Report, scores: dict[str, Any]) -> None:
    if scores["probe"] is None:
        report.line("no labels, so no evaluation")
        return
    protocol = scores["probe"]["protocol"]
    report.line(f"\nlinear probe, test accuracy in per cent (protocol {protocol})")
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
    name: str, data: "Data", estimator: "GenURL", scores: dict[str, Any], seconds: dict[str, float]
) -> dict[str, Any]:
    """Contents of the metrics file; scripts rely on these keys."""
    return {
        "dataset": name,
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
    }


def remove(checkpoint: Path) -> None:
    if checkpoint.is_dir():
        shutil.rmtree(checkpoint)
    else:
        checkpoint.unlink(missing_ok=True)
