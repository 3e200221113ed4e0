"""``genurl-graph embed``: a graph or a table of vectors in, an embedding with its evaluation out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import INTERRUPTED, Stop, launch, options
from genurl_graph.cli.report import Report
from genurl_graph.cli.tensorboard import tensorboard, written
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.results import percent
from genurl_graph.experiments.scores import TITLES, embedding_scores
from genurl_graph.experiments.sources import Source, describe, named_labels, run_metrics, write_embedding

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL


@click.command()
@options.source
@options.backbone
@options.model
@options.seed
@launch.devices
@options.output(" [default: NAME-embedding.npz in the current folder]")
@options.metrics
@options.as_json
@click.option("--plot", type=options.PATH, metavar="FILE.png", help="Draw the embedding (also .pdf, .svg).")
@options.save_model
@options.resume
@tensorboard
@options.quiet
def embed(
    source: Source,
    backbone: str | None,
    devices: int,
    output: Path | None,
    metrics: Path | None,
    as_json: bool,
    plot: Path | None,
    save_model: Path | None,
    resume: bool,
    events: Path | None,
    quiet: bool,
    **model: Any,
) -> None:
    """Embed a data set or your own file.

    Where there are labels, the embedding is evaluated by a linear probe, beside the raw features, the
    propagated features and the same encoder untrained. Labels never enter the training.

    Ctrl-C leaves a checkpoint, OUTPUT.ckpt; the same command with --resume continues from it. The neighbours that were
    found lie beside it, in OUTPUT.ckpt.neighbors, and are not searched again.

    \b
    Examples:
      genurl-graph embed --dataset cora --output cora.npz --metrics cora.json --plot cora.png
      genurl-graph embed --input edges.csv --features table.csv --output mine.csv
      genurl-graph embed --input vectors.npy --dim 2 --plot map.png
    """
    from genurl_graph.runtime.files import to_json, write_json
    from genurl_graph.training.checkpoint import Checkpoint

    start = time.perf_counter()
    source = source._replace(backbone=backbone)
    options.check_source(source)
    name = source.name
    output = output or Path(f"{name}-embedding.npz")
    checkpoint = check_outputs(output, metrics, plot, save_model, model["dim"], resume)
    launch.relaunch(devices, checkpoint)
    first = launch.is_first()
    if first:
        options.lock(output, checkpoint, Checkpoint(checkpoint, {}).search, metrics, plot, save_model)
    report = Report(quiet or not first, err=as_json)
    data = source.load(progress=not report.quiet)
    report.line(describe(name, data))
    estimator = make_estimator(**model, verbose=not quiet, checkpoint=checkpoint, resume=resume)
    with written(events if first else None) as callbacks:
        fit(estimator, data, checkpoint, callbacks=callbacks)
    if not first:
        return
    write_embedding(output, estimator.embedding_, data, own_file=source.own is not None)
    if save_model:
        estimator.save(save_model)
    describe_run(report, estimator)

    before = time.perf_counter()
    scores = embedding_scores(estimator, data)
    seconds = {**estimator.seconds_, "evaluate": time.perf_counter() - before}
    describe_scores(report, scores)
    if plot:
        draw(plot, name, estimator, data)
    seconds["total"] = time.perf_counter() - start
    if metrics or as_json:
        figures = run_metrics(source, data, estimator, scores, seconds)
        if metrics:
            write_json(metrics, figures)
        if as_json:
            click.echo(to_json(figures))
    Checkpoint(checkpoint, {}).remove()
    n, d = estimator.embedding_.shape
    report.line()
    report.files(24, **{f"embedding {n:,} x {d}": output}, metrics=metrics, plot=plot, model=save_model)


def check_outputs(
    output: Path, metrics: Path | None, plot: Path | None, save_model: Path | None, dim: int | None, resume: bool
) -> Path:
    """Find out before the training whether its results can be written; the path of its checkpoint."""
    from genurl_graph.inputs.embeddings import check_embedding_path
    from genurl_graph.plotting import PLOT_SUFFIXES
    from genurl_graph.runtime.files import check_folder, check_output
    from genurl_graph.training.checkpoint import Checkpoint

    check_embedding_path(output)
    if metrics:
        check_output(metrics, (".json",))
    if plot:
        check_output(plot, PLOT_SUFFIXES)
        if dim == 1:
            raise InputError("--plot draws two dimensions, but --dim is 1; leave one of them out")
    if save_model:
        check_folder(save_model)
    checkpoint = output.with_name(output.name + ".ckpt")
    if resume and not Checkpoint(checkpoint, {}).exists():
        raise InputError(f"--resume: there is no checkpoint {checkpoint} to continue from")
    return checkpoint


def fit(estimator: "GenURL", data: "Data", checkpoint: Path, **fit_params: Any) -> None:
    """Train, together with other processes where a launcher started some; Ctrl-C ends with advice."""
    from genurl_graph.runtime.processes import process_group
    from genurl_graph.training.checkpoint import Checkpoint

    kept = Checkpoint(checkpoint, {})
    before = kept.exists()
    try:
        with process_group(estimator.device):
            estimator.fit(data, **fit_params)
    except Exception:
        # What failed before its first checkpoint leaves nothing that was not there.
        if not before and not kept.trained():
            kept.remove()
        raise
    except KeyboardInterrupt as error:
        advice = "interrupted before the first checkpoint; nothing was written"
        if kept.exists():
            advice = f"interrupted; the same command with --resume continues from {checkpoint}"
        raise Stop(advice, INTERRUPTED) from error


def describe_run(report: Report, estimator: "GenURL") -> None:
    """Print the merged graph in numbers, and what was trained."""
    merged, d = estimator.graph_summary_, estimator.embedding_.shape[1]
    if estimator.task_ != "images":
        # Those have a graph for each batch only.
        report.line(
            f"merged graph: {merged['n_predefined']:,} predefined edges, {merged['n_feature']:,} kNN edges, "
            f"{merged['n_both']:,} edges that are both; "
            f"components {merged['n_components_before']:,} -> {merged['n_components_after']:,}"
        )
    if "trust_mean" in merged and merged["agreement"] is not None:
        report.line(
            f"AUC of the features for the edges {merged['agreement']:.2f}, feature consistency "
            f"{merged['coherence']:.2f} (0.5 is chance): mean edge reliability {percent(merged['trust_mean'])} %; "
            f"{percent(merged['mass_feature'])} % of the total weight on edges that are kNN edges only"
        )
    if "mass_columns" in merged:
        share = percent(merged["mass_columns"])
        report.line(
            f"node-feature bipartite graph: {merged['n_columns']:,} feature columns, {share} % of the total weight"
        )
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
    """Print the scores of the embedding and of the rows beside it."""
    if scores["probe"] is None:
        report.line("no labels, so no evaluation")
        return
    protocol, splits = scores["probe"]["protocol"], scores["probe"]["splits"]
    mean = f", mean of {splits} splits" if splits > 1 else ""
    report.line(f"\nlinear probe, test accuracy in per cent (protocol {protocol}{mean})")
    rows = {"genurl": scores["probe"]["test"], **scores["reference"]}
    report.table((title, percent(rows[name])) for name, title in TITLES.items())
    cluster = scores["cluster"]
    report.line(
        f"20-nearest-neighbour vote {percent(scores['knn']['test'])}; "
        f"k-means ACC {percent(cluster['acc'])}, NMI {percent(cluster['nmi'])}, ARI {percent(cluster['ari'])}"
    )


def draw(path: Path, name: str, estimator: "GenURL", data: "Data") -> None:
    """Draw the embedding; beyond two dimensions, its reduction by this tool."""
    from genurl_graph.plotting import scatter

    z = estimator.embedding_
    subtitle = f"{len(z):,} nodes, encoder {estimator.encoder_name_}, seed {estimator.seed_}"
    if z.shape[1] == 1:
        raise InputError("--plot draws two dimensions, but the embedding has one")
    points, how = as_map(z, estimator.seed_)
    scatter(points, named_labels(data), path=path, title=name, subtitle=f"{subtitle}; {how}" if how else subtitle)


def as_map(z: "Tensor", seed: int) -> "tuple[Tensor, str]":
    """An embedding of at least two columns as a 2-d map [n, 2], and in words how it became one ("" if it was one)."""
    from genurl_graph.estimator import GenURL

    n, d = z.shape
    if d == 2:
        return z, ""
    # A graph smaller than the preset's neighbourhood still gets its map.
    neighbours = n - 1 if n <= 10 else None
    flat = GenURL(2, task="reduce", n_neighbors=neighbours, random_state=seed).fit_transform(z)
    return flat, f"{d} dimensions brought to 2 by GenURL's reduction"
