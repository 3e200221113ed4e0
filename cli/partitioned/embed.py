"""What ``genurl-graph embed`` does with a prepared folder."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.partitioned.workers import Workers, interruptible
from genurl_graph.cli.report import Report, describe_scores, merged_line
from genurl_graph.exceptions import wrong
from genurl_graph.experiments.environment import hardware, peak_mb, versions
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.results import percent
from genurl_graph.experiments.sources import Source

if TYPE_CHECKING:
    from genurl_graph.evaluation.budget.judgement import Asked
    from genurl_graph.inference.partitioned.run import PartitionedRun


def is_folder(path: Path | None, kind: str = "prepared") -> bool:
    """Whether a path is a prepared folder or, with the kind "output", one of an embedding by partition."""
    if path is None or not path.is_dir():
        return False
    if kind == "output":
        from genurl_graph.inference.partitioned.output import is_output

        return is_output(path)
    from genurl_graph.inputs.partitioned.manifest import is_prepared

    return is_prepared(path)


def embed_prepared(
    source: Source,
    files: options.TrainingFiles,
    evaluation: options.Evaluation,
    among: Workers,
    devices: int,
    as_json: bool,
    events: Path | None,
    verbose: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Embed a prepared folder by partitions, and judge the embedding by a sample of its rows."""
    from genurl_graph.evaluation.budget.clock import evaluation_clock
    from genurl_graph.inference.partitioned.run import embedding_run, work_folder
    from genurl_graph.inference.persistence import save_model
    from genurl_graph.inputs.partitioned import Prepared
    from genurl_graph.runtime.devices import choose_device
    from genurl_graph.runtime.files import to_json, write_json

    start = time.perf_counter()
    check_alone(source, {**model, "events": events}, files)
    asked, output = evaluation.asked(), files.output
    assert source.own is not None
    prepared = Prepared.open(source.own)
    check_files(files)
    options.announce(output, files.metrics, files.save_model)
    options.lock(output, work_folder(output), files.metrics, files.save_model)
    report = Report(quiet, as_json, verbose)
    report.line(describe_prepared(source.name, prepared))
    estimator = make_estimator(**model)
    device = choose_device(estimator.device).type
    how = {"seed": model["seed"], "device": estimator.device, "resume": files.resume}
    with interruptible(work_folder(output)), among.launcher(devices, device == "cuda", told=report.line) as launcher:
        settings = (estimator.config, estimator.arguments())
        run = embedding_run(prepared, output, launcher, *settings, **how, progress=not quiet, told=report.line)
        report.line(describe_settings(run))
        summary = run.fit()
        run.write()
        report.lines(describe_graph(summary))
        with evaluation_clock(evaluation.limit(time.perf_counter() - start), report.quiet) as clock:
            scores = judge_rows(run, asked, clock)
    dim = run.settings.config.encoder.dim
    describe_scores(report, scores, clock.seconds, (dim, prepared.num_features))
    seconds = {**run.seconds(), "evaluate": round(clock.seconds, 3), "total": round(time.perf_counter() - start, 3)}
    figures = {"dataset": source.name, "device": device, "seconds": seconds, **run_figures(run, summary), **scores}
    figures |= {"versions": versions(), "hardware": hardware(device)}
    if files.save_model:
        save_model(run.model(summary), files.save_model)
    if files.metrics:
        write_json(files.metrics, figures)
    # Last: what was computed is kept until all is written.
    run.finish(figures)
    if as_json:
        click.echo(to_json(figures))
    report.line()
    what = f"embedding {prepared.num_nodes:,} x {dim}"
    report.files(24, **{what: output}, metrics=files.metrics, model=files.save_model)


def check_files(files: options.TrainingFiles) -> None:
    """Find out before the work whether its results can be written."""
    from genurl_graph.inference.partitioned.output import check_output_folder
    from genurl_graph.runtime.files import check_folder, check_output

    check_output_folder(files.output)
    if files.metrics:
        check_output(files.metrics, (".json",))
    if files.save_model:
        check_folder(files.save_model)


def run_figures(run: "PartitionedRun", summary: dict[str, Any]) -> dict[str, Any]:
    """What the metrics file and the manifest have of a run; keys as of other runs, and ``stages``."""
    prepared, settings = run.prepared, run.settings
    return {
        "task": settings.config.task,
        "n_nodes": prepared.num_nodes,
        "n_edges": prepared.manifest.num_edges,
        "n_features": prepared.num_features,
        "dim": settings.config.encoder.dim,
        "seed": settings.seed,
        "stages": [stage._asdict() for stage in run.launcher.stages()],
        "graph": {key: value for key, value in summary.items() if key != "losses"} | settings.told,
        "peak_memory_mb": round(peak_mb(), 1),
        "loss": summary["losses"][-1],
        "config": settings.config.to_dict(),
    }


def check_alone(source: Source, model: dict[str, Any], files: options.TrainingFiles) -> None:
    """InputError for options that say something of other inputs."""
    check_words(source)
    if files.plot is not None:
        raise wrong(
            "--plot", "a prepared folder", f"data in memory; explore {files.output}/part-00000.parquet draws a part"
        )
    for option, value in (
        ("--tensorboard", model["events"]),
        ("--windows", model["windows"]),
        ("--init", model["init"]),
        ("--previous", model["previous"]),
    ):
        if value is not None:
            raise wrong(option, "a prepared folder", "data in memory: embed --input FILE")
    if model["task"] not in ("auto", "graph"):
        raise wrong("--task", f"{model['task']} of a prepared folder", "graph")


def check_words(source: Source) -> None:
    """InputError for options that say how files are read: a prepared folder has been read."""
    given = {"--features": source.features, "--labels": source.labels, "--backbone": source.backbone}
    words = {"as_": "--as", "columns": "--column", "directed": "--directed or --undirected"}
    given |= {words.get(name, f"--{name}"): name for name in source.options.given()}
    for option, value in given.items():
        if value is not None:
            raise wrong(option, "a prepared folder", "files (of a prepared folder, prepare has said what is what)")


def describe_prepared(name: str, prepared: Any) -> str:
    """One line on a prepared folder."""
    manifest = prepared.manifest
    # Each is there in both directions.
    edges = f"{manifest.num_edges // 2:,}{' weighted' if manifest.weighted else ''} edges"
    labels = "labels" if manifest.labelled else "no labels"
    count = prepared.store.count
    nodes = f"{prepared.num_nodes:,} nodes in {count:,} partition{'' if count == 1 else 's'}"
    return f"{name}: {nodes}, {edges}, {prepared.num_features:,} features, {labels}"


def describe_settings(run: "PartitionedRun") -> str:
    """One line on what a run was resolved to, and what it was resolved from."""
    from genurl_graph.nn.build import trained_columns

    settings, told = run.settings, run.settings.told
    c = settings.config
    sample, n = told["n_sample"], run.prepared.num_nodes
    found = "the whole graph" if sample == n else f"a sample of {sample:,} nodes"
    evidence = ""
    if "evidence" in told:
        evidence = (
            f"evidence of the features {told['evidence']:.2f} ({told['evidence_by']} {told['evidence_figure']:.2f}), "
        )
    columns = f"{trained_columns(c)} of {c.encoder.dim} dimensions trained"
    return (
        f"settings from {found}: {evidence}metric {c.neighbors.metric}, encoder {c.encoder.name}, {columns}, "
        f"seed {settings.seed}"
    )


def describe_search(summary: dict[str, Any]) -> list[str]:
    """How reliable the edges are, and how many neighbours were found."""
    lines = []
    if summary.get("reliability_mean") is not None:
        lines.append(f"mean edge reliability {percent(summary['reliability_mean'])} %")
    if summary["knn_recall"] is not None:
        lines.append(f"recall of the neighbour search {summary['knn_recall']:.3f}")
    return lines


def describe_graph(summary: dict[str, Any]) -> list[str]:
    """The graph in numbers, and the training."""
    lines = describe_search(summary)
    if "n_predefined" in summary:
        lines.append(merged_line(summary))
    epochs = len(summary["losses"])
    lines.append(f"{epochs} epoch{'' if epochs == 1 else 's'}, loss {summary['losses'][-1]:.4g}")
    return lines


def judge_rows(run: "PartitionedRun", asked: "Asked | None", clock: Any) -> dict[str, Any]:
    """Figures of the first rows, which are a random sample, beside those of the raw features and without training."""
    from genurl_graph.evaluation.budget.judgement import KEYS, judge, no_probe
    from genurl_graph.inference.partitioned.output import embedded_rows
    from genurl_graph.inference.partitioned.sampled import MOST_ROWS, sampled_data

    if asked is None or not run.prepared.manifest.labelled:
        return dict.fromkeys(KEYS)
    data = sampled_data(run.prepared, MOST_ROWS)
    z = embedded_rows(run.output, run.prepared.store.bounds, data.num_nodes)["embedding"]
    beside = {} if no_probe(data) is not None else {"untrained": run.untrained_rows(data.num_nodes)}
    import torch

    return judge(torch.from_numpy(z), data, "graph", run.settings.seed, asked, beside=beside, clock=clock)
