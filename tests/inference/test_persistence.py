"""Saved models: complete, without pickle, and refused when they are damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch_geometric.data import Data

from genurl_graph.estimator import GenURL
from genurl_graph.exceptions import InputError

PICKLE = b"\x80\x04\x95 cos\nsystem\n(S'true'\ntR."


@pytest.fixture(scope="module")
def vectors():
    return torch.randn(30, 5, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def original(vectors, tmp_path_factory):
    """A saved model, not to be changed."""
    folder = tmp_path_factory.mktemp("models") / "model"
    config = {"encoder.hidden": 8, "encoder.normalize": "columns"}
    GenURL(n_components=3, encoder="mlp", epochs=2, random_state=7, config=config).fit(vectors).save(folder)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "model")


def change_note(folder, change):
    path = folder / "model.json"
    note = json.loads(path.read_text())
    path.write_text(json.dumps(change(note) or note))


def change_tensors(folder, change):
    path = folder / "model.safetensors"
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata=metadata)


def test_what_was_known_is_known_again(folder, vectors):
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors"]
    assert not any(PICKLE[:3] in path.read_bytes()[:2000] for path in folder.iterdir())
    model = GenURL.load(folder)
    assert (model.task_, model.encoder_name_) == ("reduce", "mlp")
    assert (model.seed_, model.n_features_in_, model.n_iter_) == (7, 5, 2)
    assert len(model.loss_history_) == 2
    assert model.config_.encoder.hidden == 8
    assert model.transform(vectors).equal(model.embedding_)
    with pytest.raises(InputError, match="one that was fitted here"):
        model.untrained_embedding()
    # It can be saved, and fitted again with the same parameters to the same result.
    model.save(folder / "again")
    assert GenURL.load(folder / "again").transform(vectors).equal(model.embedding_)
    assert model.set_params(epochs=2).fit(vectors).embedding_.equal(GenURL.load(folder).embedding_)


@pytest.mark.parametrize("name", ["gcn", "mlp", "table"])
def test_models_of_the_first_version_still_load(name):
    """Saved by version 0.1.0 before `FittedModel`; ``example.npz`` holds new samples and what it made of them."""
    folder = Path(__file__).parent / "models" / name
    model, example = GenURL.load(folder), np.load(folder / "example.npz")
    np.testing.assert_array_equal(model.embedding_, example["embedding"])
    new = torch.from_numpy(example["x"])
    if "edge_index" in example:
        new = Data(x=new, edge_index=torch.from_numpy(example["edge_index"]))
    found, expected = model.transform(new), example["transform"]
    if name != "gcn":
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    # Edges are weighted by a reliability that has been measured on more nodes since, and more by those of the graph.
    away = np.linalg.norm(found - expected, axis=1)
    assert float(np.median(away / np.linalg.norm(expected, axis=1))) < 0.06
    assert not hasattr(model, "graph_")


def test_embedding_table_and_saving_over_an_earlier_model(folder, vectors):
    model = GenURL(epochs=2, random_state=0).fit(vectors)
    model.save(folder)
    loaded = GenURL.load(folder)
    assert loaded.embedding_.equal(model.embedding_)
    np.testing.assert_array_equal(loaded.transform(vectors), model.transform(vectors))


def test_loading_leaves_the_random_state(folder):
    before = torch.get_rng_state()
    GenURL.load(folder)
    assert torch.get_rng_state().equal(before)


def fitted(**values):
    return lambda note: note["fitted"].update(values)


def encoder(**values):
    return lambda note: note["config"]["encoder"].update(values)


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.pop("config"),
        lambda note: note.pop("mark"),
        lambda note: note.update(mark="of another model"),
        lambda note: note.update(format=2),
        lambda note: note.update(config=[1]),
        lambda note: note.update(fitted=None),
        lambda note: note["fitted"].pop("seed_"),
        lambda note: [note],
        fitted(n_features_in_=6),
        fitted(n_features_in_="5"),
        fitted(n_features_in_=10**15),  # must not be tried
        fitted(node_slices_={"a": [0, 3]}, node_widths_={"a": 5}),
        fitted(node_slices_={"a": [0, 3], "b": 3}, node_widths_={"a": 5}),
        fitted(node_slices_=3),
        encoder(name="gcn"),
        encoder(name="os.system"),
        encoder(hidden=10**9),
        encoder(layers=10**9),
        encoder(dim=0),
        encoder(unknown=1),
    ],
)
def test_changed_note_is_refused(folder, change):
    change_note(folder, change)
    with pytest.raises(InputError):
        GenURL.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("embedding"),
        lambda tensors: tensors.pop("encoder.input.weight"),
        lambda tensors: tensors.update({"encoder.more": torch.ones(1)}),
        lambda tensors: tensors.update({"encoder.input.weight": torch.ones(5, 9)}),
        lambda tensors: tensors.update({"encoder.input.weight": tensors["encoder.input.weight"].double()}),
        lambda tensors: tensors.update({"embedding": torch.ones(3)}),
    ],
)
def test_changed_tensors_are_refused(folder, change):
    change_tensors(folder, change)
    with pytest.raises(InputError, match="damaged"):
        GenURL.load(folder)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"{", PICKLE, b"\xff\xfe"])
def test_damaged_or_missing_file_is_refused(folder, name, content):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match="is not a folder that"):
        GenURL.load(folder)


def test_not_fitted_and_not_writable(tmp_path, folder):
    with pytest.raises(InputError, match="not fitted"):
        GenURL().save(tmp_path / "model")
    with pytest.raises(InputError, match="cannot be created"):
        GenURL.load(folder).save(folder / "model.json")
    with pytest.raises(InputError):
        GenURL.load(tmp_path / "nothing")
