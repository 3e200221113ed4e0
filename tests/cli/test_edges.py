"""Edges that are rows on the command line: embedded, kept, and embedded by the kept model."""

import json

import pandas as pd
import pytest

SMALL = ("--dim", 8, "--device", "cpu", "--set", "encoder.hidden=16")


@pytest.fixture
def town(tmp_path):
    """A grid of streets, the rows of which are main roads."""
    rows = [(i * 8 + j, i * 8 + j + 1, "main") for i in range(8) for j in range(7)]
    columns = [(i * 8 + j, i * 8 + j + 8, "side") for i in range(7) for j in range(8)]
    frame = pd.DataFrame([*rows, *columns], columns=["u", "v", "kind"])
    frame["width"] = [9.5 if kind == "main" else 6.25 for kind in frame.kind]
    frame["lit"] = frame.index % 2 == 0
    frame.to_csv(tmp_path / "town.csv", index=False)
    return tmp_path


def test_edges_are_embedded_kept_repeated_and_join_back(town, run) -> None:
    asked = ("--task", "edges", "--column", "label=kind", "--epochs", 3, *SMALL)
    kept = ("--output", town / "z.csv", "--save-model", town / "model", "--metrics", town / "m.json")
    said = run("embed", "--input", town / "town.csv", *asked, *kept).output
    assert "read town.csv as edges that are rows: u -> v" in said
    roads, found = pd.read_csv(town / "town.csv"), pd.read_csv(town / "z.csv")
    joined = roads.merge(found, left_on=["u", "v"], right_on=["source", "target"])
    assert len(joined) == len(roads)
    assert (joined.kind == joined.label).all()
    figures = json.loads((town / "m.json").read_text())
    assert (figures["task"], figures["n_edges"]) == ("edges", 112)
    assert figures["probe"] is not None
    run("transform", "--model", town / "model", "--input", town / "town.csv", "--output", town / "again.csv")
    assert len(pd.read_csv(town / "again.csv")) == 112
    assert "NO" not in run("rerun", town / "m.json").output


def test_the_reading_says_it_as_well(town, run) -> None:
    more = (*SMALL, "--epochs", 1, "--output", town / "z.npz", "--column", "ignore=kind")
    assert "edges that are rows" in run("embed", "--input", town / "town.csv", "--as", "edge-rows", *more).output
