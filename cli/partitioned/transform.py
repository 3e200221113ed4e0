"""What ``genurl-graph transform`` does with a prepared folder."""

from pathlib import Path

from genurl_graph.cli import options
from genurl_graph.cli.partitioned.embed import check_words, describe_prepared, describe_search
from genurl_graph.cli.partitioned.workers import Workers, interruptible
from genurl_graph.cli.report import Report
from genurl_graph.experiments.environment import versions
from genurl_graph.experiments.sources import Source


def transform_prepared(model: Path, source: Source, output: Path, among: Workers, resume: bool, quiet: bool) -> None:
    """Embed a prepared folder with a model, by partitions."""
    from genurl_graph.inference.partitioned.output import check_output_folder
    from genurl_graph.inference.partitioned.run import transforming_run, work_folder
    from genurl_graph.inference.persistence import load_model
    from genurl_graph.inputs.partitioned import Prepared
    from genurl_graph.tasks.partitioned.sample import plan_of

    check_words(source)
    assert source.own is not None
    prepared, fitted = Prepared.open(source.own), load_model(model)
    check_output_folder(output)
    options.announce(output)
    options.lock(output, work_folder(output))
    report = Report(quiet)
    report.line(describe_prepared(source.name, prepared))
    made = plan_of(prepared)
    if fitted.plan is not None and (made is None or made.to_dict() != fitted.plan.to_dict()):
        report.line(
            "its features were not made as those of the model, so that rows may differ by their scale: "
            "prepare --like FOLDER, that of the model, makes them alike"
        )
    how = {"resume": resume, "progress": not quiet, "told": report.line}
    with interruptible(work_folder(output)), among.launcher(told=report.line) as launcher:
        run = transforming_run(fitted, prepared, output, launcher, **how)
        summary = run.transform()
        run.write()
    report.lines(describe_search(summary))
    stages = [stage._asdict() for stage in run.launcher.stages()]
    record = {"model": str(model.resolve()), "seconds": run.seconds(), "stages": stages, "graph": summary}
    run.finish({**record, "config": run.settings.config.to_dict(), "versions": versions()})
    report.line(f"embedding {prepared.num_nodes:,} x {run.settings.config.encoder.dim}   {output}")
