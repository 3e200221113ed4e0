"""``genurl-graph distill``: what a teacher makes of the samples in, a student that makes the like of them out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.embed import check_outputs, fit, write_embedding
from genurl_graph.cli.embed_report import collect
from genurl_graph.cli.report import Report, describe, percent
from genurl_graph.cli.scores import probe_test, references
from genurl_graph.cli.source import Source, source
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL

STUDENTS = ("mlp", "linear", "cnn", "gcn", "sage", "gat", "gin")
OBJECTIVES = ("gkl", "bce", "feature-l2", "feature-cosine", "rkd", "seed")


@click.command()
@click.option(
    "--teacher",
    type=options.PATH,
    required=True,
    metavar="FEATURES|DIR",
    help="Features, one row for each sample (.npy .npz .csv .parquet .pt), or a model that --save-model has kept.",
)
@click.option(
    "--student",
    type=click.Choice(STUDENTS),
    default="mlp",
    show_default=True,
    help="cnn reads square images; gcn and what follows read edges, the others none.",
)
@click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    default="gkl",
    show_default=True,
    help="gkl and bce compare similarities; the others are baselines that compare features.",
)
@source
@options.training
@options.seed
@click.option(
    "--output",
    type=options.PATH,
    metavar="FILE",
    help="The student's embedding: .npz .npy .csv .parquet or .pt. [default: NAME-student.npz in the current folder]",
)
@options.metrics
@click.option("--save-model", type=options.PATH, metavar="DIR", help="Keep the student for transform.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run from OUTPUT.ckpt.")
@options.quiet
def distill(
    teacher: Path,
    student: str,
    objective: str,
    dataset: str | None,
    own: Path | None,
    features: Path | None,
    labels: Path | None,
    data_root: Path | None,
    output: Path | None,
    metrics: Path | None,
    save_model: Path | None,
    resume: bool,
    quiet: bool,
    assignments: tuple[str, ...],
    **model: Any,
) -> None:
    """Train a student whose samples are as similar as those of a teacher.

    No labels. The teacher is known by its features of the samples, or is a model that genurl-graph has saved, such as
    a GNN: a student mlp then needs no edges for new nodes. Where there are labels, the linear probe compares teacher,
    student, and the student untrained.

    \b
    Examples:
      genurl-graph distill --teacher cora.npz --dataset cora --dim 128 --save-model student
      genurl-graph distill --teacher gnn-model --input graph.npz --student mlp --output student.npy
    """
    from genurl_graph.training.checkpoint import Checkpoint, checksum

    start = time.perf_counter()
    given = Source(dataset, own, features, labels, data_root)
    given.check()
    name = given.name
    output = output or Path(f"{name}-student.npz")
    check_outputs(output, metrics, None, save_model, model["dim"])
    if not teacher.exists():
        raise InputError(f"--teacher: there is no {teacher}; expected features or the folder of a model")
    checkpoint = output.with_name(output.name + ".ckpt")
    if resume and not Checkpoint(checkpoint, {}).exists():
        raise InputError(f"--resume: there is no checkpoint {checkpoint} to continue from")

    options.lock(output, checkpoint, metrics, save_model)
    report = Report(quiet)
    data = given.load()
    report.line(describe(name, data))
    taught = teach(teacher, data)
    report.line(f"teacher: {taught.shape[1]} columns")
    estimator = options.make_estimator(
        **model,
        task="distill",
        encoder=student,
        assignments=(*assignments, f"loss.name={objective}"),
        verbose=not quiet,
        checkpoint=checkpoint,
        resume=resume,
    )
    fit(estimator, data, checkpoint, teacher=taught)
    write_embedding(output, estimator.embedding_, data, own_file=own is not None)
    if save_model:
        estimator.save(save_model)
    parameters = sum(p.numel() for p in estimator.encoder_.parameters())
    report.line(
        f"student {student}, {parameters:,} parameters, {estimator.embedding_.shape[1]} dimensions, "
        f"objective {objective}, seed {estimator.seed_}, {estimator.device_}; "
        f"similarities {estimator.seconds_['graph']:.1f} s, "
        f"{estimator.n_iter_} epochs {estimator.seconds_['train']:.1f} s, loss {estimator.loss_history_[-1]:.4g}"
    )
    before = time.perf_counter()
    scores = evaluate(estimator, taught, data)
    seconds = {**estimator.seconds_, "evaluate": time.perf_counter() - before}
    if scores["probe"] is None:
        report.line("no labels, so no evaluation")
    else:
        report.line(f"\nlinear probe, test accuracy in per cent (protocol {scores['probe']['protocol']})")
        rows = {"student": scores["probe"]["test"], **scores["reference"]}
        report.table([(row, percent(value)) for row, value in rows.items()])
    seconds["total"] = time.perf_counter() - start
    if metrics:
        from genurl_graph.runtime.files import write_json

        more = {"command": "distill", "teacher": str(teacher.resolve()), "teacher_crc32": checksum(taught)}
        found = collect(given, data, estimator, scores, seconds, more)
        write_json(metrics, {**found, "teacher": str(teacher), "objective": objective, "parameters": parameters})
    Checkpoint(checkpoint, {}).remove()
    report.line()
    for what, path in (("student's embedding", output), ("metrics", metrics), ("model", save_model)):
        if path:
            report.line(f"{what:<24} {path}")


def teach(path: Path, data: "Data") -> "Tensor":
    """The teacher's features of the samples, out of a file or by a saved model."""
    import torch

    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.embeddings import read_embedding

    if not path.is_dir():
        return torch.from_numpy(read_embedding(path)["embedding"])
    found: Tensor = GenURL.load(path).transform(data)
    return found


def evaluate(estimator: "GenURL", teacher: "Tensor", data: "Data") -> dict[str, Any]:
    """Values of the metrics keys probe and reference; None for data without labels."""
    if getattr(data, "y", None) is None:
        return {"probe": None, "reference": None}
    from genurl_graph.evaluation.protocols import probe_embedding

    probe = probe_embedding(estimator.embedding_, data, seed=estimator.seed_)
    protocol, seed = probe["protocol"], estimator.seed_
    return {
        "probe": probe,
        "reference": {
            "teacher": probe_test(teacher, data, protocol, seed),
            **references(data, estimator.untrained_embedding(), protocol, seed),
        },
    }
