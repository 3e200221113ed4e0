"""``--devices N``: the same command in N processes that train one encoder."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from genurl_graph.cli import BAD_INPUT, FAILED, Stop

# Seconds that processes get to save what they have when one of them has died.
PATIENCE = 10.0

devices = click.option(
    "--devices",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that train together, a GPU each (or threads of the CPU); needs mini-batches.",
)


def relaunch(number: int, checkpoint: Path) -> None:
    """Run this command in `number` processes, then end this one with their exit code; return at once in one of them.

    The first process prints, and writes all files; the others only say why they failed.
    """
    if number == 1 or count() > 1:
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    threads = max(1, (os.cpu_count() or 1) // number)
    shared = {"WORLD_SIZE": str(number), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}
    workers: list[subprocess.Popen[bytes]] = []
    # Mostly what the first process says, too.
    with tempfile.TemporaryFile() as said, _forwarded(workers):
        for rank in range(number):
            environment = os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            command = [sys.executable, "-m", "genurl_graph.cli", *sys.argv[1:]]
            aside = None if rank == 0 else said
            workers.append(subprocess.Popen(command, env=environment, stdout=aside, stderr=aside))
        failed = first_failed(workers)
        if failed is None:
            sys.exit(0)
        code = workers[failed].returncode
        if code > 0:
            if failed:
                said.seek(0)
                click.echo(said.read().decode(errors="replace").rstrip(), err=True)
            sys.exit(code)
    from genurl_graph.training.checkpoint import Checkpoint

    left = Checkpoint(checkpoint, {}).exists()
    advice = f"; the same command with --resume continues from {checkpoint}" if left else ""
    raise Stop(f"process {failed} of {number} was ended by {signal.Signals(-code).name}{advice}", FAILED)


def count() -> int:
    """Processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the only one, or the one that prints and writes."""
    return os.environ.get("RANK", "0") == "0"


def first_failed(workers: list[subprocess.Popen[bytes]]) -> int | None:
    """Wait for the processes; the one that failed first, the others having been stopped, or None when all are done."""
    codes: list[int | None] = [None]
    while None in codes and not any(codes):
        time.sleep(0.05)
        codes = [worker.poll() for worker in workers]
    failed = [rank for rank, code in enumerate(codes) if code]
    if not failed:
        return None
    # Of several, one that was killed: the others failed because it is gone.
    first = min(failed, key=lambda rank: workers[rank].returncode >= 0)
    if workers[first].returncode == BAD_INPUT and _code_of(workers[0]) == BAD_INPUT:
        # All read the same input, so the first process has said this already.
        first = 0
    for worker in workers:
        worker.terminate()
    for worker in workers:
        if _code_of(worker) is None:
            worker.kill()
            worker.wait()
    return first


def _code_of(worker: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a process that is about to end; None when it goes on."""
    with suppress(subprocess.TimeoutExpired):
        worker.wait(PATIENCE)
    return worker.returncode


@contextmanager
def _forwarded(workers: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Context in which SIGTERM reaches the workers too; Ctrl-C reaches them from the terminal."""

    def end(number: int, frame: object) -> None:
        # Ctrl-C is not ignored by SIG_IGN, which the workers would inherit.
        for worker in workers if number == signal.SIGTERM else ():
            worker.terminate()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
