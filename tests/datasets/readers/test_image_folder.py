"""Folders of images as vectors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genurl_graph import datasets
from genurl_graph.exceptions import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 5, 3, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i, image in enumerate(PIXELS):
        path = tmp_path / "pets" / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "pets"


def test_sub_folders_are_classes(folder: Path):
    (folder / "cat" / ".DS_Store").write_text("noise")
    (folder / "cat" / "notes.txt").write_text("noise")
    data = datasets.read(folder)
    assert data.node_id == ["cat/0.png", "cat/2.png", "dog/1.png", "dog/3.png"]
    assert data.label_names == ["cat", "dog"]
    assert data.y.tolist() == [0, 0, 1, 1]
    assert data.x.dtype == torch.float32
    np.testing.assert_allclose(data.x, PIXELS[[0, 2, 1, 3]].reshape(4, -1) / 255, rtol=1e-6)


def test_images_alone_have_no_labels(folder: Path):
    data = datasets.read(folder / "cat")
    assert data.node_id == ["0.png", "2.png"]
    assert data.y is None


def test_grey_and_two_coloured_images_are_one_channel(tmp_path: Path):
    Image.fromarray(PIXELS[0, :, :, 0]).save(tmp_path / "a.png")
    Image.fromarray(PIXELS[1, :, :, 0] > 127).save(tmp_path / "b.png")
    x = datasets.read(tmp_path).x
    np.testing.assert_allclose(x[0], PIXELS[0, :, :, 0].reshape(-1) / 255, rtol=1e-6)
    assert x[1].tolist() == (PIXELS[1, :, :, 0] > 127).reshape(-1).tolist()


def resized(folder: Path) -> Path:
    Image.fromarray(PIXELS[0, :4]).save(folder / "dog" / "1.png")
    return folder / "dog" / "1.png"


def grey(folder: Path) -> Path:
    Image.fromarray(PIXELS[0, :, :, 0]).save(folder / "dog" / "1.png")
    return folder / "dog" / "1.png"


def truncated(folder: Path) -> Path:
    path = folder / "dog" / "3.png"
    path.write_bytes(path.read_bytes()[:-30])
    return path


def no_image(folder: Path) -> Path:
    (folder / "cat" / "0.png").write_text("not an image")
    return folder / "cat" / "0.png"


def print_colours(folder: Path) -> Path:
    Image.fromarray(PIXELS[0]).convert("CMYK").save(folder / "cat" / "9.jpg")
    return folder / "cat" / "9.jpg"


def empty_class(folder: Path) -> Path:
    (folder / "fish").mkdir()
    return folder / "fish"


def beside(folder: Path) -> Path:
    Image.fromarray(PIXELS[0]).save(folder / "x.png")
    return folder


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (resized, "found 3 x 4 pixels; expected 3 x 5, as .*cat/0.png"),
        (grey, "found colour mode L; expected RGB, as .*cat/0.png"),
        (truncated, "cannot be read as an image"),
        (no_image, "cannot be read as an image"),
        (print_colours, "found colour mode CMYK; expected one of"),
        (empty_class, "no images"),
        (beside, r"images \(x.png, ...\) beside sub-folders"),
    ],
)
def test_faults_are_named(folder: Path, spoil, message: str):
    culprit = spoil(folder)
    with pytest.raises(InputError, match=f"{culprit}: .*{message}"):
        datasets.read(folder)


def test_nothing_there(tmp_path: Path):
    with pytest.raises(InputError, match="no images"):
        datasets.read(tmp_path)
    with pytest.raises(InputError, match="leave out the tables"):
        datasets.read(tmp_path, labels="y.csv")


@pytest.mark.data
def test_cifar(data_root: Path):
    folder = data_root / "images" / "cifar10_test_2000"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    data = datasets.read(folder)
    assert data.x.shape == (2000, 32 * 32 * 3)
    assert len(data.label_names) == 10
    assert int(torch.bincount(data.y).min()) > 100
