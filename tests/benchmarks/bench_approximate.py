"""Approximate neighbours: recall against processor seconds, of `knn` and of the indices that faiss has.

One thread, k = 15. Recall is measured on 512 rows; seconds are those of building and of searching all rows.

    python tests/benchmarks/bench_approximate.py --sizes 50000 --data planted
    python tests/benchmarks/bench_approximate.py --sizes 50000 --data fashion --methods knn,ivf-16,hnsw-32
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

K = 15
METHODS = (
    "knn,exact,ivf-16,ivf-64,ivfhnsw-64,sq8-64,hnsw-32,hnsw-64,hnsw-128,nndescent-32,nndescent-64,pq-64-32,pq-128-64"
)


def vectors(name: str, n: int) -> Any:
    """Planted features of 128 columns, or Fashion-MNIST's training images along 50 principal axes; float32 [n, d]."""
    if name == "planted":
        from genurl_graph.datasets.synthetic import planted_graph

        return planted_graph(n, 1000, 128, noise=2.0, seed=0).x
    from genurl_graph import datasets
    from genurl_graph.graph.projection import principal_axes

    x = datasets.load("Fashion-MNIST-train").x[:n]
    return principal_axes(x, 50, 0, centre=True).apply(x).float()


def search(method: str, x: Any) -> Any:
    """Neighbours, int64 [n, >= K], itself among them or not."""
    from genurl_graph.graph.knn import knn

    if method in ("knn", "exact"):
        return knn(x, K, backend="exact" if method == "exact" else "approximate").indices.numpy()
    import faiss

    rows = x.numpy()
    n, d = rows.shape
    cells = int(4 * n**0.5)
    kind, *numbers = method.split("-")
    first, *rest = map(int, numbers)
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(d, 16)
        index.hnsw.efConstruction, index.hnsw.efSearch = 40, first
    elif kind == "nndescent":
        index = faiss.IndexNNDescentFlat(d, first)
        index.nndescent.iter = 8
        index.add(rows)
        return faiss.vector_to_array(index.nndescent.final_graph).reshape(n, -1)
    elif kind == "pq":
        index = faiss.index_factory(d, f"IVF{cells},PQ{rest[0]}x4fs,RFlat")
        index.k_factor = 8
        faiss.downcast_index(index.base_index).nprobe = first
    elif kind == "sq8":
        index = faiss.index_factory(d, f"IVF{cells},SQ8")
        index.nprobe = first
    else:
        quantizer = faiss.IndexHNSWFlat(d, 16) if kind == "ivfhnsw" else faiss.IndexFlatL2(d)
        index = faiss.IndexIVFFlat(quantizer, d, cells)
        index.cp.niter, index.nprobe = 8, first
        index.quantizer_trains_alone = 2 if kind == "ivfhnsw" else 0
    if kind != "hnsw":
        index.train(rows)
    index.add(rows)
    return index.search(rows, K + 5)[1]


def recall(x: Any, found: Any, sample: Any, limit: Any) -> float:
    """Share of the first K found, without the row itself, that are as near as the true K-th."""
    right = 0
    for row, farthest in zip(sample.tolist(), limit.tolist(), strict=True):
        near = [j for j in found[row] if j >= 0 and j != row][:K]
        right += int(((x[near] - x[row]).norm(dim=1) <= farthest * (1 + 1e-5)).sum())
    return right / (K * len(sample))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="50000", help="rows, comma-separated")
    parser.add_argument("--data", choices=["planted", "fashion"], default="planted")
    parser.add_argument("--methods", default=METHODS)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    from genurl_graph.graph.knn import knn

    torch.set_num_threads(1)
    print("| rows | method | processor s | recall |\n| --- | --- | --- | --- |")
    for n in map(int, options.sizes.split(",")):
        x = vectors(options.data, n)
        sample = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))[:512]
        # The row itself is the nearest of K + 1.
        limit = knn(x, K + 1, query=x[sample], backend="exact").distances[:, -1]
        for method in options.methods.split(","):
            began = time.process_time()
            found = search(method, x)
            seconds = time.process_time() - began
            print(f"| {len(x):,} | {method} | {seconds:.1f} | {recall(x, found, sample, limit):.3f} |", flush=True)


if __name__ == "__main__":
    main()
