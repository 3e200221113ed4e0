"""Dimension reductions by one method, in a process of their own: the first run cold, the others warm."""

import os
import sys
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from genurl_graph.baselines.reduction import REDUCERS, get_reducer, import_reducer
from genurl_graph.cli import options
from genurl_graph.cli.runs import Run, peak_mb, reset_peak

# Our own methods: what each adds to the options of the model (`options.make_estimator`; further keys go to GenURL).
OWN: dict[str, dict[str, Any]] = {"genurl": {}, "genurl-mlp": {"encoder": "mlp"}}
METHODS = (*OWN, *REDUCERS)

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class ReduceJob(NamedTuple):
    """One method on one matrix of vectors."""

    method: str
    seeds: tuple[int, ...]
    vectors: Path  # .npy, float32 [n, f]: to read it takes NumPy alone, so that all other imports are the method's
    dim: int
    model: dict[str, Any]  # options of GenURL
    changes: dict[str, Any]  # settings of a peer that differ from its package's
    threads: int

    @property
    def n_runs(self) -> int:
        return len(self.seeds) + 1

    def run(self) -> Generator[Run, None, None]:
        """A cold run with the first seed, then one run a seed; seconds from the vectors to the embedding, kNN included.

        The cold run has the seconds of the imports besides. What is compiled or loaded at the first call is in its time
        and not in that of the others.
        """
        limit_threads(self.threads)
        import numpy as np

        vectors = np.load(self.vectors)
        start = time.perf_counter()
        self.load()
        imported = time.perf_counter() - start
        cold: float | None = imported
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
        estimator = options.make_estimator(**own_model(self.method, self.dim, self.model), seed=seed).fit(x)
        return estimator.embedding_.cpu().numpy(), dict(estimator.seconds_)


def own_model(method: str, dim: int, model: dict[str, Any]) -> dict[str, Any]:
    """Options of the estimator for one of our own methods."""
    return {**model, "task": "reduce", "dim": dim, **OWN[method]}


def limit_threads(threads: int) -> None:
    """Let libraries that are not loaded yet use this many threads; they look at the environment when they are."""
    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(_THREADS, str(threads)))
