"""``genurl-graph ogb``: a data set of the Open Graph Benchmark by its own rules, with its leaderboard's fields."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import INTERRUPTED, Stop, options
from genurl_graph.cli.comparison import show, terminable
from genurl_graph.cli.ogb_results import OgbResults, OgbRun
from genurl_graph.cli.report import Report, as_config, bar, describe, version_of
from genurl_graph.cli.runs import FIXED, peak_mb, reset_peak
from genurl_graph.cli.stored import environment, machine
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.datasets import DatasetInfo
    from genurl_graph.evaluation.ogb import Metric
    from genurl_graph.evaluation.splits import Split


class Remembering(click.Command):
    """A command that knows the words it was called with: reports quote them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = [word for word in args if word != "--resume"]  # the whole report comes from the call without it
        ctx.meta["command"] = shlex.join(["genurl-graph", "ogb", *words])
        return super().parse_args(ctx, args)


@click.command(cls=Remembering)
@click.option("--dataset", required=True, metavar="NAME", help="ogbn-arxiv or ogbn-products.")
@click.option("--seeds", type=click.IntRange(min=1), default=10, show_default=True, help="Run seeds 0..N-1.")
@options.data_root
@options.model
@click.option("--probe-epochs", type=click.IntRange(min=1), help="Passes of both probes over the training nodes.")
@click.option("--report", type=options.PATH, metavar="FILE.md", help="The report. [default: NAME.md]")
@click.option("--metrics", type=options.PATH, metavar="FILE.json", help="The same as JSON. [default: beside --report]")
@click.option("--resume", is_flag=True, help="Go on after the last finished seed of --metrics.")
@click.option("--yes", is_flag=True, help="Start a download above 1 GB. Nothing is ever asked.")
@options.quiet
@click.pass_context
def ogb(
    context: click.Context,
    /,
    dataset: str,
    seeds: int,
    data_root: Path | None,
    probe_epochs: int | None,
    report: Path | None,
    metrics: Path | None,
    resume: bool,
    yes: bool,
    quiet: bool,
    **model: Any,
) -> None:
    """Embed an OGB data set without labels, seed by seed, and judge the frozen embedding by OGB's official Evaluator.

    Two probes, reported apart: logistic regression (validation nodes choose its penalty) and an MLP (they choose its
    epoch). Raw features, propagated features and the untrained encoder stand beside them, once each.

    Raw files and splits are read without pickles. The report has what the leaderboard asks for; it is rewritten after
    every seed, and --resume goes on from there.

    \b
    Examples:
      genurl-graph ogb --dataset ogbn-arxiv --seeds 10 --report arxiv.md
      genurl-graph ogb --dataset ogbn-arxiv --seeds 10 --report arxiv.md --resume
    """
    from genurl_graph import datasets
    from genurl_graph.evaluation.minibatch_probe import settings
    from genurl_graph.evaluation.ogb import official_accuracy
    from genurl_graph.evaluation.splits import splits

    entry = known(dataset)
    report = report or Path(f"{entry.name}.md")
    metrics = metrics or report.with_suffix(".json")
    options.check_files(metrics, report, None)
    options.lock(metrics, report)
    metric = official_accuracy(entry.name)
    data = datasets.load(entry.name, data_root, large_download=yes)
    shown = Report(quiet)
    shown.line(describe(entry.name, data))
    config = options.make_estimator(**model, seed=0).resolve(data)
    probe = settings(probe_epochs)
    around = {**environment(data, model["device"]), "probe": probe}
    header = {
        "dataset": entry.name,
        "protocol": "ogb",
        "seeds": list(range(seeds)),
        "method": "GenURL",
        "external_data": False,
        "command": context.meta["command"],
        **circumstances(around["device"]),
        "data": sizes(entry, data),
    }
    own = as_config(config)
    rows = {"genurl": own, "untrained": own, "propagated": {"hops": 2}, "raw": {}}
    results = OgbResults(header, around, rows, metrics, report)
    if resume:
        results.resume()
    (split,) = splits("public", data)
    work = Work(data, split, metric, model, probe["epochs"])
    try:
        with terminable(), bar(sum(len(results.todo(row)) for row in rows), quiet) as progress:
            for row in FIXED:
                for _ in results.todo(row):
                    results.add(row, work.fixed(row))
                    results.write()
                    progress.update()
            for seed in results.todo("genurl"):
                for row, run in work.trained(seed, untrained=bool(results.todo("untrained"))).items():
                    results.add(row, run)
                    progress.update()
                results.write()
    except KeyboardInterrupt as error:
        advice = f"what was finished, if anything, is in {metrics}; the same command with --resume goes on from there"
        raise Stop(f"interrupted; {advice}", INTERRUPTED) from error
    results.write()
    shown.line(f"\naccuracy by OGB's Evaluator, {seeds} seed{'' if seeds == 1 else 's'}, mean ± unbiased deviation")
    show(results, shown)
    shown.line(f"\nreport    {report}\nmetrics   {metrics}")


def known(dataset: str) -> "DatasetInfo":
    """A node-property data set of OGB; InputError for any other."""
    from genurl_graph import datasets

    fitting = [name for name in datasets.names() if datasets.info(name).loader == "ogb-node"]
    entry = datasets.info(dataset)
    if entry.name not in fitting:
        raise InputError(f"--dataset: found {entry.name}, which is not of OGB; expected one of {', '.join(fitting)}")
    return entry


def circumstances(device: str) -> dict[str, Any]:
    """Hardware and versions, that of OGB's package too."""
    found = machine(device)
    return {**found, "versions": {**found["versions"], "ogb": version_of("ogb")}}


def sizes(entry: "DatasetInfo", data: "Data") -> dict[str, Any]:
    """What was read, and whether it can be the official data set: a folder of the same layout may hold another."""
    found = {"n_nodes": data.num_nodes, "n_edges": data.num_edges, "n_features": data.num_features}
    official = (found["n_nodes"], found["n_features"]) == (entry.n_nodes, entry.n_features)
    masks = {f"n_{name}": int(data[f"{name}_mask"].sum()) for name in ("train", "val", "test")}
    return {**found, **masks, "official_size": official, "official_nodes": entry.n_nodes}


class Work:
    """The runs of a report: embed, freeze, judge by both probes."""

    def __init__(
        self, data: "Data", split: "Split", metric: "Metric", model: dict[str, Any], probe_epochs: int
    ) -> None:
        self.data, self.split, self.metric, self.model = data, split, metric, model
        self.probe_epochs = probe_epochs

    def fixed(self, row: str) -> OgbRun:
        """The run of features that nothing trains."""
        from genurl_graph.evaluation.protocols import propagated_features, raw_features

        reset_peak()
        start = time.perf_counter()
        z = {"raw": raw_features, "propagated": propagated_features}[row](self.data)
        return self.judge(z, 0, 0, {"embed": time.perf_counter() - start})

    def trained(self, seed: int, *, untrained: bool) -> dict[str, OgbRun]:
        """The run of a seed, and of its encoder as it was before the training if that is wanted."""
        reset_peak()
        estimator = options.make_estimator(**self.model, seed=seed).fit(self.data)
        size = estimator.n_parameters_
        found = {"genurl": self.judge(estimator.embedding_, seed, size, dict(estimator.seconds_))}
        if untrained:
            start = time.perf_counter()
            z = estimator.untrained_embedding()
            found["untrained"] = self.judge(z, seed, size, {"embed": time.perf_counter() - start})
        return found

    def judge(self, z: Any, seed: int, encoder: int, seconds: dict[str, float]) -> OgbRun:
        """Both probes on a frozen embedding."""
        from genurl_graph.evaluation.minibatch_probe import linear_classifier, mlp_classifier

        probes = {}
        for name, classifier in (("linear", linear_classifier), ("mlp", mlp_classifier)):
            start = time.perf_counter()
            probes[name] = classifier(
                *(z, self.data.y, self.split, self.metric),
                seed=seed,
                device=self.model["device"],
                epochs=self.probe_epochs,
            )
            seconds[name] = time.perf_counter() - start
        return OgbRun(probes["linear"], probes["mlp"], encoder, seconds, peak_mb(), peak_gpu_mb())


def peak_gpu_mb() -> float | None:
    """Largest memory that torch held on the accelerator since the last call; None without one."""
    import torch

    if not torch.cuda.is_available():
        return None
    peak = torch.cuda.max_memory_allocated() / 2**20
    torch.cuda.reset_peak_memory_stats()
    return peak
