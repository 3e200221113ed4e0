"""Kinds of graphs and dense features, planted: whether GenURL loses what features, edges or their averages know.

    python tests/benchmarks/bench_kinds.py --seeds 5
    python tests/benchmarks/bench_kinds.py --kinds "heterophily, 64 columns;no groups, 64 columns" --seeds 1

1,500 nodes, six classes, and a mean degree of 5 where nothing else is said. "Columns" are Gaussian around centres of
the classes. A seed plants another graph. Linear probe by random-10-10-80, in per cent, three splits; "less the best" is
GenURL less the best of untrained, propagated and raw rows, paired over seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from shared import benchmark_parser, difference, markdown_row, one_thread_a_process, percent, table_head

NODES, CLASSES, SPLITS = 1500, 6, 3
ROWS = ("untrained", "propagated", "raw")


def blocks(r: Any, degree: float = 5.0, mixed: float = 0.3, shift: int = 0) -> tuple[Any, Any]:
    """Classes [n], and edges [2, E] to nodes of the class `shift` further, or with a share `mixed` to any."""
    y, m = r.integers(CLASSES, size=NODES), int(NODES * degree / 2)
    order = y.argsort(kind="stable")
    start, size = np.searchsorted(y[order], np.arange(CLASSES)), np.bincount(y, minlength=CLASSES)
    i = r.integers(NODES, size=m)
    other = (y[i] + shift) % CLASSES
    j = order[start[other] + (r.random(m) * size[other]).astype(int)]
    j = np.where(r.random(m) < mixed, r.integers(NODES, size=m), j)
    return y, np.stack([i, j])[:, i != j]


def hubs(r: Any) -> Any:
    """Edges [2, E] that follow degrees alone."""
    weight = r.pareto(1.5, NODES) + 1
    return r.choice(NODES, size=(2, 3 * NODES), p=weight / weight.sum())


def columns(r: Any, y: Any, count: int, apart: float) -> Any:
    return apart * r.normal(size=(CLASSES, count))[y] + r.normal(size=(NODES, count))


def others(r: Any, edges: Any, count: int, apart: float) -> tuple[Any, Any, Any]:
    """Features of classes that no edge knows, and these classes."""
    y = r.integers(CLASSES, size=NODES)
    return columns(r, y, count, apart), edges, y


def related(r: Any, count: int, apart: float, **how: Any) -> tuple[Any, Any, Any]:
    """Features of the classes that edges know as well."""
    y, edges = blocks(r, **how)
    return columns(r, y, count, apart), edges, y


def by_degree(r: Any) -> tuple[Any, Any, Any]:
    edges = hubs(r)
    degree = np.bincount(edges.ravel(), minlength=NODES)
    return r.normal(size=(NODES, 32)), edges, np.digitize(degree, np.quantile(degree, [0.25, 0.5, 0.75]))


def scaled(r: Any) -> tuple[Any, Any, Any]:
    x, edges, y = related(r, 20, 0.4)
    return np.exp(x) * 10 ** r.uniform(-3, 3, 20), edges, y


KINDS: dict[str, Callable[[Any], tuple[Any, Any, Any]]] = {
    "homophily, 64 weak columns": lambda r: related(r, 64, 0.15),
    "homophily, 64 columns": lambda r: related(r, 64, 0.5),
    "homophily, 5 columns": lambda r: related(r, 5, 1.0),
    "homophily, 20 columns of any scale": scaled,
    "mean degree 1, 64 columns": lambda r: related(r, 64, 0.25, degree=1.0, mixed=0.2),
    "mean degree 60, 64 columns": lambda r: related(r, 64, 0.2, degree=60.0, mixed=0.6),
    "heterophily, 64 columns": lambda r: related(r, 64, 0.25, shift=1),
    "heterophily, 5 columns": lambda r: related(r, 5, 1.0, shift=1),
    "no groups, 64 columns": lambda r: others(r, blocks(r, mixed=1.0)[1], 64, 0.25),
    "no groups, 5 columns": lambda r: others(r, blocks(r, mixed=1.0)[1], 5, 1.0),
    "hubs, 32 columns": lambda r: others(r, hubs(r), 32, 0.4),
    "other groups, 64 columns": lambda r: others(r, blocks(r)[1], 64, 0.3),
    "other groups, 5 columns": lambda r: others(r, blocks(r)[1], 5, 1.0),
    "hubs, classes by degree, 32 of noise": by_degree,
    "homophily, 32 of noise": lambda r: (r.normal(size=(NODES, 32)), *reversed(blocks(r))),
    "homophily, 32 of other groups": lambda r: (columns(r, r.integers(6, size=NODES), 32, 0.4), *reversed(blocks(r))),
}


def main() -> None:
    """Print a row for each kind."""
    parser = benchmark_parser(__doc__, seeds=5)
    parser.add_argument("--kinds", default=";".join(KINDS), metavar="NAME;...")
    options = parser.parse_args()
    one_thread_a_process()
    from torch_geometric.data import Data
    from torch_geometric.utils import to_undirected

    from genurl_graph import GenURL
    from genurl_graph.evaluation.protocols import probe_embedding
    from genurl_graph.experiments.scores import fixed_embedding

    names = options.kinds.split(";")
    for name in names:
        if name not in KINDS:
            parser.error(f"--kinds: {name!r} is none of {'; '.join(KINDS)}")
    print(table_head("kind", "GenURL", *ROWS, "less the best", "evidence"))
    for name in names:
        runs: dict[str, list[float]] = {row: [] for row in ("GenURL", *ROWS)}
        evidence = []
        for seed in range(options.seeds):
            x, edges, y = KINDS[name](np.random.default_rng(seed))
            edge_index = to_undirected(torch.from_numpy(edges))
            x, y = torch.from_numpy(x).float(), torch.from_numpy(y)
            data = Data(x=x, edge_index=edge_index, y=y, num_nodes=NODES, name=name)
            model = GenURL(task="graph", random_state=seed).fit(data)
            fixed = {row: fixed_embedding(row, data) for row in ("propagated", "raw")}
            for row, z in {"GenURL": model.embedding_, "untrained": model.untrained_embedding(), **fixed}.items():
                found = probe_embedding(z, data, "random-10-10-80", seed=seed, n_repeats=SPLITS)
                runs[row].append(100 * float(found["test"]))
            how = model.config_
            evidence.append("apart" if how.encoder.beside == "apart" else f"{how.merge.evidence:.2f}")
        best = max((runs[row] for row in ROWS), key=sum)
        cells = [percent([value / 100 for value in values]) for values in runs.values()]
        print(markdown_row(name, *cells, difference(runs["GenURL"], best), " ".join(sorted(set(evidence)))), flush=True)


if __name__ == "__main__":
    main()
