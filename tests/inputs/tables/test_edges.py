"""Sums of repeated pairs against a dictionary, for any list of edges."""

from collections import defaultdict

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.assemble import read_tables
from genurl_graph.inputs.tables.table import Table

ENDS = st.one_of(st.integers(0, 8), st.sampled_from("abcdef"))
LINES = st.lists(st.tuples(ENDS, ENDS, st.integers(0, 4)), min_size=1, max_size=30)


def naive(lines: list, directed: bool) -> dict:
    """Totals of ordered pairs; of an undirected list of each pair in both directions."""
    totals: dict = defaultdict(float)
    for source, target, weight in lines:
        totals[str(source), str(target)] += weight
    between = {pair: total for pair, total in totals.items() if pair[0] != pair[1]}
    both = bool(between) and all(totals.get(pair[::-1]) == total for pair, total in between.items())
    if directed or both:
        return dict(totals)
    ends = {*between, *(pair[::-1] for pair in between)}
    summed = {pair: totals.get(pair, 0.0) + totals.get(pair[::-1], 0.0) for pair in ends}
    return summed | {pair: total for pair, total in totals.items() if pair[0] == pair[1]}


@given(LINES, st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_totals(lines: list, directed: bool, weighted: bool):
    frame = pd.DataFrame(lines, columns=["source", "target", "weight"])
    for end in ("source", "target"):
        if frame[end].map(type).nunique() > 1 or isinstance(frame[end][0], str):
            frame[end] = frame[end].map(str).astype(object)
    if not weighted:
        frame = frame.drop(columns="weight")
        lines = [(source, target, 1) for source, target, _ in lines]
    data = read_tables(Table("edges", frame), options=ReadOptions.of(directed=directed))
    names = data.get("node_id") or [*map(str, range(data.num_nodes))]
    weight = [1.0] * data.edge_index.size(1) if data.get("edge_weight") is None else data.edge_weight.tolist()
    found = {(names[u], names[v]): w for (u, v), w in zip(data.edge_index.T.tolist(), weight, strict=True)}
    assert len(found) == data.edge_index.size(1)
    assert found == naive(lines, directed)
    record = data.reading.record["edges"]
    assert record["lines"] == len(lines)
    pairs = {tuple(map(str, line[:2])) if directed else frozenset(map(str, line[:2])) for line in lines}
    assert record["pairs"] == len(pairs)
