"""A GNN's embedding distilled into an MLP that needs no edges: accuracy, and inference time against the teacher's.

    GENURL_DATA=... python tests/benchmarks/bench_graph_teacher.py --datasets cora --seeds 10 --output graphs.json
    GENURL_DATA=... python tests/benchmarks/bench_graph_teacher.py --datasets cs --seeds 3 --output graphs.json

Rows: the teacher (GenURL's graph preset), the student (its preset; bags of words stay sparse), an MLP of the same size
by the reduction task alone, which sees the same features and no edges either, and the raw features. Linear probe as in
bench_quality.py ("public" on Cora; "random-10-10-80" with three splits a seed on CS). The file keeps finished seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from torch_geometric.data import Data

from genurl_graph import GenURL, datasets
from genurl_graph.distilling import distill
from genurl_graph.evaluation.paired import paired_difference
from genurl_graph.evaluation.protocols import probe_embedding, raw_features
from genurl_graph.io import write_json

REPEATS = 3
ROWS = ("teacher", "student", "reduction alone", "raw")


def seconds_of(call, times: int = 3) -> float:
    found = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return float(np.median(found))


def run(data: Data, seed: int) -> dict[str, float]:
    features = Data(x=data.x)
    probe = lambda z: float(probe_embedding(z, data, seed=seed, n_repeats=REPEATS)["test"])  # noqa: E731
    teacher = GenURL(random_state=seed).fit(data)
    student = distill(teacher.embedding_, "mlp", features, n_components=128, random_state=seed, config=STUDENT)
    alone = GenURL(128, task="reduce", encoder="mlp", random_state=seed, config=ALONE).fit(features)
    return {
        "teacher": probe(teacher.embedding_),
        "student": probe(student.transform(features)),
        "reduction alone": probe(alone.transform(features)),
        "raw": probe(raw_features(data)),
        "teacher seconds": seconds_of(lambda: teacher.transform(data)),
        "student seconds": seconds_of(lambda: student.transform(features)),
    }


# As wide as the teacher's layers.
STUDENT = {"encoder.hidden": 512}
ALONE = {"encoder.hidden": 512, "encoder.layers": 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", default="cora")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    stored = json.loads(args.output.read_text()) if args.output and args.output.is_file() else {}
    for name in args.datasets.split(","):
        data, done = datasets.load(name), stored.setdefault(name, {})
        for seed in range(args.seeds):
            if str(seed) not in done:
                done[str(seed)] = run(data, seed)
                print(name, seed, {key: round(value, 4) for key, value in done[str(seed)].items()}, flush=True)
            if args.output:
                write_json(args.output, stored)
        rows = [done[str(seed)] for seed in range(args.seeds)]
        print(f"\n{name}: probe in per cent, mean ± std of {args.seeds} seeds")
        for key in ROWS:
            values = 100 * np.array([row[key] for row in rows])
            print(f"  {key:16s}{values.mean():6.1f} ± {values.std(ddof=1) if len(values) > 1 else 0:.1f}")
        gap = paired_difference(*([100 * row[key] for row in rows] for key in ("student", "reduction alone")))
        bounds = "" if gap["low"] is None else f" [{gap['low']:+.1f}, {gap['high']:+.1f}]"
        print(f"  student minus reduction alone {gap['mean']:+.1f}{bounds}")
        slow, fast = (np.median([row[f"{who} seconds"] for row in rows]) for who in ("teacher", "student"))
        print(f"  inference of all nodes: teacher {slow:.3f} s, student {fast:.3f} s")


if __name__ == "__main__":
    main()
