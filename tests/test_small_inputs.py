"""Reduction at its edges: few samples, duplicates, constants, parts, one dimension, more dimensions than features."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL

RNG = np.random.default_rng(0)


def fitted(x, **changes):
    return GenURL(random_state=0, **({"epochs": 20} | changes)).fit_transform(x)


@pytest.mark.usefixtures("short_table")
@pytest.mark.parametrize("n", [2, 3, 4, 5, 9, 10, 11, 12, 20, 50])
@pytest.mark.parametrize("encoder", ["free", "mlp"])
def test_two_samples_and_more(n, encoder):
    x = RNG.normal(size=(n, 4)).astype(np.float32)
    z = fitted(x, encoder=encoder, epochs=2)
    assert z.shape == (n, 2)
    assert np.isfinite(z).all()
    # Samples of a network may choose one prototype.
    assert len(np.unique(z, axis=0)) >= (n if encoder == "free" else 0.9 * n)


@pytest.mark.usefixtures("short_table")
@pytest.mark.parametrize("encoder", ["free", "mlp"])
def test_duplicates_and_constants(encoder):
    same = fitted(np.repeat(RNG.normal(size=(3, 4)), 20, axis=0).astype(np.float32), encoder=encoder, epochs=2)
    assert np.isfinite(same).all()
    # Each row of an embedding table is learned by itself.
    assert encoder != "free" or len(np.unique(same, axis=0)) == 60
    assert np.isfinite(fitted(np.ones((30, 4), np.float32), encoder=encoder, epochs=2)).all()
    half = np.concatenate([RNG.normal(size=(60, 2)), np.full((60, 3), 7.0)], axis=1).astype(np.float32)
    assert np.isfinite(fitted(half, encoder=encoder, epochs=2)).all()


def test_duplicates_lie_together():
    x = np.concatenate([RNG.normal(size=(100, 4)), np.zeros((5, 4))]).astype(np.float32)
    z = fitted(x, epochs=100)
    spread = np.ptp(z[100:], axis=0).max()
    assert spread < 0.1 * np.ptp(z, axis=0).max()


def test_neighbour_graph_in_parts():
    x = np.concatenate([RNG.normal(size=(40, 5)) + 100 * i for i in range(4)]).astype(np.float32)
    z = fitted(x, epochs=100)
    centres = z.reshape(4, 40, 2).mean(1)
    spread = z.reshape(4, 40, 2).std(1).max()
    gaps = np.linalg.norm(centres[:, None] - centres[None], axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() > 2 * spread


@pytest.mark.parametrize(("components", "features"), [(1, 5), (1, 1), (2, 1), (3, 2), (16, 3), (2, 80)])
def test_any_number_of_dimensions(components, features):
    x = RNG.normal(size=(60, features)).astype(np.float32)
    z = fitted(x, n_components=components)
    assert z.shape == (60, components)
    assert np.isfinite(z).all()


def test_a_line_keeps_the_order_of_a_curve():
    t = np.sort(RNG.random(200)).astype(np.float32)
    curve = np.stack([np.cos(3 * t), np.sin(3 * t), t], axis=1)
    z = fitted(curve, n_components=1, epochs=150)[:, 0]
    assert abs(np.corrcoef(np.argsort(np.argsort(z)), np.arange(200))[0, 1]) > 0.85
    assert np.isfinite(z).all()


@pytest.mark.parametrize("n", [2, 3])
def test_smallest_graphs(n):
    data = Data(
        x=torch.from_numpy(RNG.normal(size=(n, 4)).astype(np.float32)), edge_index=torch.tensor([[0, 1], [1, 0]])
    )
    small = {"encoder.hidden": 8, "sampling.n_negatives": 4}
    assert torch.isfinite(fitted(data, n_components=4, epochs=3, config=small)).all()


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_units_do_not_matter(scale):
    x = RNG.normal(size=(80, 4))
    z = fitted((x * scale).astype(np.float32), epochs=60)
    reference = fitted(x.astype(np.float32), epochs=60)
    assert np.isfinite(z).all()
    assert np.ptp(z) == pytest.approx(np.ptp(reference), rel=0.3)
