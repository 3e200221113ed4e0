"""``genurl-graph evaluate --protocol links``: what it trains on, what it writes, what it refuses."""

import json
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch

WORDS = ("evaluate", "--protocol", "links", "--dataset", "karate", "--epochs", 2, "--dim", 4)


def test_figures_of_every_seed(run) -> None:
    result = run(*WORDS, "--seeds", 2, "--set", "encoder.hidden=8", "--metrics", "m.json")
    metrics = json.loads(Path("m.json").read_text())
    assert set(metrics) == {
        *("dataset", "protocol", "n_nodes", "edges", "seeds", "methods", "seconds", "config"),
        *("environment", "hardware", "versions"),
    }
    assert (metrics["dataset"], metrics["protocol"], metrics["seeds"]) == ("karate", "links", [0, 1])
    assert metrics["edges"] == {"train": 68, "val": 3, "test": 7}  # of 78
    assert (metrics["config"]["encoder"]["dim"], metrics["config"]["encoder"]["hidden"]) == (4, 8)
    assert list(metrics["methods"]) == ["genurl", "untrained"]  # karate has no features for the other rows
    for row in metrics["methods"].values():
        assert list(row) == ["cosine", "inner", "decoder"]
        for parts in row.values():
            assert set(parts) == {"val", "test"}
            for figures in parts.values():
                assert list(figures) == ["auc", "ap", "hits50"]
                assert figures["hits50"] is None  # seven negatives are no fifty
                for figure in (figures["auc"], figures["ap"]):
                    assert len(figure["values"]) == 2
                    assert figure["mean"] == pytest.approx(statistics.mean(figure["values"]))
                    assert figure["std"] == pytest.approx(statistics.stdev(figure["values"]))
    auc = metrics["methods"]["genurl"]["cosine"]["test"]["auc"]
    assert auc["values"][0] != auc["values"][1]  # another split, another start
    assert f"{100 * auc['mean']:.1f} ± {100 * auc['std']:.1f}" in result.stdout
    for word in ("cosine", "inner product", "trained decoder", "68 / 3 / 7", "Hits@50"):
        assert word in result.stdout


def test_a_run_can_be_repeated(run) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = []
        for name in ("a.json", "b.json"):
            assert run(*WORDS, "--metrics", name, "--quiet").stdout == ""
            found.append(json.loads(Path(name).read_text())["methods"])
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]
    assert found[0]["genurl"]["cosine"]["test"]["auc"]["std"] is None  # of one seed


def test_whatever_is_scored_has_seen_training_edges_only(run, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_geometric.data import Data

    from genurl_graph import datasets
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.links import link_split
    from genurl_graph.experiments import scores

    karate = datasets.load("karate")
    data = Data(x=torch.eye(karate.num_nodes), y=karate.y, edge_index=karate.edge_index)
    seen: list[torch.Tensor] = []
    fit, reference = GenURL.fit, scores.reference_embeddings

    def watched_fit(self: GenURL, X: Data, *more: object) -> GenURL:
        seen.append(X.edge_index)
        return fit(self, X, *more)

    def watched_reference(X: Data) -> object:
        seen.append(X.edge_index)
        return reference(X)

    monkeypatch.setattr(datasets, "load", lambda *_: data)
    monkeypatch.setattr(GenURL, "fit", watched_fit)
    monkeypatch.setattr(scores, "reference_embeddings", watched_reference)
    run(*WORDS, "--metrics", "m.json")
    assert list(json.loads(Path("m.json").read_text())["methods"]) == ["genurl", "untrained", "propagated", "raw"]
    split = link_split(data, 0)
    assert len(seen) == 2
    for edges in seen:
        assert torch.equal(edges, split.graph.edge_index)
    held_out = torch.cat([split.held_out, split.held_out.flip(0)], 1).T.tolist()
    assert not {tuple(edge) for edge in held_out} & {tuple(edge) for edge in seen[0].T.tolist()}


def test_an_embedding_file_is_refused(run) -> None:
    np.save("z.npy", np.ones((34, 2), dtype=np.float32))
    result = run(*WORDS, "--embedding", "z.npy", "--metrics", "m.json", code=2)
    assert "--embedding: found z.npy" in result.stderr
    assert "may have seen the edges to be predicted" in result.stderr
    assert result.stderr.count("Error: ") == 1
    assert not Path("m.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--protocol", "links", "--dataset", "digits"), "found a data set with no edges"),
        (("--protocol", "links", "--dataset", "karate", "--metrics", "m.txt"), "m.txt"),
        (("--protocol", "links", "--dataset", "karate", "--set", "loss.gama=1"), "loss.gamma"),
        (("--protocol", "links", "--dataset", "corra"), "'corra'"),
        (("--dataset", "karate"), "Missing option '--embedding'"),
        (("--dataset", "digits", "--embedding", "z.npy", "--epochs", "3"), "--epochs goes with --protocol links"),
        (("--dataset", "digits", "--embedding", "z.npy", "--encoder", "mlp"), "--encoder goes with --protocol links"),
    ],
)
def test_bad_requests(run, words: tuple[str, ...], message: str) -> None:
    result = run("evaluate", *words, code=2)
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not list(Path().iterdir())
