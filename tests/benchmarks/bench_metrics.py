"""Exact neighbours by each metric, beside scikit-learn's brute force: processor seconds of one core.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_metrics.py [--n 10000] [--metrics manhattan,jaccard]

scikit-learn answers a tenth of the queries; its time counts tenfold. Figures of MNIST's test images (one core, a busy
machine, scikit-learn in parentheses): manhattan 6.8 s (63.6), chebyshev 24.4 (114.3), correlation 1.6 (85.9), hamming
of 2 values 1.3 (62.9), of 4 values 3.8 (69.5), jaccard 1.5 (168.5).
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from genurl_graph.datasets.loaders import load
from genurl_graph.graph.knn import knn

K, SHARE = 15, 10


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--metrics", default="manhattan,chebyshev,correlation,hamming,jaccard")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    pixels = load("mnist").x.numpy()[: asked.n]
    pixels = np.rint(pixels * (255 / pixels.max())).astype(np.float32)
    forms = {"hamming": [pixels > 127, (pixels // 64).astype(np.uint8)], "jaccard": [pixels > 127]}
    with threadpool_limits(1):
        for metric in asked.metrics.split(","):
            for x in forms.get(metric, [pixels]):
                ours = seconds(lambda x=x, metric=metric: knn(x, K, metric=metric, backend="exact"))
                model = NearestNeighbors(n_neighbors=K, algorithm="brute", metric=metric).fit(x)
                theirs = SHARE * seconds(lambda x=x, model=model: model.kneighbors(x[: len(x) // SHARE]))
                print(f"{metric:12} {x.dtype!s:8} {ours:6.1f} s  scikit-learn {theirs:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
