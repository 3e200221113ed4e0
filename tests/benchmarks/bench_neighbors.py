"""Neighbour search: `knn`, faiss, scikit-learn and pynndescent, exact and approximate, in one table.

    python tests/benchmarks/bench_neighbors.py
    python tests/benchmarks/bench_neighbors.py --data fashion --rows 60000 --methods knn-exact,knn-approximate,hnsw-32

Data: Fashion-MNIST's training images (`$GENURL_DATA` or ../shared/data), rows in 50 Gaussian groups (50 features),
isotropic noise (100 features), and the sparse features of Coauthor CS. Each method runs in a process of its own, so
that peak memory is its own. "cpu" is processor seconds, "start" those of imports, of compilation and of a first search
of 2,000 rows. Recall is measured on 200 rows. Methods that cannot take the data are left out.
"""

from __future__ import annotations

import gzip
import importlib.util
import resource
import time
from typing import Any

import numpy as np
from shared import apart, benchmark_parser, data_root, markdown_row, table_head

K = 15
METHODS = ["knn-exact", "faiss-flat", "sklearn", "knn-approximate", "ivf-8", "hnsw-32", "pynndescent"]


def load(name: str, n: int) -> Any:
    """Rows, float32 [n, d], or SciPy CSR for Coauthor CS."""
    folder, rng = data_root(), np.random.default_rng(0)
    if name == "fashion":
        with gzip.open(folder / "FashionMNIST/raw/train-images-idx3-ubyte.gz") as file:
            pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
        return pixels[:n].astype(np.float32)
    if name == "coauthor":
        import scipy.sparse as sp

        with np.load(folder / "Coauthor/CS/raw/ms_academic_cs.npz", allow_pickle=False) as raw:
            parts = (raw["attr_data"], raw["attr_indices"], raw["attr_indptr"])
            return sp.csr_matrix(parts, shape=raw["attr_shape"]).astype(np.float32)[:n]
    if name == "groups":
        return (rng.normal(0, 3, (50, 50))[rng.integers(0, 50, n)] + rng.normal(size=(n, 50))).astype(np.float32)
    return rng.normal(size=(n, 100)).astype(np.float32)


def search(method: str, x: Any, threads: int) -> Any:
    """Neighbours, int64 [n, >= K], the row itself among them or not."""
    kind, _, number = method.partition("-")
    if kind == "knn":
        from genurl_graph.graph.knn import knn

        return knn(x, K, backend=number).indices.numpy()
    if kind == "sklearn":
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(x).kneighbors(x)[1]
    if kind == "pynndescent":
        from pynndescent import NNDescent

        return NNDescent(x, n_neighbors=K + 1, n_jobs=threads, random_state=0).neighbor_graph[0]
    import faiss

    faiss.omp_set_num_threads(threads)
    if number == "flat":
        index = faiss.IndexFlatL2(x.shape[1])
    elif kind == "hnsw":
        index = faiss.IndexHNSWFlat(x.shape[1], 16)
        index.hnsw.efSearch = int(number)
    else:
        index = faiss.index_factory(x.shape[1], f"IVF{int(len(x) ** 0.5)},Flat")
        index.nprobe = int(number)
        index.train(x)
    index.add(x)
    return index.search(x, K + 1)[1]


def recall(x: Any, found: Any) -> float:
    """Share of the first K found, without the row itself, that are as near as the true K-th."""
    right = 0
    sample = np.random.default_rng(1).choice(len(found), 200, replace=False)
    for row in sample:
        distance = np.linalg.norm(x - x[row], axis=1)
        distance[row] = np.inf
        near = [j for j in found[row] if j >= 0 and j != row][:K]
        right += int((distance[near] <= np.partition(distance, K - 1)[K - 1] * (1 + 1e-5)).sum())
    return right / (K * len(sample))


def measure(method: str, data: str, n: int, threads: int) -> str:
    import torch

    torch.set_num_threads(threads)
    x = load(data, n)
    began = time.process_time()
    search(method, x[:2000], threads)
    start = time.process_time() - began
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, clock = time.process_time(), time.perf_counter()
    found = search(method, x, threads)
    cpu, clock = time.process_time() - began, time.perf_counter() - clock
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    dense = x if isinstance(x, np.ndarray) else x.toarray()
    figures = f"{clock:.1f}", f"{cpu:.1f}", f"{start:.1f}", f"{memory:.0f}", f"{recall(dense, found):.3f}"
    return markdown_row(data, f"{x.shape[0]:,} x {x.shape[1]:,}", method, *figures)


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", default="fashion,groups,noise,coauthor", help="comma-separated")
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(table_head("data", "shape", "method", "s", "cpu s", "start", "MiB", "recall"), flush=True)
    for data in options.data.split(","):
        for method in options.methods.split(","):
            sparse = data == "coauthor" and method not in ("knn-exact", "sklearn")
            if sparse or (method == "pynndescent" and importlib.util.find_spec(method) is None):
                continue
            row = apart(options.threads, measure, method, data, options.rows, options.threads)
            print(row, flush=True)


if __name__ == "__main__":
    main()
