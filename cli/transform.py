"""``genurl-graph transform``: new data through a saved model."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.partitioned.embed import is_folder
from genurl_graph.cli.partitioned.transform import transform_prepared
from genurl_graph.cli.partitioned.workers import Workers, workers
from genurl_graph.cli.report import Report
from genurl_graph.cli.shared.replaced import announce
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.experiments.sources import Source, named_labels, read_lines, write_embedding
from genurl_graph.experiments.temporal.later import write_later
from genurl_graph.inputs.reading import ReadOptions

if TYPE_CHECKING:
    from genurl_graph.inputs.columns.plan import FeaturePlan


@click.command()
@click.option("--model", type=options.PATH, required=True, metavar="DIR", help="The folder of embed --save-model.")
@click.option(
    "--input", "own", type=options.PATH, required=True, help="The graph, edge list, matrix or images to embed."
)
@click.option("--features", type=options.PATH, help="A table of node features, if the input has none.")
@options.output("", required=True)
@click.option(
    "--save-model",
    type=options.PATH,
    metavar="DIR",
    help="Events only: save the model with these events as its last windows, in the folder of --model or another.",
)
@workers
@click.option("--resume", is_flag=True, help="Prepared folders: continue an interrupted run from OUTPUT.work.")
@options.windows("as those of the fit")
@options.backbone
@options.reading
@options.quiet
def transform(
    model: Path,
    own: Path,
    features: Path | None,
    output: Path,
    save_model: Path | None,
    among: Workers,
    resume: bool,
    windows: str | None,
    backbone: str | None,
    options: ReadOptions,
    quiet: bool,
) -> None:
    """Embed new data with a model that embed --save-model has saved, without training.

    Events with a time have to be later than those of the model. Their windows get rows of their own; earlier rows stay
    as they are. The output holds the trajectory of the new windows and, for each node, known or new, the time-invariant
    part over all windows so far. The model itself does not change unless you give --save-model; then the next call
    continues from these events.

    A folder of genurl-graph prepare is embedded partition by partition, into a folder.

    For typed edges, new entities are placed by their triples with entities of the model, which keep their rows.

    \b
    Examples:
      genurl-graph transform --model model --input new_graph.npz --output new.npz
      genurl-graph transform --model model --input new_molecules/ --output new.csv
      genurl-graph transform --model model --input today.csv --output today.npz --save-model model
      genurl-graph transform --model model --input prepared/ --cluster auto --output embedded/
      genurl-graph transform --model facts --input new_facts.tsv --output new_entities.csv
    """
    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.edge_rows.files import write_edge_embedding
    from genurl_graph.inputs.embeddings import check_embedding_path
    from genurl_graph.inputs.temporal.trajectory_files import check_trajectory_path, trajectory_path
    from genurl_graph.runtime.files import check_folder

    source = Source(None, own, features, backbone=backbone, options=options)
    if is_folder(own):
        for option, given in (("--save-model", save_model), ("--windows", windows)):
            if given is not None:
                raise wrong(option, "a prepared folder", "events with a time")
        transform_prepared(model, source, output, among, resume, quiet)
        return
    among.refuse()
    if resume:
        raise click.UsageError("--resume goes with a prepared folder as --input.")
    check_embedding_path(output)
    report = Report(quiet)
    estimator = GenURL.load(model)
    timed = estimator.task_ == "temporal"
    if timed:
        check_trajectory_path(output)
    for option, given in (("--save-model", save_model), ("--windows", windows)):
        if given is not None and not timed:
            raise wrong(option, f"a model of the task {estimator.task_}", "one of events with a time (task temporal)")
    if save_model:
        check_folder(save_model)
    announce(output, trajectory_path(output) if timed else None, save_model)
    plan, graphs = estimator.feature_plan_, estimator.task_ == "graphs"
    rows, typed = estimator.task_ == "edges", estimator.task_ == "triples"
    kind = {"graphs": graphs, "events": timed, "edges": rows, "triples": typed}
    data = load_alike(source, [plan, estimator.model_.edge_plan], not quiet, **kind)
    lines = read_lines(source, data)
    if typed and data.modalities:
        lines.append("features left out: new entities are placed by their triples")
    if plan is not None:
        # What a plan of the new rows alone would make of them is not what becomes of them.
        made = getattr(data, "feature_plan", None)
        dropped = {line for each in (made,) if each is not None for line in (*each.lines(), each.summary())}
        lines = [line for line in lines if line not in dropped and not line.startswith("features: ")]
        lines.append(f"{plan.summary()} (by the plan of the model)")
    report.lines(lines)
    if timed:
        shown = write_later(output, estimator, replace(data, name=data.name or own.name), windows)
        if save_model:
            estimator.save(save_model)
        report.files(24, **shown, model=save_model)
        return
    z = estimator.transform(data)
    if rows:
        write_edge_embedding(output, z, data.edges, named_labels(data))
    else:
        write_embedding(output, z, data, own_file=True)
    report.line(f"embedding {z.shape[0]:,} x {z.shape[1]}   {output}")


def load_alike(source: Source, plans: "Sequence[FeaturePlan | None]", progress: bool, **kind: Any) -> Any:
    """New data, of whose columns or attributes those are features that the model was fitted on.

    `plans` are those of nodes and, of whole graphs, of edges; `kind` says what is wanted, as in `Source.load`.
    """
    asked = source.options
    wanted = [column.name for plan in plans if plan is not None and plan.named for column in plan.used]
    if wanted and not asked.names("feature"):
        columns = {**asked.columns, "feature": tuple(wanted)}
        # A file without these columns is read as it is, and the model says what it lacks.
        with suppress(InputError):
            return source._replace(options=replace(asked, columns=columns)).load(progress, **kind)
    return source.load(progress, **kind)
