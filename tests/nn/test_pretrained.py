"""Features by a network that is trained already."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.nn.pretrained import Standardised, features_of


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(2), nn.Flatten()
    )


IMAGES = np.random.default_rng(0).random((50, 3, 8, 10), dtype=np.float32)


class Photographs(Dataset):
    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, number):
        return torch.from_numpy(IMAGES[number]), "a label"


@pytest.mark.parametrize("images", [IMAGES, torch.from_numpy(IMAGES), Photographs()])
def test_batches_add_up_to_the_whole(network, images):
    network.train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    found = features_of(network, images, batch_size=7)
    assert network.training
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert found.dtype == torch.float32
    assert not found.requires_grad
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(IMAGES))
    torch.testing.assert_close(found, expected)


def test_features_make_a_graph():
    network = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())
    # Two kinds of images, of other colours.
    kind = np.arange(50) % 2
    images = IMAGES * 0.3 + kind[:, None, None, None] * np.array([1.0, 0, 0], dtype=np.float32)[:, None, None]
    vectors = features_of(network, images)
    fitted = GenURL(n_components=2, n_neighbors=5, metric="euclidean", epochs=2, random_state=0).fit(vectors)
    edges = fitted.graph_.edge_index
    assert bool((kind[edges[0]] == kind[edges[1]]).all())


def test_rows_half_precision_and_sparse_input():
    torch.manual_seed(0)
    x = torch.rand(20, 6) * (torch.rand(20, 6) < 0.05)
    network = nn.Linear(6, 3).bfloat16()
    found = features_of(nn.Sequential(Cast(torch.bfloat16), network), x.to_sparse_csr())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, network(x.bfloat16()).detach().float())


class Cast(nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x):
        return x.to(self.dtype)


def test_standardised_subtracts_and_divides_by_channel():
    wrapped = Standardised(nn.Flatten(), torch.tensor([0.5, 0.0, 1.0]), torch.tensor([2.0, 1.0, 0.5]))
    expected = (IMAGES - np.array([0.5, 0, 1])[:, None, None]) / np.array([2, 1, 0.5])[:, None, None]
    found = features_of(wrapped, IMAGES)
    np.testing.assert_allclose(found, expected.reshape(50, -1), atol=1e-6)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (IMAGES[:, :1], {}, r"Sequential: cannot read images \[n, 1, 8, 10\]"),
        (IMAGES, {"batch_size": 0}, "batch_size: found 0; expected at least 1"),
        (np.full((3, 3, 8, 8), np.nan), {}, "NaN"),
    ],
)
def test_what_cannot_be_read_is_named(network, images, options, message):
    with pytest.raises(InputError, match=message):
        features_of(network, images, **options)


def test_a_network_that_gives_maps_is_named(network):
    with pytest.raises(InputError, match=r"found output \[2, 4, 2, 2\] for 2 rows; expected \[2, d\]"):
        features_of(network[:-1], IMAGES)
