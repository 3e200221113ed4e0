"""A GNN's embedding distilled into an MLP that needs no edges: accuracy, and inference time beside the teacher's.

    GENURL_DATA=... python tests/benchmarks/bench_graph_teacher.py --datasets cora --seeds 10 --output graphs.json
    GENURL_DATA=... python tests/benchmarks/bench_graph_teacher.py --datasets cs --seeds 3 --output graphs.json

Rows: the teacher (GenURL's graph preset), the student (its preset; bags of words stay sparse), an MLP of the same size
by the reduction task alone, which sees the same features and no edges either, and the raw features. Linear probe as in
bench_nodes.py ("public" on Cora; "random-10-10-80" with three splits a seed on CS). "unseen": a fifth of the nodes is
hidden from the MLPs, which are trained again, and only test nodes among these count: what new nodes can expect. (The
teacher has seen all nodes, and no labels, in all rows.) The file keeps finished seeds.
"""

from __future__ import annotations

import numpy as np
import torch
from shared import benchmark_parser, difference, percent, read_runs, timed
from torch_geometric.data import Data

from genurl_graph import GenURL, datasets
from genurl_graph.estimator import distill
from genurl_graph.evaluation.probe import linear_probe
from genurl_graph.evaluation.protocols import raw_features
from genurl_graph.evaluation.splits import default_protocol, splits
from genurl_graph.inputs.sparse import csr_rows, to_scipy_or_numpy
from genurl_graph.runtime.files import write_json

REPEATS = 3
ROWS = ("teacher", "student", "reduction alone", "raw")
HIDDEN = 5  # one node in so many


def seconds_of(call, times: int = 3) -> float:
    return float(np.median([timed(call)[0].wall for _ in range(times)]))


def probe(z, data: Data, seed: int, only: np.ndarray) -> float:
    """Test accuracy, of the nodes in the mask `only`, mean over the splits."""
    protocol, z = default_protocol(data), to_scipy_or_numpy(z)
    parts = splits(protocol, data, seed=seed, n_repeats=REPEATS)
    parts = [part._replace(test=part.test[only[part.test]]) for part in parts]
    return float(np.mean([linear_probe(z, data.y, part, protocol)["test"] for part in parts]))


def run(data: Data, seed: int) -> dict[str, float]:
    features, everyone = Data(x=data.x), np.ones(data.num_nodes, dtype=bool)
    hidden = np.random.default_rng(seed).permutation(data.num_nodes) % HIDDEN == 0
    seen = torch.from_numpy(np.flatnonzero(~hidden))
    teacher = GenURL(random_state=seed).fit(data)
    z = {"teacher": teacher.embedding_, "raw": raw_features(data)}
    found = {}
    for kind, rows, only in (("", torch.arange(data.num_nodes), everyone), (", unseen", seen, hidden)):
        x = csr_rows(data.x, rows) if data.x.layout == torch.sparse_csr else data.x[rows]
        student = distill(teacher.embedding_[rows], "mlp", x, n_components=128, random_state=seed, config=STUDENT)
        alone = GenURL(128, task="reduce", encoder="mlp", random_state=seed, config=ALONE).fit(x)
        z |= {"student": student.transform(data.x), "reduction alone": alone.transform(data.x)}
        found |= {row + kind: probe(z[row], data, seed, only) for row in ROWS}
    found["teacher seconds"] = seconds_of(lambda: teacher.transform(data))
    found["student seconds"] = seconds_of(lambda: student.transform(features))
    return found


# As wide as the teacher's layers.
STUDENT = {"encoder.hidden": 512}
ALONE = {"encoder.hidden": 512, "encoder.layers": 2}


def main() -> None:
    args = benchmark_parser(__doc__, "cora", seeds=1, output=True).parse_args()
    stored = read_runs(args.output)
    for name in args.datasets.split(","):
        data, done = datasets.load(name, args.data_root), stored.setdefault(name, {})
        for seed in range(args.seeds):
            if str(seed) not in done:
                done[str(seed)] = run(data, seed)
                print(name, seed, {key: round(value, 4) for key, value in done[str(seed)].items()}, flush=True)
            if args.output:
                write_json(args.output, stored)
        rows = [done[str(seed)] for seed in range(args.seeds)]
        print(f"\n{name}: probe in per cent, mean ± std of {args.seeds} seeds")
        for kind in ("", ", unseen"):
            for key in ROWS:
                print(f"  {key + kind:24s}{percent(row[key + kind] for row in rows)}")
            pair = ([100 * row[key + kind] for row in rows] for key in ("student", "reduction alone"))
            print(f"  student minus reduction alone{kind} {difference(*pair)}")
        slow, fast = (np.median([row[f"{who} seconds"] for row in rows]) for who in ("teacher", "student"))
        print(f"  inference of all nodes: teacher {slow:.3f} s, student {fast:.3f} s")


if __name__ == "__main__":
    main()
