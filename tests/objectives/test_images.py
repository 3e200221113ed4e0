"""The objective of self-supervised images: its graph, its loss beside SimCLR's and Barlow Twins', the EMA encoder."""

import pytest
import torch
import torch.nn.functional as F

from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.ema import EMAEncoder
from genurl_graph.nn.features import Features
from genurl_graph.objectives import images as image_batches
from genurl_graph.objectives.batch_graph import batch_similarities
from genurl_graph.objectives.images import ImageObjective

SHAPE = (8, 8, 1)


def config(**more):
    keys = {"encoder.image": "8x8x1", "encoder.hidden": 16, "encoder.dim": 8, "sampling.batch_size": 32}
    keys |= {"similarity.perplexity": 4.0, "neighbors.n_neighbors": 4, "loss.projector": 16}
    return load_preset("images").override(keys | {key.replace("__", "."): value for key, value in more.items()})


def objective(chosen, n=64):
    torch.manual_seed(0)
    x = torch.rand(n, 64)
    return ImageObjective(make_encoder(chosen, 64), Features(x), SHAPE, chosen)


def seen(monkeypatch, made):
    """What the projector gives, written down as it is computed."""
    found = []
    made.projector.register_forward_hook(lambda module, args, output: found.append(output.detach()))
    return found


def test_infonce_without_feature_edges_is_simclr(monkeypatch):
    made = objective(config(loss__name="infonce", merge__feature_weight=0.0, loss__temperature=0.3, loss__nu=1e8))
    found = seen(monkeypatch, made)
    loss = made().loss
    z = F.normalize(found[0], dim=1)
    # The kernel of the cosine distance: exp((cos - 1) / temperature).
    scores = (z @ z.T / 0.3).fill_diagonal_(-torch.inf)
    other = torch.cat([torch.arange(32, 64), torch.arange(32)])
    torch.testing.assert_close(loss, F.cross_entropy(scores, other), atol=1e-4, rtol=1e-4)


def test_gkl_by_row_of_same_image_edges_has_the_gradient_of_simclr():
    common = {"merge__feature_weight": 0.0, "loss__temperature": 0.3, "loss__nu": 1e8}
    grads = []
    for name in ("gkl", "infonce"):
        made = objective(config(loss__name=name, loss__per="row", **common))
        torch.manual_seed(1)
        made().loss.backward()
        grads.append(torch.cat([p.grad.flatten() for p in made.parameters() if p.grad is not None]))
    torch.testing.assert_close(grads[0], grads[1], atol=1e-5, rtol=1e-3)


def test_barlow_correlates_the_two_views(monkeypatch):
    made = objective(config(loss__name="barlow", loss__offdiagonal=0.01))
    found = seen(monkeypatch, made)
    loss = made().loss
    a, b = ((part - part.mean(0)) / part.std(0, correction=0) for part in found[0].chunk(2))
    c = a.T @ b / len(a)
    off = c.square().sum() - c.diagonal().square().sum()
    torch.testing.assert_close(loss, (1 - c.diagonal()).square().sum() + 0.01 * off, rtol=1e-3, atol=1e-3)


def test_graph_of_a_batch():
    made = objective(config(merge__feature_weight=0.25, encoder__momentum=0.0, neighbors__source="encoder"))
    made.eval()
    batch = made.features.rows(torch.arange(32))
    edges, p = made.graph(batch, made.ema_features(batch))
    dense = torch.zeros(64, 64).index_put_((edges[0], edges[1]), p, accumulate=True)
    assert torch.equal(dense, dense.T)
    assert edges.unique(dim=1).size(1) == edges.size(1)
    for first in (0, 32):
        for second in (0, 32):
            block = dense[first : first + 32, second : second + 32]
            # Views of one image by weight 1; a view and itself not at all.
            assert torch.equal(block.diagonal(), torch.full((32,), float(first != second)))
            near, weight = batch_similarities(made.encoder.eval()(batch), made.config.neighbors, made.config.similarity)
            expected = torch.zeros(32, 32).index_put_((near[0], near[1]), 0.25 * weight)
            off = ~torch.eye(32, dtype=torch.bool)
            torch.testing.assert_close(block[off], expected[off])


def test_neighbours_are_those_of_the_slow_copy():
    made = objective(config(encoder__momentum=0.999999, neighbors__source="encoder"))
    batch = made.features.rows(torch.arange(32))
    before = made.graph(batch, made.ema_features(batch))
    with torch.no_grad():
        for parameter in made.encoder.parameters():
            parameter.add_(torch.randn_like(parameter))
    after = made.graph(batch, made.ema_features(batch))
    assert torch.equal(before[0], after[0])


def test_neighbours_pass_from_pixels_to_the_encoder():
    made = objective(config(neighbors__source="both", encoder__momentum=0.0))
    batch = made.features.rows(torch.arange(32))

    def dense(edges, p):
        return torch.zeros(32, 32).index_put_((edges[0], edges[1]), p)

    near = [made.config.neighbors, made.config.similarity]
    pixels = dense(*batch_similarities(batch.x, *near))
    encoded = dense(*batch_similarities(made.encoder.eval()(batch), *near))
    for progress in (0.0, 0.25, 1.0):
        edges, p = made.neighbors(batch, made.ema_features(batch), progress)
        torch.testing.assert_close(dense(edges, p), (1 - progress) * pixels + progress * encoded)
        assert edges.unique(dim=1).size(1) == edges.size(1)


def test_slow_copy_is_the_mean_of_past_weights():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    slow = EMAEncoder(network, 0.9).train()
    assert not slow.network.training
    assert not any(p.requires_grad for p in slow.parameters())
    expected = network[0].weight.detach().clone()
    for _ in range(4):
        with torch.no_grad():
            network[0].weight.add_(1.0)
            network[1].running_mean.add_(2.0)
        slow.follow(network)
        expected = 0.9 * expected + 0.1 * network[0].weight.detach()
    torch.testing.assert_close(slow.network[0].weight, expected)
    assert torch.equal(slow.network[1].running_mean, network[1].running_mean)


def test_views_of_a_batch_differ_and_the_embedding_sees_none(monkeypatch):
    made = objective(config(images__crop=0.5))
    drawn = []
    kept = image_batches.random_view
    monkeypatch.setattr(image_batches, "random_view", lambda *a: drawn.append(kept(*a)) or drawn[-1])
    made()
    assert not torch.allclose(*drawn)
    drawn.clear()
    z = made.embed()
    assert drawn == []
    assert z.shape == (64, 8)
    # Each image alone, in evaluation mode.
    torch.testing.assert_close(made.encoder.eval()(made.features.rows(torch.arange(5))), z[:5], atol=1e-5, rtol=1e-5)


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr("genurl_graph.runtime.processes.world_size", lambda: 2)
    with pytest.raises(InputError, match="several processes: found 2 for the task images; expected one"):
        objective(config())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sampling__batch_size", 65, "sampling.batch_size: found 65 for 64 images; expected 2 to 64"),
        ("neighbors__n_neighbors", 32, "neighbors.n_neighbors: found 32; expected 1 to 31"),
        ("loss__name", "gkll", "loss"),
        ("encoder__hidden", 18, "encoder.hidden: found 18; expected a multiple of 4 for a cnn"),
    ],
)
def test_bad_options_are_named(key, value, message):
    with pytest.raises(InputError, match=message):
        objective(config(**{key: value}))
