"""Seconds and memory of `task="graphs"`: NCI1, and planted collections of growing size.

    python tests/benchmarks/bench_graphs_size.py                       # NCI1; 10,000 to 100,000 graphs of 20 nodes
    python tests/benchmarks/bench_graphs_size.py --graphs 10000,20000 --nodes 20 --threads 2

Each row runs in a process of its own, so that its peak is its own: the largest resident memory, libraries and data
included. "kNN" is the share of the preparation that the kNN edges among graphs take. Accuracy is that of logistic
regression on half of the graphs (planted ones only): it says that the embedding is one. Linear: seconds a graph stay.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from shared import apart, benchmark_parser, data_root, markdown_row, memory_mb, table_head

COLUMNS = (
    "graphs",
    "nodes",
    "prepare (s)",
    "train (s)",
    "embed (s)",
    "total (s)",
    "processor (s)",
    "ms a graph",
    "peak (MB)",
    "accuracy",
)


def measure(name: str, nodes: int, root: Path, settings: dict[str, Any]) -> tuple[str, ...]:
    """One row: a data set by name, or so many planted graphs."""
    import torch

    from genurl_graph import datasets
    from genurl_graph.datasets.planted_graphs import planted_graphs
    from genurl_graph.inputs.collection.convert import as_collection
    from genurl_graph.runtime.random import seeded
    from genurl_graph.tasks.graphs import build, resolve_graphs
    from genurl_graph.training.loop import train

    planted = name.isdigit()
    graphs = planted_graphs(int(name), nodes) if planted else datasets.load(name, root=root)
    began, processor = time.perf_counter(), time.process_time()
    data = as_collection(graphs)
    config = resolve_graphs(data, settings)
    with seeded(0):
        problem = build(data, config, 0, torch.device("cpu"))
        prepared = time.perf_counter()
        train(problem.objective, (problem.config or config).training)
        trained = time.perf_counter()
        z = problem.objective.embed()
    ended = time.perf_counter()
    used = time.process_time() - processor
    peak = memory_mb("VmHWM")
    seconds = (prepared - began, trained - prepared, ended - trained, ended - began, used)
    assert data.graphs is not None
    found = accuracy(z, graphs.y) if planted else "-"
    cells = (f"{len(graphs):,}", f"{data.graphs.num_nodes:,}", *(f"{s:.1f}" for s in seconds))
    return (*cells, f"{1000 * seconds[3] / len(graphs):.2f}", f"{peak:,.0f}", found)


def accuracy(z: Any, y: Any) -> str:
    """Of logistic regression fitted on 1,000 graphs, on 2,000 others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x = StandardScaler().fit_transform(z[:3000].numpy())
    model = LogisticRegression(max_iter=200).fit(x[:1000], y[:1000])
    return f"{100 * model.score(x[1000:3000], y[1000:3000]):.1f} %"


def main() -> None:
    parser = benchmark_parser(__doc__, datasets="nci1")
    parser.add_argument("--graphs", default="10000,20000,40000,100000", help="numbers of planted graphs")
    parser.add_argument("--nodes", type=int, default=20, help="of a planted graph, on average")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    root = asked.data_root or data_root()
    settings = dict(word.split("=", 1) for word in asked.set)
    print(table_head(*COLUMNS))
    for name in [word for text in (asked.datasets, asked.graphs) for word in text.split(",") if word]:
        print(markdown_row(*apart(asked.threads, measure, name, asked.nodes, root, settings)), flush=True)


if __name__ == "__main__":
    main()
