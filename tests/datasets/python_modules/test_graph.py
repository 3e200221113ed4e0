"""The graph of the running Python."""

import sys
from pathlib import Path

import pytest
import torch

from genurl_graph import datasets
from genurl_graph.datasets.python_modules.graph import count_words, families, split


@pytest.fixture(scope="module")
def data():
    return datasets.load("stdlib", "nowhere")


def test_it_is_as_large_as_the_registry_says(data):
    entry = datasets.info("python-modules")
    assert data.name == "python-modules"
    assert len(data.label_names) == entry.n_classes
    assert len(data.node_id) == len(set(data.node_id)) == data.num_nodes
    found = torch.tensor([data.num_nodes, data.num_edges, data.num_features])
    # Each version has modules of its own, and each correction some words.
    tolerance = 0.02 if sys.version_info[:2] == (3, 11) else 0.25
    assert torch.allclose(found.float(), torch.tensor([335.0, 1630.0, 1751.0]), rtol=tolerance, atol=0)
    assert not Path("nowhere").exists()


def test_it_is_the_same_each_time(data):
    again = datasets.load("python-modules")
    assert data.node_id == again.node_id
    assert all(torch.equal(data[key], again[key]) for key in ("x", "edge_index", "y", "train_mask", "test_mask"))


def imports(data, name: str) -> set[str]:
    source, target = data.edge_index
    return {data.node_id[i] for i in target[source == data.node_id.index(name)]}


def test_edges_are_imports_without_loops(data):
    assert {"decimal", "fractions", "random", "bisect"} <= imports(data, "statistics")
    assert "json.decoder" in imports(data, "json")
    assert "statistics" not in imports(data, "decimal")
    assert not data.has_self_loops()
    assert torch.equal(data.edge_index, data.coalesce().edge_index)


def test_features_are_words(data):
    assert data.x.dtype == torch.float32
    assert float(data.x.min()) == 0
    # tf-idf: rows of length 1, or 0 for a module without text, such as an empty package.
    lengths = data.x.norm(dim=1)
    assert torch.allclose(lengths[lengths > 0], torch.ones(1))
    assert int((lengths == 0).sum()) < 25
    said = {data.feature_names[i] for i in data.x[data.node_id.index("json.decoder")].nonzero().squeeze(1)}
    assert {"json", "decode"} <= said


def test_every_documented_module_has_its_family(data):
    family = {
        name: data.label_names[y] if y >= 0 else "" for name, y in zip(data.node_id, data.y.tolist(), strict=True)
    }
    assert family["email.mime.text"] == "internet data"
    assert family["asyncio.events"] == "networking"
    assert family["concurrent.futures.thread"] == "concurrency"
    assert family["wave"] == family["shlex"] == ""
    assert int(torch.bincount(data.y[data.y >= 0]).min()) >= 15
    assert int((data.y < 0).sum()) < 30


def test_a_family_is_that_of_the_nearest_package_above():
    y, names = families(["xml", "xml.dom.minidom", "xmlrpc", "xmlrpc.client", "unheard.of"])
    assert [names[i] if i >= 0 else None for i in y] == ["markup", "markup", *["internet protocols"] * 2, None]


def test_no_family_becomes_a_feature():
    # Words come from the documents alone: two modules with the same text have the same row.
    documents = [["alpha", "beta"], ["alpha", "beta"], ["beta", "the"], *[["alpha", "gamma"]] * 5, *[["delta"]] * 5]
    x, words = count_words(documents)
    assert torch.equal(x[0], x[1])
    # alpha is in more than half, beta in fewer than 5, "the" says nothing.
    assert words == ["delta", "gamma"]
    assert x.shape == (13, 2)


def test_five_modules_of_each_family_train_and_five_validate():
    y = torch.tensor([0] * 13 + [1] * 11 + [-1] * 3)
    masks = split(y)
    assert sum(mask.int() for mask in masks.values())[:24].eq(1).all()
    assert not any(mask[24:].any() for mask in masks.values())
    assert [[int(mask[y == k, 0].sum()) for mask in masks.values()] for k in (0, 1)] == [[5, 5, 3], [5, 5, 1]]
    assert not torch.equal(masks["train"][:, 0], masks["train"][:, 1])
