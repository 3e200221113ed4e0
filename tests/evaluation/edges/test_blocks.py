"""Splits of the protocol edges: blocks of space are held out whole, and the given split is taken as it is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.evaluation.edges.blocks import block_split, edge_split, first_split, space_blocks
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from tests.evaluation.edges.grid import street_grid


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 30), st.integers(0, 10_000))
def test_a_block_is_in_one_part_alone(blocks: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    block, y = generator.integers(-1, blocks, 400), generator.integers(-1, 3, 400)
    split = block_split(block, y, seed)
    held = [set(block[part]) for part in split]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]
    known = np.flatnonzero((block >= 0) & (y >= 0))
    assert sorted(np.concatenate(split)) == known.tolist()
    assert len(held[1]) == len(held[2]) == max(len(np.unique(block[known])) // 5, 1)


def test_other_seeds_hold_out_other_blocks_of_the_same_cut() -> None:
    data = street_grid()
    block = space_blocks(data.middle, 10)
    assert np.array_equal(block, space_blocks(data.middle, 10))
    tests = {tuple(block_split(block, data.y.numpy(), seed).test) for seed in range(5)}
    assert len(tests) > 1


def test_blocks_lie_together() -> None:
    middle = street_grid().middle.numpy()
    block = space_blocks(middle, 9)
    spread = sum(np.square(middle[block == each] - middle[block == each].mean(0)).sum() for each in range(9))
    assert spread < 0.15 * np.square(middle - middle.mean(0)).sum()


def test_edges_without_a_place_are_in_no_block() -> None:
    middle = street_grid().middle.clone()
    middle[::7] = float("nan")
    block = space_blocks(middle, 5)
    assert (block[::7] == -1).all()
    assert (np.delete(block, np.s_[::7]) >= 0).all()


def test_what_cannot_be_cut_is_refused() -> None:
    for middle, blocks in ((np.zeros((50, 2)), 5), (np.random.default_rng(0).random((50, 2)), 2)):
        with pytest.raises(InputError, match=f"blocks of space: found {blocks} blocks"):
            space_blocks(middle, blocks)
    with pytest.raises(InputError, match="2 with labelled edges; expected 3 or more"):
        block_split(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, -1]), 0)
    with pytest.raises(InputError, match="one class in all blocks"):
        block_split(np.arange(9), np.zeros(9, int), 0)


def test_the_given_split_is_kept_and_a_random_one_made_where_there_is_none() -> None:
    data = street_grid()
    assert first_split(data) == "given"
    assert np.array_equal(edge_split(data, 3).test, np.flatnonzero(data.test_mask))
    free = street_grid(masks=False)
    assert first_split(free) == "random"
    one, other = (edge_split(free, seed) for seed in (0, 1))
    assert len(one.test) == len(free) - 2 * (len(free) // 10)
    assert not np.array_equal(one.test, other.test)


@pytest.mark.parametrize("seed", range(3))
def test_both_directions_of_a_street_are_in_one_part(seed: int) -> None:
    one = street_grid(masks=False)
    ends = torch.cat([one.edges.ends, one.edges.ends.flip(0)], 1)
    data = EdgeSet(EdgeEnds(ends, one.num_nodes, directed=True), y=one.y.repeat(2))
    split = edge_split(data, seed)
    assert sorted(np.concatenate(split)) == [*range(2 * len(one))]
    for part in split:
        assert set(part[part < len(one)] + len(one)) == set(part[part >= len(one)])
