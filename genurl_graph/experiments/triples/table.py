"""Methods side by side on one set of typed edges, judged by the protocol triples."""

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
from genurl_graph.experiments.results import Cell, mean_text
from genurl_graph.experiments.runs import Order, Run
from genurl_graph.experiments.triples.methods import ABLATED, FIGURES, OWN, PROTOCOL, TRAINED, UNTRAINED, judge_method
from genurl_graph.experiments.triples.source import parts_of, training_part, triples_of

if TYPE_CHECKING:
    from genurl_graph.experiments.sources import Source
    from genurl_graph.inputs.triples import TripleSet

# Triples of the run before the first one that is timed.
WARM_UP = 200


class TripleTable(FigureTable):
    """Ranks of held-out entities (`genurl_graph.evaluation.triples`)."""

    figures = ("seconds", "cpu_seconds", *FIGURES)
    titles = FIGURES

    def columns(self) -> dict[str, Cell]:
        return {
            "method": lambda name, row: name,
            **{title: self.share(figure) for figure, title in FIGURES.items()},
            **{f"{FIGURES[figure]}, from {REFERENCE} [95 %]": self.apart(figure) for figure in ("mrr", "hits10")},
            "CPU s of the fit": lambda name, row: mean_text(row["cpu_seconds"], scale=1),
            "peak MB": lambda name, row: f"{row['peak_memory_mb']:.0f}",
        }

    def caption(self) -> str:
        return (
            f"Held-out typed edges of {self.header['dataset']}, in per cent, protocol {PROTOCOL}: both ends, filtered, "
            "realistic ranks"
        )


@dataclass(frozen=True)
class TripleJob(Order):
    """One method on one set of typed edges; its runs hold figures, not embeddings."""

    source: "Source"
    threads: int

    def run(self) -> Generator[Run, None, None]:
        import torch

        torch.set_num_threads(self.threads)
        data = triples_of(self.source.load(triples=True))
        _warm_up(self, data)
        for seed in self.seeds:
            reset_peak()
            found = judge_method(self, parts_of(data, seed), seed)
            yield Run(found, found["seconds"], peak_mb())


class TripleComparison(Comparison):
    """Methods that score all entities at either end of a typed edge."""

    table = TripleTable
    methods, own, baselines = (*OWN, *TRAINED, *UNTRAINED), OWN, TRAINED
    default, n_seeds = ",".join((REFERENCE, *TRAINED, *UNTRAINED)), 5

    def lacking(self, method: str) -> str | None:
        return "features of the entities" if method == ABLATED and not self.data.modalities else None

    def check(self, chosen: list[str]) -> None:
        parts_of(self.data, 0)  # enough triples for all parts
        super().check(chosen)

    def options(self, method: str, model: dict[str, Any]) -> dict[str, Any]:
        return {**model, "task": "triples"}

    def run(self, results: ComparedMethods, orders: Iterable[Order], quiet: bool) -> Iterator[tuple[str, int, Any]]:
        held = {"source": self.source, "threads": results.environment["threads"]}
        orders = [dataclasses.replace(order, model=self.options(order.method, order.model)) for order in orders]
        jobs = [TripleJob(**vars(order), **held) for order in orders]
        yield from runs.run_jobs(jobs, results, lambda method, seed, found: found, quiet)

    def _settings(self, method: str, model: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
        if method in TRAINED:
            return baseline_settings(method, None, changes, task="triples")
        seen = training_part(self.data)
        return resolved(self.options(method, model), seen) if method in OWN else {}


def _warm_up(order: Order, data: "TripleSet") -> None:
    """Train on a few triples, so that no imports and no first calls are counted as the first seed's time."""
    import torch

    small = dataclasses.replace(order, model={**order.model, "epochs": 1}, changes={**order.changes})
    if order.method in TRAINED:
        small.changes["epochs"] = 1
    few = data.triples.chosen(torch.arange(min(WARM_UP, len(data.triples))))
    with suppress(InputError, DivergenceError):
        judge_method(small, dataclasses.replace(data, triples=few, valid=None, test=few), 0)
