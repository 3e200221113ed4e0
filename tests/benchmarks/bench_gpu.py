"""Time by stage on one device, beside the shortest time that its memory and its matrix products would allow.

    python tests/benchmarks/bench_gpu.py --device cuda --nodes 200000
    python tests/benchmarks/bench_gpu.py --device cuda --largest
    python tests/benchmarks/bench_gpu.py --device cpu --nodes 5000 --compare

First the rate of copies within the device's memory and that of float32 matrix products are measured. "bound" is the
time that the least traffic (each input read once, each output written once, each gathered row read) or the arithmetic
of a stage takes at these rates, whichever is longer; "of bound" is how near the stage comes to it. `--largest` doubles
the graph until a whole-graph step of a GCN does not fit any more. `--compare` repeats the stages on the CPU and prints
the largest differences.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from shared import benchmark_parser, table_head
from torch import Tensor

from genurl_graph import GenURL, knn, merge_graphs, similarities
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import ShortMemoryError
from genurl_graph.graph.propagation import Propagation

# Edges a node, features, neighbours, classes of the graph.
DEGREE, WIDTH, NEIGHBORS, CLASSES = 7, 128, 15, 40
# Of a GCN with the preset's layers.
HIDDEN, DIM, STEPS = 512, 128, 5
REPEATS = 5


class Rates(NamedTuple):
    """What the device can do: bytes a second (read plus written), floating point operations a second."""

    memory: float
    products: float


class Stage(NamedTuple):
    """Seconds of a stage, and the least bytes and operations that it takes."""

    seconds: float
    traffic: float
    operations: float

    def bound(self, rates: Rates) -> float:
        return max(self.traffic / rates.memory, self.operations / rates.products)


def timed(function: Callable[[], Any], device: torch.device, repeats: int = 1) -> tuple[float, Any]:
    """Seconds of the fastest of some calls, and the last result."""
    best, result = float("inf"), None
    for _ in range(repeats):
        wait(device)
        started = time.perf_counter()
        result = function()
        wait(device)
        best = min(best, time.perf_counter() - started)
    return best, result


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measured_rates(device: torch.device) -> Rates:
    """By a copy of 512 MB, and a product of square matrices."""
    source = torch.rand(1 << 27, device=device)
    target = torch.empty_like(source)
    seconds, _ = timed(lambda: target.copy_(source), device, REPEATS)
    m = 8192 if device.type == "cuda" else 2048
    a = torch.rand(m, m, device=device)
    product, _ = timed(lambda: a @ a, device, REPEATS)
    return Rates(2 * source.nbytes / seconds, 2 * m**3 / product)


def stages(data: Any, device: torch.device, seed: int) -> tuple[dict[str, Stage], dict[str, Tensor]]:
    """Each stage, and what it returned, on the CPU."""
    n, f, k = data.num_nodes, WIDTH, NEIGHBORS
    x, given = data.x.to(device), data.edge_index.to(device)
    found: dict[str, Stage] = {}
    knn(x[: k + 2], k, backend="exact", device=device)  # starts the libraries
    seconds, near = timed(lambda: knn(x, k, backend="exact", device=device, seed=seed), device)
    # Each pair of rows once: half of all products.
    found["neighbours, exact"] = Stage(seconds, x.nbytes + near.indices.nbytes + near.distances.nbytes, n * n * f)
    row = torch.arange(n, device=device).repeat_interleave(k)
    directed, distance = torch.stack([row, near.indices.reshape(-1)]), near.distances.reshape(-1)
    seconds, (edges, p) = timed(lambda: similarities(directed, distance, n, k), device)
    found["similarities"] = Stage(seconds, directed.nbytes + distance.nbytes + edges.nbytes + p.nbytes, 0)
    seconds, merged = timed(lambda: merge_graphs(given, None, edges, p, num_nodes=n, how="mix"), device)
    found["merge"] = Stage(seconds, given.nbytes + edges.nbytes + p.nbytes + sum(t.nbytes for t in merged), 0)
    operator = Propagation(merged.edge_index, merged.edge_weight, n).operator("sym")
    entries = operator.values().numel()
    seconds, averaged = timed(lambda: operator @ x, device, REPEATS)
    # Column and value of each entry, a row of x for each, and the result.
    found["propagation"] = Stage(seconds, entries * (12 + 4 * f) + averaged.nbytes, 2 * entries * f)
    model = GenURL(encoder="gcn", n_components=DIM, epochs=STEPS, device=device.type, random_state=seed)
    model.fit(data)
    # Two views; a product and both its derivatives for each layer, and the cosines to 512 shared negatives.
    layers = 6 * n * (f * HIDDEN + HIDDEN * DIM) + 6 * n * 512 * DIM
    sparse = 4 * (12 + 4 * HIDDEN + 12 + 4 * DIM) * entries
    found["training, a step"] = Stage(model.seconds_["train"] / STEPS, sparse, 2 * layers)
    kept = {"distances": near.distances, "similarities": p.sum(), "merged weights": merged.edge_weight.sum()}
    kept |= {"averages": averaged, "embedding": model.embedding_}
    return found, {name: value.cpu() for name, value in kept.items()}


def largest(device: torch.device, start: int, seed: int) -> int:
    """Most nodes, by doubling, of which a GCN takes whole-graph steps."""
    n, fits = start, 0
    while True:
        data = planted_graph(n, DEGREE * n, WIDTH, CLASSES, seed=seed)
        config = {"neighbors.backend": "approximate"}
        try:
            GenURL(encoder="gcn", epochs=1, device=device.type, random_state=seed, config=config).fit(data)
        except ShortMemoryError as error:
            print(f"{n:,} nodes: {error}")
            return fits
        peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else float("nan")
        print(f"{n:,} nodes fit; peak of the device {peak:,.0f} MiB", flush=True)
        n, fits = 2 * n, n


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--largest", action="store_true", help="instead: how large a graph fits (needs a GPU)")
    parser.add_argument("--compare", action="store_true", help="also on the CPU, with the differences")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("--device: found cuda, but torch sees no CUDA device")
    if options.largest:
        if device.type != "cuda":
            parser.error("--largest: expected a GPU; on a CPU the system would kill the process")
        print(f"largest that fits: {largest(device, options.nodes, options.seed):,} nodes")
        return
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    rates = measured_rates(device)
    print(f"{name}: copies {rates.memory / 1e9:,.1f} GB/s, float32 products {rates.products / 1e12:,.2f} TFLOP/s")
    n = options.nodes
    data = planted_graph(n, DEGREE * n, WIDTH, CLASSES, seed=options.seed)
    found, results = stages(data, device, options.seed)
    print(f"{n:,} nodes, {data.num_edges:,} directed edges, {WIDTH} features")
    print(table_head("stage", "seconds", "bound", "of bound"))
    for stage, cost in found.items():
        bound = cost.bound(rates)
        print(f"| {stage} | {cost.seconds:.4f} | {bound:.4f} | {100 * bound / cost.seconds:.0f} % |")
    if options.compare:
        _, others = stages(data, torch.device("cpu"), options.seed)
        for what, value in results.items():
            scale = float(others[what].abs().max())
            print(f"{what}: largest difference to the CPU {float((value - others[what]).abs().max()) / scale:.1e}")


if __name__ == "__main__":
    main()
