"""Spectral positions: the same whether the matrix is decomposed as a whole or not, and blocks apart."""

import pytest
import torch

from genurl_graph.graph import spectral
from genurl_graph.graph.temporal import positions
from genurl_graph.graph.temporal.history import BASE


def _blocks(size: int) -> torch.Tensor:
    """Keys of two cliques with one edge between them."""
    low, high = torch.triu_indices(size, size, 1)
    return torch.cat([low * BASE + high, (low + size) * BASE + high + size, torch.tensor([size])]).unique()


def test_two_blocks_lie_apart() -> None:
    key = _blocks(10)
    u = positions.spectral_positions(key, torch.ones(len(key)), 20, 2)
    assert u.shape == (20, 2)
    assert u.square().sum(1).mean() == pytest.approx(1, abs=1e-5)
    assert (u[:10, 1].sign() != u[10:, 1].sign()).all()


def test_both_ways_of_decomposing_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    # A tail on one side: a graph that mirrors itself leaves signs open.
    key = torch.cat([_blocks(12), torch.tensor([23 * BASE + 24])])
    whole = positions.spectral_positions(key, torch.ones(len(key)), 25, 2)
    monkeypatch.setattr(spectral, "SMALL", 3)
    assert torch.allclose(positions.spectral_positions(key, torch.ones(len(key)), 25, 2), whole, atol=1e-3)


@pytest.mark.parametrize("nodes", [5, 300])
def test_without_any_pair_all_are_at_0(nodes: int) -> None:
    none = torch.empty(0, dtype=torch.int64)
    assert torch.equal(positions.spectral_positions(none, torch.empty(0), nodes, 2), torch.zeros(nodes, 2))


def test_nodes_without_a_pair_are_at_0() -> None:
    u = positions.spectral_positions(torch.tensor([0 * BASE + 1, 0 * BASE + 2]), torch.ones(2), 5, 2)
    assert (u[3:].abs() < 1e-6).all()


def test_subspace_iteration_finds_the_vectors_that_stand_out(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = torch.Generator().manual_seed(0)
    group = torch.arange(400) // 100
    pairs = torch.triu_indices(400, 400, 1)
    share = torch.where(group[pairs[0]] == group[pairs[1]], 0.2, 0.02)
    low, high = pairs[:, torch.rand(pairs.size(1), generator=drawn) < share]
    key = low * BASE + high
    exact = positions.spectral_positions(key, torch.ones(len(key)), 400, 4)
    monkeypatch.setattr(spectral, "MEDIUM", 300)
    found = positions.spectral_positions(key, torch.ones(len(key)), 400, 4)
    # The same space, and the same weight of each direction.
    assert torch.allclose(found @ found.T, exact @ exact.T, atol=0.05 * float((exact @ exact.T).abs().max()))
    again = positions.spectral_positions(key, torch.ones(len(key)), 400, 4)
    assert torch.equal(found, again)
