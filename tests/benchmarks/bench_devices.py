"""Seconds of training by one process and by two, on a planted graph, through ``genurl-graph embed --devices``.

    python tests/benchmarks/bench_devices.py --nodes 20000 --epochs 5

One process with one thread, one with two threads, and two with one thread each: what two processes gain has to be seen
beside what a second thread gains. Only the training is compared: every process repeats the graph stage.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def write_graph(path: Path, nodes: int) -> None:
    """The planted graph as a file of the user's."""
    import numpy as np

    from genurl_graph.datasets.planted import planted_graph

    data = planted_graph(nodes, 7 * nodes, noise=1.0)
    np.savez(path, edge_index=data.edge_index.numpy(), x=data.x.numpy())


def measure(graph: Path, devices: int, threads: int, epochs: int, folder: Path) -> tuple[float, float]:
    """Seconds of training, and the last loss."""
    metrics = folder / f"{devices}-{threads}.json"
    command = [sys.executable, "-m", "genurl_graph.cli", "embed", "--input", str(graph), "--encoder", "sign"]
    command += ["--seed", "0", "--epochs", str(epochs), "--devices", str(devices), "--quiet"]
    command += ["--output", str(folder / "z.npy"), "--metrics", str(metrics)]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    found = json.loads(metrics.read_text(encoding="utf-8"))
    return float(found["seconds"]["train"]), float(found["loss"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_graph(folder / "graph.npz", options.nodes)
        print("| processes | threads each | train (s) | last loss |\n| --- | --- | --- | --- |", flush=True)
        for devices, threads in ((1, 1), (1, 2), (2, 1)):
            seconds, loss = measure(folder / "graph.npz", devices, threads, options.epochs, folder)
            print(f"| {devices} | {threads} | {seconds:.1f} | {loss:.6f} |", flush=True)


if __name__ == "__main__":
    main()
