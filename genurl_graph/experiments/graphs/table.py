"""Methods side by side on one set of whole graphs, judged by support vector machines and by few labels."""

import dataclasses
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.graphs import GRAPH_BASELINES, KERNELS, get_graph_baseline, require_graph_baseline
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.evaluation.graph_classification.figures import FIGURES, FIXED
from genurl_graph.exceptions import DivergenceError, InputError
from genurl_graph.experiments import runs
from genurl_graph.experiments.environment import peak_mb, reset_peak
from genurl_graph.experiments.models import make_estimator, resolved
from genurl_graph.experiments.probe_table import REFERENCE, ComparedMethods, Comparison, FigureTable
from genurl_graph.experiments.results import Cell
from genurl_graph.experiments.runs import Order, Run

if TYPE_CHECKING:
    from genurl_graph.experiments.sources import Source
    from genurl_graph.inputs.collection import GraphCollection

# Embeddings by training; the Weisfeiler-Lehman kernel is a row without.
TRAINED = tuple(name for name in GRAPH_BASELINES if name not in KERNELS)
UNTRAINED = ("wl", "histogram", "untrained", "concat")


class GraphTable(FigureTable):
    """Accuracies of the protocol `graphs` (`genurl_graph.evaluation.graph_classification`)."""

    figures = (*FIGURES, "seconds")
    titles = FIGURES

    def columns(self) -> dict[str, Cell]:
        return {
            "method": lambda name, row: name,
            **{title: self.share(figure) for figure, title in FIGURES.items()},
            **{f"{title}, from {REFERENCE} [95 %]": self.apart(figure) for figure, title in FIGURES.items()},
            "seconds": lambda name, row: f"{row['seconds_mean']:.1f}",
            "peak MB": lambda name, row: f"{row['peak_memory_mb']:.0f}",
        }

    def caption(self) -> str:
        return (
            f"Classification of the graphs of {self.header['dataset']}, accuracy in per cent, protocol graphs: "
            "10 folds, C chosen inside the training folds"
        )


@dataclass(frozen=True)
class GraphJob(Order):
    """One method on one set of graphs."""

    source: "Source"
    threads: int

    def run(self) -> Generator[Run, None, None]:
        import torch

        torch.set_num_threads(self.threads)
        data = self.source.load(graphs=True)
        _warm_up(self, data)
        run = None
        for seed in self.seeds:
            if run is None or self.method not in FIXED:
                reset_peak()
                start = time.perf_counter()
                found = embed_graphs(self, data, seed)
                run = Run(found, time.perf_counter() - start, peak_mb())
            yield run


class GraphComparison(Comparison):
    """Methods that give each graph a row, or each pair of graphs a similarity, judged by labels of graphs."""

    table = GraphTable
    methods, own, baselines = (REFERENCE, *TRAINED, *UNTRAINED), (REFERENCE,), TRAINED
    default, n_seeds = ",".join((REFERENCE, *TRAINED, *UNTRAINED)), 5

    def check(self, chosen: list[str]) -> None:
        from genurl_graph.evaluation.graph_classification.folds import too_few_graphs

        for method in set(chosen) & set(TRAINED):
            require_graph_baseline(method)
        why = too_few_graphs(self.data.y.numpy())
        if why is not None:
            raise InputError(f"--task graphs: {self.name}: {why}")

    def options(self, method: str, model: dict[str, Any]) -> dict[str, Any]:
        return {**model, "task": "graphs"}

    def run(self, results: ComparedMethods, orders: Iterable[Order], quiet: bool) -> Iterator[tuple[str, int, Any]]:
        import numpy as np

        from genurl_graph.evaluation.graph_classification.judgement import graph_figures, plan_graphs
        from genurl_graph.evaluation.graph_classification.references import as_row

        y = self.data.y.numpy()
        plan = plan_graphs(int((y >= 0).sum()), 1, len(np.unique(y[y >= 0])), None)

        def judge(method: str, seed: int, z: Any) -> dict[str, float]:
            return graph_figures(as_row(method, z, y), y, seed, plan)

        threads = results.environment["threads"]
        orders = [dataclasses.replace(order, model=self.options(order.method, order.model)) for order in orders]
        jobs = [GraphJob(**vars(order), source=self.source, threads=threads) for order in orders]
        yield from runs.run_jobs(jobs, results, judge, quiet)

    def _settings(self, method: str, model: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
        if method in TRAINED:
            return baseline_settings(method, None, changes, task="graphs")
        return resolved(self.options(method, model), self.data) if method == REFERENCE else {}


def graphs_of(data: Any) -> "GraphCollection":
    """The graphs of a data set; InputError where it is a single one."""
    from genurl_graph.inputs.collection.convert import as_collection, is_collection

    if not is_collection(data):
        raise InputError(
            "--task graphs: found one graph, or vectors; expected a data set of many graphs, such as mutag"
        )
    graphs = as_collection(data).graphs
    assert graphs is not None
    return graphs


def embed_graphs(order: Order, data: Any, seed: int) -> Any:
    """Embedding [G, d] by one method, or a kernel [G, G], as an array."""
    import numpy as np

    from genurl_graph.evaluation.graph_classification.references import reference

    if order.method == REFERENCE:
        return np.asarray(make_estimator(**order.model, seed=seed).fit(data).embedding_)
    graphs = graphs_of(data)
    if order.method in UNTRAINED:
        return reference(order.method, graphs, seed)
    return np.asarray(get_graph_baseline(order.method, order.changes)(graphs, seed, order.model["device"]))


def _warm_up(order: Order, data: Any) -> None:
    """Embed a few graphs, so that no imports and no first calls are counted as the first seed's time."""
    small = dataclasses.replace(order, model={**order.model, "epochs": 1}, changes={**order.changes, "epochs": 1})
    with suppress(InputError, DivergenceError):
        embed_graphs(small, data[:32], 0)
