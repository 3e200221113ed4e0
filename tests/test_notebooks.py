"""The notebooks run cell after cell and show what they say; what was committed is what their code shows."""

import ast
import base64
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from genurl_graph.evaluation import probe

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
EXECUTE = runpy.run_path(str(FOLDER / "execute.py"))
# Notebooks that need data which the tests do not make, and the folder that holds them.
NEEDS = {
    "cora_in_five_minutes": "",
    "edge_sources": "",
    "roads_as_a_map": "roads/linkoping.npz",
    "typed_edges_explored": "knowledge/UMLS",
}
# A part of the epochs, of the columns and of what is made up shows as well what the cells do.
SHORTER = {
    "start_here": {"GenURL(random_state=0)": "GenURL(64, random_state=0, epochs=20, config={'encoder.hidden': 64})"},
    "cora_in_five_minutes": {
        "random_state=0": "random_state=0, n_components=64, epochs=10, config={'encoder.hidden': 64}"
    },
    "maps_beside_umap": {"GenURL(n_components=2, random_state=0)": "GenURL(n_components=2, random_state=0, epochs=60)"},
    "your_own_graph": {'"epochs": 20': '"epochs": 10', "n_repeats=5": "n_repeats=3"},
    "edge_sources": {
        "epochs=15": "epochs=10",
        "epochs=60": "epochs=2",
        '"encoder.hidden": 128': '"encoder.hidden": 64',
    },
    "distillation": {"epochs=80": "epochs=5"},
    "images_without_labels": {
        "GenURL(n_components=2, random_state=0)": "GenURL(n_components=2, random_state=0, epochs=5)"
    },
    "roads_as_a_map": {
        "GenURL(128, random_state=0)": "GenURL(48, random_state=0, epochs=4, config={'encoder.hidden': 64})"
    },
    "typed_edges_explored": {"GenURL(random_state=0)": "GenURL(64, random_state=0)"},
}


def start_here(names: dict[str, Any]) -> None:
    assert picture("modules.png")
    same = names["same"]
    # Both sources say more than the words alone, and the families are no accident.
    assert same["GenURL"] > same["words alone"] > 3 * same["at random"]
    assert "json.decoder" in names["nearest"]["json"]
    assert names["graph"].has_edge("json", "json.decoder")
    assert Path("modules.csv").read_text().count("\n") == len(names["data"].node_id) + 1


def cora(names: dict[str, Any]) -> None:
    assert picture("cora.png")
    accuracy = names["accuracy"]
    # Components of the features stand beside the trained columns of both.
    assert accuracy["GenURL"] > accuracy["same encoder, untrained"] + 0.03


def pictures(names: dict[str, Any]) -> None:
    assert picture("digits.png")
    assert picture("ink.png")
    assert [ax.get_title() for ax in names["shown"]] == ["GenURL", "PCA"]
    # The fitted images, and the rings of the new ones.
    assert [len(drawn.get_offsets()) for drawn in names["ax"].collections] == [1500, 297]
    assert list(names["scores"]) == ["GenURL", "PCA"]
    ours, pca = names["scores"]["GenURL"], names["scores"]["PCA"]
    assert ours["knn_accuracy"] > 0.95 > pca["knn_accuracy"] + 0.2
    assert ours["trustworthiness"] > pca["trustworthiness"] + 0.1
    assert names["placed"].shape == (297, 2)
    assert (names["placed"][:1] == names["model"].transform(names["x"][1500:1501])).all()


def single_cells(names: dict[str, Any]) -> None:
    assert picture("cells.png")
    assert names["adata"].uns["genurl"]["params"]["neighbors_key"] == "neighbors"
    assert names["adata"].obsm["X_wide"].shape == (700, 2)
    ours, umap = names["scores"]["genurl"], names["scores"]["umap"]
    assert ours["trustworthiness"] > umap["trustworthiness"]
    # Of the markers each is highest in its own type.
    highest = names["profile"][names["markers"]].idxmax()
    assert (highest["MS4A1"], highest["NKG7"], highest["SPINK2"]) == ("CD19+ B", "CD56+ NK", "CD34+")


def own_graph(names: dict[str, Any]) -> None:
    assert names["same"]
    assert names["data"].node_id[:2] == ["person-0", "person-1"]
    lines = Path("people-embedding.csv").read_text().splitlines()
    assert len(lines) == 301
    assert "person-299" in lines[-1]
    accuracy = names["accuracy"]
    assert accuracy["GenURL"] > max(accuracy["raw features"], accuracy["same encoder, untrained"]) + 0.03
    assert names["later"].shape == (50, 16)


def merging(names: dict[str, Any]) -> None:
    assert picture("merging.png")
    weights, accuracy = names["weights"], names["accuracy"]
    assert weights["adjacency only"] == {"mass_predefined": 1.0, "mass_feature": 0.0, "mass_both": 0.0}
    assert weights["features only"]["mass_predefined"] == 0.0
    assert min(weights["both"].values()) > 0.1
    # Features join what citations leave apart.
    assert names["pieces"] == {"adjacency only": 78, "both": 1}
    assert accuracy["both"]["val"] > accuracy["features only"]["val"] + 0.05
    assert accuracy["both"]["test"] > 0.75


def distillation(names: dict[str, Any]) -> None:
    assert picture("loss.png")
    assert picture("student.png")
    assert names["student"].loss_history_[-1] < names["student"].loss_history_[0]
    accuracy = names["accuracy"]
    assert accuracy["student, 8 columns"] > accuracy["student, untrained"] + 0.1
    assert accuracy["student, 8 columns"] > accuracy["PCA, 8 columns"]


def ogb(names: dict[str, Any]) -> None:
    assert names["report"]["complete"]
    assert names["report"]["data"]["official_size"] is False
    assert len(names["report"]["methods"]["genurl"]["linear_test"]) == 2
    assert "Not the official data set" in Path("out.md").read_text()
    assert names["test"]["genurl"] > names["test"]["untrained"] + 0.05


def images(names: dict[str, Any]) -> None:
    assert picture("loss.png")
    assert picture("images.png")
    losses = names["model"].loss_history_
    assert losses[-1] < 0.8 * losses[0]
    accuracy = names["accuracy"]
    assert accuracy["GenURL"] > max(accuracy["same encoder, untrained"], accuracy["PCA"]) + 0.08


def roads(names: dict[str, Any]) -> None:
    assert all(picture(name) for name in ("roads.png", "held-out.png", "component.png"))
    assert [ax.get_title() for ax in names["maps"]] == ["predicted", "true"]
    assert len(names["maps"][0].collections[0].get_paths()) == 6903
    scores = names["scores"]
    assert scores["GenURL"]["micro"] > scores["raw attributes"]["micro"] + 0.05
    assert scores["GenURL"]["macro"] > scores["raw attributes"]["macro"] + 0.05


def typed_edges(names: dict[str, Any]) -> None:
    assert picture("entities.png")
    assert len(names["named"]) > 30
    figures = names["figures"]
    assert figures["GenURL"].mrr > max(0.85, figures["frequency"].mrr + 0.1)
    assert bool(names["answers"]["true"].any())
    assert bool(names["back"]["known"].any())
    assert names["shares"]["five nearest"] > 2 * names["shares"]["any two"]


EXPECTED: dict[str, Callable[[dict[str, Any]], None]] = {
    "start_here": start_here,
    "cora_in_five_minutes": cora,
    "maps_beside_umap": pictures,
    "single_cells": single_cells,
    "your_own_graph": own_graph,
    "edge_sources": merging,
    "distillation": distillation,
    "ogb_in_small": ogb,
    "images_without_labels": images,
    "roads_as_a_map": roads,
    "typed_edges_explored": typed_edges,
}


def picture(name: str) -> bool:
    return Path(name).stat().st_size > 10_000


def test_every_notebook_is_tested_and_listed() -> None:
    found = {path.stem for path in FOLDER.glob("*.ipynb")}
    assert found == set(EXPECTED)
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(found) if f"{name}.ipynb" not in listed] == []


@pytest.mark.parametrize("name", EXPECTED)
def test_outputs_are_of_this_code(name: str) -> None:
    path = FOLDER / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    run_again = f"{path.name}: the code has changed since `make notebooks`"
    assert notebook.metadata["genurl_graph"]["code"] == EXECUTE["fingerprint"](notebook), run_again
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"execute_result", "display_data", "stream"}
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    for cell in code:
        last = ast.parse(cell.source).body[-1]
        shown = isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call) and not cell.source.endswith(";")
        assert cell.outputs or not shown, f"{path.name}: a value was not shown: {cell.source[-60:]}"


@pytest.mark.parametrize("name", EXPECTED)
def test_pictures_are_there_and_small(name: str) -> None:
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < 300_000
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    data = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [base64.b64decode(found["image/png"]) for found in data if "image/png" in found]
    code = "".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert len(pictures) >= len(set(re.findall(r"[\w-]+\.png", code)))
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.parametrize("name", EXPECTED)
def test_no_machine_is_named(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    shown = [str(output) for cell in notebook.cells for output in cell.get("outputs", ())]
    assert [text for text in shown if re.search(r"/(home|root|tmp|work|Users|usr)/|0x[0-9a-f]{8}", text)] == []
    assert all({*cell.metadata} <= {"tags"} for cell in notebook.cells)


def test_the_first_cell_installs_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util
    import subprocess

    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda words, check: asked.append(words[2:]))
    for missing in (False, True):
        for name in EXPECTED:
            notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
            first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
            assert first.startswith("# On Google Colab this installs genurl-graph")
            monkeypatch.setattr(importlib.util, "find_spec", lambda _, missing=missing: None if missing else object())
            exec(first, {})
    package = {name: "genurl-graph[scanpy]" if name == "single_cells" else "genurl-graph" for name in EXPECTED}
    assert asked == [["pip", "install", "--quiet", package[name]] for name in EXPECTED]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.data if name in NEEDS else ()) for name in EXPECTED]
)
def test_cells_run(name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = request.getfixturevalue("data_root") if name in NEEDS else tmp_path / "no-data"
    if not (root / NEEDS.get(name, "")).exists() and name in NEEDS:
        pytest.skip(f"needs {NEEDS[name]} in $GENURL_DATA")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENURL_DATA", str(root))
    # Fewer strengths of the penalty to choose from.
    monkeypatch.setattr(probe, "STRENGTHS", probe.STRENGTHS[1:8:2])
    if name == "single_cells":
        pytest.importorskip("scanpy", reason="needs the extra scanpy")
    else:
        # An optional baseline, which compiles for longer than all notebooks take: as if it were not installed.
        monkeypatch.setitem(sys.modules, "umap", None)
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    names: dict[str, Any] = {}
    cells, shorter = "".join(cell.source for cell in notebook.cells), SHORTER.get(name, {})
    assert [long for long in shorter if long not in cells] == []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            source = cell.source
            for long, short in shorter.items():
                source = source.replace(long, short)
            exec(compile(source, f"{name}[{number}]", "exec"), names)
    EXPECTED[name](names)
