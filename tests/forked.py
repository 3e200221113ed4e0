"""Processes that need not import torch, which costs each some seconds: forked from a server that has imported it.

For tests to whose point it matters that there are several processes, not how they begin.
"""

import multiprocessing
import os
import sys
import textwrap
import time
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait

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
