"""Methods side by side on one data set, judged by the linear probe."""

import dataclasses
import time
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from genurl_graph.baselines import BASELINES, require
from genurl_graph.baselines.settings import Task, baseline_settings
from genurl_graph.exceptions import DivergenceError, InputError, wrong
from genurl_graph.experiments import runs
from genurl_graph.experiments.environment import environment, machine, peak_mb, reset_peak
from genurl_graph.experiments.models import make_estimator, resolved
from genurl_graph.experiments.results import Cell, Results, interval, mean_std, mean_text
from genurl_graph.experiments.runs import Order, Run

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.experiments.sources import Source

Settings = dict[str, Any]

REFERENCE = "genurl"
# Rows that no seed changes.
FIXED = ("propagated", "raw")
METHODS = (REFERENCE, "untrained", *FIXED)
FEATURES_NEEDED = (*FIXED, "dgi", "graphcl", "graphssl-bgrl", "vicreg", "barlow")


class ComparedMethods(Results):
    """Seconds and memory of each finished (method, seed) besides its scores, which subclasses name."""

    kind, group, noun, chooser = "a comparison", "methods", "method", "--methods"
    values: ClassVar[dict[str, Any]] = {"peak_memory_mb": 0.0}

    def add_cold(self, name: str, seconds: dict[str, float]) -> None:
        """Keep the seconds of the first run in a new process; those of a resumed comparison do not replace them."""
        if self.runs[name]["cold"] is None:
            self.runs[name]["cold"] = seconds


class FigureTable(ComparedMethods):
    """Several figures of each run, shares of one, and how far each lies from GenURL's."""

    # Titles of the figures by their keys; None among those of a run: it could not be measured.
    titles: ClassVar[dict[str, str]]

    def share(self, figure: str) -> Cell:
        """Mean and deviation of a figure, in per cent."""
        return lambda name, row: "-" if None in row[figure] else mean_text(row[figure])

    def apart(self, figure: str) -> Cell:
        """Its paired difference from GenURL's."""
        return lambda name, row: interval(row["difference"][figure])

    def _row(self, name: str) -> dict[str, Any]:
        row = self.runs[name]
        spread = {key: (None, None) if None in row[key] else mean_std(row[key]) for key in self.titles}
        return {
            **{figure: row[figure] for figure in self.figures},
            "mean": {figure: mean for figure, (mean, _) in spread.items()},
            "std": {figure: std for figure, (_, std) in spread.items()},
            "seconds_mean": mean_std(row["seconds"])[0],
            "peak_memory_mb": row["peak_memory_mb"],
            "difference": {figure: self._difference_from(REFERENCE, name, figure) for figure in self.titles},
        }


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


@dataclass(frozen=True)
class Job(Order):
    """One method on one data set."""

    source: "Source"
    threads: int

    def run(self) -> Generator[Run, None, None]:
        import torch

        torch.set_num_threads(self.threads)
        return run_here(self)


class Comparison:
    """Methods side by side on one data set: which there are, what they need, and their runs.

    Parameters
    ----------
    source : Source
        What the data were read from: the process of each method reads them again.
    data
        The data.
    header : dict
        Protocol, and whatever else stands at the top of the file of results.
    """

    table: type[ComparedMethods]
    # Names that --methods takes, those of our own that train a model, those of baselines, and the defaults.
    methods: tuple[str, ...]
    own: tuple[str, ...]
    baselines: Collection[str]
    default: str
    n_seeds: int

    def __init__(self, source: "Source", data: Any, /, **header: Any) -> None:
        self.source, self.name, self.data, self.header = source, source.name, data, header

    def lacking(self, method: str) -> str | None:
        """What the data lack that a method needs, in words."""
        return None

    def possible(self) -> tuple[list[str], dict[str, str]]:
        """Default methods that the data allow, and the others with what the data lack."""
        lacking = {method: self.lacking(method) for method in self.default.split(",")}
        refused = {method: what for method, what in lacking.items() if what is not None}
        return [method for method in lacking if method not in refused], refused

    def check(self, chosen: list[str]) -> None:
        """Check, before any long work, that what a method needs of the data and of the installation is there."""
        for method in chosen:
            if what := self.lacking(method):
                raise InputError(f"--methods: {method} needs {what}, which the data set does not have")

    def options(self, method: str, model: dict[str, Any]) -> dict[str, Any]:
        """Options of the model for one of our own methods."""
        return model

    def results(
        self,
        chosen: list[str],
        seeds: int,
        model: dict[str, Any],
        changes: dict[str, dict[str, Any]],
        path: Path | None,
    ) -> ComparedMethods:
        """The table to fill, with all settings that the methods run with."""
        configuration = {method: self._settings(method, model, changes.get(method)) for method in chosen}
        header = {"dataset": self.name, "protocol": self.header["protocol"], "seeds": list(range(seeds))}
        header |= {**self.header, **machine(model["device"])}
        return self.table(header, environment(self.data, model["device"]), configuration, path)

    def run(self, results: ComparedMethods, orders: Iterable[Order], quiet: bool) -> Iterator[tuple[str, int, Any]]:
        """Add the runs of all orders, judged, to the results; method, seed and embedding of each."""
        raise NotImplementedError

    def _settings(self, method: str, model: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
        if method in self.baselines:
            # Published settings are those of a data set, not of a file of its name.
            return baseline_settings(method, self.source.dataset and self.name, changes)
        return resolved(self.options(method, model), self.data) if method in self.own else {}


class ProbeComparison(Comparison):
    """Methods judged by the linear probe."""

    table = ProbeTable
    methods, own, baselines = (*METHODS, *BASELINES), (REFERENCE, "untrained"), BASELINES
    default, n_seeds = ",".join(METHODS), 10

    def lacking(self, method: str) -> str | None:
        if method in (*BASELINES, "propagated") and getattr(self.data, "edge_index", None) is None:
            return "edges"
        return "node features" if method in FEATURES_NEEDED and getattr(self.data, "x", None) is None else None

    def check(self, chosen: list[str]) -> None:
        for method in chosen:
            if method in BASELINES:
                require(method)
        super().check(chosen)

    def run(self, results: ComparedMethods, orders: Iterable[Order], quiet: bool) -> Iterator[tuple[str, int, Any]]:
        from genurl_graph.experiments.scores import probe_test

        protocol = self.header["protocol"]

        def judge(method: str, seed: int, z: Any) -> dict[str, float]:
            earlier = results.runs[method]["probe_test"]
            # The same rows on the public split give the same probe: it is not computed twice.
            again = earlier and method in FIXED and protocol == "public"
            return {"probe_test": earlier[0] if again else probe_test(z, self.data, protocol, seed)}

        threads = results.environment["threads"]
        jobs = [Job(**vars(order), source=self.source, threads=threads) for order in orders]
        yield from runs.run_jobs(jobs, results, judge, quiet)


def parse_baseline_settings(
    assignments: tuple[str, ...], chosen: list[str], known: Collection[str], task: Task = "nodes"
) -> dict[str, dict[str, Any]]:
    """``("grace.epochs=5",)`` to ``{"grace": {"epochs": "5"}}``, checked; `known` are the baselines of the task."""
    found: dict[str, Settings] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        method, dot, setting = key.strip().partition(".")
        if not (equals and dot):
            raise wrong("--peer-set", repr(text), "METHOD.KEY=VALUE, such as grace.epochs=100")
        if method not in known or method not in chosen:
            baselines = ", ".join(name for name in chosen if name in known) or "none"
            raise wrong("--peer-set", repr(method), f"a baseline of --methods ({baselines})")
        found.setdefault(method, {})[setting] = value.strip()
        baseline_settings(method, None, found[method], task)
    return found


def run_here(job: Job) -> Generator[Run, None, None]:
    """The runs of a job, one a seed; what no seed changes is computed once."""
    from genurl_graph.inputs.sparse import to_scipy_or_numpy

    data = job.source.load()
    _warm_up(job)
    run = None
    for seed in job.seeds:
        if run is None or job.method not in FIXED:
            reset_peak()
            z, seconds = embed(job, data, seed)
            # Not a tensor: torch would hand it over in shared memory, which ends with the process.
            run = Run(to_scipy_or_numpy(z), seconds, peak_mb())
        yield run


def embed(order: Order, data: "Data", seed: int) -> tuple[Any, float]:
    """Embedding by one method, and the seconds from the data to it."""
    from genurl_graph.baselines import get_baseline
    from genurl_graph.experiments.scores import fixed_embedding

    start = time.perf_counter()
    if order.method in FIXED:
        z = fixed_embedding(order.method, data)
    elif order.method == REFERENCE:
        z = make_estimator(**order.model, seed=seed).fit(data).embedding_
    elif order.method == "untrained":
        # One epoch, because fit wants one: the weights read are those from before it, and the clock starts there.
        estimator = make_estimator(**{**order.model, "epochs": 1}, seed=seed).fit(data)
        start = time.perf_counter()
        z = estimator.untrained_embedding()
    else:
        z = get_baseline(order.method, order.changes)(data, seed, order.model["device"])
    return z, time.perf_counter() - start


def _warm_up(order: Order) -> None:
    """Embed a small ring, so that no imports and no first calls are counted as the first seed's time."""
    if order.method in FIXED:
        return
    import torch
    from torch_geometric.data import Data

    node = torch.arange(32)
    edges = torch.stack([node, (node + 1) % 32])
    x = torch.rand(32, 8, generator=torch.Generator().manual_seed(0))
    small = dataclasses.replace(order, model={**order.model, "epochs": 1}, changes={**order.changes, "epochs": 1})
    # Options that are right for the data set may be wrong for the ring.
    with suppress(InputError, DivergenceError):
        embed(small, Data(x=x, edge_index=torch.cat([edges, edges.flip(0)], dim=1)), 0)
