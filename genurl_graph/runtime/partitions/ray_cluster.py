"""Workers that are Ray's: on this machine, on a few, or on a Kubernetes cluster."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from genurl_graph.exceptions import LostProcessError, wrong
from genurl_graph.runtime.partitions.attempts import OURS, attempt, once_more, until_done
from genurl_graph.runtime.partitions.launcher import Worked
from genurl_graph.runtime.processes import connected, rank, world_size

# Ray's own settings: nothing is reported to anybody, and workers of a training stay in their folder.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_CHDIR_TO_TRIAL_DIR": "0"}

# Room for objects in a cluster of this machine alone, in bytes.
_OBJECTS = 256 << 20

_EXPECTED = "the address of a Ray cluster, such as `ray start --head` prints"


class RayCluster:
    """Partitions as tasks of Ray, and trainings by its `TorchTrainer`; a context in which this process is connected.

    A task whose worker or whose machine dies is run again elsewhere, whatever else has succeeded being kept. A training
    that loses a worker begins again from its checkpoint, with as many workers as the machines that are left can take.

    Parameters
    ----------
    address : str
        Of a cluster, such as ``"10.0.0.1:6379"``; ``"auto"`` is the one that ``RAY_ADDRESS`` names or that runs on this
        machine, or a new one of this machine alone, as ``"local"`` always is.
    workers : int
        How many work at the same time; each takes a core.
    memory_per_worker : int, optional
        What a worker may hold in resident memory, in bytes. It is reserved in Ray, and enforced in the worker.
    gpu : bool
        Whether each worker of a training has a GPU.

    Raises
    ------
    InputError
        If Ray is not installed, no cluster is found there, or it has not that many cores or that much memory.

    Examples
    --------
    >>> with RayCluster("auto", workers=4, memory_per_worker=2 * 10**9) as launcher:
    ...     run_stage(launcher, store, "degrees", degrees, ["degree"])

    Notes
    -----
    `together` holds a thread of each worker, in which Python delivers no signals: it ends with its training.
    """

    def __init__(
        self, address: str = "auto", workers: int = 4, memory_per_worker: int | None = None, gpu: bool = False
    ) -> None:
        self.address, self.workers, self.cap, self.gpu = address, workers, memory_per_worker, gpu
        self._ours = False

    def __enter__(self) -> RayCluster:
        os.environ.update({name: value for name, value in _SETTINGS.items() if name not in os.environ})
        ray = _ray()
        if not ray.is_initialized():
            self._connect(ray)
        room = self._room()
        if room < self.workers:
            self.__exit__()
            memory = "" if self.cap is None else f" with {self.cap / 1e9:.2f} GB each"
            gpus = " and a GPU each" if self.gpu else ""
            raise wrong("--workers", self.workers, f"at most {room}, for which the cluster has cores{memory}{gpus}")
        return self

    def __exit__(self, *error: object) -> None:
        if self._ours:
            _ray().shutdown()
            self._ours = False

    def describe(self) -> str:
        """Which cluster this is, and what it has, in one line."""
        ray = _ray()
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        cores = int(sum(machine.get("CPU", 0) for machine in machines))
        place = (
            f"{len(machines):,} machine{'s' if len(machines) != 1 else ''}, {cores:,} core{'s' if cores != 1 else ''}"
        )
        return f"workers   {self.workers} of the Ray cluster at {ray.get_runtime_context().gcs_address} ({place})"

    def map(
        self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, progress: bool = False
    ) -> list[Worked]:
        """As in `Launcher`: a task for each partition, as many at the same time as there are workers."""
        from genurl_graph.runtime.progress import new_bar

        ray, parts = _ray(), list(parts)
        # Every machine takes its share. Deaths are counted here: Ray would go on for ever where memory is short.
        task = ray.remote(attempt).options(
            num_cpus=1, memory=self.cap, max_retries=0, scheduling_strategy="SPREAD", name=doing
        )
        waiting, deaths = parts[::-1], Counter[int]()
        running: dict[Any, int] = {}
        done: dict[int, Worked] = {}
        try:
            with new_bar(progress, total=len(parts), desc=doing, unit="partition") as bar:
                while waiting or running:
                    while waiting and len(running) < self.workers:
                        part = waiting.pop()
                        running[task.remote(doing, self.cap, part, function, (part, *shared))] = part
                    for ready in ray.wait(list(running), num_returns=1)[0]:
                        part = running.pop(ready)
                        try:
                            done[part] = _result(ray, ready)
                            bar.update()
                        except LostProcessError as error:
                            deaths[part] += 1
                            once_more(f"{doing}, partition {part}", self.cap, deaths[part], error)
                            waiting.append(part)
        finally:
            for each in running:
                ray.cancel(each, force=True)
        return [done[part] for part in parts]

    def together(self, doing: str, function: Callable[..., Any], *shared: Any, progress: bool = False) -> list[Worked]:
        """As in `Launcher`: workers of Ray's `TorchTrainer`."""
        return until_done(doing, self.cap, lambda: self._train(doing, function, shared))

    def _train(self, doing: str, function: Callable[..., Any], shared: tuple[Any, ...]) -> list[Worked]:
        from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig, TrainingFailedError
        from ray.train.torch import TorchConfig, TorchTrainer

        # A machine that is gone takes its workers with it; one is enough to go on.
        number = max(1, min(self.workers, self._room()))
        with tempfile.TemporaryDirectory() as notes, _signals_kept():
            trainer = TorchTrainer(
                _member,
                train_loop_config={"work": (doing, self.cap, function, shared)},
                scaling_config=ScalingConfig(num_workers=number, use_gpu=self.gpu, resources_per_worker=self._needed()),
                torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if self.gpu else "gloo"),
                run_config=RunConfig(
                    storage_path=notes,
                    # Before Ray Train imports it: see `limits`.
                    worker_runtime_env={"env_vars": {"ARROW_DEFAULT_MEMORY_POOL": "system"}},
                    failure_config=FailureConfig(max_failures=0, controller_failure_limit=0),
                    logging_config=LoggingConfig(log_level="ERROR"),
                ),
            )
            try:
                found = trainer.fit().return_value
            except TrainingFailedError as error:
                raise _why(error) from error
            except _ray().exceptions.RayError as error:
                # The actor that leads the workers is gone.
                raise LostProcessError(_cause_of_death(error)) from error
        if found is None:
            # Ray answers Ctrl-C by an end without a result.
            raise KeyboardInterrupt
        return list(found)

    def _connect(self, ray: Any) -> None:
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        # What workers send is small: all the rest is on the storage that they share.
        here = {"num_cpus": max(self.workers, os.cpu_count() or 1), "object_store_memory": _OBJECTS}
        _check_answer(os.environ.get("RAY_ADDRESS", "auto") if self.address == "auto" else self.address)
        try:
            ray.init(self.address, **quiet, **(here if self.address == "local" else {}))
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            if self.address != "auto":
                reason = str(error).strip().partition("\n")[0]
                raise wrong("--cluster", f"{self.address} ({reason})", _EXPECTED) from error
            ray.init("local", **quiet, **here)
        self._ours = True

    def _needed(self) -> dict[str, float]:
        needed = {"CPU": 1.0, "GPU": float(self.gpu), "memory": float(self.cap or 0)}
        return {name: amount for name, amount in needed.items() if amount}

    def _room(self) -> int:
        """How many workers the machines of the cluster can take."""
        needed = self._needed()
        alive = [node["Resources"] for node in _ray().nodes() if node["Alive"]]
        return sum(min(int(node.get(name, 0) // amount) for name, amount in needed.items()) for node in alive)


def _check_answer(address: str) -> None:
    """InputError where nobody listens at an address HOST:PORT, which Ray would take minutes to find out."""
    host, _, port = address.rpartition(":")
    if not host or "/" in address or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), 10).close()
    except OSError as error:
        raise wrong("--cluster", f"{address} ({error.strerror or error})", _EXPECTED) from error


def _member(config: dict[str, Any]) -> list[Worked] | None:
    """What a worker of a training does; the first one's answer is that of all."""
    import torch.distributed as dist

    doing, cap, function, shared = config["work"]
    with connected(doing):
        own = attempt(doing, cap, rank(), function, shared)
        if world_size() == 1:
            return [own]
        all_of_them: list[Any] = [None] * world_size()
        dist.all_gather_object(all_of_them, own)
    return all_of_them if rank() == 0 else None


def _result(ray: Any, reference: Any) -> Worked:
    """A task's result; its error as the worker has raised it, or a LostProcessError where the worker is gone."""
    try:
        found: Worked = ray.get(reference)
        return found
    except ray.exceptions.RayTaskError as error:
        if "No module named 'genurl_graph'" in str(error):
            expected = "the same version on all: pip install 'genurl-graph[cluster]'"
            raise wrong("cluster", "a machine without genurl-graph", expected) from error
        cause = getattr(error, "cause", None)
        raise (cause if isinstance(cause, OURS) else error) from None
    except ray.exceptions.TaskCancelledError:
        raise
    except ray.exceptions.RayError as error:
        raise LostProcessError(_cause_of_death(error)) from error


def _why(error: Exception) -> Exception:
    """The error that has ended a training: one that a worker has said, or a LostProcessError where one is gone."""
    failures: list[Exception] = list(getattr(error, "worker_failures", {}).values())
    said = [each for each in failures if isinstance(each, OURS)]
    if said:
        return said[0]
    # Ray's own are about workers that do not answer.
    gone = [each for each in failures if isinstance(each, LostProcessError) or type(each).__module__.startswith("ray.")]
    if gone or not failures:
        return LostProcessError(_cause_of_death((gone or [error])[0]))
    return failures[0]


def _cause_of_death(error: Exception) -> str:
    """In words; Ray's own go on for lines."""
    exceptions = _ray().exceptions
    if isinstance(error, exceptions.OutOfMemoryError):
        return "its machine ran out of memory"
    if isinstance(error, exceptions.NodeDiedError):
        return "its machine is gone"
    if isinstance(error, exceptions.WorkerCrashedError | exceptions.ActorDiedError):
        return "it was killed or has crashed, or its machine is gone"
    return str(error).strip().partition("\n")[0]


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Context after which Ctrl-C means what it did: Ray Train puts in a handler of its own, and leaves it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        expected = "pip install 'genurl-graph[cluster]'"
        raise wrong("--cluster", "no package ray", expected) from error
    return ray
