"""Embeddings of one method over seeds, computed in a process of their own: its clock and its memory are its alone."""

import multiprocessing
import re
import signal
import time
import traceback
from collections.abc import Generator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from genurl_graph.cli import FAILED, INTERRUPTED, Stop, options
from genurl_graph.cli.report import peak_memory_mb
from genurl_graph.exceptions import DivergenceError, InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data

# Rows that no seed changes.
FIXED = ("propagated", "raw")
METHODS = ("genurl", "untrained", *FIXED)


class Job(NamedTuple):
    """One method on one data set."""

    method: str
    seeds: tuple[int, ...]
    dataset: str
    root: Path | None
    model: dict[str, Any]  # options of GenURL
    changes: dict[str, Any]  # settings of a peer that differ from the published ones
    threads: int

    @property
    def n_runs(self) -> int:
        return len(self.seeds)

    def run(self) -> "Generator[Run, None, None]":
        """`run_here`, with the job's threads."""
        import torch

        torch.set_num_threads(self.threads)
        return run_here(self)


class Run(NamedTuple):
    """Embedding of one seed (array or SciPy matrix [n, d]), seconds to it from the data, peak memory on the way."""

    embedding: Any
    seconds: float
    peak_memory_mb: float
    import_seconds: float | None = None  # of a cold run: the first one of a new process, with its imports
    stages: dict[str, float] | None = None  # seconds by stage, where the method tells


class Work(Protocol):
    """What can be done in a process of its own."""

    @property
    def method(self) -> str: ...

    @property
    def n_runs(self) -> int: ...

    def run(self) -> Generator[Run, None, None]: ...


def run_apart(job: Work) -> Generator[Run, None, None]:
    """The runs of a job in a new process; closing the iterator ends the process.

    Raises
    ------
    InputError, DivergenceError
        As the method raised them.
    Stop
        The process was ended from outside, as the system does where memory is short.
    RuntimeError
        Any other error of the method, with its traceback.
    """
    # Not fork: threads of torch do not survive it, and the memory of this process would count as the method's.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_child, args=(job, there), daemon=True)
    process.start()
    there.close()
    left = job.n_runs
    try:
        while left:
            try:
                kind, content = here.recv()
            except EOFError:
                process.join()
                raise Stop(
                    f"{job.method}: its process ended with code {process.exitcode}; was it out of memory? Finished "
                    "runs are in the file of --metrics, if one was named; --resume goes on from there",
                    FAILED,
                ) from None
            if kind == "run":
                left -= 1
                yield Run(*content)
                # Not earlier: what is done with this run must not take processors from the next one.
                with suppress(OSError):
                    here.send("next")
            else:
                raise {"input": InputError, "divergence": DivergenceError}.get(kind, RuntimeError)(content)
    finally:
        here.close()
        # After its last run it ends by itself; in the middle it is asked to, and made to if it takes its time.
        if left:
            process.terminate()
        process.join(10)
        process.kill()
        process.join()


def run_here(job: Job) -> Generator[Run, None, None]:
    """The runs of a job, one a seed."""
    from genurl_graph import datasets

    data = datasets.load(job.dataset, job.root)
    _warm_up(job)
    for seed in job.seeds:
        reset_peak()
        z, seconds = embed(job, data, seed)
        yield Run(_portable(z), seconds, peak_mb())


def embed(job: Job, data: "Data", seed: int) -> tuple[Any, float]:
    """Embedding by the method of a job, and the seconds from the data to it."""
    from genurl_graph.baselines import get_baseline
    from genurl_graph.evaluation.protocols import propagated_features, raw_features

    start = time.perf_counter()
    if job.method in FIXED:
        z: Any = {"raw": raw_features, "propagated": propagated_features}[job.method](data)
    elif job.method == "genurl":
        z = options.make_estimator(**job.model, seed=seed).fit(data).embedding_
    elif job.method == "untrained":
        # One epoch, because fit wants one: the weights read are those from before it, and the clock starts there.
        estimator = options.make_estimator(**{**job.model, "epochs": 1}, seed=seed).fit(data)
        start = time.perf_counter()
        z = estimator.untrained_embedding()
    else:
        z = get_baseline(job.method, job.changes)(data, seed, job.model["device"])
    return z, time.perf_counter() - start


def reset_peak() -> None:
    """Let the peak memory of this process start again at what it holds now, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Largest resident memory of this process since `reset_peak`, Python and all libraries included."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return peak_memory_mb()
    # Not getrusage: on Linux a new process begins with the peak of the one that started it.
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) / 2**10 if found else peak_memory_mb()


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


def _portable(z: Any) -> Any:
    """No tensor: torch would hand it over in shared memory, which ends with the process."""
    import torch

    from genurl_graph.evaluation.protocols import raw_features

    if not isinstance(z, torch.Tensor):
        return z
    if z.layout == torch.strided:
        return z.detach().cpu().numpy()
    from torch_geometric.data import Data

    return raw_features(Data(x=z))


def _child(job: Work, there: Connection) -> None:
    try:
        # A request to end passes through every `finally`, as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for run in job.run():
            there.send(("run", tuple(run)))
            there.recv()  # the word to go on
    except InputError as error:
        there.send(("input", str(error)))
    except DivergenceError as error:
        there.send(("divergence", str(error)))
    except (KeyboardInterrupt, BrokenPipeError, EOFError):
        raise SystemExit(INTERRUPTED) from None  # in silence: the process that started this one ends, too
    except Exception:
        there.send(("failure", f"{job.method}: {traceback.format_exc()}"))
