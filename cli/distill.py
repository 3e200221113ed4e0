"""``genurl-graph distill``: train a student whose samples are as similar as a teacher's."""

import time
from pathlib import Path
from typing import Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.embed import fit
from genurl_graph.cli.report import Report, describe_scores, describe_training
from genurl_graph.config.choices import EncoderName
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.scores import REFERENCES, embedding_scores
from genurl_graph.experiments.sources import (
    Source,
    read_lines,
    refuse_graphs,
    run_metrics,
    teacher_features,
    write_embedding,
)

STUDENTS = ("mlp", "linear", "cnn", "gcn", "sage", "gat", "gin")
OBJECTIVES = ("gkl", "bce", "feature-l2", "feature-cosine", "rkd", "seed")


@click.command()
@click.option(
    "--teacher",
    type=options.PATH,
    required=True,
    metavar="FEATURES|DIR",
    help="Features, a row for each sample (.npy .npz .csv .parquet .pt), or the folder of a saved model.",
)
@click.option(
    "--student",
    type=click.Choice(STUDENTS),
    default="mlp",
    show_default=True,
    help="Network of the student. cnn reads square images; gcn, sage, gat and gin read edges; the others read neither.",
)
@click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    default="gkl",
    show_default=True,
    help="Loss. gkl and bce compare similarities; the others are baselines that compare features.",
)
@options.source
@options.training
@options.seed
@options.training_files(options.output(" [default: NAME-student.npz in the current folder]", "the student's embedding"))
@options.evaluation
@options.quiet
def distill(
    teacher: Path,
    student: EncoderName,
    objective: str,
    source: Source,
    files: options.TrainingFiles,
    evaluation: options.Evaluation,
    quiet: bool,
    assignments: tuple[str, ...],
    **model: Any,
) -> None:
    """Train a small model, the student, so that its samples are as similar as those of a teacher.

    No labels are used. The teacher is a file of features of the samples, or a saved model, such as a GNN; a student mlp
    of a GNN needs no edges for new nodes. If there are labels, a linear probe compares teacher, student, and the
    untrained student; otherwise the student's neighbourhoods are compared with the teacher's.

    \b
    Examples:
      genurl-graph distill --teacher cora.npz --dataset cora --dim 128 --save-model student
      genurl-graph distill --teacher gnn-model --input graph.npz --student mlp --output student.npy
    """
    from genurl_graph.evaluation.budget.clock import evaluation_clock
    from genurl_graph.runtime.files import write_json
    from genurl_graph.training.checkpoint import Checkpoint, checksum

    start = time.perf_counter()
    options.check_source(source)
    asked = evaluation.asked()
    name = source.name
    files = files._replace(output=files.output or Path(f"{name}-student.npz"))
    if not teacher.exists():
        raise InputError(f"--teacher: there is no {teacher}; expected features or the folder of a model")
    files.check(model["dim"])
    checkpoint = files.checkpoint
    options.lock(checkpoint, *files[:3])
    report = Report(quiet)
    estimator = make_estimator(
        **model,
        task="distill",
        encoder=student,
        assignments=(*assignments, f"loss.name={objective}"),
        verbose=not quiet,
        checkpoint=checkpoint,
        resume=files.resume,
    )
    data = source.load(settings=estimator.config)
    refuse_graphs(source.name, data)
    report.lines(read_lines(source, data))
    taught = teacher_features(teacher, data)
    report.line(f"teacher: {taught.shape[1]} columns")
    fit(estimator, data, checkpoint, teacher=taught)
    write_embedding(files.output, estimator.embedding_, data, own_file=source.own is not None)
    if files.save_model:
        estimator.save(files.save_model)
    parameters = sum(p.numel() for p in estimator.encoder_.parameters())
    what = f"student {student}, {parameters:,} parameters, objective {objective}"
    describe_training(report, estimator, what, "similarities")
    with evaluation_clock(evaluation.limit(time.perf_counter() - start), quiet) as clock:
        scores = embedding_scores(estimator, data, asked, teacher=taught, clock=clock)
    seconds = {**estimator.seconds_, "evaluate": clock.seconds}
    titles = {"genurl": "student", "teacher": "teacher", **REFERENCES}
    describe_scores(report, scores, clock.seconds, (estimator.embedding_.size(1), taught.shape[1]), titles)
    seconds["total"] = time.perf_counter() - start
    if files.metrics:
        more = {"command": "distill", "teacher": str(teacher.resolve()), "teacher_crc32": checksum(taught)}
        found = run_metrics(source, data, estimator, scores, seconds, more)
        write_json(files.metrics, {**found, "teacher": str(teacher), "objective": objective, "parameters": parameters})
    Checkpoint(checkpoint, {}).remove()
    report.line()
    report.files(24, **{"student's embedding": files.output}, metrics=files.metrics, model=files.save_model)
