"""Memory and CPU seconds of `task="temporal"`: planted streams of growing size, read from Parquet in chunks.

    python tests/benchmarks/bench_temporal_size.py            # 0.1, 1 and 10 M events, a tenth as many nodes
    python tests/benchmarks/bench_temporal_size.py --events 100000 --set training.epochs=2

Each row runs in a process of its own, so that its peak is its own: the largest resident memory, libraries and data
included. The stream is written beforehand, one day at a time (`datasets/planted_switching.py`). NMI is that of k-means
within the last window against the communities of that day, on 20,000 rows at most: it says that the embedding is one.
Linear: microseconds an event stay.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from shared import apart, benchmark_parser, markdown_row, memory_mb, table_head, timed

COLUMNS = (
    "events",
    "nodes",
    "rows",
    "read (s)",
    "prepare (s)",
    "train (s)",
    "embed (s)",
    "processor (s)",
    "µs an event",
    "read (MB)",
    "peak (MB)",
    "NMI, last window",
)
# Nodes a community, events a node; days, and windows as many.
COMMUNITY, EACH, DAYS = 2000, 10, 20
JUDGED = 20_000


def planted(events: int) -> tuple[int, int, dict[str, Any]]:
    """Nodes, events and options of a planted stream."""
    nodes = max(events // EACH, 100)
    # As dense as it takes to be told from noise: communities are few, and most events stay inside.
    return nodes, events, {"communities": max(min(nodes // COMMUNITY, 10), 2), "spans": DAYS, "inside": 0.9}


def write(path: Path, events: int) -> None:
    """The stream as a file."""
    from genurl_graph.datasets.planted_switching import write_planted_stream

    nodes, count, options = planted(events)
    write_planted_stream(path, nodes, count, **options)


def measure(path: Path, events: int, settings: dict[str, Any]) -> tuple[str, ...]:
    """One row: a stream that was written to a file."""
    import torch

    from genurl_graph import datasets
    from genurl_graph.inputs.temporal.convert import as_events
    from genurl_graph.runtime.random import seeded
    from genurl_graph.tasks.temporal import build, resolve_temporal
    from genurl_graph.training.loop import train

    reading, data = timed(lambda: as_events(datasets.read(path, columns={"time": "time"})))
    read = memory_mb("VmHWM")
    with seeded(0):
        config = resolve_temporal(data, {"temporal.windows": str(DAYS), **settings})
        preparing, problem = timed(lambda: build(data, config, 0, torch.device("cpu")))
        training, _ = timed(lambda: train(problem.objective, config.training))
        embedding, (trajectory, _) = timed(problem.objective.trajectory)
    peak = memory_mb("VmHWM")
    stages = (reading, preparing, training, embedding)
    cpu = sum(stage.cpu for stage in stages)
    sizes = (f"{events:,}", f"{data.num_nodes:,}", f"{len(trajectory.node):,}")
    seconds = (*(f"{stage.cpu:.1f}" for stage in stages), f"{cpu:.1f}", f"{1e6 * cpu / events:.0f}")
    return (*sizes, *seconds, f"{read:,.0f}", f"{peak:,.0f}", last_window(trajectory, data.names, events))


def last_window(trajectory: Any, names: Any, events: int) -> str:
    """NMI of k-means on rows of the last window with the communities of the last day."""
    import numpy as np
    import torch

    from genurl_graph.datasets.planted_switching import Planted
    from genurl_graph.evaluation.temporal_nodes import window_clusters

    nodes, count, options = planted(events)
    label = Planted.of(nodes, count, **options).label[:, -1]
    rows = trajectory.rows(trajectory.num_windows - 1)
    step = max((rows.stop - rows.start) // JUDGED, 1)
    kept = slice(rows.start, rows.stop, step)
    parts = {name: getattr(trajectory, name)[kept].contiguous() for name in ("node", "window", "embedding", "events")}
    node = parts["node"] if names is None else torch.from_numpy(np.asarray(names).astype(np.int64))[parts["node"]]
    return f"{window_clusters(trajectory._replace(**parts), label[node])['window']:.3f}"


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--events", default="100000,1000000,10000000", help="of each stream")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    settings = dict(word.split("=", 1) for word in asked.set)
    print(table_head(*COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        for events in map(int, asked.events.split(",")):
            path = Path(folder) / f"{events}.parquet"
            apart(asked.threads, write, path, events)
            print(markdown_row(*apart(asked.threads, measure, path, events, settings)), flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
