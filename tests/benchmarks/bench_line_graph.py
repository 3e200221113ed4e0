"""Seconds and memory of line graphs that would not fit as they stand: a star, and a multigraph, of many edges.

    python tests/benchmarks/bench_line_graph.py                              # the line graph, by its core and on a Data
    python tests/benchmarks/bench_line_graph.py --stages fit --epochs 1      # GenURL(task="edges") from edges to rows
    python tests/benchmarks/bench_line_graph.py --cases star --edges 200000 --hub 16

The line graph of a star of m edges is a clique of m (m - 1) entries; at more than `--hub` others an edge has a sample
of so many. Each row runs in a process of its own, so that its peak is its own: the largest resident memory, libraries
and the edge list included. "rows" is the largest distance of a sum of weights from the number of ends that are shared:
sampling must not change it.
"""

from __future__ import annotations

import argparse
from typing import Any

from shared import apart, benchmark_parser, markdown_row, memory_mb, table_head, timed

COLUMNS = ("graph", "stage", "edges", "clique entries", "entries", "wall (s)", "CPU (s)", "peak (MB)", "rows")
# Edges by default; nodes that the edges of a multigraph share; columns of their features.
EDGES = {"star": 100_000, "multigraph": 1_000_000, "directed": 1_000_000}
NODES, WIDTH = 200_000, 8


def ends_of(case: str, edges: int, seed: int = 0) -> tuple[Any, int]:
    """Ends [2, m] and the number of nodes; those of a multigraph meet parallel ones, and hubs, by a skewed draw."""
    import torch

    if case == "star":
        return torch.stack([torch.zeros(edges, dtype=torch.long), torch.arange(1, edges + 1)]), edges + 1
    nodes = max(2, edges * NODES // EDGES["multigraph"])
    draw = torch.rand(2, edges, generator=torch.Generator().manual_seed(seed))
    return (nodes * draw**2).long().clamp_max(nodes - 1), nodes


def measure(case: str, stage: str, options: argparse.Namespace) -> tuple[str, ...]:
    """One row."""
    import torch

    from genurl_graph.graph.line_graph import line_edges, line_graph

    edges = options.edges or EDGES[case]
    ends, nodes = ends_of(case, edges)
    directed = case == "directed"
    whole = cliques(ends, nodes, directed)
    if stage == "fit":
        return fitted(case, ends, nodes, options, whole)
    if stage == "core":
        seconds, found = timed(lambda: line_edges(ends, nodes, directed=directed, hub=options.hub))
        edge_index, weight = found
    else:
        from torch_geometric.data import Data

        both = ends if directed else torch.cat([ends, ends[:, ends[0] != ends[1]].flip(0)], dim=1)
        column = torch.arange(edges, dtype=torch.float)
        attr = column if directed else torch.cat([column, column[ends[0] != ends[1]]])
        data = Data(edge_index=both, edge_attr=attr, num_nodes=nodes)
        seconds, out = timed(lambda: line_graph(data, directed=directed, hub=options.hub))
        edge_index, weight = out.edge_index, out.edge_weight
        assert torch.equal(out.x.view(-1), column)
    peak = memory_mb("VmHWM")
    sums = torch.zeros(edges, dtype=torch.float64).index_add_(0, edge_index[0], weight.double())
    error = float((sums - expected_sums(ends, nodes, directed)).abs().max())
    cells = (f"{edges:,}", f"{whole:,}", f"{len(weight):,}", f"{seconds.wall:.1f}", f"{seconds.cpu:.1f}")
    return (case, stage, *cells, f"{peak:,.0f}", f"{error:.0e}")


def fitted(case: str, ends: Any, nodes: int, options: argparse.Namespace, whole: int) -> tuple[str, ...]:
    """A row of the whole task: from edges with features to their embedding."""
    import torch

    from genurl_graph import GenURL
    from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet

    x = torch.randn(ends.size(1), WIDTH, generator=torch.Generator().manual_seed(0)) if options.features else None
    edges = EdgeSet(EdgeEnds(ends, nodes, directed=case == "directed"), x=x)
    chosen = {"edges.hub": options.hub} | dict(word.split("=", 1) for word in options.set)
    model = GenURL(task="edges", epochs=options.epochs, random_state=0, verbose=True, config=chosen)
    seconds, _ = timed(lambda: model.fit(edges))
    assert bool(torch.isfinite(torch.as_tensor(model.embedding_)).all())
    cells = (f"{ends.size(1):,}", f"{whole:,}", "-", f"{seconds.wall:.1f}", f"{seconds.cpu:.1f}")
    return (case, "fit", *cells, f"{memory_mb('VmHWM'):,.0f}", "-")


def cliques(ends: Any, nodes: int, directed: bool) -> int:
    """Entries of the line graph without a sample, those of parallel edges twice."""
    first, second = (ends[side].bincount(minlength=nodes) for side in (0, 1))
    if directed:
        return int((first * second).sum())
    size = first + second - ends[0][ends[0] == ends[1]].bincount(minlength=nodes)
    return int((size * (size - 1)).sum())


def expected_sums(ends: Any, nodes: int, directed: bool) -> Any:
    """Ends that each edge shares with others, float64 [m]."""
    first, second = (ends[side].bincount(minlength=nodes) for side in (0, 1))
    if directed:
        return (first[ends[1]] > 0).double()
    loop = ends[0] == ends[1]
    size = first + second - ends[0][loop].bincount(minlength=nodes)
    return (size[ends[0]] > 1).double() + ((size[ends[1]] > 1) & ~loop)


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cases", default="star,multigraph,directed", metavar="NAME,...")
    parser.add_argument("--stages", default="core,transform", metavar="NAME,...", help="core, transform, fit")
    parser.add_argument("--edges", type=int, help="by default 100,000 of the star, 1,000,000 of the others")
    parser.add_argument("--hub", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=1, help="of fit")
    parser.add_argument("--bare", dest="features", action="store_false", help="fit edges without features")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of fit")
    options = parser.parse_args()
    print(table_head(*COLUMNS))
    for case in options.cases.split(","):
        for stage in options.stages.split(","):
            print(markdown_row(*apart(options.threads, measure, case, stage, options)), flush=True)


if __name__ == "__main__":
    main()
