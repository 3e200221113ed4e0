"""Sheets of small images: which point has which tile, and what is left out."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genurl_graph.exceptions import InputError
from genurl_graph.plotting.explorer import sprites
from genurl_graph.plotting.explorer.payload import encode
from genurl_graph.plotting.explorer.scene import Scene
from genurl_graph.plotting.explorer.sprites import Sprites, sprites_of_files, sprites_of_pixels


def tile(found: Sprites, node: int) -> np.ndarray:
    """The tile of a node, [height, width, 3]."""
    place = found.nodes.tolist().index(node)
    (width, height), sheet = found.tile, np.asarray(Image.open(io.BytesIO(found.sheet)).convert("RGB"))
    top, left = place // found.across * height, place % found.across * width
    return sheet[top : top + height, left : left + width]


def test_each_point_has_its_own_tile() -> None:
    rows = torch.rand(7, 8 * 4, generator=torch.Generator().manual_seed(0)) * 16  # as those of digits, up to 16
    found = sprites_of_pixels(rows, (8, 4, 1))
    assert found.tile == (4, 8)
    assert found.nodes.tolist() == list(range(7))
    for node in (0, 3, 6):
        expected = np.round(rows[node].numpy().reshape(8, 4) / float(rows.max()) * 255)
        np.testing.assert_allclose(tile(found, node)[:, :, 1], expected, atol=1)  # lossless below 16 pixels
    colours = sprites_of_pixels(torch.tensor([[1.0, 0, 0] * 4]), (2, 2, 3))
    assert tile(colours, 0)[0, 0].tolist() == [255, 0, 0]


def test_many_images_get_smaller_and_then_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.ones(50, 32 * 32)
    monkeypatch.setattr(sprites, "MOST_PIXELS", 50 * 24 * 24)
    found = sprites_of_pixels(rows, (32, 32, 1))
    assert (found.tile, len(found.nodes), found.about) == ((24, 24), 50, "Images of 24 x 24 pixels")
    monkeypatch.setattr(sprites, "MOST_PIXELS", 20 * 16 * 16)
    found = sprites_of_pixels(rows, (32, 32, 1))
    assert found.about == "Images of 20 of 50 points of 16 x 16 pixels"
    assert len(set(found.nodes.tolist())) == 20
    assert tile(found, int(found.nodes[5])).mean() > 250


def test_files_of_any_size_become_tiles_of_those_who_have_one(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "red").save(tmp_path / "a.png")
    Image.new("L", (40, 40), 0).save(tmp_path / "b.png")
    found = sprites_of_files([tmp_path / "a.png", None, tmp_path / "b.png"])
    assert found.nodes.tolist() == [0, 2]
    assert found.about == "Images of 2 of 3 points of 96 x 96 pixels"
    middle, edge = tile(found, 0)[48, 48], tile(found, 0)[2, 48]
    assert middle[0] > 230 > 40 > middle[1]
    assert edge.min() > 240  # not stretched: white above and below
    assert tile(found, 2)[48, 48].max() < 20
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "d.png")
    assert tile(sprites_of_files([tmp_path / "d.png"]), 0).min() > 250  # what is transparent is white
    (tmp_path / "c.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"c\.png: cannot be read as an image"):
        sprites_of_files([tmp_path / "c.png"])


def test_the_page_carries_the_sheet_and_whose_images_they_are() -> None:
    found = sprites_of_pixels(torch.zeros(3, 4), (2, 2, 1))
    carried = encode(Scene("t", np.eye(3)[:, :2], images=found))["images"]
    assert carried["sheet"].startswith("data:image/webp;base64,")
    assert (carried["width"], carried["height"], carried["across"], carried["node"]) == (2, 2, 2, None)
    some = found._replace(nodes=np.array([0, 2]))
    assert encode(Scene("t", np.eye(3)[:, :2], images=some))["images"]["node"]["type"] == "u1"
    with pytest.raises(InputError, match="images: found one of point 2"):
        Scene("t", np.eye(2), images=some)
