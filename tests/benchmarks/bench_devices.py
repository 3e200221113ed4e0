"""Processor seconds of the graph stage and of training by one process and by two, on a planted graph.

    python tests/benchmarks/bench_devices.py --nodes 20000 --epochs 5

One process with one thread, one with two threads, and two with one thread each: what two processes gain has to be seen
beside what a second thread gains. Seconds are the processor's, of each process, which other programs on the machine
change less than the time of day: a process that waits for another spends none. In brackets, the seconds that passed.
"neighbours" is their search, a part of the graph stage; "peak" is the largest resident memory of a process.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from shared import Step, benchmark_parser, markdown_row, table_head, watch

COLUMNS = ("graph (s)", "of it neighbours (s)", "train (s)", "last loss", "peak (MB)")
RUNS = {"1x1": (1, 1), "1x2": (1, 2), "2x1": (2, 1)}


def work(options: argparse.Namespace) -> None:
    """What each process does; its figures go to a file of its own."""
    from genurl_graph import GenURL
    from genurl_graph.datasets.synthetic import planted_graph
    from genurl_graph.experiments.environment import peak_mb
    from genurl_graph.inference import fit
    from genurl_graph.runtime.processes import process_group, rank
    from genurl_graph.tasks import prepare

    steps: dict[str, Step] = {}
    for module, name in ((prepare, "search_neighbors"), (fit, "train"), (GenURL, "fit")):
        watch(module, name, steps)
    data = planted_graph(options.nodes, 7 * options.nodes, options.features, noise=options.noise)
    config = {"neighbors.backend": options.backend}
    with process_group("cpu"):
        model = GenURL(encoder="sign", random_state=0, epochs=options.epochs, config=config)
        model.fit(data)
        found = {"loss": model.loss_history_[-1], "recall": model.knn_recall_}
        found |= {"neighbors": steps["search_neighbors"][:2], "train": steps["train"][:2]}
        # Until the training begins; embedding everything in the end is in neither.
        found["graph"] = steps["train"].began - steps["fit"].began, model.seconds_["graph"]
        found |= {"peak": peak_mb()}
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
    parser = benchmark_parser(__doc__)
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=128)
    parser.add_argument("--noise", type=float, default=1.0, help="of the features; see planted_graph")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--backend", default="auto", help="of the search for neighbours: exact, approximate or auto")
    parser.add_argument("--runs", default=",".join(RUNS), help="which: processes x threads each")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return
    print(table_head("processes", "threads each", *COLUMNS), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.runs.split(","):
            processes, threads = RUNS[name]
            found = measure(processes, threads, Path(scratch))
            cells = []
            for key in ("graph", "neighbors", "train"):
                spent = ", ".join(f"{one[key][0]:.1f}" for one in found)
                cells.append(f"{spent} [{max(one[key][1] for one in found):.1f}]")
            cells.append(f"{found[0]['loss']:.6f}")
            cells.append(", ".join(f"{one['peak']:,.0f}" for one in found))
            print(markdown_row(processes, threads, *cells), flush=True)
            if found[0]["recall"] is not None:
                print(f"  recall {', '.join(str(one['recall']) for one in found)}", flush=True)


if __name__ == "__main__":
    main()
