"""Processes that need not import torch, which costs each some seconds: forked from a server that has imported it.

For tests to whose point it matters that there are several processes, not how they begin.
"""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import DupFd
from typing import IO, Any

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        *("genurl_graph.estimator", "genurl_graph.inference.fit", "genurl_graph.datasets.synthetic"),
        *("genurl_graph.runtime.processes", "torch._dynamo", "torch_geometric.datasets", "torch_geometric.nn"),
        *("sklearn.compose", "sklearn.decomposition", "sklearn.linear_model", "sklearn.neighbors"),
    ]
)


def run_together(script: str, arguments: Sequence[str], environments: Sequence[dict[str, str]]) -> None:
    """A script in as many processes as there are environments, at the same time.

    AssertionError as soon as one fails: the others, which would wait for it, are ended.
    """
    started = {}
    for environment in environments:
        here, there = CONTEXT.Pipe(duplex=False)
        words = (textwrap.dedent(script), list(arguments), environment, there)
        process = CONTEXT.Process(target=_execute, args=words, daemon=True)
        process.start()
        there.close()
        started[here] = process
    until, waiting = time.monotonic() + 200, set(started)
    try:
        while waiting:
            ready = wait(list(waiting), until - time.monotonic())
            assert ready, "no answer within 200 s"
            for here in ready:
                waiting.discard(here)
                error = _answer(here)
                assert not error, error
    finally:
        for here, process in started.items():
            if here in waiting:
                process.kill()
            process.join(10)


def _answer(here: Connection) -> str:
    try:
        return str(here.recv())
    except EOFError:
        return "it ended without an answer"


def _execute(script: str, arguments: list[str], environment: dict[str, str], there: Connection) -> None:
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    try:
        exec(compile(script, "script", "exec"), {"__name__": "__main__"})
        there.send("")
    except BaseException:
        there.send(traceback.format_exc())


class ForkedCommand:
    """``python -m genurl_graph.cli words`` started as by `subprocess.Popen`, whose methods it has."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> None:
        assert [*command[:3]] == [sys.executable, "-m", "genurl_graph.cli"]
        streams = [_Passed(own if given is None else given) for own, given in ((1, stdout), (2, stderr))]
        target = {"target": _run_words, "args": (list(command[3:]), dict(env), os.getcwd(), *streams)}
        self._process = CONTEXT.Process(**target, daemon=True)  # type: ignore[arg-type]
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("genurl-graph", timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


class _Passed:
    """A descriptor on its way to another process, which finds one of its own."""

    def __init__(self, stream: int | IO[bytes]) -> None:
        self.number = stream if isinstance(stream, int) else stream.fileno()

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (DupFd(self.number),)


def _arrived(sent: Any) -> int:
    return int(sent.detach())


def _run_words(words: list[str], environment: dict[str, str], folder: str, *streams: int) -> None:
    import torch

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream, number)
    # This process has read the variable already.
    torch.set_num_threads(int(environment.get("OMP_NUM_THREADS", torch.get_num_threads())))
    from genurl_graph.cli import main

    main(words, prog_name="genurl-graph")
