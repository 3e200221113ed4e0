"""Which input serves an encoder best where nodes have no features (`encoder.structure`), by validation accuracy.

    python tests/benchmarks/bench_structure.py --datasets karate,cora --seeds 2

Features are taken away where there are some. Test accuracies are not printed: the default is chosen by these figures.
"""

from __future__ import annotations

import statistics
import time

from shared import benchmark_parser

from genurl_graph import GenURL, datasets
from genurl_graph.evaluation.protocols import probe_embedding

VARIANTS = {
    "identity": ("identity", 16),
    "degree": ("degree", 16),
    "random_walk, 16 steps": ("random_walk", 16),
    "laplacian, 16 vectors": ("laplacian", 16),
    "laplacian, 128 vectors": ("laplacian", 128),
}


def main() -> None:
    arguments = benchmark_parser(__doc__, "karate,cora", seeds=2).parse_args()
    for name in arguments.datasets.split(","):
        data = datasets.load(name, arguments.data_root)
        data.num_nodes, data.x = data.num_nodes, None
        for row, (kind, columns) in VARIANTS.items():
            if kind == "laplacian" and columns > data.num_nodes - 2:
                continue
            start, trained, untrained = time.perf_counter(), [], []
            for seed in range(arguments.seeds):
                model = GenURL(
                    random_state=seed, config={"encoder.structure": kind, "encoder.structure_dim": columns}
                ).fit(data)
                trained.append(probe_embedding(model.embedding_, data, seed=seed)["val"])
                untrained.append(probe_embedding(model.untrained_embedding(), data, seed=seed)["val"])
            seconds = (time.perf_counter() - start) / arguments.seeds
            means = [100 * statistics.fmean(values) for values in (trained, untrained)]
            print(f"| {name} | {row} | {means[0]:.1f} | untrained {means[1]:.1f} | {seconds:.1f} s |", flush=True)


if __name__ == "__main__":
    main()
