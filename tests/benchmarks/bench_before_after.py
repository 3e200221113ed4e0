"""Two versions of genurl-graph in one run: wall and CPU seconds and peak memory of the same work, and their ratios.

    python tests/benchmarks/bench_before_after.py /tmp/old/.venv/bin/python .venv/bin/python --rounds 3 --output ba.json

OLD_PYTHON and NEW_PYTHON are the interpreters of two environments, each with one version installed. Every job runs in
a process of its own, old and new by turns, so that both meet the same machine; seconds and peak memory are the
process's, without start and loading of data. Ratios are new / old, of the smallest of all rounds: other programs on
the machine only add to them. Jobs use the public API alone, which both versions have.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from shared import benchmark_parser, data_root, markdown_row, table_head

# Name of a row -> data set, its rows, and the work on it.
MAP = "GenURL(n_components=2, task='reduce', random_state=0{more}).fit(x)"
JOBS = {
    "digits, 2-d map": ("digits", None, MAP.format(more="")),
    "MNIST-10k, 2-d map": ("mnist", 10_000, MAP.format(more=", epochs={epochs}")),
    "Fashion-60k, 2-d map": ("fashion-mnist-train", None, MAP.format(more=", epochs={epochs}")),
    "Cora, fit": ("cora", None, "GenURL(random_state=0).fit(data)"),
    "Photo, fit": ("photo", None, "GenURL(random_state=0).fit(data)"),
    "knn 60,000 x 784": ("fashion-mnist-train", None, "knn(x, 15, backend='exact')"),
}
# What a process runs: it prints seconds, CPU seconds, and its peak memory and that before the work in MiB.
PROGRAM = """
import json, resource, time
import numpy as np
import torch
from genurl_graph import GenURL, datasets, knn

data = datasets.load({name!r}, {root!r})
# Fits of graphs read the data itself, whose features may be sparse.
x = None if data.x.layout != torch.strided else np.ascontiguousarray(data.x[:{rows}].numpy(), dtype=np.float32)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
began, cpu = time.perf_counter(), time.process_time()
{work}
print(json.dumps([time.perf_counter() - began, time.process_time() - cpu, peak(), before]))
"""
COLUMNS = ("wall (s)", "CPU (s)", "peak (MiB)")


def measure(python: str, job: str, epochs: int, root: Path) -> list[float]:
    """Wall and CPU seconds and peak memory of one job by one version."""
    name, rows, work = JOBS[job]
    code = PROGRAM.format(name=name, root=str(root), rows=rows, work=work.format(epochs=epochs))
    # Outside the repository, so that each interpreter imports the version that it has installed.
    command = [os.path.abspath(python), "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise SystemExit(f"{python}, {job}: {done.stderr}")
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found[:3]


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("old", metavar="OLD_PYTHON")
    parser.add_argument("new", metavar="NEW_PYTHON")
    parser.add_argument("--only", action="append", choices=list(JOBS), metavar="ROW", help="a row; repeat for others")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60, help="of the maps of MNIST and Fashion-MNIST")
    parser.add_argument("--data-root", type=Path, default=data_root())
    parser.add_argument("--output", type=Path, help="all figures as JSON")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    print(table_head("", *(f"{column}, {part}" for column in COLUMNS for part in ("old", "new", "new / old"))))
    for job in options.only or JOBS:
        runs: dict[str, list[list[float]]] = {"old": [], "new": []}
        for turn in range(options.rounds):
            for version in sorted(runs, reverse=turn % 2 == 0):
                runs[version].append(measure(getattr(options, version), job, options.epochs, options.data_root))
        found[job] = runs
        cells = []
        for at in range(len(COLUMNS)):
            old, new = (min(run[at] for run in runs[version]) for version in ("old", "new"))
            cells += [f"{old:,.1f}", f"{new:,.1f}", f"{new / old:.2f}"]
        print(markdown_row(job, *cells), flush=True)
    if options.output:
        options.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
