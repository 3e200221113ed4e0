"""Methods side by side on one data set, judged by the linear probe."""

import time
from collections.abc import Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from genurl_graph.baselines import BASELINES, require
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import DivergenceError, InputError, wrong
from genurl_graph.experiments import runs
from genurl_graph.experiments.environment import peak_mb, reset_peak
from genurl_graph.experiments.models import make_estimator, resolved
from genurl_graph.experiments.results import Cell, Results, interval, mean_std, mean_text
from genurl_graph.experiments.runs import Run, progress_bar, terminable

if TYPE_CHECKING:
    from torch_geometric.data import Data

REFERENCE = "genurl"
# Rows that no seed changes.
FIXED = ("propagated", "raw")
METHODS = (REFERENCE, "untrained", *FIXED)
ALL_METHODS = (*METHODS, *BASELINES)


class ComparedMethods(Results):
    """Seconds and memory of each finished (method, seed) besides its scores, which subclasses name."""

    kind, group, noun, chooser = "a comparison", "methods", "method", "--methods"
    values: ClassVar[dict[str, Any]] = {"peak_memory_mb": 0.0}


class ProbeTable(ComparedMethods):
    """Test accuracies of the linear probe."""

    figures = ("probe_test", "seconds")

    def columns(self) -> dict[str, Cell]:
        return {
            "method": lambda name, row: name,
            "mean ± std": lambda name, row: mean_text(row["probe_test"]),
            f"difference from {REFERENCE} [95 %]": lambda name, row: interval(row["difference"]),
            "seconds": lambda name, row: f"{row['seconds_mean']:.1f}",
            "peak MB": lambda name, row: f"{row['peak_memory_mb']:.0f}",
        }

    def caption(self) -> str:
        name, protocol = self.header["dataset"], self.header["protocol"]
        return f"Linear probe on {name}, test accuracy in per cent, protocol {protocol}"

    def _row(self, name: str) -> dict[str, Any]:
        row = self.runs[name]
        mean, std = mean_std(row["probe_test"])
        return {
            "probe_test": row["probe_test"],
            "mean": mean,
            "std": std,
            "seconds_mean": mean_std(row["seconds"])[0],
            "seconds": row["seconds"],
            "peak_memory_mb": row["peak_memory_mb"],
            "difference": self._difference_from(REFERENCE, name, "probe_test"),
        }


class Job(NamedTuple):
    """One method on one data set."""

    method: str
    seeds: tuple[int, ...]
    dataset: str
    root: Path | None
    model: dict[str, Any]  # options of GenURL
    changes: dict[str, Any]  # settings of a baseline that differ from the published ones
    threads: int

    @property
    def n_runs(self) -> int:
        return len(self.seeds)

    def run(self) -> Generator[Run, None, None]:
        """`run_here`, with the job's threads."""
        import torch

        torch.set_num_threads(self.threads)
        return run_here(self)


def run_jobs(jobs: list[Job], results: ProbeTable, data: "Data", quiet: bool) -> None:
    """Add the runs of all jobs, judged by the probe, to the results."""
    from genurl_graph.experiments.scores import probe_test

    protocol = results.header["protocol"]
    with terminable(), progress_bar(sum(len(job.seeds) for job in jobs), quiet) as shown:
        for job in jobs:
            with closing(_embeddings(job)) as found:
                for run, seed in zip(found, job.seeds, strict=True):
                    earlier = results.runs[job.method]["probe_test"]
                    # The same rows on the public split give the same probe: it is not computed twice.
                    again = earlier and job.method in FIXED and protocol == "public"
                    accuracy = earlier[0] if again else probe_test(run.embedding, data, protocol, seed)
                    results.add(job.method, {"probe_test": accuracy, **run.figures()})
                    shown.update()


def check_methods(chosen: list[str], data: "Data") -> None:
    """Check, before any long work, that what a method needs of the data set and of the installation is there."""
    for method in chosen:
        if method in BASELINES:
            require(method)
        lacking = None
        if method in (*BASELINES, "propagated") and getattr(data, "edge_index", None) is None:
            lacking = "edges"
        elif method in (*FIXED, "dgi", "graphcl", "bgrl", "vicreg", "barlow") and getattr(data, "x", None) is None:
            lacking = "node features"
        if lacking:
            raise InputError(f"--methods: {method} needs {lacking}, which the data set does not have")


def method_settings(
    method: str, name: str, data: "Data", model: dict[str, Any], changes: dict[str, Any]
) -> dict[str, Any]:
    """All settings that a method runs with."""
    if method in BASELINES:
        return baseline_settings(method, name, changes)
    return {} if method in FIXED else resolved(model, data)


def parse_baseline_settings(assignments: tuple[str, ...], chosen: list[str], known: Any) -> dict[str, dict[str, Any]]:
    """``("grace.epochs=5",)`` to ``{"grace": {"epochs": "5"}}``, checked; `known` are the baselines."""
    found: dict[str, dict[str, Any]] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        method, dot, setting = key.strip().partition(".")
        if not (equals and dot):
            raise wrong("--peer-set", repr(text), "METHOD.KEY=VALUE, such as grace.epochs=100")
        if method not in known or method not in chosen:
            baselines = ", ".join(name for name in chosen if name in known) or "none"
            raise wrong("--peer-set", repr(method), f"a baseline of --methods ({baselines})")
        found.setdefault(method, {})[setting] = value.strip()
        baseline_settings(method, None, found[method])
    return found


def run_here(job: Job) -> Generator[Run, None, None]:
    """The runs of a job, one a seed."""
    from genurl_graph import datasets
    from genurl_graph.inputs.sparse import to_scipy_or_numpy

    data = datasets.load(job.dataset, job.root)
    _warm_up(job)
    for seed in job.seeds:
        reset_peak()
        z, seconds = embed(job, data, seed)
        # Not a tensor: torch would hand it over in shared memory, which ends with the process.
        yield Run(to_scipy_or_numpy(z), seconds, peak_mb())


def embed(job: Job, data: "Data", seed: int) -> tuple[Any, float]:
    """Embedding by the method of a job, and the seconds from the data to it."""
    from genurl_graph.baselines import get_baseline
    from genurl_graph.experiments.scores import fixed_embedding

    start = time.perf_counter()
    if job.method in FIXED:
        z = fixed_embedding(job.method, data)
    elif job.method == REFERENCE:
        z = make_estimator(**job.model, seed=seed).fit(data).embedding_
    elif job.method == "untrained":
        # One epoch, because fit wants one: the weights read are those from before it, and the clock starts there.
        estimator = make_estimator(**{**job.model, "epochs": 1}, seed=seed).fit(data)
        start = time.perf_counter()
        z = estimator.untrained_embedding()
    else:
        z = get_baseline(job.method, job.changes)(data, seed, job.model["device"])
    return z, time.perf_counter() - start


def _embeddings(job: Job) -> Generator[Run, None, None]:
    """The runs of a job, one a seed; what no seed changes is computed once."""
    if not job.seeds:
        return
    fixed = job.method in FIXED
    with closing(runs.run_apart(job._replace(seeds=job.seeds[:1]) if fixed else job)) as found:
        for run in found:
            for _ in job.seeds if fixed else (None,):
                yield run


def _warm_up(job: Job) -> None:
    """Embed a small ring, so that no imports and no first calls are counted as the first seed's time."""
    if job.method in FIXED:
        return
    import torch
    from torch_geometric.data import Data

    node = torch.arange(32)
    edges = torch.stack([node, (node + 1) % 32])
    x = torch.rand(32, 8, generator=torch.Generator().manual_seed(0))
    small = job._replace(model={**job.model, "epochs": 1}, changes={**job.changes, "epochs": 1})
    # Options that are right for the data set may be wrong for the ring.
    with suppress(InputError, DivergenceError):
        embed(small, Data(x=x, edge_index=torch.cat([edges, edges.flip(0)], dim=1)), 0)
