"""A graph of the size of ogbn-arxiv or ogbn-products, planted, from edges to a probed embedding in mini-batches.

Runs in a process of its own and prints processor seconds by stage, which other programs on the machine change less than
the time of day, the seconds that passed in all, and the peak of resident memory (Linux). "probe" is a logistic
regression on the share of labelled nodes that `planted_graph` calls training nodes; raw features, features averaged
over two hops and the untrained encoder stand beside the embedding.

    python tests/benchmarks/bench_large.py --size arxiv
    python tests/benchmarks/bench_large.py --size products --epochs 1
    python tests/benchmarks/bench_large.py --sizes 50000 --encoder gcn --set sampling.negatives=batch
    python tests/benchmarks/bench_large.py --sizes 50000,100000,200000,400000 --epochs 1 --plot docs/scaling.png
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from shared import Step, apart, benchmark_parser, markdown_row, memory_mb, table_head, watch

# Nodes, undirected edges, features: of ogbn-arxiv and ogbn-products (Hu et al., arXiv 2005.00687, table 2).
SIZES = {"arxiv": (169_343, 1_166_243, 128), "products": (2_449_029, 61_859_140, 100)}
# Edges a node, and features, of the growing graphs.
DEGREE, WIDTH = 7, 128
STAGES = ("data", "graph", "train", "embed", "probe")


def measure(n: int, edges: int, features: int, options: argparse.Namespace) -> dict[str, Any]:
    """One run, all its stages."""
    import numpy as np
    import torch

    from genurl_graph import GenURL
    from genurl_graph.datasets.synthetic import planted_graph
    from genurl_graph.evaluation.protocols import propagated_features

    started = time.perf_counter()
    began = time.process_time()
    data = planted_graph(n, edges, features, noise=options.noise, seed=options.seed)
    found: dict[str, Any] = {"n": n, "edges": data.edge_index.size(1) // 2, "data": time.process_time() - began}
    overrides = {"neighbors.backend": options.backend} | dict(pair.split("=", 1) for pair in options.set)
    chosen = {"encoder": options.encoder, "epochs": options.epochs, "config": overrides}
    model = GenURL(random_state=options.seed, verbose=True, **chosen)
    found["steps"] = steps = watched()
    began = time.process_time()
    model.fit(data)
    trained = steps["train"]
    found |= {"graph": trained.began - began, "train": trained.cpu}
    found["embed"] = time.process_time() - trained.began - trained.cpu
    found |= {"recall": model.knn_recall_, "summary": model.graph_summary_, "loss": model.loss_history_}
    found["peak"] = memory_mb("VmHWM")
    if options.probe:
        began = time.process_time()
        y, train, val = (np.asarray(part) for part in (data.y, data.train_mask, data.val_mask))
        # Tens of thousands of test nodes determine a share to within 0.2 %.
        test = np.flatnonzero(~(train | val))[:: max(1, n // 50_000)]
        rows = {
            "embedding": model.embedding_.numpy(),
            "untrained": model.untrained_embedding().numpy(),
            "raw": data.x.numpy(),
            "propagated": propagated_features(data),
        }
        found["accuracy"] = {name: probe(z, y, train, val, test) for name, z in rows.items()}
        found["probe"] = time.process_time() - began
    if not bool(torch.isfinite(model.embedding_).all()):
        raise AssertionError("the embedding is not finite")
    found["passed"] = time.perf_counter() - started
    return found


def watched() -> dict[str, Step]:
    """The steps of `fit`, by name; filled, and told on stderr, as they end."""
    from genurl_graph.graph import sources
    from genurl_graph.inference import fit
    from genurl_graph.objectives import base
    from genurl_graph.tasks import TrainingProblem, graph, prepare

    steps: dict[str, Step] = {}
    parts: dict[Any, tuple[str, ...]] = {
        sources: ("measure_consistency", "edge_auc"),
        prepare: ("predefined_graph", "search_neighbors", "calibrate_distances"),
        graph: ("propagated", "propagation_edges", "merged_graph", "MiniBatchObjective", "NeighborBatchObjective"),
        TrainingProblem: ("summary",),
        fit: ("train",),
        base: ("embed_rows",),
    }
    for module, names in parts.items():
        for name in names:
            watch(module, name, steps)
    return steps


def probe(z: Any, y: Any, train: Any, val: Any, test: Any) -> float:
    """Test accuracy of the logistic regression that is best on the validation nodes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scale = StandardScaler().fit(z[train])
    parts = {name: scale.transform(z[index]) for name, index in (("train", train), ("val", val), ("test", test))}
    fitted = [LogisticRegression(C=c, max_iter=300).fit(parts["train"], y[train]) for c in (1e-3, 1e-2, 1e-1, 1.0)]
    best = max(fitted, key=lambda model: model.score(parts["val"], y[val]))
    return float(best.score(parts["test"], y[test]))


def show(found: dict[str, Any]) -> None:
    cells = [f"{found['n']:,}", f"{found['edges']:,}", *(f"{found[s]:.0f}" if s in found else "" for s in STAGES)]
    print(markdown_row(*cells, f"{found['passed']:.0f}", f"{found['peak']:,.0f}"), flush=True)
    if "accuracy" in found:
        print("  accuracy: " + ", ".join(f"{k} {100 * v:.1f}" for k, v in found["accuracy"].items()), flush=True)
    kinds = {k: v for k, v in found["summary"].items() if not isinstance(v, list)}
    print(f"  recall {found['recall']}, loss {found['loss'][0]:.4f} to {found['loss'][-1]:.4f}, {kinds}", flush=True)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Seconds by stage and memory against the number of nodes, with the line through the first size."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    n = [row["n"] / 1000 for row in rows]
    for stage in ("graph", "train", "embed"):
        (line,) = axes[0].plot(n, [row[stage] for row in rows], "o-", label=stage)
        axes[0].plot(n, [rows[0][stage] * m / n[0] for m in n], ":", color=line.get_color())
    axes[0].set(xlabel="thousand nodes", ylabel="processor seconds", title="time by stage (dotted: linear)")
    axes[0].legend()
    axes[1].plot(n, [row["peak"] for row in rows], "o-")
    axes[1].set(xlabel="thousand nodes", ylabel="peak resident MB", title="memory", ylim=(0, None))
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="arxiv")
    parser.add_argument("--sizes", metavar="N,N,...", help=f"graphs of {DEGREE} edges a node instead")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--encoder", default="sign")
    parser.add_argument("--noise", type=float, default=2.0, help="of the features; see planted_graph")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", choices=["auto", "exact", "approximate"], default="auto")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-probe", dest="probe", action="store_false")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    wanted = [SIZES[options.size]]
    if options.sizes:
        wanted = [(n, DEGREE * n, WIDTH) for n in map(int, options.sizes.split(","))]
    print(table_head("nodes", "edges", *(f"{s} (s)" for s in STAGES), "passed (s)", "peak (MB)"), flush=True)
    rows = []
    for sizes in wanted:
        rows.append(apart(options.threads, measure, *sizes, options))
        show(rows[-1])
        print(
            "  steps: " + ", ".join(f"{name} {step.cpu:.1f} s" for name, step in rows[-1]["steps"].items()), flush=True
        )
    if options.plot:
        draw(rows, options.plot)


if __name__ == "__main__":
    main()
