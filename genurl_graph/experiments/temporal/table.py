"""Methods side by side on one set of events, judged by the protocol temporal-links."""

import dataclasses
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import DivergenceError, InputError
from genurl_graph.experiments import runs
from genurl_graph.experiments.environment import peak_mb, reset_peak
from genurl_graph.experiments.models import resolved
from genurl_graph.experiments.probe_table import REFERENCE, ComparedMethods, Comparison, FigureTable
from genurl_graph.experiments.results import Cell, interval, mean_text
from genurl_graph.experiments.runs import Order, Run
from genurl_graph.experiments.temporal.methods import (
    HISTORY,
    TRAINED,
    UNTRAINED,
    fit_method,
    genurl_positions,
    judge_method,
)

if TYPE_CHECKING:
    from genurl_graph.evaluation.temporal_links.protocol import Figures, TemporalSplit
    from genurl_graph.experiments.sources import Source
    from genurl_graph.inputs.temporal.event_set import EventSet

PROTOCOL = "temporal-links"
# As `genurl_graph.evaluation.temporal_links.negatives` has them, which imports torch.
NEGATIVES = ("random", "historical", "inductive", "active")
AUC, AP = ({f"{score}_{kind}": f"{score.upper()} {kind}" for kind in NEGATIVES} for score in ("auc", "ap"))
FIGURES = {"mrr": "MRR", **AUC, **AP}
# Events of the run before the first one that is timed.
WARM_UP = 400


class TemporalTable(FigureTable):
    """Ranks, and areas by four kinds of negatives (`genurl_graph.evaluation.temporal_links`)."""

    figures = ("seconds", "cpu_seconds", *FIGURES)
    titles = FIGURES
    # There may be no negatives of a kind, and no ranks among very many nodes.
    optional = tuple(FIGURES)
    same = ("dataset", "protocol", "windows")

    def columns(self) -> dict[str, Cell]:
        return {
            "method": lambda name, row: name,
            **{title: self.share(figure) for figure, title in FIGURES.items()},
            f"MRR, from {REFERENCE} [95 %]": lambda name, row: interval(row["difference"]["mrr"]),
            "CPU s of the fit": lambda name, row: mean_text(row["cpu_seconds"], scale=1),
            "peak MB": lambda name, row: f"{row['peak_memory_mb']:.0f}",
        }

    def caption(self) -> str:
        return (
            f"Links of the next window on {self.header['dataset']}, in per cent, protocol {PROTOCOL}, "
            f"windows: {self.header['windows']}"
        )

    def notes(self) -> list[str]:
        """Paired differences of the areas: columns of their own would make the table twice as wide."""
        lines = []
        for name, row in self.rows().items():
            found = {title: row["difference"][figure] for figure, title in AUC.items()}
            told = ", ".join(f"{title} {interval(each)}" for title, each in found.items() if each is not None)
            lines += [f"{name}, from {REFERENCE} [95 %]: {told}"] if told else []
        return lines


@dataclass(frozen=True)
class TemporalJob(Order):
    """One method on one set of events; its runs hold figures, not embeddings."""

    source: "Source"
    windows: str
    threads: int

    def run(self) -> Generator[Run, None, None]:
        import torch

        torch.set_num_threads(self.threads)
        data = events_of(self.source.load(events=True))
        split = split_of(data, self.windows)
        _warm_up(self, data)
        for seed in self.seeds:
            reset_peak()
            found = judge_method(self, data, split, seed)
            scores = by_key(found.figures) | {"cpu_seconds": found.cpu_seconds}
            yield Run(scores, found.seconds, peak_mb())


class TemporalComparison(Comparison):
    """Methods that score pairs of nodes in each window by the events before it."""

    table = TemporalTable
    methods, own, baselines = (REFERENCE, HISTORY, *TRAINED, *UNTRAINED), (REFERENCE,), TRAINED
    default, n_seeds = ",".join((REFERENCE, HISTORY, *TRAINED, *UNTRAINED)), 5

    def check(self, chosen: list[str]) -> None:
        split_of(self.data, self.header["windows"])  # enough windows for all parts

    def options(self, method: str, model: dict[str, Any]) -> dict[str, Any]:
        return {**model, "task": "temporal", "windows": self.header["windows"]}

    def run(self, results: ComparedMethods, orders: Iterable[Order], quiet: bool) -> Iterator[tuple[str, int, Any]]:
        held = {"source": self.source, "windows": self.header["windows"]}
        held["threads"] = results.environment["threads"]
        orders = [dataclasses.replace(order, model=self.options(order.method, order.model)) for order in orders]
        jobs = [TemporalJob(**vars(order), **held) for order in orders]
        yield from runs.run_jobs(jobs, results, lambda method, seed, found: found, quiet)

    def _settings(self, method: str, model: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
        if method in TRAINED:
            return baseline_settings(method, None, changes, task="temporal")
        return resolved(self.options(method, model), self.data) if method == REFERENCE else {}


def by_key(found: "Figures") -> dict[str, float | None]:
    """Figures of one scorer by the keys of `FIGURES`; None for a kind of which there are no negatives."""
    areas = {"auc": found.auc, "ap": found.ap}
    return {"mrr": found.mrr} | {f"{key}_{kind}": area.get(kind) for key, area in areas.items() for kind in NEGATIVES}


def events_of(data: Any, option: str = "--task temporal") -> "EventSet":
    """The events of a data set; InputError, about the option that asks for them, where it has none."""
    from genurl_graph.inputs.temporal.event_set import EventSet

    if not isinstance(data, EventSet):
        raise InputError(f"{option}: found a data set without times; expected events with a time, such as collegemsg")
    return data


def split_of(data: "EventSet", windows: str) -> "TemporalSplit":
    """The windows of the events, and which of them are for training, validation and test."""
    from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
    from genurl_graph.inputs.temporal.windows import cut_windows

    return TemporalSplit.of(data.edges, cut_windows(data.edges, windows, data.unit))


def _warm_up(order: Order, data: "EventSet") -> None:
    """Train on a few events, so that no imports and no first calls are counted as the first seed's time."""
    few = data.between(0, WARM_UP)
    small = dataclasses.replace(order, model={**order.model, "epochs": 1}, changes={**order.changes})
    with suppress(InputError, DivergenceError):
        split = split_of(few, "8")
        if order.method == REFERENCE:
            genurl_positions({**small.model, "windows": "8"}, few, split, 0)
        elif order.method in TRAINED:
            small.changes["epochs"] = 1
            fit_method(small, few, split, 0)
