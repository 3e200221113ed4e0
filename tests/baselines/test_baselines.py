"""All baselines: seeds, settings, and what happens where another package is absent."""

import subprocess
import sys

import pytest
import torch

from genurl_graph import datasets
from genurl_graph.baselines import BASELINES, get_baseline, require
from genurl_graph.baselines.reduction import get_reducer
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.exceptions import InputError

GRAPHSSL = [name for name, module in BASELINES.items() if module == "graphssl"]


@pytest.mark.parametrize("name", [name for name in BASELINES if name not in GRAPHSSL])
def test_embedding_repeats_by_seed_and_reads_no_labels(graph, name):
    baseline = get_baseline(name, {"epochs": 3, "dim": 8})
    first = baseline(graph, 0, "cpu")
    assert first.shape == (40, 8)
    assert first.dtype == torch.float32
    if name == "grace":  # ReLU after the last layer, no projection head
        assert float(first.min()) == 0.0 < float(first.max())
    graph.y = 1 - graph.y
    torch.testing.assert_close(baseline(graph, 0, "cpu"), first)
    assert not torch.allclose(baseline(graph, 1, "cpu"), first)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("cca-ssg", "Cora", {"layers": 2, "lambd": 1e-3, "drop_features": 0.1, "drop_edges": 0.4, "epochs": 50}),
        ("cca-ssg", "CiteSeer", {"layers": 1, "lambd": 5e-4, "drop_features": 0.0, "drop_edges": 0.4, "epochs": 20}),
        ("cca-ssg", "Cornell", {"layers": 2, "lambd": 1e-3, "drop_features": 0.2, "drop_edges": 0.2, "epochs": 100}),
        ("grace", "Cora", {"dim": 128, "temperature": 0.4, "drop_features_1": 0.3, "drop_edges_2": 0.4, "lr": 5e-4}),
        ("bgrl", "Amazon-Photo", {"hidden": 256, "dim": 128, "drop_edges_1": 0.4, "drop_features_2": 0.2, "lr": 1e-4}),
        ("bgrl", "Coauthor-CS", {"hidden": 512, "dim": 256, "drop_edges_2": 0.2, "lr": 1e-5, "epochs": 10000}),
        ("bgrl", "Cora", {"lr": 5e-4, "epochs": 1000, "momentum": 0.99}),
        ("graphmae", "Cora", {"encoder": "gat", "heads": 4, "gamma": 3.0, "replace": 0.05, "epochs": 1500}),
        ("graphmae", "CiteSeer", {"encoder": "gat", "heads": 2, "gamma": 1.0, "epochs": 300}),
        ("graphmae", "Amazon-Photo", {"encoder": "gcn", "gamma": 3.0, "mask": 0.5}),
        ("grace", "CiteSeer", {"dim": 256, "temperature": 0.9, "drop_edges_2": 0.0, "activation": "prelu"}),
    ],
)
def test_published_settings(name, data, expected):
    assert expected.items() <= baseline_settings(name, data).items()


@pytest.mark.parametrize("name", GRAPHSSL)
def test_graphssl_models_train(graph, name):
    pytest.importorskip("graphssl", reason="graphssl is not installed: pip install 'genurl-graph[peers]'")
    few = get_baseline(name, {"epochs": 2, "hidden": 8})(graph, 0, "cpu")
    assert few.shape == (40, 8)
    assert few.dtype == torch.float32
    torch.testing.assert_close(get_baseline(name, {"epochs": 2, "hidden": 8})(graph, 0, "cpu"), few)
    assert not torch.allclose(get_baseline(name, {"epochs": 4, "hidden": 8})(graph, 0, "cpu"), few)


@pytest.mark.parametrize(
    ("name", "model", "encoder"),
    [
        ("dgi", "DGI", "encoder"),
        ("graphcl", "GraphCL", "encoder"),
        ("graphssl-bgrl", "BGRL", "online_enc"),
        ("vicreg", "VICReg", "encoder"),
        ("barlow", "BarlowTwins", "encoder"),
    ],
)
def test_graphssl_gets_the_model_it_was_asked_for(name, model, encoder):
    pytest.importorskip("graphssl", reason="graphssl is not installed: pip install 'genurl-graph[peers]'")
    from graphssl.config.load import build_model

    from genurl_graph.baselines.graphssl import model_config

    built = build_model(model_config(name, baseline_settings(name)), in_channels=5)
    assert type(built).__name__ == model
    assert [conv.out_channels for conv in getattr(built, encoder).convs] == [256, 256]
    if name != "dgi":
        assert built.aug_list == [("edge_drop", {"p": 0.5}), ("feat_mask", {"p": 0.2})]


@pytest.mark.parametrize("name", GRAPHSSL)
def test_absent_graphssl_names_the_extra(graph, name, monkeypatch):
    monkeypatch.setattr("genurl_graph.baselines.graphssl.find_spec", lambda package: None)
    for call in (lambda: require(name), lambda: get_baseline(name)(graph, 0, "cpu")):
        with pytest.raises(InputError, match=rf"{name}: needs the package graphssl.*genurl-graph\[peers\]"):
            call()


def test_graphssl_needs_features(graph, monkeypatch):
    monkeypatch.setattr("genurl_graph.baselines.graphssl.find_spec", lambda package: object())
    graph.num_nodes, graph.x = 40, None
    with pytest.raises(InputError, match="dgi: found a data set without node features"):
        get_baseline("dgi")(graph, 0, "cpu")


@pytest.mark.parametrize(
    ("make", "name", "changes", "message"),
    [
        (get_baseline, "grcae", {}, "baseline: found 'grcae'.*did you mean 'grace'"),
        (get_reducer, "umpa", {}, "baseline: found 'umpa'.*did you mean 'umap'"),
        (get_baseline, "grace", {"epoch": 3}, "grace setting: found 'epoch'.*did you mean 'epochs'"),
        (get_baseline, "grace", {"epochs": "2.5"}, "grace.epochs.* '2.5'; expected a whole number"),
        (get_baseline, "grace", {"epochs": 0}, "grace.epochs: found 0; expected a whole number >= 1"),
        (get_baseline, "grace", {"drop_edges_1": 1.0}, r"found 1.0; expected a finite number in \[0, 1\)"),
        (get_baseline, "graphmae", {"mask": 1.0}, r"graphmae.mask: found 1.0; expected a finite number in \[0, 1\)"),
        (get_baseline, "bgrl", {"momentum": "1"}, r"bgrl.momentum.*expected a finite number in \[0, 1\)"),
        (get_baseline, "node2vec", {"p": 0}, "node2vec.p: found 0; expected a finite number > 0"),
        (get_baseline, "grace", {"temperature": 0}, "grace.temperature: found 0; expected a finite number > 0"),
        (get_baseline, "cca-ssg", {"lambd": "nan"}, "cca-ssg.lambd.* 'nan'; expected a finite number"),
        (get_reducer, "pca", {"whiten": 1}, "pca setting: found 'whiten'"),
    ],
)
def test_bad_names_and_settings(make, name, changes, message):
    with pytest.raises(InputError, match=message):
        make(name, changes)


@pytest.mark.data
@pytest.mark.parametrize(("name", "epochs", "floor"), [("cca-ssg", 8, 0.79), ("gae", 60, 0.66)])
def test_floors_on_cora(data_root, name, epochs, floor):
    """An untrained GCN stays below 0.75 here; 50 epochs of CCA-SSG reach 0.84 in its paper."""
    data = datasets.load("cora", data_root)
    assert probe_embedding(get_baseline(name, {"epochs": epochs})(data, 0, "cpu"), data)["test"] > floor


@pytest.mark.parametrize(
    ("name", "changes"), [("bgrl", {"hidden": 32, "predictor": 32, "lr": 5e-3}), ("graphmae", {"lr": 1e-3})]
)
def test_training_beats_raw_features_and_the_encoder_untrained(planted, name, changes):
    def score(z):
        return probe_embedding(z, planted, n_repeats=3)["test"]

    trained, untrained = (
        score(get_baseline(name, {**changes, "dim": 32, **more})(planted, 0, "cpu"))
        for more in ({"epochs": 40}, {"epochs": 1, "lr": 1e-9})
    )
    assert trained > untrained + 0.02
    assert trained > score(planted.x) + 0.05


def test_every_baseline_has_settings():
    for name in BASELINES:
        assert {"epochs", "lr", "weight_decay"} <= baseline_settings(name).keys()


@pytest.mark.parametrize("modules", ["genurl_graph.baselines", "genurl_graph.baselines.reduction"])
def test_the_registries_import_nothing_heavy(modules):
    heavy = {"torch", "numpy", "graphssl", "umap", "sklearn", "openTSNE"}
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
