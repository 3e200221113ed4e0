"""``genurl-graph rerun``: the same figures again, and every difference said."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genurl_graph import datasets
from genurl_graph.evaluation import splits
from genurl_graph.evaluation.protocols import evaluate_embedding, probe_embedding
from genurl_graph.experiments import runs
from genurl_graph.experiments.repeat import figures_of

EMBED = ("embed", "--dataset", "karate", "--epochs", 3, "--dim", 4, "--seed", 5, "--device", "cpu", "--quiet")
TABLE = dict.fromkeys(("dataset", "seeds", "environment", "hardware", "versions"), 0) | {"protocol": "links"}
RUN = dict.fromkeys(("environment", "hardware", "versions", "config", "seed", "task", "embedding_crc32"), 0)
RUN |= {"run": {"command": "transform"}}


@pytest.fixture(autouse=True)
def one_split(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What agrees on one split agrees on more."""
    monkeypatch.setitem(splits.REPEATS, "random-10-10-80", 1)


def change(path: str, key: str, value: Any) -> None:
    """Replace one entry, by its dotted name, of a JSON file."""
    content = found = json.loads(Path(path).read_text())
    *groups, last = key.split(".")
    for group in groups:
        found = found[group]
    found[last] = value
    Path(path).write_text(json.dumps(content))


def test_a_run_gives_the_same_bits_again(run) -> None:
    run(*EMBED, "--set", "loss.gamma=0.5", "--metrics", "m.json", "--output", "a.npy")
    result = run("rerun", "m.json", "--output", "b.npy")
    assert result.stderr == ""
    assert "to the last bit" in result.stdout
    assert "NO" not in result.stdout
    assert np.array_equal(np.load("a.npy"), np.load("b.npy"))
    assert run("rerun", "m.json", "--quiet").output == ""


def test_other_bits_of_the_same_circumstances_do_not_agree(run) -> None:
    run(*EMBED, "--metrics", "m.json")
    change("m.json", "loss", json.loads(Path("m.json").read_text())["loss"] * (1 + 1e-12))
    result = run("rerun", "m.json", code=1)
    assert "1 of" in result.stderr
    assert "do not agree: loss" in result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines() if line.endswith("NO")] == ["loss"]


def test_other_circumstances_are_named_and_allow_a_tolerance(run) -> None:
    run(*EMBED, "--metrics", "m.json")
    before = json.loads(Path("m.json").read_text())
    change("m.json", "versions.torch", "1.0")
    change("m.json", "hardware.cpu", "an abacus")
    change("m.json", "loss", before["loss"] * 1.01)
    change("m.json", "embedding_crc32", 0)
    result = run("rerun", "m.json")
    assert "Warning: version of torch was 1.0, is 2" in result.stderr
    assert "Warning: hardware: cpu was an abacus, is" in result.stderr
    assert "within 0.02" in result.stdout
    assert "loss" in run("rerun", "m.json", "--tolerance", 0.001, code=1).stderr


def test_files_of_earlier_versions_are_judged_as_they_were(run) -> None:
    y = np.arange(90) % 3
    np.save("x.npy", np.random.default_rng(0).standard_normal((90, 5)) + np.eye(5)[y])
    Path("y.csv").write_text("label\n" + "".join(f"{label}\n" for label in y))
    words = ("embed", "--input", "x.npy", "--labels", "y.csv", "--epochs", 2, "--seed", 1, "--device", "cpu")
    run(*words, "--metrics", "new.json")
    found = json.loads(Path("new.json").read_text())
    data = datasets.read("x.npy", labels="y.csv")
    z = np.load("x-embedding.npz")["embedding"]
    # Maps had the figures of other embeddings then.
    labels = evaluate_embedding(z, data, seed=1, knn_metric="euclidean")
    labels["reference"] = {"raw": probe_embedding(data.x, data, seed=1)["test"], "propagated": None}
    old = {key: value for key, value in found.items() if key not in ("reduce", "evaluation")} | labels
    old["reference"]["untrained"] = 0.0
    Path("old.json").write_text(json.dumps(old))
    printed = run("rerun", "old.json", code=1).stdout
    assert [line.split()[0] for line in printed.splitlines() if line.endswith("NO")] == ["reference.untrained"]
    assert "trustworthiness" not in printed
    assert " NO" not in run("rerun", "new.json").stdout


def test_a_map_is_judged_again_by_the_metric_that_the_run_was_told(run) -> None:
    np.save("x.npy", np.random.default_rng(0).standard_normal((60, 5)) + 1)
    words = ("embed", "--input", "x.npy", "--epochs", 2, "--seed", 0, "--device", "cpu", "--metric", "cosine")
    run(*words, "--metrics", "m.json")
    assert json.loads(Path("m.json").read_text())["evaluation"]["metric"] == "cosine"
    printed = run("rerun", "m.json").stdout
    assert "reduce.trustworthiness" in printed
    assert " NO" not in printed


def test_another_input_is_noticed(run) -> None:
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.standard_normal((60, 5)))
    run("embed", "--input", "x.npy", "--epochs", 2, "--seed", 0, "--device", "cpu", "--metrics", "m.json")
    assert run("rerun", "m.json").stderr == ""
    np.save("x.npy", rng.standard_normal((60, 5)))
    result = run("rerun", "m.json", code=1)
    assert "the data are not the same" in result.stderr
    Path("x.npy").unlink()
    assert "x.npy does not exist" in run("rerun", "m.json", code=2).stderr


def test_distillation(run) -> None:
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.standard_normal((80, 6)))
    np.save("t.npy", rng.standard_normal((80, 3)))
    Path("y.csv").write_text("label\n" + "0\n1\n" * 40)
    run(
        *("distill", "--teacher", "t.npy", "--input", "x.npy", "--labels", "y.csv", "--epochs", 2, "--seed", 0),
        *("--set", "sampling.batch_size=40", "--set", "neighbors.n_neighbors=10", "--device", "cpu"),
        *("--metrics", "m.json", "--output", "a.npy"),
    )
    result = run("rerun", "m.json", "--output", "b.npy")
    assert result.stderr == ""
    assert "reference.teacher" in result.stdout
    assert np.array_equal(np.load("a.npy"), np.load("b.npy"))
    np.save("t.npy", rng.standard_normal((80, 3)))
    assert "the teacher's checksum" in run("rerun", "m.json", code=1).stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "cannot be read as JSON"),
        ("[]", "has no 'run'"),
        ('{"run": {}}', "has no 'environment'"),
        ('{"methods": {}}', "expected a file that --metrics of embed, distill, compare, ablate, ogb or"),
        ('{"methods": {}, "protocol": "public"}', "has no 'dataset', 'seeds', 'environment'"),
        (json.dumps(TABLE), "has no 'methods', 'config'; expected"),
        (json.dumps(RUN), "found a run of 'transform'; expected embed, distill"),
    ],
)
def test_files_that_cannot_be_repeated(run, content: str, message: str) -> None:
    Path("m.json").write_text(content)
    assert message in run("rerun", "m.json", code=2).stderr
    assert "no.json" in run("rerun", "no.json", code=2).stderr


# ---------------------------------------------------------------- tables of many runs

SMALL = ("--epochs", 2, "--dim", 4, "--set", "encoder.hidden=8", "--device", "cpu", "--quiet", "--metrics", "m.json")
ONE = ("--seeds", 1)
KARATE = ("--dataset", "karate", "--seeds", 2)
BASELINES = ("--methods", "genurl,untrained,gae", "--peer-set", "gae.epochs=2")
TABLES = {
    "compare": ("compare", *KARATE, *SMALL, *BASELINES),
    "reduce": ("compare", "--dataset", "digits", "--task", "reduce", "--methods", "genurl-mlp,pca", *ONE, *SMALL),
    "ablate": ("ablate", *KARATE, *SMALL, "--losses", "kl", "--merging", "geodesic", "--set", "loss.nu=3"),
    "links": ("evaluate", "--protocol", "links", *KARATE, *SMALL),
}


@pytest.fixture
def here(monkeypatch, one_thread) -> None:
    """Methods of ``compare`` without new processes, which take ten seconds each to import torch."""
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())


@pytest.mark.usefixtures("here", "few_digits", "short_table")
@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("compare", ["probe_test.genurl.seed 1", "probe_test.untrained.seed 0", "probe_test.gae.seed 1"]),
        ("reduce", ["trustworthiness.genurl-mlp.seed 0", "spearman.pca.seed 0", "knn_accuracy.pca.seed 0"]),
        ("ablate", ["probe_val.preset.seed 0", "probe_test.loss=kl.seed 1"]),
        ("links", ["auc.genurl cosine test.seed 1", "ap.untrained decoder val.seed 0"]),
    ],
)
def test_a_table_gives_the_same_figures_again(run, kind: str, names: list[str]) -> None:
    run(*TABLES[kind])
    result = run("rerun", "m.json")
    assert result.stderr == ""
    assert "to the last bit" in result.stdout
    rows = dict(re.findall(r"^  (.*?)   .* (yes|NO)$", result.stdout, flags=re.MULTILINE))
    assert set(rows.values()) == {"yes"}
    assert set(names) <= rows.keys()


def test_another_figure_of_a_table_is_found(run, one_thread) -> None:
    run(*TABLES["links"])
    stored = json.loads(Path("m.json").read_text())
    stored["methods"]["untrained"]["inner"]["val"]["ap"]["values"][1] += 1e-9
    Path("m.json").write_text(json.dumps(stored))
    message = run("rerun", "m.json", "--quiet", code=1).stderr
    assert f"1 of {len(figures_of(stored))} figures do not agree: ap.untrained inner val.seed 1" in message
    assert "a table has no single embedding" in run("rerun", "m.json", "--output", "z.npy", code=2).stderr


def test_ogb(run, ogb_blocks: Path, one_thread) -> None:
    words = ("--dataset", "ogbn-arxiv", "--data-root", ogb_blocks, "--seeds", 2, "--probe-epochs", 2, *SMALL)
    run("ogb", *words)
    result = run("rerun", "m.json", "--data-root", ogb_blocks)
    assert result.stderr == ""
    assert "mlp_test.genurl.seed 1" in result.stdout
    assert "linear_val.raw.seed 0" in result.stdout
    assert " NO\n" not in result.stdout


def test_an_interrupted_table_is_repeated_as_far_as_it_goes(run, here, monkeypatch) -> None:
    run(*TABLES["compare"])
    stored = json.loads(Path("m.json").read_text())
    del stored["methods"]["gae"], stored["methods"]["untrained"]
    stored["methods"]["genurl"]["probe_test"].pop()
    Path("m.json").write_text(json.dumps(stored))
    printed = run("rerun", "m.json").stdout
    assert re.findall(r"\S+\.seed \d", printed) == ["probe_test.genurl.seed 0"]
