"""Tables beside planted graphs: what noise costs and what information gains, against the edges alone.

    python tests/benchmarks/bench_evidence.py --seeds 5 --graphs 5
    python tests/benchmarks/bench_evidence.py --quick

Linear probe (random-10-10-80) and NMI of k-means, mean difference to the edges alone with its 95 % interval over graphs
and seeds, and the evidence of each graph. 600 nodes, 5 blocks, mean degree 4.9; 45 % of the edges join random nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from shared import benchmark_parser, difference, markdown_row, mean_std, table_head
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.evaluation.clustering import cluster
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.runtime.files import write_json

NODES, BLOCKS, DEGREE, MIXED = 600, 5, 4.9, 0.45
NOISE = ("noise 2", "noise 8", "positive", "one-hot", "correlated", "heavy tails", "counts", "words")
INFORMATIVE = ("two columns", "six weak columns", "64 weak columns", "a category", "one of nine columns")


def planted(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Edges [2, 2E] within blocks, but for a share `MIXED` between random nodes, and the blocks."""
    r = np.random.default_rng(seed)
    y = np.arange(NODES) % BLOCKS
    wanted, edges = int(NODES * DEGREE / 2), np.empty((0, 2), dtype=np.int64)
    while len(edges) < wanted:
        i, j = r.integers(NODES, size=(2, wanted))
        own = r.random(wanted) >= MIXED
        j = np.where(own, j - j % BLOCKS + i % BLOCKS, j)
        pairs = np.sort(np.stack([i, j], 1), axis=1)[i != j]
        edges = np.unique(np.concatenate([edges, pairs]), axis=0)
    edges = r.permutation(edges)[:wanted].T
    return torch.from_numpy(np.concatenate([edges, edges[::-1]], 1)), torch.from_numpy(y)


def table(kind: str, y: np.ndarray[Any, Any], seed: int) -> np.ndarray[Any, Any] | None:
    """Features of a kind, [n, f]."""
    r = np.random.default_rng(1000 + seed)
    n, centres = len(y), r.normal(size=(BLOCKS, 6))
    if kind == "edges alone":
        return None
    if kind == "a category":
        return np.eye(BLOCKS)[np.where(r.random(n) < 0.6, y, r.integers(BLOCKS, size=n))]
    made = {
        "noise 2": lambda: r.normal(size=(n, 2)),
        "noise 8": lambda: r.normal(size=(n, 8)),
        "positive": lambda: 100 * r.random((n, 3)),
        "one-hot": lambda: np.eye(30)[np.minimum(r.geometric(0.12, size=n) - 1, 29)],
        "correlated": lambda: r.normal(size=(n, 2)) @ r.normal(size=(2, 8)) + 0.3 * r.normal(size=(n, 8)),
        "heavy tails": lambda: r.standard_t(1.2, size=(n, 4)),
        "counts": lambda: r.poisson(3, size=(n, 3)),
        "words": lambda: r.random((n, 200)) < 0.05,
        "two columns": lambda: centres[y, :2] + r.normal(size=(n, 2)),
        "six weak columns": lambda: centres[y] + 2 * r.normal(size=(n, 6)),
        "64 weak columns": lambda: 0.3 * r.normal(size=(BLOCKS, 64))[y] + r.normal(size=(n, 64)),
        "one of nine columns": lambda: np.concatenate(
            [centres[y, :1] + 0.5 * r.normal(size=(n, 1)), r.normal(size=(n, 8))], axis=1
        ),
    }
    found: np.ndarray[Any, Any] = made[kind]()
    return found


def main() -> None:
    parser = benchmark_parser(__doc__, seeds=5, output=True)
    parser.add_argument("--graphs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two graphs, one seed")
    parser.add_argument("--tables", default=",".join((*NOISE, *INFORMATIVE)), metavar="NAME,...")
    arguments = parser.parse_args()
    graphs, seeds = (2, 1) if arguments.quick else (arguments.graphs, arguments.seeds)
    results: dict[str, Any] = {}
    print(table_head("table", "probe", "against the edges", "NMI", "against the edges", "evidence"))
    for kind in ("edges alone", *arguments.tables.split(",")):
        row: dict[str, list[float]] = {"probe": [], "nmi": [], "evidence": []}
        for g in range(graphs):
            edge_index, y = planted(g)
            x = table(kind, y.numpy(), g)
            features = None if x is None else torch.from_numpy(np.asarray(x, dtype=np.float32))
            data = Data(x=features, edge_index=edge_index, y=y, num_nodes=NODES)
            config = GenURL().resolve(data)
            share = config.merge.evidence if x is not None else 1.0
            row["evidence"].append(float(share))
            for seed in range(seeds):
                if share == 0 and config.encoder.beside != "apart":
                    # The same bytes as on the edges alone (tests/tasks/test_evidence.py).
                    for key in ("probe", "nmi"):
                        row[key].append(results["edges alone"][key][g * seeds + seed])
                    continue
                model = GenURL(random_state=seed).fit(data)
                probe = probe_embedding(model.embedding_, data, "random-10-10-80", seed=seed)
                row["probe"].append(100 * probe["test"])
                row["nmi"].append(100 * cluster(model.embedding_.numpy(), y.numpy(), seed)["nmi"])
        results[kind] = row
        against = [difference(row[key], results["edges alone"][key]) for key in ("probe", "nmi")]
        means = [mean_std(row[key]) for key in ("probe", "nmi")]
        evidence = " ".join(f"{value:.2f}" for value in row["evidence"])
        print(markdown_row(kind, means[0], against[0], means[1], against[1], evidence), flush=True)
        if arguments.output:
            write_json(arguments.output, results)


if __name__ == "__main__":
    main()
