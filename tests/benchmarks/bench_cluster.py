"""Embedding by partitions on a Ray cluster of this machine: memory of each worker, time by stage, quality.

A head without cores and a node for each worker, of one core each (`ray.cluster_utils.Cluster`). The resident memory of
workers is capped (`genurl_graph.runtime.partitions.limits`), and each reports its peak. The graph is planted
(`genurl_graph.datasets.planted_partitions`) and prepared by partitions; its files stay in --work for the next call.

    python tests/benchmarks/bench_cluster.py --part large --work FOLDER
    python tests/benchmarks/bench_cluster.py --part alone --work FOLDER
    python tests/benchmarks/bench_cluster.py --part growth --work FOLDER
    python tests/benchmarks/bench_cluster.py --part quality --work FOLDER

* large: 2 M nodes, 30 M edges, 64 features, 4 workers under 1.5 GB each.
* alone: the same graph and configuration in one process, in memory.
* growth: the largest worker for several numbers of nodes and of workers.
* quality: a probe on embeddings by partition and in memory, of the same configuration, and P of both, bit by bit.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared import apart, benchmark_parser, markdown_row, mean_std, memory_mb, one_thread_a_process, table_head, timed

# Bytes of Ray's object store on each node, and rows of the probe: the first, which are a random sample.
OBJECT_STORE, JUDGED = 100_000_000, 20_000


def main() -> int:
    """Run a part, and print its tables."""
    parser = benchmark_parser(__doc__, seeds=3)
    parser.add_argument("--part", choices=("large", "alone", "growth", "quality"), required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for all files; gigabytes")
    parser.add_argument(
        "--nodes", default="", help="numbers of nodes [2000000; growth: 250000,500000,1000000; quality: 50000]"
    )
    parser.add_argument("--edges-a-node", type=float, default=15.0, help="undirected edges over nodes [15]")
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--noise", type=float, default=1.0, help="of a feature, beside its group's centre [1]")
    parser.add_argument("--workers", default="", help="numbers of workers [4; growth: 1,2,4]")
    parser.add_argument("--memory", type=float, default=1.5, help="cap of a worker, GB [1.5]")
    parser.add_argument("--rows", type=int, default=1 << 16, help="rows of a partition [65536]")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--resume", action="store_true", help="large: go on from the work folder")
    options = parser.parse_args()
    one_thread_a_process()
    part = {"large": large, "alone": alone, "growth": growth, "quality": quality}[options.part]
    part(options)
    return 0


def large(options: argparse.Namespace) -> None:
    """One run, stage by stage."""
    n, workers = (int(text or default) for text, default in ((options.nodes, 2_000_000), (options.workers, 4)))
    prepared = prepare(options, n)
    with cluster(workers, options) as launcher:
        found = embed(prepared, launcher, options, seed=0)
    print(table_head("stage", "seconds", "CPU s", "largest worker, MB"))
    for stage in found["stages"]:
        print(markdown_row(stage.name, f"{stage.seconds:.0f}", f"{stage.cpu:.0f}", f"{stage.peak_mb:,.0f}"))
    print(markdown_row("all", f"{found['seconds']:.0f}", f"{sum(s.cpu for s in found['stages']):.0f}", found["peak"]))
    print("peak of each worker in MB:", ", ".join(f"{peak:,.0f}" for peak in sorted(found["peaks"].values())))
    print(f"recall {found['recall']}; accuracy {describe(found['accuracy'])}", flush=True)


def alone(options: argparse.Namespace) -> None:
    """One process in memory, on the graph of `large`."""
    from genurl_graph.tasks.partitioned.resolve import resolve_run

    prepared = prepare(options, int(options.nodes or 2_000_000))
    config = resolve_run(prepared, asked_for(options), seed=0).config
    peak, took = apart(1, in_memory_peak, prepared.store.path, config.to_dict())
    print(f"one process in memory: {peak:,.0f} MB, {took.wall:.0f} s, {took.cpu:.0f} CPU s")


def growth(options: argparse.Namespace) -> None:
    """The largest worker by nodes and workers: of the stages of the graph, and of the training."""
    sizes = [int(n) for n in (options.nodes or "250000,500000,1000000").split(",")]
    counts = [int(w) for w in (options.workers or "1,2,4").split(",")]
    print(table_head("nodes", "workers", "graph, MB", "training, MB", "seconds"))
    for n in sizes:
        prepared = prepare(options, n)
        for workers in counts:
            with cluster(workers, options) as launcher:
                found = embed(prepared, launcher, options, seed=0, judged=False)
            training = max(stage.peak_mb for stage in found["stages"] if stage.name == "training")
            others = max(stage.peak_mb for stage in found["stages"] if stage.name != "training")
            cells = (f"{n:,}", workers, f"{others:,.0f}", f"{training:,.0f}", f"{found['seconds']:.0f}")
            print(markdown_row(*cells), flush=True)


def quality(options: argparse.Namespace) -> None:
    """Probes by partitions and in memory, and equality of P."""
    n, workers = (int(text or default) for text, default in ((options.nodes, 50_000), (options.workers, 4)))
    prepared = prepare(options, n)
    rows: dict[str, list[float]] = {}
    with cluster(workers, options) as launcher:
        for seed in range(options.seeds):
            found = embed(prepared, launcher, options, seed)
            rows.setdefault(f"{workers} workers", []).append(found["accuracy"]["embedding"])
            model = in_memory(prepared.store.path, found["config"].to_dict(), seed)
            z, y = model.embedding_.numpy()[:JUDGED], first_rows(prepared.store, "y")
            rows.setdefault("one process in memory", []).append(probe(z, y))
            if seed == 0:
                rows |= {name: [value] for name, value in found["accuracy"].items() if name != "embedding"}
                print("P of both the same to the bit:", same_similarities(found["work"], model.graph_))
    for name, values in rows.items():
        print(f"{name}: {mean_std([100 * value for value in values])}", flush=True)


def prepare(options: argparse.Namespace, n: int) -> Any:
    """The planted graph of n nodes, prepared, made once."""
    from genurl_graph.datasets.planted_partitions import write_planted
    from genurl_graph.datasets.readers.node_tables import read_any_blocks
    from genurl_graph.inputs.partitioned import Blocks, Prepared, prepare_tables
    from genurl_graph.inputs.reading import ReadOptions

    folder = options.work / f"{n}-{options.edges_a_node:g}-{options.features}-{options.noise:g}-{options.rows}"
    if (folder / "prepared" / "manifest.json").exists():
        return Prepared.open(folder / "prepared")
    folder.mkdir(parents=True, exist_ok=True)
    wrote, files = timed(lambda: write_planted(folder, n, options.edges_a_node, options.features, noise=options.noise))
    tables = (Blocks(list(paths), lambda path: read_any_blocks(path, options=ReadOptions())) for paths in files)
    took, prepared = timed(lambda: prepare_tables(*tables, folder / "prepared", rows=options.rows))
    print(
        f"{n:,} nodes, {prepared.manifest.num_edges:,} entries: written in {wrote.wall:.0f} s, prepared in "
        f"{took.wall:.0f} s ({took.cpu:.0f} CPU s); this process took {memory_mb('VmHWM'):,.0f} MB",
        flush=True,
    )
    for name in ("edges", "nodes"):
        shutil.rmtree(folder / name)
    return prepared


@contextmanager
def machines(workers: int, options: argparse.Namespace) -> Iterator[Any]:
    """A head without cores and a node for each worker."""
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(workers):
            nodes.add_node(num_cpus=1, memory=int(options.memory * 1e9), object_store_memory=OBJECT_STORE)
        nodes.wait_for_nodes()
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()


@contextmanager
def cluster(workers: int, options: argparse.Namespace) -> Iterator[Any]:
    """A launcher of such machines."""
    from genurl_graph.runtime.partitions.ray_cluster import RayCluster

    with machines(workers, options) as nodes, RayCluster(nodes.address, workers, int(options.memory * 1e9)) as launcher:
        yield launcher


def embed(prepared: Any, launcher: Any, options: argparse.Namespace, seed: int, judged: bool = True) -> dict[str, Any]:
    """A run by partitions: its stages, peaks and, if `judged`, probe accuracies."""
    import numpy as np

    from genurl_graph.inference.partitioned.output import Output
    from genurl_graph.inference.partitioned.run import embedding_run

    output = prepared.store.path.with_name("embedded")
    how = {"seed": seed, "device": "cpu", "told": lambda line: print(line, file=sys.stderr, flush=True)}
    run = embedding_run(prepared, output, launcher, asked_for(options), resume=options.resume, **how)
    took, summary = timed(run.fit)
    wrote, _ = timed(run.write)
    stages, peaks = run.launcher.stages(), dict[str, float]()
    for stage in stages:
        for worker, peak in stage.workers.items():
            peaks[worker] = max(peaks.get(worker, 0.0), peak)
    found = {"stages": stages, "seconds": took.wall + wrote.wall, "peaks": peaks, "work": run.work}
    found |= {"peak": f"{max(peaks.values()):,.0f}", "recall": summary["knn_recall"], "config": run.settings.config}
    if judged:
        written = Output.write(run.output, run.prepared, run.settings.config.encoder.dim, {})
        hops = run.settings.config.encoder.hops
        rows = {"embedding": written.rows(JUDGED)["embedding"]}
        rows |= {"raw": first_rows(run.work, "average0"), "propagated": first_rows(run.work, f"average{hops}")}
        y = first_rows(run.prepared.store, "y")
        found["accuracy"] = {name: probe(np.asarray(z), y) for name, z in rows.items()}
    return found


def first_rows(store: Any, name: str) -> Any:
    """The first rows of an array, which are a random sample."""
    import numpy as np

    return store.take(name, np.arange(min(JUDGED, store.num_rows)))


def in_memory(path: Path, config: Any, seed: int = 0) -> Any:
    """A model of the same configuration and rows, fitted in memory."""
    from torch_geometric.data import Data

    from genurl_graph import GenURL
    from genurl_graph.inputs.partitioned import Prepared

    found = Prepared.open(path).whole()
    settings = {
        f"{part}.{key}": value for part, values in config.items() if part != "task" for key, value in values.items()
    }
    return GenURL(task="graph", random_state=seed, config=settings).fit(Data(x=found.x, edge_index=found.edge_index))


def in_memory_peak(path: Path, config: Any) -> tuple[float, Any]:
    """Peak in MB, and time, of a fit in memory."""
    took, _ = timed(lambda: in_memory(path, config))
    return memory_mb("VmHWM"), took


def asked_for(options: argparse.Namespace) -> dict[str, Any]:
    """What differs from the preset."""
    from genurl_graph.config.toml import parse_assignments

    return {"training.epochs": options.epochs, **parse_assignments(options.set)}


def same_similarities(work: Any, graph: Any) -> bool:
    """Whether P by partition is that of a model, to the bit."""
    import numpy as np

    crow, col, p = (list(work.parts(name)) for name in ("p_crow", "p_col", "p"))
    row = np.repeat(np.arange(work.num_rows), np.concatenate([np.diff(part) for part in crow]))
    edges, weight = graph.edge_index.numpy(), graph.edge_weight.numpy()
    edges, weight = edges[:, weight > 0], weight[weight > 0]
    found = np.stack([row, np.concatenate(col)])
    return bool(np.array_equal(found, edges) and np.array_equal(np.concatenate(p), weight))


def describe(accuracy: dict[str, float]) -> str:
    """Accuracies in per cent."""
    return ", ".join(f"{name} {100 * value:.1f}" for name, value in accuracy.items())


def probe(z: Any, y: Any) -> float:
    """Test accuracy of a logistic regression that 5 % of the rows train; another 5 % choose its strength."""
    from shared import linear_accuracy
    from sklearn.preprocessing import StandardScaler

    train, val = len(y) // 20, len(y) // 10
    z = StandardScaler().fit(z[:train]).transform(z)
    parts = [(z[part], y[part]) for part in (slice(train), slice(train, val), slice(val, None))]
    return linear_accuracy(parts[0], parts[1], parts[2], 300)


if __name__ == "__main__":
    sys.exit(main())
