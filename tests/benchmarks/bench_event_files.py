"""Memory and CPU seconds of reading files of events, which come in blocks.

    python tests/benchmarks/bench_event_files.py                     # 1 and 10 M events, a tenth as many nodes
    python tests/benchmarks/bench_event_files.py --events 1000000 --kinds csv,names.csv

Kinds: csv and parquet hold whole numbers as ids, seconds since 1970 and a weight; names.csv and names.parquet hold
names, dates as text, and a column of words that nobody needs. Each row runs in a process of its own. Columns: the
events as they are kept (int64 ends, float64 times, float32 weights). Peak: the largest resident memory beside the
libraries.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from shared import apart, benchmark_parser, markdown_row, memory_mb, table_head, timed

COLUMNS = ("file", "events", "nodes", "size (MB)", "read (CPU s)", "columns (MB)", "peak (MB)")
KINDS = ("parquet", "csv", "names.parquet", "names.csv")
STEP = 1_000_000


def write(path: Path, events: int, kind: str) -> None:
    """Random events in the order of time, a million at a time."""
    import numpy as np
    import pandas as pd
    import pyarrow
    import pyarrow.parquet

    random, nodes, writer = np.random.default_rng(0), max(events // 10, 2), None
    for begin in range(0, events, STEP):
        count = min(STEP, events - begin)
        time = 1_200_000_000 + 10 * begin + np.sort(random.integers(0, 10 * count, count))
        ends = {name: pd.Series(random.integers(0, nodes, count)) for name in ("source", "target")}
        frame = pd.DataFrame({**ends, "time": time, "weight": random.random(count).round(3)})
        if kind.startswith("names"):
            for name in ends:
                frame[name] = "user_" + frame[name].astype(str)
            frame["time"] = pd.to_datetime(frame["time"], unit="s").astype(str)
            frame["note"] = "some words that nobody needs"
        if kind.endswith("csv"):
            frame.to_csv(path, index=False, header=not begin, mode="a" if begin else "w")
            continue
        table = pyarrow.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def measure(path: Path, kind: str) -> tuple[str, ...]:
    """One row: a file that was written."""
    from genurl_graph import datasets
    from genurl_graph.datasets import readers  # noqa: F401 - loaded before it counts

    before = memory_mb("VmRSS")
    reading, found = timed(lambda: datasets.read(path, columns={"time": "time"}))
    peak = memory_mb("VmHWM") - before
    kept = sum(part.numel() * part.element_size() for part in found.edges[:4]) / 1e6
    sizes = (f"{found.num_events:,}", f"{found.num_nodes:,}", f"{path.stat().st_size / 1e6:,.0f}")
    return (kind, *sizes, f"{reading.cpu:.1f}", f"{kept:,.0f}", f"{peak:,.0f}")


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--events", default="1000000,10000000", help="of each file")
    parser.add_argument("--kinds", default=",".join(KINDS))
    asked = parser.parse_args()
    print(table_head(*COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        for events in map(int, asked.events.split(",")):
            for kind in asked.kinds.split(","):
                path = Path(folder) / f"{events}.{kind.rpartition('.')[2]}"
                apart(1, write, path, events, kind)
                print(markdown_row(*apart(1, measure, path, kind)), flush=True)
                path.unlink()


if __name__ == "__main__":
    main()
