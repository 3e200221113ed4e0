"""Workers, a machine and the command itself are killed while a graph is embedded on a Ray cluster of this machine.

    python tests/benchmarks/bench_deaths.py --work FOLDER

A planted graph is embedded three times, each time with the same seed and configuration:

* undisturbed, which is what the others are compared with;
* with a worker killed (`kill -9`) in every stage, another one in the training, and then a machine removed;
* by the command line, which is killed in the search for neighbours and in the training, and goes on with --resume.

For each stage it prints how many partitions were begun and finished: what is begun beyond their number was lost with a
worker, and what is finished beyond it was computed in vain.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from bench_cluster import JUDGED, cluster, embed, first_rows, machines, prepare, probe
from shared import benchmark_parser, markdown_row, one_thread_a_process, table_head

POLL = 0.002  # seconds


def main() -> int:
    """Embed undisturbed, with workers and a machine lost, and with the command killed; compare."""
    parser = benchmark_parser(__doc__, seeds=1)
    parser.add_argument("--work", type=Path, required=True, help="folder for all files")
    parser.add_argument("--nodes", type=int, default=250_000)
    parser.add_argument("--edges-a-node", type=float, default=15.0, help="undirected edges over nodes [15]")
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--memory", type=float, default=1.5, help="cap of a worker, GB [1.5]")
    parser.add_argument("--rows", type=int, default=1 << 14, help="rows of a partition [16384]")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    options = parser.parse_args()
    from genurl_graph.runtime.partitions.ray_cluster import RayCluster

    options.resume = False
    one_thread_a_process()
    # A lost worker of a training is noticed by the others at once, a silent machine after seconds.
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "1")
    prepared = prepare(options, options.nodes)
    with cluster(options.workers, options) as launcher:
        found = embed(prepared, launcher, options, seed=0)
        whole = Kept(prepared, found["work"], options.work / "whole")
        print(f"undisturbed: {found['seconds']:.0f} s, accuracy {100 * whole.accuracy():.1f}", flush=True)
        by_command(prepared, launcher, options, whole)
    cap = int(options.memory * 1e9)
    with machines(options.workers, options) as nodes, RayCluster(nodes.address, options.workers, cap) as launcher:
        killed(prepared, nodes, launcher, options, whole)
    return 0


class Kept:
    """The result of a run, kept when the next one takes its folders."""

    def __init__(self, prepared: Any, work: Any, folder: Path) -> None:
        self.prepared, self.folder = prepared, folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if work is not None:
            for name in ("p_crow", "p_col", "p"):
                for part in range(work.count):
                    shutil.copy(work.file(name, part), folder / f"{name}-{part}")
        shutil.copytree(prepared.store.path.with_name("embedded"), folder / "embedded")

    def rows(self, most: int | None = None) -> Any:
        """The embedding, or its first rows."""
        from genurl_graph.inference.partitioned.output import Output

        written = Output.open(self.folder / "embedded")
        return written.rows(most or written.num_nodes)["embedding"]

    def accuracy(self) -> float:
        """Of a probe on the first rows, which are a random sample."""
        return probe(self.rows(JUDGED), first_rows(self.prepared.store, "y"))

    def same_similarities(self, other: Kept) -> bool:
        """Whether P of both is the same to the bit."""
        files = sorted(file.name for file in self.folder.iterdir() if file.is_file())
        return all((self.folder / name).read_bytes() == (other.folder / name).read_bytes() for name in files)

    def difference(self, other: Kept) -> str:
        """How far both embeddings are apart."""
        import numpy as np

        rows, others = self.rows(), other.rows()
        return f"{np.abs(rows - others).max():.2g} of values up to {np.abs(others).max():.2g}"


def killed(prepared: Any, nodes: Any, launcher: Any, options: argparse.Namespace, whole: Kept) -> None:
    """A worker of every stage dies, and a machine in the training."""
    notes = options.work / "notes"
    shutil.rmtree(notes, ignore_errors=True)
    notes.mkdir()
    checkpoint = prepared.store.path.with_name("embedded.work") / "training.ckpt"
    killer = Killer(launcher, notes, checkpoint, partial(remove_machine, nodes))
    found = embed(prepared, killer, options, seed=0)
    ended = Kept(prepared, found["work"], options.work / "killed")
    print(table_head("stage", "partitions", "workers killed", "begun", "finished"))
    for row in killer.table:
        print(markdown_row(*row))
    for line in killer.training:
        print(line)
    print("P the same to the bit:", ended.same_similarities(whole))
    print(f"{found['seconds']:.0f} s, accuracy {100 * ended.accuracy():.1f}", flush=True)


def by_command(prepared: Any, launcher: Any, options: argparse.Namespace, whole: Kept) -> None:
    """The command is killed twice, and goes on."""
    output = prepared.store.path.with_name("embedded")
    work = Path(f"{output}.work")
    for folder in (output, work):
        shutil.rmtree(folder, ignore_errors=True)
    words = ["embed", "--input", prepared.store.path, "--output", output, "--cluster", launcher.address]
    words += ["--workers", options.workers, "--memory-per-worker", f"{options.memory}GB", "--seed", 0, "--no-evaluate"]
    words += ["--device", "cpu"]
    for assignment in [f"training.epochs={options.epochs}", *options.set]:
        words += ["--set", assignment]
    command = [sys.executable, "-m", "cli", *map(str, words)]
    stages = work / "stages.jsonl"
    for where, reached in (
        ("the search", lambda: stages.is_file() and '"true neighbours"' in stages.read_text()),
        ("the training", (work / "training.ckpt").is_file),
    ):
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda reached=reached, driver=driver: reached() or driver.poll() is not None)
        driver.kill()
        print(f"the command was killed in {where}: ended by signal {-driver.wait()}", flush=True)
        command += [] if "--resume" in command else ["--resume"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    ended = Kept(prepared, None, options.work / "by-command")
    print(f"accuracy {100 * ended.accuracy():.1f}, largest difference {ended.difference(whole)}", flush=True)


class Killer:
    """A launcher that kills a worker of every stage; in a training a worker, then a machine.

    Workers note what they begin and finish. The victim is whoever begins the partition in the middle; where it has
    finished before the signal arrives, whoever begins next.
    """

    def __init__(self, launcher: Any, notes: Path, checkpoint: Path, lose: Callable[[], None]) -> None:
        self.launcher, self.notes, self.checkpoint, self.lose = launcher, notes, checkpoint, lose
        self.workers = launcher.workers
        self.table: list[tuple[Any, ...]] = []
        self.training: list[str] = []

    def map(self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, **how: Any) -> Any:
        """As in `Launcher`."""
        parts = list(parts)
        notes, over = self.notes / f"{len(self.table)}.txt", threading.Event()
        notes.touch()
        victims: list[int] = []
        watch = threading.Thread(target=kill_one, args=(notes, len(parts) // 2, over, victims))
        watch.start()
        try:
            found = self.launcher.map(doing, partial(noted, notes, function), parts, *shared, **how)
        finally:
            over.set()
            watch.join()
        lines = read(notes)
        begun, finished = (sum(line[0] == word for line in lines) for word in ("begin", "end"))
        self.table.append((doing, len(parts), len(victims), begun, finished))
        return found

    def together(self, doing: str, function: Callable[..., Any], *shared: Any, **how: Any) -> Any:
        """As in `Launcher`."""
        notes, over = self.notes / f"{doing}.txt", threading.Event()
        notes.touch()
        watch = threading.Thread(target=self._kill_in_training, args=(notes, over))
        watch.start()
        try:
            return self.launcher.together(doing, partial(noted_together, notes, function), *shared, **how)
        finally:
            over.set()
            watch.join()
            begun = [line[3] for line in read(notes) if line[1] == "0"]
            self.training.append(f"the training was begun by {', then '.join(begun)} workers")

    def _kill_in_training(self, notes: Path, over: threading.Event) -> None:
        start = time.monotonic()
        until(lambda: self.checkpoint.is_file() or over.is_set())
        victim = int(read(notes)[-1][2])
        os.kill(victim, signal.SIGKILL)
        self.training.append(f"a worker was killed after epoch 1, {time.monotonic() - start:.0f} s after the start")
        count, changed = len(read(notes)), self.checkpoint.stat().st_mtime_ns
        until(lambda: over.is_set() or (len(read(notes)) > count and self.checkpoint.stat().st_mtime_ns > changed))
        self.lose()
        self.training.append(f"a machine was removed after epoch 2, {time.monotonic() - start:.0f} s after the start")


def kill_one(notes: Path, place: int, over: threading.Event, victims: list[int]) -> None:
    """Kill whoever begins the partition at `place` of those begun, halfway through, or one that begins later."""
    while not over.is_set():
        lines = read(notes)
        begun = [line for line in lines if line[0] == "begin"]
        if len(begun) <= place:
            time.sleep(POLL)
            continue
        _, part, process, *_ = begun[place]
        took = [float(end[3]) - float(b[3]) for end in lines if end[0] == "end" for b in begun if b[1:3] == end[1:3]]
        time.sleep(mean(took) / 2 if took else 0.0)
        if any(line[:3] == ["end", part, process] for line in read(notes)):
            place += 1
            continue
        os.kill(int(process), signal.SIGKILL)
        victims.append(int(process))
        return


def remove_machine(nodes: Any) -> None:
    """Take a node with its worker away from the cluster."""
    nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)


def noted(notes: Path, function: Callable[..., Any], part: int, *shared: Any) -> Any:
    """`function` of a partition, its begin and end noted."""
    write(notes, "begin", part)
    found = function(part, *shared)
    write(notes, "end", part)
    return found


def noted_together(notes: Path, function: Callable[..., Any], *shared: Any) -> Any:
    """`function` of a worker of a training, its begin noted with the number of workers."""
    from genurl_graph.runtime.processes import rank, world_size

    with notes.open("a") as file:
        file.write(f"begin {rank()} {os.getpid()} {world_size()}\n")
    return function(*shared)


def write(notes: Path, word: str, part: int) -> None:
    """Add a line, which no other process can cut in two."""
    line = f"{word} {part} {os.getpid()} {time.monotonic()}\n"
    with notes.open("a") as file:
        file.write(line)


def read(notes: Path) -> list[list[str]]:
    """Lines that are complete."""
    return [line.split() for line in notes.read_text().splitlines(keepends=True) if line.endswith("\n")]


def until(true: Callable[[], bool]) -> None:
    """Wait for something, an hour at most."""
    end = time.monotonic() + 3600
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("nothing has happened for an hour")
        time.sleep(POLL)


if __name__ == "__main__":
    sys.exit(main())
