"""The memory bank of earlier images: what it holds, its part in P and Q beside a dense reference, checkpoints."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from genurl_graph import GenURL
from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.nn.memory_bank import Held, MemoryBank
from genurl_graph.objectives.batch_graph import batch_similarities
from genurl_graph.objectives.images import ImageObjective
from tests.resumed import assert_resumes

B, QUEUE, N = 12, 24, 60
SETTINGS = {
    "encoder.image": "8x8x1",
    "encoder.hidden": 16,
    "encoder.dim": 8,
    "sampling.batch_size": B,
    "neighbors.n_neighbors": 4,
    "neighbors.queue": QUEUE,
    "neighbors.source": "encoder",
    "loss.projector": 16,
    "merge.feature_weight": 0.3,
    "encoder.momentum": 0.5,
}


def objective(**more):
    keys = SETTINGS | {"similarity.perplexity": 4.0} | {key.replace("__", "."): value for key, value in more.items()}
    chosen = load_preset("images").override(keys)
    torch.manual_seed(0)
    return ImageObjective(make_encoder(chosen, 64), Features(torch.rand(N, 64)), (8, 8, 1), chosen)


def held(*rows):
    found = torch.tensor(rows)
    return Held(found, found[:, None].float(), found[:, None] * 10.0)


def test_it_is_empty_at_first_and_the_oldest_give_way():
    queue = MemoryBank(5, (1, 1), 2, 20)
    assert len(queue.held().rows) == 0
    for batch in ((1, 2), (3, 4)):
        queue.push(held(*batch))
    assert queue.held().rows.tolist() == [1, 2, 3, 4]
    queue.push(held(5, 6))
    found = queue.held()
    assert found.rows.tolist() == [6, 2, 3, 4, 5]
    assert found.features[:, 0].tolist() == found.rows.tolist()
    assert found.keys[:, 0].tolist() == [10 * row for row in found.rows.tolist()]
    # An image of the next batch leaves its place empty.
    queue.forget(torch.tensor([3, 9]))
    assert queue.held().rows.tolist() == [6, 2, 4, 5]


def reference(made, z, batch, queue):
    """GKL by row of the whole extended graph, densely, in float64."""
    loss, size = made.loss, len(batch)
    edges, p = batch_similarities(torch.cat([batch, queue.features]), made.config.neighbors, made.config.similarity)
    images = torch.eye(size + len(queue.rows), dtype=torch.float64)
    images[edges[0], edges[1]] = 0.3 * p.double()
    image = torch.cat([torch.arange(size), torch.arange(size), torch.arange(size, len(images))])
    p = images[image[: 2 * size]][:, image]
    unit = F.normalize(torch.cat([z, queue.keys]).double(), dim=1)
    q = (1 + (1 - unit[: 2 * size] @ unit.T) / loss.temperature / loss.nu) ** -(loss.nu + 1)
    value = 0.0
    for i in range(2 * size):
        others = torch.arange(len(image)) != i
        row, scaled = p[i, others], q[i, others] * (p[i, others].sum() / q[i, others].sum())
        value = value + (torch.where(row > 0, torch.xlogy(row, row) - row * scaled.log(), 0.0) + scaled - row).sum()
    return value / (p.sum() - 2 * size)


def test_loss_beside_a_dense_reference():
    made = objective()
    outputs, slow = [], []
    made.projector.register_forward_hook(lambda module, args, output: outputs.append(output))
    for _ in range(4):
        before = made.queue.held()
        torch.manual_seed(len(outputs))
        rows = torch.randperm(N)[:B]
        torch.manual_seed(len(outputs))
        loss = made().loss
        slow.append(made.slow.network(made.features.rows(rows)))
        there = ~torch.isin(before.rows, rows)
        queue = Held(*(part[there] for part in before))
        expected = reference(made, outputs[-1], slow[-1], queue)
        torch.testing.assert_close(loss.double(), expected, rtol=1e-4, atol=1e-5)
        made.zero_grad()
        (gradient,) = torch.autograd.grad(loss, outputs[-1], retain_graph=True)
        (wanted,) = torch.autograd.grad(expected, outputs[-1])
        torch.testing.assert_close(gradient, wanted, rtol=1e-3, atol=1e-6)
    # Full by now: there was something to compare with.
    assert len(before.rows) > B
    # What the memory bank holds of the last batch is the EMA encoder's output for it.
    last = made.queue.held()
    order = torch.stack([(last.rows == row).nonzero()[0, 0] for row in rows])
    assert torch.equal(last.features[order], slow[-1])
    assert torch.equal(last.keys[order], made.slow_projector.network(slow[-1]))
    assert not last.keys.requires_grad


def test_neighbours_by_pixels_are_searched_in_the_queue_too():
    made = objective(neighbors__source="features")
    rows, earlier = torch.arange(B), torch.arange(20, 40)
    queue = Held(earlier, torch.zeros(20, 8), torch.zeros(20, 128))
    edges, p = made.neighbors(made.features.rows(rows), held=queue)
    both = made.features.x[torch.cat([rows, earlier])]
    expected, weight = batch_similarities(both, made.config.neighbors, made.config.similarity)
    kept = expected[0] < B
    assert torch.equal(edges, expected[:, kept])
    torch.testing.assert_close(p, weight[kept])
    assert bool((edges[1] >= B).any())


def test_an_image_is_never_its_own_negative():
    made = objective(neighbors__queue=N - B)
    for _ in range(12):
        made()
        rows = made.queue.held().rows
        assert len(rows.unique()) == len(rows)
    # Every image that is not forgotten has its place.
    assert len(rows) > N // 2


def test_a_resumed_run_has_the_same_queue(tmp_path):
    x = torch.rand(N, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    assert_resumes(partial(GenURL, task="images", epochs=2, random_state=0, config=SETTINGS), x, tmp_path / "c", at=1)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"neighbors__queue": B - 1}, r"neighbors.queue: found 11; expected 0, or 12 .* to 48"),
        ({"neighbors__queue": N - B + 1}, r"neighbors.queue: found 49; expected 0, or 12 .* to 48"),
        ({"sampling__batch_size": 40, "neighbors__queue": 40}, "60 images are too few for any queue"),
        ({"loss__name": "barlow"}, "neighbors.queue: found 24; expected 0 with barlow"),
    ],
)
def test_a_queue_that_cannot_be_is_named(more, message):
    with pytest.raises(InputError, match=message):
        objective(**more)
