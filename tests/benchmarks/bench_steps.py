"""Milliseconds of a training step of a 2-d map, by two versions of genurl-graph in turns, and their ratio.

    python tests/benchmarks/bench_steps.py --sizes 1797,10000,60000 --threads 1,2
    python tests/benchmarks/bench_steps.py --against /tmp/old --sizes 10000,60000,200000

--against is the folder of another checkout. Points lie in 50 Gaussian groups in two dimensions, as in a map half
finished; each attracts 15 others near it. A step is that of the training loop: objective, gradients and Adam. Seconds
are the smallest of all rounds, wall-clock and of the processor, since other programs on the machine only add to them;
peak is the memory of the process after the training.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from shared import benchmark_parser, markdown_row, memory_mb, table_head, timed

HERE = Path(__file__).resolve().parents[2]
NEIGHBORS, GROUPS = 15, 50


def measure(n: int, steps: int) -> tuple[float, float, float]:
    """Wall-clock and processor milliseconds of a step with n points, and the peak memory in MB."""
    from dataclasses import replace

    import numpy as np
    import torch
    from torch_geometric.utils import coalesce, to_undirected

    from genurl_graph.config import load_preset
    from genurl_graph.nn.table import EmbeddingTable
    from genurl_graph.objectives.all_pairs import AllPairsObjective
    from genurl_graph.training.loop import train

    rng = np.random.default_rng(0)
    group = np.sort(rng.integers(0, GROUPS, n))
    center = rng.normal(0, 0.04 * n**0.5, (GROUPS, 2))
    first, last = np.searchsorted(group, group), np.searchsorted(group, group, "right") - 1
    near = np.arange(n)[:, None] + np.rint(rng.normal(0, 0.02 * n / GROUPS + 10, (n, NEIGHBORS))).astype(np.int64)
    near = near.clip(first[:, None], last[:, None])
    shuffled = rng.permutation(n)
    edges = np.stack([shuffled[np.arange(n).repeat(NEIGHBORS)], shuffled[near.ravel()]])
    edge_index = coalesce(to_undirected(torch.from_numpy(edges[:, edges[0] != edges[1]]), num_nodes=n))
    z = torch.empty(n, 2)
    z[shuffled] = torch.from_numpy(center[group] + rng.normal(0, 3, (n, 2))).float()
    preset = load_preset("reduce")
    objective = AllPairsObjective(
        EmbeddingTable(z),
        None,
        None,
        edge_index,
        torch.full((edge_index.size(1),), 0.1),
        n,
        preset.loss,
        replace(preset.sampling, negatives="all", n_negatives=1),
        preset.views,
    )
    training = replace(preset.training, epochs=3, lr=0.01)
    train(objective, training)
    seconds, _ = timed(lambda: train(objective, replace(training, epochs=steps)))
    return 1e3 * seconds.wall / steps, 1e3 * seconds.cpu / steps, memory_mb("VmHWM")


def ask(folder: Path, n: int, steps: int, threads: int) -> list[float]:
    """What `measure` finds, in a process of its own, of the version in a folder."""
    environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, "--one", str(n), "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout")
    parser.add_argument("--sizes", default="1797,10000,60000", metavar="N,...")
    parser.add_argument("--threads", default="1", metavar="N,...")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", type=int, help="one measurement, in this process")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.steps)))
        return
    folders = [HERE] if arguments.against is None else [arguments.against.resolve(), HERE]
    print(table_head("n", "threads", "version", "wall (ms)", "CPU (ms)", "peak (MB)"))
    for n in map(int, arguments.sizes.split(",")):
        for threads in map(int, arguments.threads.split(",")):
            rounds = [[ask(f, n, arguments.steps, threads) for f in folders] for _ in range(arguments.rounds)]
            best = [[min(figures) for figures in zip(*of_one, strict=True)] for of_one in zip(*rounds, strict=True)]
            for folder, figures in zip(folders, best, strict=True):
                print(markdown_row(n, threads, folder.name, *(f"{f:.2f}" for f in figures)), flush=True)
            if len(best) == 2:
                ratios = (new / old for old, new in zip(*best, strict=True))
                print(markdown_row(n, threads, "new / old", *(f"{ratio:.2f}" for ratio in ratios)), flush=True)


if __name__ == "__main__":
    main()
