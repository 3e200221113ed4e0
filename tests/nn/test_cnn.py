"""Encoders of images and of the user's own making: what they read, that they read it row by row, what they refuse."""

import pytest
import torch
from torch import nn

from genurl_graph.config import Config
from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.images import as_images, as_rows, image_shape
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.cnn import PART, ModuleEncoder
from genurl_graph.nn.features import Features


def test_images_become_rows_and_back():
    images = torch.arange(2.0 * 3 * 4 * 5).view(2, 3, 4, 5)
    rows, shape = as_rows(images)
    assert shape == (4, 5, 3)
    # Channels last, as the readers of image folders have them: the first pixel's three channels come first.
    assert torch.equal(rows[0, :3], images[0, :, 0, 0])
    assert torch.equal(as_images(rows, shape), images)
    assert (as_rows(images.numpy())[0] == rows.numpy()).all()
    assert as_rows(rows) == (rows, None)


@pytest.mark.parametrize(
    ("name", "columns", "shape"),
    [("auto", 784, (28, 28, 1)), ("auto", 3072, (32, 32, 3)), ("4x5x3", 60, (4, 5, 3))],
)
def test_shapes(name, columns, shape):
    assert image_shape(name, columns) == shape


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("auto", 785, "785 columns, which are no square images"),
        ("28x28", 784, "found '28x28'; expected auto or HEIGHT"),
        ("0x28x1", 784, "found '0x28x1'"),
        ("28x28x3", 784, "found 784 columns; expected 2352, the pixels of 28x28x3"),
    ],
)
def test_bad_shapes(name, columns, message):
    with pytest.raises(InputError, match=message):
        image_shape(name, columns)


def test_cnn_reads_each_row_alone():
    encoder = make_encoder(Config(encoder=EncoderConfig("cnn", dim=5, hidden=8)), 64).eval()
    x = torch.randn(PART + 10, 64)
    z = encoder(Features(x))
    assert z.shape == (PART + 10, 5)
    torch.testing.assert_close(z[-1:], encoder(Features(x[-1:])))
    # A mirrored image is another one, and pixels are read row by row.
    flipped = x.view(-1, 8, 8).flip(2).reshape(-1, 64)
    assert not torch.allclose(encoder(Features(flipped)), z, atol=1e-3)
    torch.testing.assert_close(encoder.layers(x[:3].view(3, 1, 8, 8)), z[:3])


def test_cnn_is_small():
    sizes = [
        sum(p.numel() for p in make_encoder(Config(encoder=EncoderConfig("cnn", dim=64, hidden=128)), n).parameters())
        for n in (784, 3072)
    ]
    assert max(sizes) < 300_000


def test_bad_cnns():
    with pytest.raises(InputError, match="found images of 3 x 3; expected 4 x 4"):
        make_encoder(Config(encoder=EncoderConfig("cnn", dim=2, hidden=8)), 9)
    with pytest.raises(InputError, match=r"encoder\.hidden: found 6; expected a multiple of 4"):
        make_encoder(Config(encoder=EncoderConfig("cnn", dim=2, hidden=6)), 64)


def test_modules_of_the_users():
    encoder = ModuleEncoder(nn.Linear(6, 2), 6, None)
    assert encoder.width == 2
    x = torch.randn(4, 6)
    torch.testing.assert_close(encoder(Features(x)), encoder.module(x))
    torch.testing.assert_close(encoder(Features(x.to_sparse_csr())), encoder.module(x))
    with pytest.raises(InputError, match=r"Linear: cannot read rows \[n, 6\]"):
        ModuleEncoder(nn.Linear(5, 2), 6, None)
    with pytest.raises(InputError, match=r"Identity: found output \[2, 1, 2, 3\] for 2 rows; expected \[2, d\]"):
        ModuleEncoder(nn.Identity(), 6, (2, 3, 1))
