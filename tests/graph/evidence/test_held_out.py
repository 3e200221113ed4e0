"""Held-out edges: structure and features predict them as far as they made them, whatever the order of the nodes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from genurl_graph.graph.evidence.held_out import predict_held_out
from genurl_graph.graph.merge import merge_graphs

N = 400


def edges(pairs: np.ndarray) -> Tensor:
    """Both directions of pairs [m, 2], each once."""
    return merge_graphs(torch.from_numpy(pairs.T.copy()), None, None, None, num_nodes=N).edge_index


def blocks(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Edges inside 40 groups of ten, with a few across, and the group of each node."""
    generator = np.random.default_rng(seed)
    group = np.arange(N) % 40
    i, j = generator.integers(0, N, (2, 60_000))
    kept = ((group[i] == group[j]) & (generator.random(len(i)) < 0.6)) | (generator.random(len(i)) < 0.002)
    kept &= i != j
    return edges(np.stack([i[kept], j[kept]], 1)), torch.from_numpy(group)


def noise(width: int = 32) -> Tensor:
    return torch.randn(N, width, generator=torch.Generator().manual_seed(1))


def test_structure_predicts_edges_of_groups_that_features_do_not_know():
    edge_index, _ = blocks()
    found = predict_held_out(edge_index, N, noise())
    assert found.structure > 0.8
    # Averages of noise over the remaining edges are structure, too, seen through few columns.
    assert found.structure > found.features
    assert 0 < found.structure_error < 0.02


def test_features_predict_edges_that_follow_them_and_no_structure():
    # Each node is joined with the next on a circle that features describe: sparse edges without triangles.
    ring = np.stack([np.arange(N), (np.arange(N) + 1) % N], 1)
    angle = torch.arange(N) * (2 * torch.pi / N)
    x = torch.cat([torch.stack([(k * angle).cos(), (k * angle).sin()], 1) for k in (1, 2, 4, 8, 16)], 1)
    found = predict_held_out(edges(ring), N, x)
    assert found.features > 0.98
    assert found.features > found.structure + 0.2


def test_edges_at_random_are_chance_for_both():
    pairs = np.random.default_rng(0).integers(0, N, (3000, 2))
    found = predict_held_out(edges(pairs[pairs[:, 0] != pairs[:, 1]]), N, noise())
    assert abs(found.structure - 0.5) < 0.06
    assert abs(found.features - 0.5) < 0.06


def test_it_is_the_same_twice_and_nearly_so_in_another_order_of_the_nodes():
    (edge_index, _), x = blocks(), noise()
    found = predict_held_out(edge_index, N, x)
    assert found == predict_held_out(edge_index, N, x)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    there = order.argsort()[edge_index]
    again = predict_held_out(there[:, (there[0] * N + there[1]).argsort()], N, x[order])
    assert abs(again.structure - found.structure) < 6 * found.structure_error
    assert abs(again.features - found.features) < 6 * found.features_error


def test_sparse_features_are_read_as_dense_ones():
    edge_index, group = blocks()
    x = torch.nn.functional.one_hot(group, 40).float()
    assert predict_held_out(edge_index, N, x.to_sparse_csr()) == predict_held_out(edge_index, N, x)


@pytest.mark.parametrize("m", [0, 1, 19])
def test_few_edges_say_nothing(m):
    found = predict_held_out(edges(np.stack([np.arange(m), np.arange(m) + 1], 1)), N, noise())
    assert (found.structure, found.features) == (0.5, 0.5)
