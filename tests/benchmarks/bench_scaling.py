"""Time and memory of kNN, P and merge on growing graphs: both have to grow no faster than the number of edges.

A stochastic block model of n nodes, features [n, 16] (block centre plus noise) and about 10 undirected edges a node.
Each n runs in a process of its own, so that its peak is its own: peak resident memory above what the process held
when it had imported and tried out the libraries; "data" is how much of that the graph itself made. Linux only.

    python tests/benchmarks/bench_scaling.py --sizes 50000,100000,200000 --threads 2
"""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

from shared import apart, benchmark_parser, markdown_row, memory_mb, table_head

WIDTH, DEGREE, BLOCK, INSIDE = 16, 20, 100, 0.8
COLUMNS = ("n", "edges", "merged edges", "kNN (s)", "P (s)", "merge (s)", "data (MB)", "peak (MB)", "MB per 1000 nodes")


def block_model(n: int) -> Any:
    """Blocks of about `BLOCK` nodes; an edge stays in its block with probability `INSIDE`."""
    import torch

    generator = torch.Generator().manual_seed(0)
    blocks = n // BLOCK
    y = torch.arange(n) % blocks
    x = 3 * torch.randn(blocks, WIDTH, generator=generator)[y] + torch.randn(n, WIDTH, generator=generator)
    row = torch.randint(n, (n * DEGREE // 2,), generator=generator)
    # Node ids that agree modulo `blocks` share a block.
    inside = (y[row] + blocks * torch.randint(n // blocks, row.shape, generator=generator)) % n
    anywhere = torch.randint(n, row.shape, generator=generator)
    col = torch.where(torch.rand(row.shape, generator=generator) < INSIDE, inside, anywhere)
    return x, torch.stack([torch.cat([row, col]), torch.cat([col, row])])


def measure(n: int, neighbours: int, backend: str) -> dict[str, float]:
    """All stages once, on a graph of n nodes; runs in a process of its own."""
    import scipy.sparse.csgraph  # noqa: F401 - imported by the stages: not their memory
    import torch
    import torch_geometric.utils  # noqa: F401

    from genurl_graph.graph.affinity import similarities
    from genurl_graph.graph.knn import knn_graph
    from genurl_graph.graph.merge import merge_graphs

    # Every library has done its first work before the baseline is taken.
    x, edge_index = block_model(1000)
    p = similarities(*knn_graph(x, neighbours), 1000, float(neighbours))
    merge_graphs(edge_index, None, *p, num_nodes=1000, how="mix")

    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before = memory_mb("VmRSS")
    x, edge_index = block_model(n)
    data = memory_mb("VmRSS") - before
    times = [time.perf_counter()]
    knn_edges, distance = knn_graph(x, neighbours, backend=backend)
    times.append(time.perf_counter())
    p_edges, p = similarities(knn_edges, distance, n, float(neighbours))
    times.append(time.perf_counter())
    merged = merge_graphs(edge_index, None, p_edges, p, num_nodes=n, how="mix")
    times.append(time.perf_counter())
    if not bool(torch.isfinite(merged.edge_weight).all()):
        raise AssertionError("weights are not finite")
    peak = memory_mb("VmHWM") - before
    seconds = [b - a for a, b in itertools.pairwise(times)]
    values = (n, edge_index.size(1), merged.edge_weight.numel(), *seconds, data, peak, peak / n * 1000)
    return dict(zip(COLUMNS, values, strict=True))


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--sizes", default="50000,100000,200000", metavar="N,N,...")
    parser.add_argument("--neighbors", type=int, default=15, metavar="K")
    parser.add_argument("--backend", choices=["auto", "exact", "approximate"], default="exact")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(table_head(*COLUMNS), flush=True)
    for n in map(int, options.sizes.split(",")):
        row = apart(options.threads, measure, n, options.neighbors, options.backend)
        shown = (f"{row[c]:,}" if isinstance(row[c], int) else f"{row[c]:,.1f}" for c in COLUMNS)
        print(markdown_row(*shown), flush=True)


if __name__ == "__main__":
    main()
