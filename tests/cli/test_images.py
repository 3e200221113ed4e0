"""``embed --task images`` on a folder of images, as its user would run it."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from genurl_graph import GenURL

SMALL = ("--set", "encoder.hidden=8", "--set", "sampling.batch_size=16", "--set", "loss.projector=8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    # Red and blue images, no squares.
    for name, channel in (("red", 0), ("blue", 2)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(30):
            pixels = draw.integers(0, 60, (12, 8, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number:02}.png")
    return tmp_path / "photos"


def test_a_folder_becomes_an_embedding_and_a_model(run, folder):
    words = ("embed", "--input", "photos", "--task", "images", "--dim", 6, "--epochs", 2, "--seed", 0, *SMALL)
    done = run(*words, "--output", "z.npz", "--metrics", "m.json", "--save-model", "model")
    assert "embedding: 6 dimensions by encoder cnn, 2 epochs" in done.stdout
    assert "merged graph" not in done.stdout
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["task"] == "images"
    assert metrics["config"]["encoder"]["image"] == "12x8x3"
    assert metrics["probe"]["test"] > 0.9
    stored = np.load("z.npz")
    assert stored["embedding"].shape == (60, 6)
    assert stored["node_id"][0] == "blue/00.png"
    assert set(stored["label"]) == {"red", "blue"}
    run("transform", "--model", "model", "--input", "photos", "--output", "again.npz")
    np.testing.assert_allclose(np.load("again.npz")["embedding"], stored["embedding"], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--set", "sampling.batch_size=61"), "sampling.batch_size: found 61 for 60 images; expected 2 to 60"),
        (("--encoder", "gcn"), "task images: encoder: found 'gcn', which reads no images; expected cnn"),
        (("--set", "images.crop=2"), "images.crop: found '2'; expected a finite number in (0, 1]"),
        (("--set", "images.crops=1"), "config: found 'images.crops'; expected one of"),
    ],
)
def test_bad_options_end_with_2_and_leave_nothing(run, folder, words, message):
    done = run("embed", "--input", "photos", "--task", "images", *SMALL, *words, "--output", "z.npz", code=2)
    assert message in done.stderr
    assert [path.name for path in Path().iterdir()] == ["photos"]


class Columns(nn.Module):
    """Stands for a trained network: the mean colour of an image, twice."""

    def forward(self, images):
        return torch.cat([images.mean((2, 3))] * 2, 1)


@pytest.fixture
def timm(monkeypatch):
    """What is used of timm, with one network."""

    def create_model(name, pretrained, num_classes, in_chans):
        assert pretrained
        assert num_classes == 0
        assert in_chans == 3
        if name == "offline":
            raise OSError("no connection")
        network = Columns()
        network.pretrained_cfg = {"mean": (0.5, 0.25, 0.0), "std": (0.5, 0.5, 2.0)}
        return network

    fake = types.ModuleType("timm")
    fake.create_model, fake.list_models = create_model, lambda pretrained: ["columns.best", "offline"]
    monkeypatch.setitem(sys.modules, "timm", fake)


@pytest.mark.usefixtures("timm")
def test_what_a_backbone_sees_is_embedded(run, folder):
    words = ("embed", "--input", "photos", "--dim", 2, "--encoder", "mlp", "--epochs", 2, "--seed", 0)
    words = (*words, "--backbone", "columns", "--quiet")
    run(*words, "--output", "z.npz", "--metrics", "m.json", "--save-model", "model")
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["run"]["backbone"] == "columns"
    files = sorted((folder / "blue").iterdir()) + sorted((folder / "red").iterdir())
    colour = np.stack([np.asarray(Image.open(file)).mean((0, 1)) / 255 for file in files])
    colour = (colour - [0.5, 0.25, 0.0]) / [0.5, 0.5, 2.0]
    stored = np.load("z.npz")
    assert stored["node_id"][0] == "blue/00.png"
    same = GenURL.load("model").transform(np.concatenate([colour, colour], 1).astype(np.float32))
    np.testing.assert_allclose(stored["embedding"], same, atol=1e-4)
    run("transform", "--model", "model", "--input", "photos", "--backbone", "columns", "--output", "again.npz")
    np.testing.assert_allclose(np.load("again.npz")["embedding"], stored["embedding"], atol=1e-5)
    assert "yes" in run("rerun", "m.json").stdout
    assert "did you mean 'columns.best'?" in run(*words[:-2], "column", "--output", "y.npz", code=2).stderr
    assert "timm cannot load it (no connection)" in run(*words[:-2], "offline", "--output", "y.npz", code=2).stderr
    Path("edges.csv").write_text("a,b\nb,c\n")
    edges = ("embed", "--input", "edges.csv", "--backbone", "columns", "--output", "y.npz")
    assert "--backbone: found no images" in run(*edges, code=2).stderr


def test_without_timm_the_extra_is_named(run, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    done = run("embed", "--input", "photos", "--backbone", "resnet18", "--output", "z.npz", code=2)
    assert "backbone 'resnet18': needs timm: pip install 'genurl-graph[images]'" in done.stderr
    assert not Path("z.npz").exists()


def test_bad_images_are_named(run, folder):
    Image.new("RGB", (9, 9)).save(folder / "red" / "99.png")
    words = ("embed", "--input", "photos", "--task", "images", *SMALL)
    assert "red/99.png: found 9 x 9 pixels" in run(*words, code=2).stderr
    Image.new("L", (8, 12)).save(folder / "red" / "99.png")
    assert "red/99.png: found colour mode L" in run(*words, code=2).stderr
    whole = (folder / "red" / "00.png").read_bytes()
    (folder / "red" / "99.png").write_bytes(whole[: len(whole) // 2])
    assert "red/99.png: cannot be read as an image" in run(*words, code=2).stderr
