"""``genurl-graph explore``: what the page holds, and what is refused before anything is written."""

import base64
import hashlib
import json
import re
import webbrowser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph.inputs.embeddings import write_embedding


def payload(page: str = "explorer.html") -> dict[str, Any]:
    text = Path(page).read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def decode(stored: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(stored["data"]), dtype=np.dtype(f"<{stored['type']}"))


@pytest.fixture
def karate(run) -> torch.Tensor:
    z = torch.from_numpy(np.random.default_rng(0).standard_normal((34, 2)).astype(np.float32))
    write_embedding("z.npz", z, label=["a", "b"] * 17)
    return z


def columns(found: dict[str, Any]) -> dict[str, Any]:
    return {column["name"]: column for column in found["columns"]}


def test_an_embedding_alone(run, karate: torch.Tensor) -> None:
    result = run("explore", "z.npz")
    found = payload()
    np.testing.assert_array_equal(np.stack([decode(found["x"]), decode(found["y"])], 1), karate.numpy())
    assert list(columns(found)) == ["Label", "Cluster"]
    assert columns(found)["Label"]["names"] == ["a", "b"]
    assert len(columns(found)["Cluster"]["names"]) == 2  # as many as labels
    assert found["merged"] is None
    assert "--dataset" in found["mergedAbout"]
    assert found["nearest"]["k"] == 10
    assert "explorer.html" in result.stdout


def test_without_an_embedding_it_is_said_what_that_is(run) -> None:
    told = " ".join(run("explore", "--input", "mails.csv", code=2).stderr.split())
    assert "Missing EMBEDDING, the file that embed --output has written" in told
    assert "genurl-graph explore mails-embedding.npz --input mails.csv" in told
    assert "explore NAME-embedding.npz" in run("explore", code=2).stderr


def test_neighbours_by_edge_source_are_those_of_the_run(run, ogb_blocks: Path) -> None:
    run(
        *("embed", "--dataset", "ogbn-arxiv", "--data-root", ogb_blocks, "--epochs", 1, "--dim", 4, "--seed", 5),
        *("--set", "neighbors.n_neighbors=6", "--set", "merge.evidence=none"),
        *("--output", "z.npz", "--metrics", "m.json"),
    )
    words = ("explore", "z.npz", "--dataset", "ogbn-arxiv", "--data-root", ogb_blocks, "--clusters", 4)
    result = run(*words, "--run", "m.json")
    found, graph = payload(), json.loads(Path("m.json").read_text())["graph"]
    bits = decode(found["merged"]["bits"])
    counts = {name: int((bits == bit).sum()) for name, bit in (("n_predefined", 1), ("n_feature", 2), ("n_both", 3))}
    # Each edge lies in the lists of both of its ends.
    assert counts == {name: 2 * graph[name] for name in counts}
    assert "settings of the run, seed 5" in result.stdout
    assert any("4 dimensions brought to 2" in note for note in found["notes"])
    assert list(columns(found)) == [
        *(
            "Label",
            "Degree",
            "Degree, merged",
            "Added by features",
            "Cluster",
            "Local trustworthiness: features",
            "Local trustworthiness: embedding",
        )
    ]
    assert len(columns(found)["Cluster"]["names"]) == 4
    # By the preset, which finds no evidence in these features, other edges come out.
    result = run(*words)
    told = "Neighbours: predefined edges and kNN edges, by the default settings of the task graph, seed 0"
    assert told in result.stdout
    assert (decode(payload()["merged"]["bits"]) == 2).sum() != counts["n_feature"]


def test_vectors_of_ones_own_with_names(run) -> None:
    rng = np.random.default_rng(0)
    lines = "".join(f"v{i}," + ",".join(f"{value:.3f}" for value in rng.standard_normal(3)) + "\n" for i in range(30))
    Path("x.csv").write_text("id,a,b,c\n" + lines)
    run("embed", "--input", "x.csv", "--epochs", 2, "--output", "z.npz")
    Path("more.csv").write_text("id,weight,kind\n" + "".join(f"v{i},{i / 7},k{i % 2}\n" for i in reversed(range(29))))
    result = run("explore", "z.npz", "--input", "x.csv", "--columns", "more.csv", "--size-by", "weight")
    found = payload()
    assert found["columns"][found["size"]]["name"] == "weight"
    assert found["colour"] is None
    assert "weight; kind; a; b; c; Degree" in result.stdout  # its own columns, then those of the features
    assert found["ids"] == [f"v{i}" for i in range(30)]
    weight = decode(columns(found)["weight"]["values"])
    np.testing.assert_allclose(weight[:29], np.arange(29) / 7, rtol=1e-6)
    assert np.isnan(weight[29])
    assert decode(columns(found)["kind"]["values"]).tolist() == [i % 2 for i in range(29)] + [2]
    assert set(decode(found["merged"]["bits"]).tolist()) == {2}


def test_the_page_runs_its_own_scripts_only_and_names_no_address(run, karate: torch.Tensor) -> None:
    run("explore", "z.npz")
    text = Path("explorer.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    for script in (*scripts, *re.findall(r"<style>(.*?)</style>", text, re.DOTALL)):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy[1]
    assert re.findall(r'\b(?:src|href)="', text) == []
    assert "://" not in scripts[0]


def test_images_are_shown_unless_they_are_unwanted(run, few_digits: int) -> None:
    write_embedding("z.npz", torch.rand(few_digits, 2))
    words = ("explore", "z.npz", "--dataset", "digits", "--color-by", "Cluster")
    assert "Images of 8 x 8 pixels" in run(*words).stdout
    found = payload()
    assert found["images"]["node"] is None
    assert found["columns"][found["colour"]]["name"] == "Cluster"
    assert "Images" not in run(*words, "--no-images").stdout
    assert payload()["images"] is None


def test_open_shows_it_in_the_browser(run, karate: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: asked.append(url) or bool(len(asked) - 1))
    assert "no browser was found" in run("explore", "z.npz", "--open").stdout
    assert "no browser" not in run("explore", "z.npz", "--open").stdout
    assert asked == [Path("explorer.html").resolve().as_uri()] * 2
    assert run("explore", "z.npz", "--quiet").output == ""
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.npz"], "missing.npz: found no such file"),
        (["nan.npy"], "NaN or infinite values"),
        (["line.npy"], "one dimension"),
        (["z.npz", "--output", "page.png"], "expected one of .html"),
        (["z.npz", "--output", "no/page.html"], "create it first"),
        (["few.npy", "--dataset", "karate"], "few.npy: found 20 rows; expected 34, the nodes of data set Karate"),
        (["z.npz", "--run", "m.json"], "--run goes with --dataset"),
        (["z.npz", "--dataset", "karate", "--run", "m.json"], "--run m.json: of 5 nodes, but karate has 34"),
        (["z.npz", "--dataset", "karate", "--run", "z.npz"], "not what embed --metrics writes"),
        (["z.npz", "--dataset", "karate", "--features", "m.json"], "--features goes with --input"),
        (["z.npz", "--columns", "short.csv"], "2 rows for 34 nodes"),
        (["z.npz", "--columns", "strange.csv"], "found '99', an id of no node"),
        (["z.npz", "--columns", "twice.csv"], "found '1', an id in two rows"),
        (["z.npz", "--columns", "ragged.csv"], "row 3 with 1 cells; expected 2"),
        (["z.npz", "--columns", "bare.csv"], "numbers in the first row"),
        (["z.npz", "--columns", "absent.csv"], "absent.csv: cannot be read"),
        (["z.npz", "--color-by", "Labels"], "--color-by: found 'Labels'; expected one of Label, Cluster (did you mean"),
        (["z.npz", "--size-by", "Label"], "--size-by: found 'Label'"),
        (["z.npz", "--words", "title"], "--words: found 'title'; expected one of ids"),
        (["z.npz", "--images", "missing"], "--images missing: found no such folder; expected a folder of images"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(run, karate: torch.Tensor, words: list[str], message: str) -> None:
    np.save("nan.npy", np.full((4, 2), np.nan))
    np.save("line.npy", np.zeros((4, 1)))
    np.save("few.npy", np.zeros((20, 2)))
    Path("m.json").write_text(json.dumps({"config": {}, "seed": 0, "task": "graph", "n_nodes": 5}))
    tables = {"short": "a\n1\n2\n", "strange": "id,a\n99,1\n", "twice": "id,a\n1,1\n1,2\n"}
    tables |= {"ragged": "id,a\n1,1\n2\n", "bare": "0,1\n1,2\n"}
    for name, content in tables.items():
        Path(f"{name}.csv").write_text(content)
    Path("explorer.html").write_text("before")
    result = run("explore", *words, code=2)
    assert message.lower() in result.stderr.lower()
    assert Path("explorer.html").read_text() == "before"


def test_a_file_with_a_trajectory_becomes_a_page_with_a_slider(run) -> None:
    window, node = np.arange(3).repeat(10), np.tile(np.arange(10), 3)
    parts = {"trajectory_node": node, "trajectory_window": window, "window_start": 3600.0 * np.arange(4)}
    z = np.random.default_rng(0).standard_normal((30, 2)).astype(np.float32)
    names = np.array([f"n{i}" for i in range(10)])
    parts |= {"trajectory": z, "trajectory_events": np.ones(30, dtype=np.float32), "time_unit": np.array("dates")}
    np.savez("moving.npz", embedding=z[:10], node_id=names, **parts)
    Path("own.csv").write_text("id,team\nn0,red\nn9,blue\n", encoding="utf-8")
    result = run("explore", "moving.npz", "--columns", "own.csv", "--clusters", 2)
    found = payload()
    assert found["time"]["names"] == [f"1970-01-01 0{hour}:00" for hour in range(4)]
    assert decode(found["time"]["ptr"]).tolist() == [0, 10, 20, 30]
    assert list(columns(found)) == [
        "team",
        "Cluster by mean",
        "Moved",
        "Windows",
        "Cluster in this window",
        "Events in this window",
    ]
    assert found["ids"][9] == "n9"
    assert "10 nodes in 3 windows from 1970-01-01 00:00 to 1970-01-01 03:00" in result.stdout
    assert "Cluster in this window" in result.stdout
