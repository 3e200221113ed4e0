"""Dimension reductions side by side on one matrix: scores, seconds cold and warm, memory.

This module imports nothing heavy: the clock of a cold run starts before the imports of its method.
"""

import dataclasses
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from genurl_graph.baselines.reduction import REDUCERS, get_reducer, import_reducer, require_reducer
from genurl_graph.exceptions import InputError
from genurl_graph.experiments import runs
from genurl_graph.experiments.environment import peak_mb, reset_peak
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.probe_table import REFERENCE, ComparedMethods, Comparison
from genurl_graph.experiments.results import Cell, mean_std, mean_text
from genurl_graph.experiments.runs import Order, Run

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.experiments.sources import Source

# Our own methods: what each adds to the options of the model (`make_estimator`).
OWN: dict[str, dict[str, Any]] = {"genurl": {}, "genurl-mlp": {"encoder": "mlp"}}
SCORES = ("knn_accuracy", "trustworthiness", "continuity", "triplets", "pieces", "largest_piece", "spearman")
# Those of the table, and their titles where these are not their names.
SHOWN = SCORES[:-1]
TITLES = {"knn_accuracy": "10-NN %", "triplets": "random triplets", "largest_piece": "largest piece"}
# Sparse features are made dense, as most packages want them, up to this size.
MOST_DENSE_BYTES = 4 * 2**30

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class ReduceTable(ComparedMethods):
    """Scores of `genurl_graph.evaluation.preservation.reduce_scores`; Spearman's correlation is in the file alone."""

    same = (*ComparedMethods.same, "dim")
    figures, optional = (*SCORES, "seconds"), SCORES
    lists = ("stages",)
    values: ClassVar[dict[str, Any]] = {**ComparedMethods.values, "cold": None, "how": None}

    def columns(self) -> dict[str, Cell]:
        def share(name: str, row: dict[str, Any]) -> str:
            return "-" if None in row["knn_accuracy"] else mean_text(row["knn_accuracy"])

        def number(score: str, digits: int = 3) -> Cell:
            return lambda name, row: "-" if row["mean"][score] is None else f"{row['mean'][score]:.{digits}f}"

        def cold(name: str, row: dict[str, Any]) -> str:
            found = row["cold"]
            return "-" if found is None else f"{found['seconds']:.1f} ({found['import_seconds']:.1f})"

        def ratio(name: str, row: dict[str, Any]) -> str:
            return "-" if row["seconds_ratio"] is None else f"{row['seconds_ratio']:.2f}"

        return {
            "method": lambda name, row: name,
            TITLES["knn_accuracy"]: share,
            "trustworthiness": number("trustworthiness"),
            "continuity": number("continuity"),
            TITLES["triplets"]: number("triplets"),
            "pieces": number("pieces", 2),
            TITLES["largest_piece"]: number("largest_piece"),
            "seconds": lambda name, row: f"{row['seconds_median']:.1f}",
            f"x {REFERENCE}": ratio,
            "cold (import)": cold,
            "peak MB": lambda name, row: f"{row['peak_memory_mb']:.0f}",
        }

    def caption(self) -> str:
        return (
            f"Reduction of {self.header['dataset']} to {self.header['dim']} dimensions, protocol reduce; seconds with "
            "neighbour search, median of warm runs, and of a first run in a new process with its imports (cold)"
        )

    def notes(self) -> list[str]:
        """How the scores were computed, in words: folds, neighbours, samples."""
        hows = [row["how"] for row in self.runs.values() if row["how"]]
        return [f"{TITLES.get(score, score)}: {hows[0][score]}" for score in SHOWN if score in hows[0]] if hows else []

    def _row(self, name: str) -> dict[str, Any]:
        row = self.runs[name]
        spread = {score: (None, None) if None in row[score] else mean_std(row[score]) for score in SCORES}
        median = statistics.median(row["seconds"])
        reference = self.runs.get(REFERENCE, {"seconds": []})["seconds"]
        return {
            **{score: row[score] for score in SCORES},
            "mean": {score: mean for score, (mean, _) in spread.items()},
            "std": {score: std for score, (_, std) in spread.items()},
            "seconds_median": median,
            "seconds_ratio": median / statistics.median(reference) if reference else None,
            **{key: row[key] for key in ("seconds", "stages", "cold", "peak_memory_mb")},
            "difference": {score: self._difference_from(REFERENCE, name, score) for score in SCORES},
            "how": row["how"],
        }


@dataclass(frozen=True)
class ReduceJob(Order):
    """One method on one matrix of vectors: a cold run more than there are seeds."""

    vectors: Path  # .npy, float32 [n, f]: to read it takes NumPy alone, so that all other imports are the method's
    dim: int
    threads: int

    @property
    def n_runs(self) -> int:
        return len(self.seeds) + 1

    def run(self) -> Generator[Run, None, None]:
        """A cold run with the first seed, then one run a seed; seconds from the vectors to the embedding, kNN included.

        The cold run has the seconds of the imports besides. What is compiled or loaded at the first call is in its time
        and not in that of the others.
        """
        if "numpy" not in sys.modules:  # libraries look at the environment when they are loaded
            os.environ.update(dict.fromkeys(_THREADS, str(self.threads)))
        import numpy as np

        vectors = np.load(self.vectors)
        start = time.perf_counter()
        self.load()
        cold: float | None = time.perf_counter() - start
        for seed in (self.seeds[0], *self.seeds):
            x = vectors.copy()  # some packages change their input
            reset_peak()
            start = time.perf_counter()
            z, stages = self.reduce(x, seed)
            yield Run(z, time.perf_counter() - start, peak_mb(), cold, stages)
            cold = None

    def load(self) -> None:
        """Import what the method needs."""
        if self.method in REDUCERS:
            import_reducer(self.method)
        else:
            import genurl_graph.estimator  # noqa: F401
        if "torch" in sys.modules:
            import torch

            torch.set_num_threads(self.threads)

    def reduce(self, x: Any, seed: int) -> tuple[Any, dict[str, float] | None]:
        """Embedding, float32 [n, dim], and the seconds of its stages where the method tells them."""
        if self.method in REDUCERS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other packages: nothing the user could act upon
                reducer = get_reducer(self.method, self.changes)
                return reducer(x, self.dim, seed, self.threads, self.model["device"]), None
        estimator = make_estimator(**self.model, seed=seed).fit(x)
        return estimator.embedding_.cpu().numpy(), dict(estimator.seconds_)


class ReduceComparison(Comparison):
    """Reductions of the vectors of a data set, judged by the neighbourhoods that they keep."""

    table = ReduceTable
    methods, own, baselines = (*OWN, *REDUCERS), tuple(OWN), REDUCERS
    default, n_seeds = "genurl,genurl-mlp,pca", 3

    def __init__(self, source: "Source", data: "Data", /, **header: Any) -> None:
        super().__init__(source, dense_vectors(source.name, data), **header)

    def check(self, chosen: list[str]) -> None:
        for method in set(chosen) & set(REDUCERS):
            require_reducer(method)

    def options(self, method: str, model: dict[str, Any]) -> dict[str, Any]:
        return {**model, "task": "reduce", "dim": self.header["dim"], **OWN.get(method, {})}

    def run(self, results: ComparedMethods, orders: Iterable[Order], quiet: bool) -> Iterator[tuple[str, int, Any]]:
        import numpy as np

        from genurl_graph.evaluation.preservation import reduce_scores

        x = self.data.x.numpy()
        more = {"dim": self.header["dim"], "threads": results.environment["threads"]}

        def judge(method: str, seed: int, z: Any) -> dict[str, Any]:
            # Folds and samples are the same for all seeds: what differs is the embedding.
            return dict(reduce_scores(x, z, getattr(self.data, "y", None)))

        with tempfile.TemporaryDirectory(prefix="genurl-graph-") as scratch:
            file = Path(scratch) / "vectors.npy"
            np.save(file, x)
            orders = [dataclasses.replace(order, model=self.options(order.method, order.model)) for order in orders]
            jobs = [ReduceJob(**vars(order), vectors=file, **more) for order in orders]
            yield from runs.run_jobs(jobs, results, judge, quiet)


def dense_vectors(name: str, data: "Data") -> "Data":
    """Features of a data set, dense float32 [n, f], its labels, and nothing else."""
    import numpy as np
    import torch
    from torch_geometric.data import Data

    from genurl_graph.inputs.sparse import to_scipy_or_numpy

    if getattr(data, "x", None) is None:
        raise InputError(f"--task reduce: data set {name} has no vectors to reduce")
    x = to_scipy_or_numpy(data.x)
    if not isinstance(x, np.ndarray):
        if 4 * x.shape[0] * x.shape[1] > MOST_DENSE_BYTES:
            found = f"{x.shape[0]:,} x {x.shape[1]:,} sparse features"
            raise InputError(
                f"--task reduce: the {found} of {name} are too large to be made dense, as the baselines need them"
            )
        x = x.toarray()
    return Data(x=torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)), y=getattr(data, "y", None))


def summary(row: dict[str, Any]) -> str:
    """Time and scores of a method in one line, from its row."""
    parts = [f"{row['seconds_median']:.1f} s"]
    if row["cold"]:
        parts.append(f"cold {row['cold']['seconds']:.0f} s")
    if row["mean"]["knn_accuracy"] is not None:
        parts.append(f"10-NN {100 * row['mean']['knn_accuracy']:.1f}")
    if row["mean"]["trustworthiness"] is not None:
        parts.append(f"trustworthiness {row['mean']['trustworthiness']:.3f}")
    return ", ".join(parts)
