"""``genurl-graph evaluate``: embeddings whose quality is known in advance."""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return load_digits().target


def one_hot(labels: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((len(labels), 10))
    return (np.eye(10)[labels] + 0.01 * noise).astype(np.float32)


def test_a_perfect_embedding_scores_one(run, labels: np.ndarray) -> None:
    np.save("z.npy", one_hot(labels))
    result = run("evaluate", "--embedding", "z.npy", "--dataset", "digits", "--metrics", "m.json")
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["dataset"] == "digits"
    assert metrics["protocol"] == metrics["probe"]["protocol"] == "random-10-10-80"
    assert metrics["probe"]["test"] == pytest.approx(1.0)
    assert metrics["knn"]["test"] == pytest.approx(1.0)
    assert metrics["cluster"] == pytest.approx({"acc": 1.0, "nmi": 1.0, "ari": 1.0})
    assert "100.0" in result.stdout


def test_noise_scores_chance(run, labels: np.ndarray) -> None:
    np.save("z.npy", np.random.default_rng(0).standard_normal((len(labels), 4)).astype(np.float32))
    words = ("evaluate", "--embedding", "z.npy", "--dataset", "digits", "--metrics", "m.json")
    run(*words, "--protocol", "knn", "--seeds", 2)
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["knn"]["test"] < 0.2
    assert metrics["seeds"] == [0, 1]
    assert len(metrics["runs"]) == 2
    assert metrics["probe"] is metrics["cluster"] is None
    run(*words, "--protocol", "cluster")
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["cluster"]["nmi"] < 0.1
    assert metrics["probe"] is metrics["knn"] is None


def test_rows_are_matched_by_node_id(run, labels: np.ndarray) -> None:
    order = np.random.default_rng(1).permutation(len(labels))
    np.savez("z.npz", embedding=one_hot(labels)[order], node_id=order)
    run("evaluate", "--embedding", "z.npz", "--dataset", "digits", "--protocol", "knn", "--metrics", "m.json")
    assert json.loads(Path("m.json").read_text())["knn"]["test"] == pytest.approx(1.0)


def test_bad_input(run, labels: np.ndarray) -> None:
    z = one_hot(labels)
    np.save("short.npy", z[:-1])
    np.savez("strange.npz", embedding=z, node_id=np.arange(1, len(z) + 1))
    np.savez("twice.npz", embedding=z, node_id=np.r_[0, np.arange(len(z) - 1)])
    for name, message in (
        ("short.npy", "found 1,796 rows; expected 1,797, the nodes of data set digits"),
        ("strange.npz", "node_id '1797'; expected nodes of data set digits"),
        ("twice.npz", "node_id '0' in two rows"),
        ("nowhere.npy", "no such file"),
    ):
        result = run("evaluate", "--embedding", name, "--dataset", "digits", "--metrics", "m.json", code=2)
        assert message in result.stderr
        assert not Path("m.json").exists()


def test_digits_have_no_public_split(run, labels: np.ndarray) -> None:
    np.save("z.npy", one_hot(labels))
    result = run("evaluate", "--embedding", "z.npy", "--dataset", "digits", "--protocol", "public", code=2)
    assert "public" in result.stderr


def test_reduce_names_scores_and_samples(run, few_digits: int) -> None:
    x = load_digits().data[:few_digits].astype(np.float32) / 16
    np.save("z.npy", x)
    words = ("evaluate", "--embedding", "z.npy", "--dataset", "digits", "--metrics", "m.json")
    result = run(*words, "--protocol", "reduce", "--seeds", 2)
    metrics = json.loads(Path("m.json").read_text())
    assert (metrics["protocol"], metrics["seeds"]) == ("reduce", [0, 1])
    scores = metrics["reduce"]
    assert scores["trustworthiness"] == scores["continuity"] == 1
    assert scores["spearman"] == pytest.approx(1)
    assert scores["knn_accuracy"] > 0.95
    assert scores["knn_accuracy"] == pytest.approx(np.mean([row["knn_accuracy"] for row in metrics["runs"]]))
    assert metrics["how"]["trustworthiness"] == "k = 12, all 300 points"
    for text in (
        "10-NN accuracy, per cent",
        "trustworthiness",
        "1.0000",
        "k = 12, all 300 points",
        "pieces of a class",
    ):
        assert text in result.stdout
    np.save("z.npy", np.random.default_rng(0).standard_normal((few_digits, 2)).astype(np.float32))
    run(*words, "--protocol", "reduce", "--quiet")
    noise = json.loads(Path("m.json").read_text())["reduce"]
    assert noise["trustworthiness"] == pytest.approx(0.5, abs=0.03)
    assert noise["knn_accuracy"] < 0.2


def test_retrieval_by_both_metrics(run, few_digits, labels: np.ndarray) -> None:
    np.save("z.npy", one_hot(labels)[:few_digits])
    words = ("evaluate", "--embedding", "z.npy", "--dataset", "digits", "--metrics", "m.json")
    result = run(*words, "--protocol", "retrieval")
    metrics = json.loads(Path("m.json").read_text())
    (row,) = metrics["runs"]
    assert metrics["retrieval"] == {key: row[key] for key in ("euclidean", "cosine")}
    for metric in ("euclidean", "cosine"):
        assert row[metric]["map"] == pytest.approx(1)
        assert row[metric]["label_recall"]["1"] == 1
        assert 0 < row[metric]["neighbor_recall"]["100"] < 1
        assert (row[metric]["n_queries"], row[metric]["n_database"]) == (300, 299)
    assert "leave-one-out, cosine, all 300 of 300 queries" in result.stdout


def test_the_test_part_is_judged_against_the_training_part(run, few_digits, monkeypatch, labels: np.ndarray) -> None:
    import torch

    from genurl_graph.datasets import loaders

    load = loaders.LOADERS["digits"]

    def split(entry, root):
        data = load(entry, root)
        data.train_mask = torch.arange(data.num_nodes) < 200
        data.test_mask = ~data.train_mask
        return data

    monkeypatch.setitem(loaders.LOADERS, "digits", split)
    np.save("z.npy", one_hot(labels)[:few_digits])
    words = ("evaluate", "--embedding", "z.npy", "--dataset", "digits", "--metrics", "m.json", "--quiet")
    run(*words, "--protocol", "reduce")
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["reduce"]["knn_test"] == 1
    assert metrics["how"]["knn_test"] == "10 nearest, 100 points against 200"
    run(*words, "--protocol", "retrieval")
    found = json.loads(Path("m.json").read_text())["retrieval"]
    assert (found["cosine"]["n_queries"], found["cosine"]["n_database"]) == (100, 200)


def test_neighbourhoods_need_vectors(run) -> None:
    np.save("z.npy", np.zeros((34, 2), dtype=np.float32))
    for protocol in ("reduce", "retrieval"):
        result = run("evaluate", "--embedding", "z.npy", "--dataset", "karate", "--protocol", protocol, code=2)
        assert f"--protocol {protocol}: data set karate has no vectors" in result.stderr


def write_own_files() -> None:
    """Vectors of three classes with names, a graph of them, and a teacher's features."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    x = rng.standard_normal((90, 6)) + 2 * np.eye(6)[y]
    names = [f"n{i}" for i in range(90)]
    table = {"id": names} | {f"f{i}": x[:, i] for i in range(6)}
    pd.DataFrame(table | {"label": y}).to_csv("vectors.csv", index=False)
    pd.DataFrame(table).to_csv("features.csv", index=False)
    pd.DataFrame({"id": names, "label": y}).to_csv("labels.csv", index=False)
    pairs = rng.integers(0, 90, (300, 2))
    edges = pd.DataFrame({"source": np.array(names)[pairs[:, 0]], "target": np.array(names)[pairs[:, 1]]})
    edges[edges.source != edges.target].to_csv("edges.csv", index=False)
    np.save("teacher.npy", np.tanh(x @ rng.standard_normal((6, 4))).astype(np.float32))


VECTORS = ("--input", "vectors.csv")
GRAPH = ("--input", "edges.csv", "--features", "features.csv", "--labels", "labels.csv")


@pytest.mark.parametrize(
    ("command", "source", "task", "groups", "suffix"),
    [
        (("embed",), ("--dataset", "digits"), (), ("reduce",), "npz"),
        (("embed",), VECTORS, (), ("reduce",), "csv"),
        (("embed",), VECTORS, ("--metric", "cosine"), ("reduce",), "npz"),
        (("embed", "--dim", 5), VECTORS, (), ("probe", "knn", "cluster"), "csv"),
        (("embed", "--dim", 4), GRAPH, (), ("probe", "knn", "cluster"), "npz"),
        (("embed", "--dim", 4), GRAPH, (), ("probe", "knn", "cluster"), "csv"),
        (("embed", "--dim", 2), GRAPH, ("--task", "reduce"), ("reduce",), "csv"),
        (("distill", "--teacher", "teacher.npy", "--dim", 5), VECTORS, (), ("probe",), "npz"),
        (("distill", "--teacher", "teacher.npy", "--dim", 2), GRAPH, (), ("probe",), "csv"),
    ],
)
def test_embed_and_evaluate_agree_to_the_last_digit(run, few_digits, command, source, task, groups, suffix) -> None:
    write_own_files()
    files = ("--output", f"z.{suffix}", "--metrics", "m.json", "--quiet")
    training = ("--epochs", 2, "--seed", 3, "--device", "cpu")
    run(*command, *source, *(task if command[0] == "embed" else ()), *training, *files)
    run("evaluate", "--embedding", f"z.{suffix}", *source, *task, "--seed", 3, "--metrics", "e.json", "--quiet")
    made, judged = (json.loads(Path(name).read_text()) for name in ("m.json", "e.json"))
    assert judged["seeds"] == [3]
    for group in groups:
        made[group].pop("how", None)
        assert judged[group] == made[group]


def test_a_map_is_judged_by_the_metric_that_is_named(run, few_digits) -> None:
    source, seed = ("--dataset", "digits"), ("--seed", 3, "--quiet")
    run("embed", *source, "--metric", "manhattan", "--epochs", 2, "--output", "z.npz", "--metrics", "m.json", *seed)
    for metric in ("manhattan", "euclidean"):
        run("evaluate", "--embedding", "z.npz", *source, "--metric", metric, "--metrics", f"{metric}.json", *seed)
    made, judged, other = (json.loads(Path(f"{name}.json").read_text()) for name in ("m", "manhattan", "euclidean"))
    assert made["reduce"].pop("how")["trustworthiness"].endswith("manhattan distance of the input")
    assert judged["reduce"] == made["reduce"]
    assert other["reduce"]["trustworthiness"] != made["reduce"]["trustworthiness"]
    refused = run("evaluate", "--embedding", "z.npz", *source, "--protocol", "knn", "--metric", "cosine", code=2)
    assert "--metric goes with --protocol reduce and links" in refused.stderr


def test_images_agree(run, monkeypatch) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    np.save("x.npy", rng.random((90, 64)) + np.kron(np.eye(3)[y], np.ones(8))[:, :24] @ rng.random((24, 64)))
    pd.DataFrame({"label": y}).to_csv("y.csv", index=False)
    source = ("--input", "x.npy", "--labels", "y.csv", "--task", "images")
    words = ("--epochs", 1, "--seed", 3, "--dim", 8, "--device", "cpu", "--quiet", "--set", "sampling.batch_size=30")
    run("embed", *source, *words, "--output", "z.npz", "--metrics", "m.json")
    run("evaluate", "--embedding", "z.npz", *source, "--seed", 3, "--metrics", "e.json", "--quiet")
    made, judged = (json.loads(Path(name).read_text()) for name in ("m.json", "e.json"))
    for group in ("probe", "knn", "cluster"):
        assert judged[group] == made[group]


def test_a_budget_cuts_evaluate_as_it_cuts_embed(run, few_digits, monkeypatch) -> None:
    from genurl_graph.evaluation.budget import judgement, plan

    write_own_files()
    monkeypatch.setattr(plan, "STEP", 300 * plan.STEP)
    embed = ("embed", *GRAPH, "--dim", 4, "--epochs", 1, "--seed", 0, "--metrics", "m.json", "--output", "z.npy")
    evaluate = ("evaluate", "--embedding", "z.npy", *GRAPH, "--metrics", "e.json")
    for command in (embed, evaluate):
        assert (
            "in part: accuracy over 1 of 2 splits into training and test labels; --full uses all"
            in run(*command).stdout
        )
    made, judged = (json.loads(Path(name).read_text()) for name in ("m.json", "e.json"))
    assert made["probe"]["splits"] == 1
    assert judged["probe"] == made["probe"]
    assert "in part" not in run(*evaluate, "--full").stdout
    whole = json.loads(Path("e.json").read_text())["probe"]
    assert whole["splits"] == 2
    assert whole["test"] != made["probe"]["test"]
    # A map: fewer points against all, raw features by fewer votes.
    monkeypatch.setattr(judgement, "Asked", functools.partial(judgement.Asked, budget=0.1))
    run("embed", "--dataset", "digits", "--epochs", 1, "--seed", 0, "--metrics", "m.json", "--output", "d.npy")
    result = run("evaluate", "--embedding", "d.npy", "--dataset", "digits", "--metrics", "e.json")
    assert "of 300 points" in result.stdout
    made, judged = (json.loads(Path(name).read_text())["reduce"] for name in ("m.json", "e.json"))
    made.pop("how")
    assert judged == made


def test_links_are_judged_in_full_on_one_source(run) -> None:
    links = ("evaluate", "--protocol", "links")
    assert "--full does not go with" in run(*links, "--dataset", "karate", "--full", code=2).stderr
    assert "Give one of --dataset" in run(*links, code=2).stderr
