"""How a user says what a file is: `--as`, `--column`, `--separator`, `--decimal`, `--directed`."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import datasets
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.sources import Source
from genurl_graph.inputs.reading import Reading, ReadOptions, parse_columns
from tests.graph.evidence.test_metric import edges_within, planted

RING = "source,target\n" + "".join(f"{i},{(i + 1) % 20}\n" for i in range(20))
TRAIN = ("--epochs", 2, "--dim", 4, "--seed", 0, "--device", "cpu")


# Noise beside a graph is not read, and a graph alone needs a structural input to be transformed.
WALK = ("--set", "encoder.structure=random_walk")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `datasets.read` is asked for; it then reads the ring."""
    Path("ring.csv").write_text(RING)
    found: list[dict[str, Any]] = []
    read = datasets.read

    def remember(path: Path, features: Any = None, labels: Any = None, **said: Any) -> Data:
        found.append(said)
        data = read(Path(path).parent / "ring.csv")
        data.x = torch.rand(20, 6, generator=torch.Generator().manual_seed(0))
        data.reading = Reading(("read ring.csv as a ring", "repeats summed"), {"as": "edges", "lines_of_text": 20})
        return data

    monkeypatch.setattr(datasets, "read", remember)
    return found


def test_the_words_reach_the_reader_and_what_was_read_is_said_and_stored(run, asked) -> None:
    result = run(
        *("embed", "--input", "ring.csv", *TRAIN, "--metrics", "m.json", "--as", "edges", "--column", "weight=a,b"),
        *("--column", 'ignore=x, "y, z"', "--column", "ignore=w", "--separator", "tab", "--decimal", ",", "--directed"),
    )
    columns = {"weight": ["a,b"], "ignore": ["x", "y, z", "w"]}
    said = {"as_": "edges", "separator": "\t", "decimal": ",", "directed": True, "columns": columns}
    assert asked == [said]
    assert result.stdout.startswith("read ring.csv as a ring\nrepeats summed\n")
    metrics = json.loads(Path("m.json").read_text())
    lines = ["read ring.csv as a ring", "repeats summed"]
    assert metrics["reading"] == {"lines": lines, "as": "edges", "lines_of_text": 20}
    assert metrics["run"]["read"] == said
    run("rerun", "m.json")
    assert [asked[1] | {"scale": 0}] == [said | {"scale": 0}]  # resolved by then
    assert run("embed", "--input", "ring.csv", *TRAIN, "--quiet").output == ""
    assert asked[2:] == [{}]


def test_other_commands_that_read_files(run, asked) -> None:
    run("embed", "--dataset", "karate", *TRAIN, "--output", "z.npz", "--metrics", "m.json")
    assert json.loads(Path("m.json").read_text())["reading"] is None
    run("embed", "--input", "ring.csv", *TRAIN, "--output", "z.npz", "--save-model", "model", *WALK)
    run("transform", "--model", "model", "--input", "ring.csv", "--output", "o.npz", "--undirected")
    np.save("teacher.npy", np.random.default_rng(0).standard_normal((20, 4)))
    run("distill", "--teacher", "teacher.npy", "--input", "ring.csv", "--student", "gcn", *TRAIN, "--as", "edges")
    assert asked[1:] == [{"directed": False}, {"as_": "edges"}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "--as edgs",
            "--as: found 'edgs'; expected one of edges, vectors, adjacency, graph, triples, edge-rows (did you mean "
            "'edges'?)",
        ),
        ("--column wieght=w", "--column: found 'wieght'; expected one of source,"),
        ("--column wieght=w", "(did you mean 'weight'?)"),
        ("--column weight", "--column: found 'weight'; expected weight=NAME"),
        ("--column weight=", "--column: found 'weight='; expected weight=NAME"),
        ("--column weight=a --column weight=b", "column weight: found a, b; expected one column"),
        ("--separator ;;", "--separator: found ';;'; expected one character, or one of comma, semicolon, tab"),
        ("--decimal ;", "--decimal: found ';'; expected one of ., ,"),
    ],
)
def test_wrong_words(run, words: str, message: str) -> None:
    result = run("embed", "--input", "none.csv", *words.split(), code=2)
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["--as edges", "--column weight=w", "--separator tab", "--decimal .", "--undirected"])
def test_a_data_set_is_not_read(run, words: str) -> None:
    flag = words.split()[0].replace("undirected", "directed")
    assert f"{flag} goes with --input" in run("embed", "--dataset", "karate", *words.split(), code=2).stderr
    assert "one of --dataset NAME and --input" in run("explore", "z.npz", *words.split(), code=2).stderr


def test_a_source_is_found_again_from_its_record() -> None:
    said = ReadOptions.of("edges", {"feature": ["a", "b"], "weight": "w"}, ";", ",", False)
    source = Source(None, Path("/e.csv"), options=said)
    record = json.loads(json.dumps(source.record()))
    assert Source.recorded(record, None) == source
    del record["read"]  # of an earlier version
    assert Source.recorded(record, None).options == ReadOptions()


def test_names_with_commas() -> None:
    found = parse_columns(['feature="a, b",c', "feature=d", "label=e, f"])
    assert found == {"feature": ("a, b", "c", "d"), "label": ("e, f",)}


PEOPLE = "id,age,income,note\n" + "".join(
    f"{i},{20 + 7 * i % 31},{10_000 + 977 * i},met at a fair\n" for i in range(20)
)


def test_settings_of_the_run_say_what_becomes_of_columns(run) -> None:
    Path("ring.csv").write_text(RING)
    Path("people.csv").write_text(PEOPLE)
    words = ("embed", "--input", "ring.csv", "--features", "people.csv", *TRAIN, "--metrics", "m.json")
    lines = run(*words).stdout.splitlines()
    assert "features: age, income (standardised); left out: note (constant)" in lines
    lines = run(*words, "--set", "input.scale=none").stdout.splitlines()
    assert "features: age, income (as it is); left out: note (constant)" in lines
    assert json.loads(Path("m.json").read_text())["config"]["input"]["scale"] == "none"
    assert run("rerun", "m.json").stderr == ""
    x = datasets.read("ring.csv", "people.csv", scale="none").x
    assert x.max() > 10_000
    assert datasets.read("ring.csv", "people.csv").x.abs().max() < 6


def test_wrong_scale() -> None:
    with pytest.raises(InputError, match="did you mean 'columns'"):
        datasets.read("ring.csv", scale="column")


def test_the_metric_that_edges_chose_is_named(run) -> None:
    x, group = planted("directions")
    edges = pd.DataFrame(edges_within(group).numpy().T, columns=["from", "to"])
    rows = pd.DataFrame(x.numpy(), columns=[f"e{j}" for j in range(x.size(1))])
    edges.to_csv("edges.csv", index=False)
    rows.assign(id=range(len(rows)))[["id", *rows]].to_csv("rows.csv", index=False)
    words = ("embed", "--input", "edges.csv", "--features", "rows.csv", "--output", "z.npz", "--epochs", "1")
    assert re.search(r"merged graph: .* kNN edges by the cosine\b", run(*words).stdout)
    assert "the cosine predicts the edges better than the Euclidean distance" in run(*words, "--verbose").stdout
    told = run(*words, "--metric", "euclidean", "--verbose").stdout
    assert "merged graph" in told
    assert "cosine" not in told
