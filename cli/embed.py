"""``genurl-graph embed``: a graph or a table of vectors in, an embedding with its evaluation out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import INTERRUPTED, Stop, launch, options
from genurl_graph.cli.partitioned.embed import embed_prepared, is_folder
from genurl_graph.cli.partitioned.workers import Workers, workers
from genurl_graph.cli.report import (
    Report,
    describe_event_scores,
    describe_graph_scores,
    describe_scores,
    describe_training,
    describe_triple_scores,
    encoder_name,
    evidence_line,
    merged_line,
)
from genurl_graph.cli.tensorboard import tensorboard, written
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.experiments.edges.drawing import draw_edges, has_place
from genurl_graph.experiments.edges.source import is_edge_set, wants_edges
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.results import percent
from genurl_graph.experiments.scores import embedding_scores
from genurl_graph.experiments.sources import (
    Source,
    is_event_set,
    is_graph_set,
    n_features,
    named_labels,
    read_lines,
    run_metrics,
    wants_events,
    write_result,
)
from genurl_graph.experiments.temporal.embedding import supra_graph_lines
from genurl_graph.experiments.triples.drawing import draw_entities
from genurl_graph.experiments.triples.embedding import modality_lines
from genurl_graph.experiments.triples.source import is_triple_set, wants_triples

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL

# Names of nodes on a map.
NAMED = 40


@click.command(cls=options.WithoutArguments)
@options.source
@options.backbone
@options.model
@options.seed
@launch.devices
@workers
@options.training_files(
    options.output(" Of a prepared folder: a folder. [default: NAME-embedding.npz in the current folder]"),
    options.as_json,
    click.option(
        "--plot",
        type=options.PATH,
        metavar="FILE.png",
        help="Draw the embedding (also .pdf, .svg); edges where they lie, if that is known; of events with a time "
        "window by window, and in a second file, FILE-trajectory.png, the paths of the nodes that move most.",
    ),
)
@options.evaluation
@tensorboard
@click.option("--verbose", is_flag=True, help="Print more figures: of the features, of the training, of classes.")
@options.quiet
def embed(
    source: Source,
    devices: int,
    among: Workers,
    files: options.TrainingFiles,
    evaluation: options.Evaluation,
    as_json: bool,
    events: Path | None,
    verbose: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Embed a data set or your own file.

    Many graphs (a data set such as mutag, a folder of GraphML, GML, GEXF or .pt files, a table of edges with --column
    graph=NAME) become a row each. Of edges with a time (--column time=NAME, or a data set such as collegemsg) each node
    gets a row, and one for each window of time that it has an event in; --windows says how time is cut. With --task
    edges (or --as edge-rows) each edge gets a row, which joins back to the table by source, target and key. Of typed
    edges (--as triples: head, relation, tail) each entity gets a row, and each relation one in a second table.

    A map of vectors is judged by the neighbourhoods that it keeps and, where there are labels, by how classes lie on
    it. Other embeddings need labels: a linear probe, that is a linear classifier trained on some of the labels, stands
    beside those of the untrained encoder, of propagated features (averages over neighbours) and of raw features. Labels
    never enter the training. Large data are evaluated in part, and the report says on which part. --metrics and
    --verbose have more figures.

    A folder that genurl-graph prepare wrote is embedded partition by partition, in bounded memory, by this process,
    several (--devices) or the workers of a Ray cluster (--cluster), into a folder with a table for each partition.
    What an interrupted run has done lies in OUTPUT.work, for --resume.

    Ctrl-C leaves a checkpoint, OUTPUT.ckpt; the same command with --resume continues from it. The neighbours that were
    found lie beside it, in OUTPUT.ckpt.neighbors, and are not searched again.

    \b
    Examples:
      genurl-graph embed --dataset cora --output cora.npz --metrics cora.json --plot cora.png
      genurl-graph embed --input edges.csv --features table.csv --output mine.csv
      genurl-graph embed --input vectors.npy --dim 2 --plot map.png
      genurl-graph embed --dataset mutag --output mutag.npz --save-model model
      genurl-graph embed --input messages.csv --column time=sent --windows 7d --output mine.npz --save-model model
      genurl-graph embed --input town.graphml --task edges --column label=highway --output roads.csv
      genurl-graph embed --input facts.tsv --as triples --features vectors/ --output facts.npz
      genurl-graph embed --input molecules/ --column feature=element,bond --output molecules.csv
      genurl-graph embed --input prepared/ --cluster auto --workers 4 --memory-per-worker 2GB --output embedded/
    """
    from genurl_graph.evaluation.budget.clock import evaluation_clock
    from genurl_graph.runtime.files import to_json, write_json
    from genurl_graph.runtime.warnings import unheard
    from genurl_graph.training.checkpoint import Checkpoint

    start = time.perf_counter()
    options.check_source(source)
    asked = evaluation.asked()
    name = source.name
    if is_folder(source.own):
        files = files._replace(output=files.output or Path(f"{name}-embedding"))
        embed_prepared(source, files, evaluation, among, devices, as_json, events, verbose, quiet, **model)
        return
    if source.own is not None and files.output and not files.output.suffix and not source.own.exists():
        # Rather than that a folder can be written of prepared ones only.
        raise wrong(source.own, "nothing", "a prepared folder, where the output is one")
    among.refuse()
    files = files._replace(output=files.output or Path(f"{name}-embedding.npz"))
    typed = wants_triples(source, model["task"])
    rows = not typed and wants_edges(source, model["task"])
    timed = not (rows or typed) and wants_events(source, model["task"], model["windows"])
    files.check(model["dim"], timed, typed)
    checkpoint = files.checkpoint
    launch.relaunch(devices, checkpoint)
    first = launch.is_first()
    if first:
        options.lock(files.output, checkpoint, Checkpoint(checkpoint, {}).search, *files[1:3], files.plot)
    report = Report(quiet or not first, err=as_json, verbose=verbose)
    estimator = make_estimator(**model, verbose=not quiet, checkpoint=checkpoint, resume=files.resume)
    data = source.load(not report.quiet, estimator.config, events=timed, edges=rows, triples=typed)
    report.lines(read_lines(source, data))
    describe_reach(report, estimator, data, bool(files.save_model))
    with written(events if first else None) as callbacks:
        fit(estimator, data, checkpoint, callbacks=callbacks)
    if not first:
        return
    shown: dict[str, Path | None] = {**write_result(files.output, estimator, data, own_file=source.own is not None)}
    if files.save_model:
        with unheard("the saved model cannot transform"):  # said before the training
            estimator.save(files.save_model)
    describe_run(report, estimator)

    with evaluation_clock(evaluation.limit(time.perf_counter() - start), report.quiet) as clock:
        scores = embedding_scores(estimator, data, asked, clock=clock)
    seconds = {**estimator.seconds_, "evaluate": clock.seconds}
    if is_graph_set(data):
        describe_graph_scores(report, scores, clock.seconds)
    elif is_triple_set(data):
        describe_triple_scores(report, scores, clock.seconds)
    elif is_event_set(data):
        describe_event_scores(report, scores, clock.seconds, estimator.embedding_.size(1))
    else:
        describe_scores(report, scores, clock.seconds, (estimator.embedding_.size(1), n_features(data)))
    if files.plot:
        shown |= draw(files.plot, name, estimator, data)
    seconds["total"] = time.perf_counter() - start
    if files.metrics or as_json:
        figures = run_metrics(source, data, estimator, scores, seconds)
        if files.metrics:
            write_json(files.metrics, figures)
        if as_json:
            click.echo(to_json(figures))
    Checkpoint(checkpoint, {}).remove()
    report.line()
    report.files(24, **shown, metrics=files.metrics, model=files.save_model)


def describe_reach(report: Report, estimator: "GenURL", data: Any, saved: bool) -> None:
    """Say before the training if the model that is to be saved will know its own nodes only."""
    from genurl_graph.inference.transform import knows_nodes_by_name, why_no_transform

    if not saved or is_graph_set(data) or is_triple_set(data):
        return  # a model of whole graphs embeds any other, one of typed edges new entities with features
    if is_event_set(data):
        if not estimator.resolve(data).temporal.causal:
            report.line("transform of later events will be refused: temporal.causal is false")
        return
    bare, rows = data.x is None, is_edge_set(data)
    named = rows or data.get("node_id") is not None
    named = named or (data.get("reading") is not None and "edges" in data.reading.record)
    why = why_no_transform(estimator.resolve(data), bare, rows or data.edge_index is not None, named)
    if why is not None:
        report.line(f"transform of new data will be refused: {why}")
    elif knows_nodes_by_name(estimator.resolve(data), bare, named):
        report.line(
            "the saved model will embed these nodes, known by their names, and new nodes with edges to them; for other "
            "graphs train with --set encoder.structure=roles, random_walk or degree"
        )


def fit(estimator: "GenURL", data: Any, checkpoint: Path, **fit_params: Any) -> None:
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
    merged = estimator.graph_summary_
    if estimator.task_ == "graphs":
        report.line(
            f"graph of graphs: {len(estimator.embedding_):,} graphs, {merged['n_feature']:,} kNN edges by descriptors, "
            "and predefined edges between two views of a graph, drawn anew in each step"
        )
    elif estimator.task_ == "temporal":
        report.lines(supra_graph_lines(merged))
    elif estimator.task_ == "triples":
        report.lines(modality_lines(merged))
    elif estimator.task_ != "images":
        # Those have a graph for each batch only.
        report.line(merged_line(merged))
        before, after = merged["n_components_before"], merged["n_components_after"]
        report.detail(f"connected components: {before:,} by predefined edges, {after:,} with kNN edges")
    if "edge_attributes" in merged:
        from genurl_graph.graph.edge_attributes import attributes_line

        report.detail(attributes_line(merged["edge_attributes"]))
    if "evidence" in merged:
        report.detail(evidence_line(merged))
    hashed = estimator.config_.input.hash_columns
    if hashed:
        report.line(f"features: {estimator.n_features_in_:,} sparse columns, hashed to {hashed:,} for the encoder")
    if "reliability_mean" in merged and merged["edge_auc"] is not None:
        report.detail(
            f"AUC of the features for the edges {merged['edge_auc']:.2f} ± {merged['edge_auc_error']:.3f}, feature "
            f"consistency {merged['feature_consistency']:.2f} ± {merged['feature_consistency_error']:.3f} "
            f"(0.5 is chance): mean edge reliability {percent(merged['reliability_mean'])} %; "
            f"{percent(merged['mass_feature'])} % of the total weight on edges that are kNN edges only"
        )
    if "mass_columns" in merged:
        share = percent(merged["mass_columns"])
        report.detail(
            f"node-feature bipartite graph: {merged['n_columns']:,} feature columns, {share} % of the total weight"
        )
    width = estimator.embedding_.shape[1]
    what = f"embedding: {width} dimension{'' if width == 1 else 's'} by {encoder_name(estimator)}"
    describe_training(report, estimator, what, "graph")


def draw(path: Path, name: str, estimator: "GenURL", data: Any) -> dict[str, Path]:
    """Draw the embedding; beyond two dimensions, its reduction by this tool. The files by what they show."""
    from genurl_graph.inference.drawing import as_map, plot_trajectory
    from genurl_graph.plotting import PLOT_SUFFIXES, scatter
    from genurl_graph.plotting.canvas import save_figure
    from genurl_graph.plotting.names import write_names
    from genurl_graph.runtime.files import check_output

    z = estimator.embedding_
    if z.shape[1] == 1:
        raise InputError("--plot draws two dimensions, but the embedding has one")
    if is_event_set(data):
        told = f"{len(z):,} nodes, encoder {estimator.encoder_name_}, seed {estimator.seed_}"
        named: dict[str, Any] = {"unit": data.unit, "names": data.node_id, "title": name, "subtitle": told}
        drawn = plot_trajectory(path, estimator.trajectory_, named_labels(data), seed=estimator.seed_, **named)
        return dict(zip(("plot of windows", "plot of paths"), drawn, strict=True))
    if has_place(data):
        return draw_edges(path, name, estimator, data)
    if is_triple_set(data):
        return draw_entities(path, name, estimator, data)
    what = "edges" if estimator.task_ == "edges" else "graphs" if is_graph_set(data) else "nodes"
    subtitle = f"{len(z):,} {what}, encoder {estimator.encoder_name_}, seed {estimator.seed_}"
    target = check_output(path, PLOT_SUFFIXES)
    points, how = as_map(z, estimator.seed_)
    axes = scatter(points, named_labels(data), title=name, subtitle=f"{subtitle}; {how}" if how else subtitle)
    names = getattr(data, "node_id", None)
    # Numbers tell nobody anything.
    telling = names is not None and not all(str(one).isdecimal() for one in names)
    if names is not None and telling and what == "nodes" and data.get("edge_index") is not None:
        # The nodes with most edges are those that readers know.
        write_names(axes, points, names, data.edge_index.flatten().bincount(minlength=len(z)), most=NAMED)
    save_figure(axes.figure, target)
    return {"plot": path}
