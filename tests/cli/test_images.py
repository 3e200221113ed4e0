"""``embed --task images`` on a folder of pictures, as its user would run it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SMALL = ("--set", "encoder.hidden=8", "--set", "sampling.batch_size=16", "--set", "loss.projector=8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    # Red and blue pictures, no squares.
    for name, channel in (("red", 0), ("blue", 2)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            pixels = draw.integers(0, 60, (12, 8, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number:02}.png")
    return tmp_path / "pictures"


def test_a_folder_becomes_an_embedding_and_a_model(run, folder):
    words = ("embed", "--input", "pictures", "--task", "images", "--dim", 6, "--epochs", 2, "--seed", 0, *SMALL)
    done = run(*words, "--output", "z.npz", "--metrics", "m.json", "--save-model", "model")
    assert "task images, encoder cnn, 6 dimensions" in done.stdout
    assert "merged graph" not in done.stdout
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["task"] == "images"
    assert metrics["config"]["encoder"]["image"] == "12x8x3"
    assert metrics["probe"]["test"] > 0.9
    stored = np.load("z.npz")
    assert stored["embedding"].shape == (40, 6)
    assert stored["node_id"][0] == "blue/00.png"
    assert set(stored["label"]) == {"red", "blue"}
    run("transform", "--model", "model", "--input", "pictures", "--output", "again.npz")
    np.testing.assert_allclose(np.load("again.npz")["embedding"], stored["embedding"], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--set", "sampling.batch_size=41"), "sampling.batch_size: found 41 for 40 images; expected 2 to 40"),
        (("--encoder", "gcn"), "task images: encoder 'gcn' reads no images; expected cnn, resnet or a module"),
        (("--set", "images.crop=2"), "images.crop: found 2.0; expected a share in (0, 1]"),
        (("--set", "images.crops=1"), "unknown key 'images.crops'; did you mean 'images.crop'?"),
    ],
)
def test_bad_options_end_with_2_and_leave_nothing(run, folder, words, message):
    done = run("embed", "--input", "pictures", "--task", "images", *SMALL, *words, "--output", "z.npz", code=2)
    assert message in done.stderr
    assert [path.name for path in Path().iterdir()] == ["pictures"]


def test_bad_pictures_are_named(run, folder):
    Image.new("RGB", (9, 9)).save(folder / "red" / "99.png")
    words = ("embed", "--input", "pictures", "--task", "images", *SMALL)
    assert "red/99.png: 9 x 9 pixels" in run(*words, code=2).stderr
    Image.new("L", (8, 12)).save(folder / "red" / "99.png")
    assert "red/99.png: colour mode L, but" in run(*words, code=2).stderr
    whole = (folder / "red" / "00.png").read_bytes()
    (folder / "red" / "99.png").write_bytes(whole[: len(whole) // 2])
    assert "red/99.png: cannot be read as an image" in run(*words, code=2).stderr
