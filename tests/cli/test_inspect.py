"""``genurl-graph inspect``: what files would be read as, and nothing is run."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("source,target\na,b\nb,c\nc,a\nd,d\ne,f\na,b\n")
    (tmp_path / "g.csv.gz").write_bytes(gzip.compress(b"source,target\n0,1\n1,2\n"))
    np.save(tmp_path / "v.npy", np.arange(12.0).reshape(6, 2))


def test_what_is_printed(run) -> None:
    before = sorted(os.listdir())
    text = run("inspect", "e.csv").stdout
    assert text.startswith("e.csv\n")
    assert "  source   target\n  a        b\n" in text
    assert "  source          text   0         5\n" in text or "  source   source   text   0         5" in text
    assert "first edges\n  a" in text
    assert "6 nodes, 5 edges" in text
    assert "3 components, 3 nodes in the largest, 1 isolated node, 1 self loop" in text
    assert "least 0, lower quartile 1, median 1.5" in text
    assert sorted(os.listdir()) == before


def test_several_files_each_in_turn(run) -> None:
    text = run("inspect", "e.csv", "v.npy", "g.csv.gz").stdout
    assert [line for line in text.splitlines() if line in ("e.csv", "v.npy", "g.csv.gz")] == [
        "e.csv",
        "v.npy",
        "g.csv.gz",
    ]
    assert "first nodes\n  id   1   2\n  0    0   1\n" in text


def test_a_refused_file_is_shown_all_the_same(run) -> None:
    Path("bad.csv").write_text("source,target,weight\na,b,1\nb,c,much\n")
    Path("notes.docx").write_bytes(b"PK\0\1")
    result = run("inspect", "bad.csv", "e.csv", "notes.docx", "nowhere.csv", code=2)
    assert result.stderr.count("Error: ") == 3
    assert "line 3" in result.stderr
    assert "b        c        much" in result.stdout
    assert "6 nodes" in result.stdout
    assert "4 bytes that are no text" in result.stdout
    assert "there is no such file" in result.stdout


def test_json(run) -> None:
    result = run("inspect", "e.csv", "v.npy", "--json")
    edges, vectors = json.loads(result.stdout)
    assert result.stderr == ""
    assert edges["error"] is None
    assert edges["graph"]["degree"] == {"least": 0, "lower quartile": 1, "median": 1.5, "upper quartile": 2, "most": 2}
    assert (edges["graph"]["nodes"], edges["graph"]["repeats"], edges["graph"]["directed"]) == (6, 1, False)
    assert vectors["graph"] is None
    assert vectors["nodes"][:2] == [["id", "1", "2"], ["0", 0, 1]]
    refused = json.loads(run("inspect", "nowhere.csv", "--json", code=2).stdout)
    assert "nowhere.csv" in refused[0]["error"]


def test_wrong_words(run) -> None:
    assert "did you mean 'edges'" in run("inspect", "e.csv", "--as", "edge", code=2).stderr
    for words in ((), ("e.csv", "--input", "e.csv")):
        assert "Give one of FILE... and --input FILE." in run("inspect", *words, code=2).stderr
    assert run("inspect", "--input", "e.csv").stdout == run("inspect", "e.csv").stdout


def test_events_with_a_time(run) -> None:
    Path("calls.csv").write_text(
        "source,target,sent,stars,note\na,b,2020-01-01,5,x\nb,a,2020-01-03,-1,y\na,c,2020-01-21,2,z\na,a,2020-01-22,2,z\n"
    )
    text = run("inspect", "calls.csv", "--column", "time=sent").stdout
    assert (
        "read calls.csv as events: source -> target (times in sent: dates, taken for UTC, weight stars, 1 self" in text
    )
    assert "  sent     time     date" in text
    assert "  a        b        2020-01-01 00:00:00   5" in text
    assert "3 distinct pairs, 67% of them in both directions" in text
    assert "from 2020-01-01 00:00:00 to 2020-01-21 00:00:00 (20 days), 3 different times, dates" in text
    (found,) = json.loads(run("inspect", "calls.csv", "--column", "time=sent", "--json").stdout)
    assert found["events"]["spans"] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found["reading"]["events"]["left_out"] == {"note": "text"}
    assert found["graph"] is None


def test_typed_edges(run) -> None:
    Path("kg").mkdir()
    Path("kg/train.txt").write_text("a\tlikes\tb\nb\tlikes\ta\nb\tknows\tc\n")
    Path("kg/test.txt").write_text("c\tknows\tb\n")
    Path("people.csv").write_text("name,age,note\na,30,\nb,50,\nc,20,\n")
    text = run("inspect", "kg", "--features", "people.csv").stdout
    assert "read train.txt as triples: column 1 -> column 3 by column 2 (3 triples, 3 entities, 2 relations)" in text
    assert "features people: 1 column, 3 of 3 entities have them" in text
    assert "  likes      2         2       2       100%" in text
    assert "100.0% of the test triples join two entities that a triple joins the other way round" in text
    (found,) = json.loads(run("inspect", "kg/train.txt", "--as", "triples", "--json").stdout)
    assert [column["role"] for column in found["columns"]] == ["source", "type", "target"]
    assert found["first_triples"][1] == ["a", "likes", "b"]
