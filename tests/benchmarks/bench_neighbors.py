"""Neighbour search: `knn`, faiss, scikit-learn and pynndescent, exact and approximate, in one table.

    python tests/benchmarks/bench_neighbors.py
    python tests/benchmarks/bench_neighbors.py --data fashion --rows 60000 --methods knn-exact,knn-approximate,hnsw-32
    python tests/benchmarks/bench_neighbors.py --data mixed,axes --rows 200000 --methods knn-approximate,ivf-tuned
    python tests/benchmarks/bench_neighbors.py --data similarities --rows 200000

Data: Fashion-MNIST's training images (`$GENURL_DATA` or ../shared/data) and their 50 principal components (axes;
further rows are these with noise), rows in 50 Gaussian groups that are apart (groups) or overlap (mixed; 50 features),
isotropic noise (100 features), and the sparse features of Coauthor CS. Each method runs in a process of its own, so
that peak memory is its own; `--rounds` runs the methods in turns and gives the least seconds of each. "ivf-tuned" is
faiss as the library used it before: lists are added until they hold 97 % of a sample's neighbours. "cpu" is processor
seconds, "start" those of imports, of compilation and of a first search of 2,000 rows. Recall is measured on 200 rows.
Methods that cannot take the data are left out. "similarities" are P of the neighbours of the groups.
"""

from __future__ import annotations

import gzip
import importlib.util
import resource
import time
from typing import Any

import numpy as np
from shared import apart, benchmark_parser, data_root, markdown_row, table_head, timed

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
    if name in ("groups", "mixed"):
        centres = rng.normal(0, 3 if name == "groups" else 0.6, (50, 50))
        return (centres[rng.integers(0, 50, n)] + rng.normal(size=(n, 50))).astype(np.float32)
    if name == "axes":
        from sklearn.decomposition import PCA

        axes = PCA(50, random_state=0).fit_transform(load("fashion", 60000)).astype(np.float32)
        more = axes[rng.integers(0, len(axes), max(0, n - len(axes)))]
        noise = rng.normal(0, 0.15 * axes.std(), more.shape).astype(np.float32)
        return np.concatenate([axes, more + noise])[:n]
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
        index.nprobe = 1 if number == "tuned" else int(number)
        index.train(x)
    index.add(x)
    if number == "tuned":
        return tuned(index, x)
    return index.search(x, K + 1)[1]


def tuned(index: Any, x: Any) -> Any:
    """Neighbours by so many lists that a sample has 97 % of its own; rows of one list are asked for together."""
    import faiss

    sample = np.sort(np.random.default_rng(2).choice(len(x), 256, replace=False))
    limit = faiss.knn(x[sample], x, K + 1)[0][:, -1:]
    index.nprobe, most = 1, max(1, min(index.nlist, (1 << 14) * index.nlist // len(x)))
    while index.nprobe < most and (index.search(x[sample], K + 1)[0] <= limit * (1 + 1e-5)).mean() < 0.97:
        index.nprobe = min(most, index.nprobe + max(1, index.nprobe // 3))
    order = np.argsort(index.quantizer.search(x, 1)[1][:, 0], kind="stable")
    found = np.empty((len(x), K + 1), np.int64)
    found[order] = index.search(x[order], K + 1)[1]
    return found


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


def measure(method: str, data: str, n: int, threads: int) -> list[float]:
    """Wall-clock and CPU seconds, those of the start, MiB and recall."""
    import torch

    torch.set_num_threads(threads)
    x = load(data, n)
    began = time.process_time()
    search(method, x[:2000], threads)
    start = time.process_time() - began
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, found = timed(lambda: search(method, x, threads))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    dense = x if isinstance(x, np.ndarray) else x.toarray()
    return [seconds.wall, seconds.cpu, start, memory, recall(dense, found)]


def measure_similarities(n: int, threads: int) -> str:
    """Seconds of P and of its merge, of the neighbours of `groups`."""
    import torch

    from genurl_graph.graph.affinity import calibrate, symmetrize
    from genurl_graph.graph.knn import knn_graph
    from genurl_graph.graph.merge import merge_graphs

    torch.set_num_threads(threads)
    edges, distance = knn_graph(load("groups", n), K)
    first, found = timed(lambda: calibrate(edges[0], distance, n, K))
    second, (both, p) = timed(lambda: symmetrize(edges, found.p_conditional, n))
    third, _ = timed(lambda: merge_graphs(None, None, both, p, num_nodes=n))
    return markdown_row(f"{n:,} x {K}", *(f"{step.wall:.2f}; {step.cpu:.2f}" for step in (first, second, third)))


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", default="fashion,groups,noise,coauthor", help="comma-separated")
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.data == "similarities":
        print(table_head("neighbours", "calibrate: s; cpu s", "symmetrize", "merge"), flush=True)
        for _ in range(options.rounds):
            print(apart(options.threads, measure_similarities, options.rows, options.threads), flush=True)
        return
    print(table_head("data", "rows", "method", "s", "cpu s", "start", "MiB", "recall"), flush=True)
    for data in options.data.split(","):
        best: dict[str, list[float]] = {}
        for method in options.methods.split(",") * options.rounds:
            sparse = data == "coauthor" and method not in ("knn-exact", "sklearn")
            if sparse or (method == "pynndescent" and importlib.util.find_spec(method) is None):
                continue
            found = apart(options.threads, measure, method, data, options.rows, options.threads)
            best[method] = min(best.get(method, found), found)
        for method, (wall, cpu, start, memory, share) in best.items():
            figures = f"{wall:.1f}", f"{cpu:.1f}", f"{start:.1f}", f"{memory:.0f}", f"{share:.3f}"
            print(markdown_row(data, f"{options.rows:,}", method, *figures), flush=True)


if __name__ == "__main__":
    main()
