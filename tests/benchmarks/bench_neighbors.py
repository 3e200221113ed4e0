"""Exact k nearest neighbours against faiss.IndexFlatL2 and scikit-learn's brute force, in one run.

    python tests/benchmarks/bench_neighbors.py                        # 10,000 x 784, and sparse Coauthor CS
    python tests/benchmarks/bench_neighbors.py --sizes 10000,60000    # scikit-learn at 60,000: --sklearn-limit 60000

Fashion-MNIST's training images (`$GENURL_DATA` or ../shared/data), else normal random numbers. Each method runs in a
process of its own, so that peak memory is its own and no OpenMP runtime (torch and faiss each bring one) keeps threads
of the other waiting; a round runs all methods one after the other. "cpu" is processor seconds: on a machine shared
with other work it says more than the clock. "same" is the share of rows whose k-th distance agrees with the first
method's to 1e-4.

Results on 2 quiet cores: 10,000 x 784 (median of three rounds) 1.16 s, 0.86 of faiss (1.35 s), 0.36 of scikit-learn
(3.32 s); 60,000 x 784 (one round) 23.6 s, 0.53 of faiss (44.5 s), 384 MiB of the 512 allowed; Coauthor CS, cosine,
5.6 s, 0.49 of scikit-learn (11.5 s). k-th distances agree in all rows.

What was tried (2 cores, Xeon 2.5 GHz, AVX-512; 10,000 x 784, k = 15; single trials beside other work):

* ``torch.topk`` over whole 2048 x 2048 tiles: 20 ms beside 62 ms for the product, and a transposed copy for the other
  side of a symmetric tile. Group minima (``amin``): 9 ms a side. Kept where over half of the groups survive.
* Groups of 16 neighbouring columns are reduced 1.2 to 2.5 times slower than columns a stride apart.
* Groups of 32: 1.73 s of processor time in all; of 16: 1.45 s, as less is taken apart again. Tiles of 1024: 1.59 s.
* Every operator on all threads: 1.6 s on the idle machine, but 4 to 7 s (7 s of processor time) beside other work, as
  each of many barriers waits for a time slice. A tile a thread, operators single-threaded: 2 s of processor time there.
* Recomputing every candidate's distance: 0.36 s of 1.6 s; only those that rounding can have spoiled: about 0.1 s.
* ``torch.cdist`` for that recomputation: no faster than gather, subtract, norm. Float64 differences: slower.
* Padding the 786 columns to 800 (alignment): no gain that stood out of the noise.
* Sparse (Coauthor CS): see DENSE_COLUMN_FILL in genurl_graph/graph/knn/rows.py.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import os
import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

K = 15
THREADS = 2


def data_folder() -> Path:
    return Path(os.environ.get("GENURL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def load(name: str) -> Any:
    """A number of rows of Fashion-MNIST (or random numbers), or the sparse features of Coauthor CS."""
    if name == "coauthor-cs":
        import scipy.sparse

        with np.load(data_folder() / "Coauthor/CS/raw/ms_academic_cs.npz", allow_pickle=False) as raw:
            parts = (raw["attr_data"], raw["attr_indices"], raw["attr_indptr"])
            return scipy.sparse.csr_matrix(parts, shape=raw["attr_shape"]).astype(np.float32)
    path = data_folder() / "FashionMNIST/raw/train-images-idx3-ubyte.gz"
    if path.exists():
        with gzip.open(path) as file:
            x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784).astype(np.float32)
        return np.ascontiguousarray(x[: int(name)])
    return np.random.default_rng(0).standard_normal((int(name), 784), dtype=np.float32)


def ours(x: Any) -> np.ndarray:
    from genurl_graph.graph.knn import knn

    return knn(x, K, backend="exact").distances.numpy()


def faiss_flat(x: Any) -> np.ndarray:
    import faiss

    index = faiss.IndexFlatL2(x.shape[1])
    index.add(x)
    return np.sqrt(np.maximum(index.search(x, K + 1)[0][:, 1:], 0))


def sklearn_brute(x: Any) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(x).kneighbors(x)[0][:, 1:]


METHODS = {"ours": ours, "faiss": faiss_flat, "sklearn": sklearn_brute}


def measure(method: str, name: str) -> tuple[float, float, float, np.ndarray]:
    """Seconds, processor seconds, MiB above the loaded data and warm libraries, k-th distances."""
    import torch

    torch.set_num_threads(THREADS)
    if method == "faiss":
        import faiss

        faiss.omp_set_num_threads(THREADS)
    x = load(name)
    METHODS[method](x[:2000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, clock = time.process_time(), time.perf_counter()
    distance = METHODS[method](x)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    return clock, cpu, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, distance[:, -1]


def compare(name: str, methods: list[str], rounds: int) -> None:
    runs: dict[str, list[tuple[float, float, float, np.ndarray]]] = {method: [] for method in methods}
    for _ in range(rounds):
        for method in methods:
            # A fresh process each time, so that peak memory is this run's.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                runs[method].append(pool.submit(measure, method, name).result())
    base = methods[0]
    reference = runs[base][0][3]
    print(f"\n{name} rows, k = {K}, {THREADS} threads, median of {rounds}")
    print(f"{'method':10}{'seconds':>10}{'cpu s':>10}{base + '/it':>10}{'cpu':>8}{'+MiB':>10}{'same':>9}")
    for method, results in runs.items():
        seconds, cpu, memory = (statistics.median(run[at] for run in results) for at in range(3))
        # Ratios are taken within a round, since rounds differ by what else the machine does.
        pairs = list(zip(runs[base], results, strict=True))
        ratio = statistics.median(a[0] / b[0] for a, b in pairs)
        cpu_ratio = statistics.median(a[1] / b[1] for a, b in pairs)
        same = np.isclose(results[0][3], reference, rtol=1e-4).mean()
        print(f"{method:10}{seconds:10.2f}{cpu:10.2f}{ratio:10.2f}{cpu_ratio:8.2f}{memory:10.0f}{same:9.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="10000", help="rows, comma-separated")
    parser.add_argument("--sklearn-limit", type=int, default=20000, help="largest size scikit-learn is run on")
    parser.add_argument("--no-sparse", action="store_true", help="leave Coauthor CS out")
    arguments = parser.parse_args()
    for size in (int(text) for text in arguments.sizes.split(",")):
        methods = ["ours", "faiss"] + ["sklearn"] * (size <= arguments.sklearn_limit)
        compare(str(size), methods, 3 if size <= 20000 else 1)
    if not arguments.no_sparse and (data_folder() / "Coauthor").is_dir():
        compare("coauthor-cs", ["ours", "sklearn"], 1)


if __name__ == "__main__":
    main()
