"""Methods side by side on the edges of one graph, judged by the protocol edges."""

import dataclasses
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genurl_graph.evaluation.edges.figures import (
    FIGURES,
    FIRST_SPLITS,
    FIXED,
    GIVEN,
    LABEL_READERS,
    REFERENCES,
)
from genurl_graph.exceptions import DivergenceError, InputError
from genurl_graph.experiments import runs
from genurl_graph.experiments.environment import peak_mb, reset_peak
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.probe_table import REFERENCE, ComparedMethods, Comparison, FigureTable
from genurl_graph.experiments.results import Cell
from genurl_graph.experiments.runs import Order, Run

if TYPE_CHECKING:
    from genurl_graph.evaluation.edges.judgement import EdgeJudge
    from genurl_graph.experiments.sources import Source
    from genurl_graph.inputs.edge_rows import EdgeSet

OWN = (REFERENCE, "untrained")


class EdgeTable(FigureTable):
    """F1 of the protocol `edges` (`genurl_graph.evaluation.edges`)."""

    figures = (*FIGURES, "seconds")
    titles = FIGURES
    # There are no blocks of space where it is not known where edges lie.
    optional = tuple(FIGURES)
    same = ("dataset", "protocol", "split", "blocks")

    def columns(self) -> dict[str, Cell]:
        shown = self.shown()
        return {
            "method": lambda name, row: name,
            **{title: self.share(figure) for figure, title in shown.items()},
            **{
                f"{title}, from {REFERENCE} [95 %]": self.apart(figure)
                for figure, title in shown.items()
                if "micro" in figure
            },
            "seconds": lambda name, row: f"{row['seconds_mean']:.1f}",
            "peak MB": lambda name, row: f"{row['peak_memory_mb']:.0f}" if row["peak_memory_mb"] else "-",
        }

    def shown(self) -> dict[str, str]:
        """Titles of the figures that there are."""
        return GIVEN if self.header["blocks"] is None else FIGURES

    def caption(self) -> str:
        parts = [FIRST_SPLITS[self.header["split"]]]
        parts += [] if self.header["blocks"] is None else [f"{self.header['blocks']} blocks of space, held out whole"]
        return f"Classes of the edges of {self.header['dataset']}, in per cent, protocol edges, {' and '.join(parts)}"

    def notes(self) -> list[str]:
        """Which rows are no embeddings."""
        found = [name for name in LABEL_READERS if name in self.rows()]
        return [f"{' and '.join(found)} read{'s' * (len(found) == 1)} labels of the training edges"] if found else []


@dataclass(frozen=True)
class EdgeJob(Order):
    """One method on the edges of one graph."""

    source: "Source"
    threads: int

    def run(self) -> Generator[Run, None, None]:
        import torch

        torch.set_num_threads(self.threads)
        data = edges_of(self.source.load(edges=True))
        _warm_up(self)
        run = None
        for seed in self.seeds:
            if run is None or self.method not in FIXED:
                reset_peak()
                run = Run(*embed_edges(self, data, seed), peak_mb())
            yield run


class EdgeComparison(Comparison):
    """Methods that give each edge a row, and rows that read labels."""

    table = EdgeTable
    methods, own, baselines = (*OWN, *REFERENCES), OWN, ()
    default, n_seeds = ",".join((*OWN, *REFERENCES)), 10

    judge: "EdgeJudge"

    def lacking(self, method: str) -> str | None:
        return "attributes of the edges" if method == "raw" and self.data.x is None else None

    def check(self, chosen: list[str]) -> None:
        self.judge_by(self.header.get("blocks"))
        super().check(chosen)

    def judge_by(self, blocks: int | None = None) -> None:
        """Make the splits, of so many blocks of space; InputError where the edges cannot be judged."""
        from genurl_graph.evaluation.edges.judgement import EdgeJudge

        self.judge = EdgeJudge(self.data, blocks)
        self.header |= {"split": self.judge.first, "blocks": self.judge.blocks}

    def options(self, method: str, model: dict[str, Any]) -> dict[str, Any]:
        return {**model, "task": "edges"}

    def run(self, results: ComparedMethods, orders: Iterable[Order], quiet: bool) -> Iterator[tuple[str, int, Any]]:
        held = {"source": self.source, "threads": results.environment["threads"]}
        jobs = []
        for order in orders:
            if order.method in LABEL_READERS:
                for seed in order.seeds:
                    results.add(order.method, judge_reader(order.method, self.judge, seed))
            else:
                own = dataclasses.replace(order, model=self.options(order.method, order.model))
                jobs.append(EdgeJob(**vars(own), **held))

        def judge(method: str, seed: int, z: Any) -> dict[str, Any]:
            return self.judge.embedding(z, seed, earlier_of(results, method) if method in FIXED else None)

        yield from runs.run_jobs(jobs, results, judge, quiet)


def earlier_of(results: ComparedMethods, method: str) -> dict[str, float | None] | None:
    """Figures of an earlier seed; None without one."""
    row = results.runs[method]
    return {figure: row[figure][0] for figure in FIGURES} if row["seconds"] else None


def judge_reader(name: str, judge: "EdgeJudge", seed: int) -> dict[str, Any]:
    """A run of a row that reads labels: there is no embedding, so that it is judged where it is made."""
    start = time.perf_counter()
    figures = judge.reader(name, seed)
    return {**figures, "seconds": time.perf_counter() - start}


def edges_of(data: Any, option: str = "--task edges") -> "EdgeSet":
    """The edges of a data set; InputError, about the option that asks for them, where each edge is no row."""
    from genurl_graph.inputs.edge_rows import EdgeSet

    if not isinstance(data, EdgeSet):
        raise InputError(
            f"{option}: found a data set whose rows are not edges; expected one with edges as rows, such as linkoping"
        )
    return data


def embed_edges(order: Order, data: "EdgeSet", seed: int) -> tuple[Any, float]:
    """Embedding by one method, an array [m, d], and the seconds from the data to it."""
    import numpy as np

    from genurl_graph.evaluation.edges.references import reference_embedding

    start = time.perf_counter()
    if order.method in REFERENCES:
        z = reference_embedding(order.method, data)
    elif order.method == REFERENCE:
        z = np.asarray(make_estimator(**order.model, seed=seed).fit(data).embedding_)
    else:
        # One epoch, because fit wants one: the weights read are those from before it, and the clock starts there.
        estimator = make_estimator(**{**order.model, "epochs": 1}, seed=seed).fit(data)
        start = time.perf_counter()
        z = np.asarray(estimator.untrained_embedding())
    return z, time.perf_counter() - start


def _warm_up(order: Order) -> None:
    """Embed the edges of a small ring, so that no imports and no first calls are counted as the first seed's time."""
    if order.method in FIXED:
        return
    import torch

    from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet

    node = torch.arange(64)
    x = torch.rand(64, 8, generator=torch.Generator().manual_seed(0))
    ring = EdgeSet(EdgeEnds(torch.stack([node, (node + 1) % 64]), 64), x)
    small = dataclasses.replace(order, model={**order.model, "epochs": 1})
    # Options that are right for the data set may be wrong for the ring.
    with suppress(InputError, DivergenceError):
        embed_edges(small, ring, 0)
