"""How far a map moves as its data grow, and how good it stays: `GenURL.fit(X, init=previous)` beside fresh maps.

    python tests/benchmarks/bench_growing.py                                  # digits, MNIST, Fashion-MNIST
    python tests/benchmarks/bench_growing.py --datasets digits --weights 0,0.1 --umap

Rows in random order: half of them are mapped, then three quarters, then all, each time with `init` of the map before.
Movement is the median distance that the earlier points have moved, in root mean square radii of the map before; nothing
is aligned. --umap does the same with umap-learn, whose start is the earlier map and, for each new row, the mean of 15
neighbours; its movement is that after the best similarity transform, for it changes the scale of its start.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from map_data import load
from shared import benchmark_parser, markdown_row, table_head
from torch import Tensor

from genurl_graph import GenURL
from genurl_graph.evaluation.preservation import reduce_scores

SHARES = (0.5, 0.75, 1.0)
SCORES = ("knn_accuracy", "trustworthiness", "pieces")


def movement(before: Tensor, after: Tensor, aligned: bool = False) -> float:
    """Median distance between two maps of the same points [n, 2], in radii of the first."""
    radius = before.sub(before.mean(0)).square().sum(1).mean().sqrt()
    if aligned:
        a, b = before - before.mean(0), after - after.mean(0)
        u, s, v = torch.linalg.svd(b.T @ a)
        before, after = a, b @ (u @ v) * (s.sum() / b.square().sum())
    return float((after - before).norm(dim=1).median() / radius)


def by_genurl(x: Any, before: Tensor | None, weight: float) -> Tensor:
    return GenURL(random_state=0, config={"merge.identity_weight": weight}).fit(x, init=before).embedding_


def by_umap(x: Any, before: Tensor | None) -> Tensor:
    import umap
    from sklearn.neighbors import NearestNeighbors

    start: Any = "spectral"
    if before is not None:
        m, z = len(before), before.numpy()
        near = NearestNeighbors(n_neighbors=15).fit(x[:m]).kneighbors(x[m:], return_distance=False)
        start = np.concatenate([z, z[near].mean(1)])
    return torch.from_numpy(umap.UMAP(random_state=0, n_jobs=1, init=start).fit_transform(x))


def main() -> None:
    parser = benchmark_parser(__doc__, datasets="digits,mnist,fashion-mnist")
    parser.add_argument("--weights", default="0.2", help="values of merge.identity_weight")
    parser.add_argument("--umap", action="store_true")
    asked = parser.parse_args()
    methods = {f"identity_weight {w}": lambda x, z, w=float(w): by_genurl(x, z, w) for w in asked.weights.split(",")}
    methods |= {"umap, init=array": by_umap} if asked.umap else {}
    print(table_head("data", "method", "rows", "movement", *SCORES, "of a fresh map", "seconds"))
    for name in asked.datasets.split(","):
        x, y = load(name)[:2]
        order = np.random.default_rng(0).permutation(len(x))
        x, y = np.asarray(x, dtype=np.float32)[order], np.asarray(y)[order]
        for method, fit in methods.items():
            before = None
            for share in SHARES:
                n = int(share * len(x))
                start = time.perf_counter()
                z = fit(x[:n], before)
                seconds = time.perf_counter() - start
                own, fresh = (_scores(x[:n], m, y[:n]) for m in (z, z if before is None else fit(x[:n], None)))
                moved = "-" if before is None else f"{movement(before, z[: len(before)], 'umap' in method):.1%}"
                print(markdown_row(name, method, n, moved, *own, " ".join(fresh), f"{seconds:.1f}"), flush=True)
                before = z


def _scores(x: Any, z: Tensor, y: Any) -> list[str]:
    found = reduce_scores(x, z, y)
    return [f"{found[key]:.3f}" for key in SCORES]


if __name__ == "__main__":
    main()
