"""``genurl-graph embed``: a graph or a table of vectors in, an embedding with its evaluation out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import INTERRUPTED, Stop, launch, options
from genurl_graph.cli.embed_report import collect, describe_run, describe_scores, draw, named_labels
from genurl_graph.cli.report import Report, describe
from genurl_graph.cli.scores import evaluate
from genurl_graph.cli.source import Source, backbone, source
from genurl_graph.cli.tensorboard import tensorboard, written
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL


@click.command()
@source
@backbone
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
@options.as_json
@click.option("--plot", type=options.PATH, metavar="FILE.png", help="Draw the embedding (also .pdf, .svg).")
@click.option("--save-model", type=options.PATH, metavar="DIR", help="Keep the trained model for transform.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run from OUTPUT.ckpt.")
@tensorboard
@options.quiet
def embed(
    dataset: str | None,
    own: Path | None,
    features: Path | None,
    labels: Path | None,
    data_root: Path | None,
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
      genurl-graph embed --input vectors.npy --dim 2 --plot picture.png
    """
    from genurl_graph.training.checkpoint import Checkpoint

    start = time.perf_counter()
    given = Source(dataset, own, features, labels, data_root, backbone)
    given.check()
    name = given.name
    output = output or Path(f"{name}-embedding.npz")
    check_outputs(output, metrics, plot, save_model, model["dim"])
    checkpoint = output.with_name(output.name + ".ckpt")
    if resume and not Checkpoint(checkpoint, {}).exists():
        raise InputError(f"--resume: there is no checkpoint {checkpoint} to continue from")

    launch.relaunch(devices, checkpoint)
    first = launch.is_first()
    if first:
        options.lock(output, checkpoint, Checkpoint(checkpoint, {}).search, metrics, plot, save_model)
    report = Report(quiet or not first, err=as_json)
    data = given.load(progress=not report.quiet)
    report.line(describe(name, data))
    estimator = options.make_estimator(**model, verbose=not quiet, checkpoint=checkpoint, resume=resume)
    with written(events if first else None) as callbacks:
        fit(estimator, data, checkpoint, callbacks=callbacks)
    if not first:
        return
    write_embedding(output, estimator.embedding_, data, own_file=own is not None)
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
    if metrics or as_json:
        found = collect(given, data, estimator, scores, seconds)
        options.write_metrics(found, metrics, as_json)
    Checkpoint(checkpoint, {}).remove()
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


def check_outputs(
    output: Path, metrics: Path | None, plot: Path | None, save_model: Path | None, dim: int | None
) -> None:
    """Find out before the training whether its results can be written."""
    from genurl_graph.inputs.embeddings import check_embedding_path
    from genurl_graph.plotting import PLOT_SUFFIXES
    from genurl_graph.runtime.files import check_folder, check_output

    check_embedding_path(output)
    if metrics:
        check_output(metrics, (".json",))
    if plot:
        check_output(plot, PLOT_SUFFIXES)
        if dim == 1:
            raise InputError("--plot draws two dimensions, but --dim is 1; leave one of them out")
    if save_model:
        check_folder(save_model)


def fit(estimator: "GenURL", data: "Data", checkpoint: Path, **fit_params: Any) -> None:
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


def write_embedding(path: Path, embedding: "Tensor", data: "Data", *, own_file: bool) -> None:
    """Write the embedding; from a user's own file, labels come out under the names they came in with."""
    from genurl_graph.inputs import embeddings

    label = named_labels(data) if own_file else getattr(data, "y", None)
    embeddings.write_embedding(path, embedding, node_id=getattr(data, "node_id", None), label=label)
