"""No file is replaced without a word, and no input at all."""

import os
from pathlib import Path

import pytest

KARATE = ("--dataset", "karate", "--epochs", 1, "--dim", 2)


def test_what_is_there_is_told_before_the_work(run) -> None:
    words = ("embed", *KARATE, "--metrics", "m.json", "--plot", "p.png", "--save-model", "model", "--no-evaluate")
    assert "replaced" not in run(*words).stderr
    told = [f"{name} exists and will be replaced" for name in ("karate-embedding.npz", "m.json", "p.png", "model")]
    assert run(*words).stderr.splitlines() == told
    assert "replaced" not in run(*words, "--quiet").output


@pytest.mark.parametrize(
    "words",
    [
        ("compare", *KARATE, "--methods", "untrained", "--seeds", 1, "--metrics", "m.json"),
        ("ablate", *KARATE, "--nu", "1", "--seeds", 1, "--metrics", "m.json"),
        ("evaluate", "--protocol", "links", *KARATE, "--metrics", "m.json"),
        ("prepare", "--dataset", "karate", "--output", "m.json"),
        ("distill", *KARATE[:4], "--teacher", "t.npz", "--metrics", "m.json"),
    ],
)
def test_all_commands_say_it(run, words: tuple[object, ...]) -> None:
    # They stop at what comes next: the line is printed before any work.
    folder = words[0] == "prepare"
    Path("m.json").mkdir() if folder else Path("m.json").write_text("{}")
    Path("t.npz").write_text("no archive")
    if folder:
        run(*words)
    told = run(*words, *(() if folder else ("--set", "loss.gamma=-1")), code=0 if folder else 2).stderr
    assert "m.json exists and will be replaced" in told


def test_a_run_that_goes_on_replaces_nothing(run) -> None:
    words = ("evaluate", "--protocol", "links", *KARATE, "--metrics", "m.json")
    run(*words)
    table = ("ablate", *KARATE, "--nu", "1", "--seeds", 1, "--metrics", "a.json")
    run(*table)
    assert "replaced" not in run(*table, "--resume").stderr
    assert "replaced" in run(*words).stderr


def test_an_input_is_not_replaced(run) -> None:
    Path("e.csv").write_text("source,target\na,b\nb,c\nc,a\n")
    before = Path("e.csv").read_text()
    os.symlink("e.csv", "link.csv")
    for output in ("e.csv", "./e.csv", "link.csv"):
        result = run("embed", "--input", "e.csv", "--output", output, code=2)
        assert "a file that this command reads; expected another name" in result.stderr
    assert Path("e.csv").read_text() == before
    # Nor a map that the run goes on from.
    Path("map.npz").write_text("a map")
    for option in ("--previous", "--init"):
        result = run("embed", "--input", "e.csv", option, "map.npz", "--output", "map.npz", code=2)
        assert "map.npz: found a file that this command reads" in result.stderr
