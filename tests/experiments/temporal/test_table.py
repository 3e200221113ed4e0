"""The table of events keeps what could not be judged as absent, and pairs differences by seed."""

from pathlib import Path

import pytest

from genurl_graph.evaluation.temporal_links.negatives import KINDS
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit, references
from genurl_graph.experiments.temporal.methods import UNTRAINED
from genurl_graph.experiments.temporal.table import FIGURES, NEGATIVES, TemporalTable
from genurl_graph.inputs.temporal import TemporalEdges, Windows


def table_of(path: Path | None, inductive: float | None) -> TemporalTable:
    header = {"dataset": "CollegeMsg", "protocol": "temporal-links", "windows": "9", "seeds": [0, 1]}
    table = TemporalTable(header, {"device": "cpu", "threads": 1}, {"genurl": {}, "tgn": {}}, path)
    for shift in (0.0, 0.1):
        for name, own in (("genurl", 0.8), ("tgn", 0.7)):
            run = dict.fromkeys(FIGURES, own + shift) | {"auc_inductive": inductive, "ap_inductive": inductive}
            table.add(name, run | {"seconds": 1.0, "cpu_seconds": 2.0, "peak_memory_mb": 5.0})
    return table


def test_what_cannot_be_judged_stays_absent(tmp_path: Path) -> None:
    table = table_of(tmp_path / "m.json", None)
    row = table.rows()["tgn"]
    assert row["mean"]["auc_random"] == pytest.approx(0.75)
    assert row["mean"]["auc_inductive"] is row["difference"]["auc_inductive"] is None
    assert row["difference"]["mrr"] == pytest.approx(dict.fromkeys(("mean", "low", "high"), -0.1))
    titles, _, cells = table.table()
    shown = dict(zip(titles, cells, strict=True))
    assert (shown["MRR"], shown["AUC inductive"], shown["CPU s of the fit"]) == ("75.0 ± 7.1", "-", "2.0 ± 0.0")
    assert "AUC active -10.0 [-10.0, -10.0]" in table.notes()[0]
    assert "inductive" not in table.notes()[0]
    again = TemporalTable(table.header, table.environment, table.configuration, tmp_path / "m.json")
    again.resume()
    assert again.runs == table.runs


def test_names_are_those_of_the_protocol() -> None:
    assert NEGATIVES == KINDS
    edges = TemporalEdges.of([0, 1, 2] * 20, [1, 2, 0] * 20, range(60))
    found = references(TemporalSplit.of(edges, Windows.of_equal_events(edges, 10)), 9)
    assert {*UNTRAINED.values()} == {*found}
