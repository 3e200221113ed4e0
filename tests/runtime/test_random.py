"""A run's random numbers are its own: those of torch's global generator, which is left alone."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.nn import GCNConv

from genurl_graph.exceptions import InputError
from genurl_graph.nn.layers import dropout
from genurl_graph.runtime.random import (
    check_seed,
    draw_seed,
    global_draws,
    rand,
    randint,
    randn,
    randperm,
    restore,
    seeded,
    seeded_globally,
    states,
)

OURS = (
    lambda: rand(7),
    lambda: rand((3, 2), dtype=torch.float64),
    lambda: randn((5,)),
    lambda: randn((40, 3)),
    lambda: randperm(20),
    lambda: randint(9, (2, 6)),
    lambda: dropout(torch.ones(6, 4), 0.3, True),
)
TORCHS = (
    lambda: torch.rand(7),
    lambda: torch.rand(3, 2, dtype=torch.float64),
    lambda: torch.randn(5),
    lambda: torch.randn(40, 3),
    lambda: torch.randperm(20),
    lambda: torch.randint(9, (2, 6)),
    lambda: nn.functional.dropout(torch.ones(6, 4), 0.3, True),
)


def drawn(functions):
    return [function() for function in functions]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_numbers_are_those_of_the_global_generator(seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = drawn(TORCHS * 2)
    with seeded(seed):
        assert same(drawn(OURS * 2), expected)
    with seeded_globally(seed):
        assert same(drawn(OURS + TORCHS), expected)


def test_global_draws_go_on_where_the_run_is():
    with seeded(3):
        expected = drawn(OURS + OURS)
    before = torch.get_rng_state()
    with seeded(3):
        first = drawn(OURS[:4])
        with global_draws():
            first += drawn(TORCHS[4:] + TORCHS[:2])
            with global_draws():
                first += drawn(TORCHS[2:4])
        assert same(first + drawn(OURS[4:]), expected)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_of_library_layers_are_the_runs():
    def weights():
        with global_draws():
            return [p.detach() for p in (*nn.Linear(3, 4).parameters(), *GCNConv(3, 2).parameters())]

    with seeded(5):
        own = weights()
    torch.rand(3)
    with seeded(5):
        assert same(weights(), own)


def test_outside_a_run_and_after_an_error_torchs_generator_counts():
    torch.manual_seed(4)
    expected = torch.rand(5)
    torch.manual_seed(4)
    with pytest.raises(RuntimeError, match="shapes"), seeded(0), global_draws():
        nn.Linear(4, 2)(torch.rand(9, 3))
    assert torch.equal(rand(5), expected)


def test_states_come_back_in_a_run_and_outside():
    for seed in (None, 6):
        with seeded(seed) if seed else global_draws():
            kept = states()
            expected = drawn(OURS)
            restore(kept)
            assert same(drawn(OURS), expected)
    with pytest.raises(KeyError):
        restore({})


def test_threads_do_not_disturb_each_other():
    """Eight threads, all inside their run at once, half of what they draw by code that knows the global generator."""
    together = Barrier(8)

    def work(seed, alone=False):
        with seeded(seed):
            found = []
            for _ in range(20):
                found += drawn(OURS)
                if not alone:
                    together.wait(10)
                with global_draws():
                    found += [*drawn(TORCHS), nn.Linear(3, 3).weight.detach()]
        return found

    before = torch.get_rng_state()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(same(work(seed, alone=True), found[seed]) for seed in range(8))


@pytest.mark.parametrize(
    "make", [np.random.RandomState, np.random.default_rng, lambda seed: torch.Generator().manual_seed(seed)]
)
def test_a_generator_gives_a_seed_and_moves_on(make):
    source = make(3)
    seeds = [draw_seed(source) for _ in range(4)]
    assert len(set(seeds)) == 4
    again = make(3)
    assert [draw_seed(again) for _ in range(4)] == seeds
    assert all(check_seed(seed) == seed for seed in seeds)


def test_without_one_torchs_global_generator_gives_the_seed():
    torch.manual_seed(8)
    expected = int(torch.randint(2**31, (1,)))
    torch.manual_seed(8)
    assert draw_seed(None) == expected


@pytest.mark.parametrize("given", [True, 1.5, "0", np.random, random.Random(0)])
def test_what_is_no_generator_is_refused(given):
    with pytest.raises(InputError, match="random_state: found"):
        draw_seed(given)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(InputError, match="random_state: found"):
        check_seed(seed)
