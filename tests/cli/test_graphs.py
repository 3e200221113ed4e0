"""Whole graphs on the command line: embed, transform, rerun, inspect, explore, and what is refused."""

import json
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from genurl_graph.experiments.repeat import figures_of

FAST = ("--epochs", 1, "--seed", 0, "--set", "encoder.hidden=4", "--set", "encoder.skip=8", "--set", "encoder.dim=20")


def write(folder: Path, sizes=range(4, 28)) -> Path:
    """Rings and paths, by turns, of atoms."""
    folder.mkdir()
    for size in sizes:
        graph = nx.cycle_graph(size) if size % 2 else nx.path_graph(size)
        graph.graph["y"] = "ring" if size % 2 else "path"
        nx.set_node_attributes(graph, {node: "CN"[node % 3 == 0] for node in graph}, "element")
        nx.set_edge_attributes(graph, "single", "bond")
        graph.edges[0, 1]["bond"] = "double"
        nx.write_gml(graph, folder / f"g{size:02}.gml")
    return folder


def test_a_folder_is_embedded_and_new_graphs_get_the_rows_of_the_model(run) -> None:
    write(Path("mols"))
    words = ("--input", "mols", "--column", "feature=element,bond", *FAST)
    words = (*words, "--no-evaluate", "--verbose")
    shown = run("embed", *words, "--output", "z.csv", "--metrics", "m.json", "--save-model", "model")
    shown = shown.stdout
    for line in (
        "read mols as graphs (GML, one per file): 24 graphs of 4 to 27 nodes",
        "features of the edges: bond (2 categories)",
        "graph of graphs: 24 graphs, ",
        "8 components of the descriptors; ",
        "embedding 24 x ",
    ):
        assert line in shown
    header, *rows = Path("z.csv").read_text().splitlines()
    assert header.startswith("node_id,label,e0,")
    assert [row.split(",")[:2] for row in rows[:2]] == [["g04", "path"], ["g05", "ring"]]
    metrics = json.loads(Path("m.json").read_text())
    assert (metrics["n_graphs"], metrics["n_nodes"], metrics["task"]) == (24, sum(range(4, 28)), "graphs")
    # One graph alone gets the same row.
    shown = run("transform", "--model", "model", "--input", "mols/g05.gml", "--output", "one.csv").stdout
    assert "(by the plan of the model)" in shown
    assert Path("one.csv").read_text().splitlines()[1].split(",")[1:] == rows[1].split(",")[2:]
    again = run("rerun", "m.json").stdout
    assert re.search(r"n_graphs +24 +24 +yes", again)
    assert " NO" not in again


def test_figures_of_graphs_are_compared_with_those_of_a_repetition() -> None:
    rows = {"genurl": {"rbf": 0.9, "linear": 0.85}, "wl": {"rbf": 0.8, "linear": None}}
    named = figures_of({"n_graphs": 2, "graphs": rows})
    assert {key: named[key] for key in named if key.startswith("graphs.")} == {
        "graphs.genurl.rbf": 0.9,
        "graphs.genurl.linear": 0.85,
        "graphs.wl.rbf": 0.8,
    }


def test_a_table_of_edges_becomes_a_row_for_each_graph(run) -> None:
    lines = [f"g{graph},{node},{node + 1}" for graph in range(12) for node in range(3 + graph % 4)]
    Path("edges.csv").write_text("\n".join(["graph,source,target", *lines]))
    assert "--column graph=graph" in run("embed", "--input", "edges.csv", code=2).stderr
    run("embed", "--input", "edges.csv", "--column", "graph=graph", *FAST, "--output", "z.npz", "--no-evaluate")
    with np.load("z.npz") as found:
        assert found["node_id"].tolist() == [f"g{graph}" for graph in range(12)]
        assert found["embedding"].shape[0] == 12
    shown = run("inspect", "edges.csv", "--column", "graph=graph").stdout
    assert re.search(r"graph +graph +text +0 +12", shown)
    assert "12 graphs, 0 of them without nodes" in shown
    # A chain of four nodes: both ways are one edge.
    assert re.search(r"g0 +4 +3$", shown, re.MULTILINE)


def test_a_data_set_and_its_page(run, data_root: Path) -> None:
    folder = data_root / "TUDataset" / "PTC_MR"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    words = ("--dataset", "ptc", "--data-root", data_root)
    run("embed", *words, *FAST, "--output", "z.npz", "--metrics", "m.json", "--no-evaluate", "--plot", "z.png")
    assert Path("z.png").stat().st_size > 1000
    shown = run("explore", "z.npz", *words, "--run", "m.json").stdout
    assert "PTC_MR: 344 graphs; 20 dimensions brought to 2" in shown
    assert "Neighbours: kNN edges by descriptors of the graphs, by the settings of the run, seed 0" in shown
    page = Path("explorer.html").read_text(encoding="utf-8")
    found = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)[0])
    assert found["drawings"]["kinds"][0].startswith("kind ")
    assert [one["name"] for one in found["columns"]][:3] == ["Label", "Nodes", "Edges"]
    assert "344 graphs, but" not in shown
    for other in (
        ("distill", "--teacher", "z.npz", *words),
        ("evaluate", "--protocol", "links", *words),
        ("compare", *words, "--task", "reduce"),
    ):
        assert "PTC_MR: found 344 graphs; expected one graph, or vectors" in run(*other, code=2).stderr


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "a.csv").write_text("a,b\n1,2\n"), r"several kinds: csv \(a.csv\) beside gml"),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "an empty folder"),
        (lambda folder: Path("l.csv").write_text("graph,label\nx9,a\n"), "found label of graph 'x9'"),
    ],
)
def test_bad_input_is_one_message(run, spoil, message: str) -> None:
    folder = write(Path("mols"), range(4, 8))
    spoil(folder)
    labels = ("--labels", "l.csv") if Path("l.csv").exists() else ()
    result = run("embed", "--input", "mols", *labels, *FAST, code=2)
    assert re.search(message, result.stderr)
    assert "Traceback" not in result.output
