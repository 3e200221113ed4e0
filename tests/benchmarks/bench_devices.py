"""Seconds of the graph stage and of training by one process and by two, on a planted graph.

    python tests/benchmarks/bench_devices.py --nodes 20000 --epochs 5

One process with one thread, one with two threads, and two with one thread each: what two processes gain has to be seen
beside what a second thread gains. "neighbours" are the seconds of their search, a part of the graph stage; "edges of P"
are those that each process draws neighbours from, "peak" is each one's largest resident memory (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COLUMNS = ("graph (s)", "neighbours (s)", "train (s)", "last loss", "edges of P", "peak (MB)")


def work(options: argparse.Namespace) -> None:
    """What each process does; its figures go to a file of its own."""
    from genurl_graph import GenURL
    from genurl_graph.cli.report import peak_memory_mb
    from genurl_graph.datasets.planted import planted_graph
    from genurl_graph.distributed import process_group, rank
    from genurl_graph.tasks import common

    seconds: list[float] = []
    knn = common.knn

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        found = knn(*args, **kwargs)
        seconds.append(time.perf_counter() - began)
        return found

    common.knn = timed
    data = planted_graph(options.nodes, 7 * options.nodes, noise=1.0)
    config = {"neighbors.backend": options.backend}
    with process_group("cpu"):
        model = GenURL(encoder="sign", random_state=0, epochs=options.epochs, config=config).fit(data)
        found = {
            **model.seconds_,
            "neighbors": sum(seconds),
            "loss": model.loss_history_[-1],
            "recall": model.knn_recall_,
        }
        found |= {"edges": model._objective.neighbors.col.numel(), "peak": peak_memory_mb()}
        Path(f"{options.worker}{rank()}").write_text(json.dumps(found), encoding="utf-8")


def measure(processes: int, threads: int, folder: Path) -> list[dict[str, Any]]:
    """Figures of each of some processes that train together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    shared |= {"OMP_NUM_THREADS": str(threads), "WORLD_SIZE": str(processes)}
    target = folder / f"{processes}-{threads}-"
    command = [sys.executable, *sys.argv, "--worker", str(target)]
    started = [subprocess.Popen(command, env=os.environ | shared | {"RANK": str(rank)}) for rank in range(processes)]
    codes = [process.wait() for process in started]
    if any(codes):
        raise SystemExit("a process has failed")
    return [json.loads(Path(f"{target}{rank}").read_text(encoding="utf-8")) for rank in range(processes)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--backend", default="auto", help="of the search for neighbours: exact, approximate or auto")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return
    print(f"| processes | threads each | {' | '.join(COLUMNS)} |\n|{' --- |' * (2 + len(COLUMNS))}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for processes, threads in ((1, 1), (1, 2), (2, 1)):
            found = measure(processes, threads, Path(scratch))
            first = found[0]
            cells = [f"{first[key]:.1f}" for key in ("graph", "neighbors", "train")] + [f"{first['loss']:.6f}"]
            cells += [", ".join(f"{one[key]:,.0f}" for one in found) for key in ("edges", "peak")]
            print(f"| {processes} | {threads} | {' | '.join(cells)} |", flush=True)
    if first["recall"] is not None:
        print(f"recall {first['recall']:.4f}")


if __name__ == "__main__":
    main()
