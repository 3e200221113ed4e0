"""Tables of any columns are read or refused in words; rows and edges never get lost."""

import numpy as np
import pandas as pd
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.assemble import read_tables
from genurl_graph.inputs.tables.table import Table

NAMES = [
    *("source", "target", "id", "label", "y", "x", "weight", "rating", "time", "type", "user_id", "item_id", "drug1"),
    *("drug2", "age", "country", "name", "segment", "note", "a", "b", "", "Label", "Type", "V1", "V2", "V3", "key"),
]  # fmt: skip
CELLS = {
    "small": lambda rng, n: rng.integers(0, 6, n),
    "rows": lambda rng, n: np.arange(n),
    "mixed": lambda rng, n: rng.permutation(n) + 1,
    "number": lambda rng, n: rng.normal(size=n).round(2),
    "gaps": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.integers(0, 9, n)),
    "clock": lambda rng, n: rng.integers(1_000_000_000, 1_100_000_000, n),
    "names": lambda rng, n: np.array([f"n{i}" for i in rng.integers(0, 8, n)], dtype=object),
    "ids": lambda rng, n: np.array([f"n{i}" for i in range(n)], dtype=object),
    "words": lambda rng, n: rng.choice(np.array(["red", "", "NA", "blue", "7"], dtype=object), n),
    "dates": lambda rng, n: np.array([f"2020-01-{day:02}" for day in rng.integers(1, 28, n)], dtype=object),
    "bool": lambda rng, n: rng.random(n) < 0.5,
    "empty": lambda rng, n: np.array([""] * n, dtype=object),
    "direction": lambda rng, n: np.array(["Undirected"] * n, dtype=object),
}
COLUMNS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(list(CELLS))), min_size=1, max_size=5)
OPTIONS = st.sampled_from(
    [
        {},
        {},
        {"as_": "edges"},
        {"as_": "vectors"},
        {"columns": {"label": "segment"}},
        {"columns": {"ignore": ["weight"]}},
    ]
)


def table(columns: list, rows: int, seed: int, header: bool) -> Table:
    rng = np.random.default_rng(seed)
    cells = {name: CELLS[kind](rng, rows) for name, kind in columns}
    frame = pd.DataFrame({name if header else str(i + 1): part for i, (name, part) in enumerate(cells.items())})
    return Table("file.csv", frame, header)


@given(
    COLUMNS, st.none() | COLUMNS, st.none() | COLUMNS, st.integers(1, 12), st.integers(0, 99), st.booleans(), OPTIONS
)
@settings(max_examples=100, deadline=None)
def test_any_columns(
    main: list, features: list | None, labels: list | None, rows: int, seed: int, header: bool, options
):
    tables = [None if each is None else table(each, rows, seed + 1, header) for each in (features, labels)]
    first = table(main, rows, seed, header)
    try:
        data = read_tables(first, *tables, ReadOptions.of(**options))
    except InputError:
        return
    record = data.reading.record
    assert data.reading.lines[0].startswith(f"read file.csv as {'edges' if 'edges' in record else 'vectors'}")
    if "edges" in record:
        told = record["edges"]
        weight = data.get("edge_weight")
        total = float(data.edge_index.size(1) if weight is None else weight.double().sum())
        sums = first.frame[told["weight"]].astype(float).sum() if "weight" in told else rows
        if not told["directed"] and not told["both_directions"]:
            loops = data.edge_index[0] == data.edge_index[1]
            own = float(loops.sum() if weight is None else weight[loops].double().sum())
            total = (total + own) / 2
        assert abs(total - sums) <= 1e-4 * max(1.0, abs(sums))
        accounted = {told["source"], told["target"], told.get("weight"), told.get("type"), *told["left_out"]}
        assert accounted >= set(first.frame.columns)
    else:
        assert data.num_nodes == rows
        assert bool(torch.isfinite(data.x).all())
