"""Label-free measures of a graph, and how far they depend on chance.

    python tests/benchmarks/bench_measures.py
    python tests/benchmarks/bench_measures.py --datasets cora,wisconsin,noise --orders 4

No measure has a seed. What a seed would change, the order of nodes and columns does: mean and deviation over random
orders, and beside it the standard error that the measure reports (mean over the orders). CPU seconds of one order, all
measures. "noise", "few" and "wide" are planted graphs: features without information, 4 columns, 10,000 columns.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import torch
from shared import benchmark_parser, data_root, markdown_row, mean_std, table_head, timed
from torch_geometric.data import Data

from genurl_graph import datasets
from genurl_graph.config import load_preset
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.graph.evidence import measure_evidence, measure_held_out
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.sources import Sources, weight_by_reliability
from genurl_graph.inputs.input import Input, as_input
from genurl_graph.inputs.sparse import from_scipy, to_scipy_or_numpy
from genurl_graph.tasks.metric import resolve_metric
from genurl_graph.tasks.resolve import feature_options

SETS = "cora,citeseer,cora_ml,photo,cs,actor,minesweeper,cornell,texas,wisconsin,roads,noise,few,wide"
# Nodes, edges, columns, classes and noise of planted graphs.
PLANTED = {"noise": (2000, 6000, 128, 10, 1e3), "few": (2000, 6000, 4, 10, 1.0), "wide": (2000, 6000, 10_000, 10, 2.0)}
MEASURES = {
    "edge AUC": ("edge_auc", "edge_auc_error"),
    "feature consistency": ("feature_consistency", "feature_consistency_error"),
    "mean reliability": ("reliability_mean", "reliability_error"),
}
HELD_OUT = {"held-out edges, structure": "structure", "held-out edges, propagated features": "features"}


def load(name: str, root: Path) -> Data:
    """A data set, a planted graph, or the line graph of roads."""
    if name in PLANTED:
        n, edges, columns, classes, noise = PLANTED[name]
        return planted_graph(n, edges, columns, classes, noise=noise)
    if name == "roads":
        import numpy as np

        found = np.load(root / "roads" / "linkoping.npz")
        pairs = torch.from_numpy(found["line_edges"])
        return Data(x=torch.from_numpy(found["x"]), edge_index=torch.cat([pairs, pairs.flip(0)], 1))
    data: Data = datasets.load(name, root)
    return data


def shuffled(data: Data, seed: int) -> Input:
    """The same graph, nodes and columns in a random order, as an estimator reads it."""
    generator = torch.Generator().manual_seed(seed)
    nodes, columns = (torch.randperm(size, generator=generator) for size in data.x.shape)
    matrix = to_scipy_or_numpy(data.x)[nodes.numpy()][:, columns.numpy()]
    x = torch.from_numpy(matrix) if data.x.layout == torch.strided else from_scipy(matrix)
    return as_input(Data(x=x, edge_index=nodes.argsort()[data.edge_index]), features=feature_options(None))


def measure(data: Input) -> dict[str, float]:
    """All measures of a graph before merging."""
    config = load_preset("graph")
    assert data.x is not None
    metric = resolve_metric(data, config)
    given = predefined_graph(data)
    sources = Sources(given.edge_index, given.edge_weight)
    summary = weight_by_reliability(sources, data, config.override({"neighbors.metric": metric})).summary()
    found = {key: float(summary[key]) for keys in MEASURES.values() for key in keys}
    found["evidence"] = measure_evidence(data, metric).overall
    held_out = measure_held_out(data, metric)
    for name in HELD_OUT.values():
        found[name] = getattr(held_out, name)
        found[f"{name}_error"] = getattr(held_out, f"{name}_error")
    return found


def main() -> None:
    parser = benchmark_parser(__doc__, datasets=SETS)
    parser.add_argument("--orders", type=int, default=10)
    arguments = parser.parse_args()
    print(table_head("graph", *MEASURES, "evidence", *HELD_OUT, "CPU s"))
    for name in arguments.datasets.split(","):
        data = load(name, arguments.data_root or data_root())
        runs: list[dict[str, float]] = []
        seconds = []
        for seed in range(arguments.orders):
            given = shuffled(data, seed)
            spent, found = timed(lambda given=given: measure(given))
            runs.append(found)
            seconds.append(spent.cpu)

        def cell(key: str, error: str | None = None, runs: Any = runs) -> str:
            shown = mean_std([run[key] for run in runs], 4)
            return shown if error is None else f"{shown} ({statistics.fmean(run[error] for run in runs):.4f})"

        cells = [*(cell(*keys) for keys in MEASURES.values()), cell("evidence")]
        cells += [cell(key, f"{key}_error") for key in HELD_OUT.values()]
        print(markdown_row(name, *cells, mean_std(seconds)), flush=True)


if __name__ == "__main__":
    main()
