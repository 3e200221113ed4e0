"""Fits in threads agree bit for bit with one after the other, and leave nothing of theirs in the process."""

import warnings

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from threadpoolctl import threadpool_info
from torch import nn
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.runtime.devices import one_thread

N = 90


@pytest.fixture(scope="module")
def data():
    g = torch.Generator().manual_seed(0)
    y = torch.arange(N) % 3
    x = torch.randn(3, 12, generator=g)[y] + 0.2 * torch.randn(N, 12, generator=g)
    pairs = torch.randint(N, (2, 900), generator=g)
    pairs = pairs[:, (y[pairs[0]] == y[pairs[1]]) & (pairs[0] != pairs[1])]
    return Data(x=x, edge_index=torch.cat([pairs, pairs.flip(0)], 1))


class Student(nn.Module):
    """A user's network, whose dropout draws from torch's global generator."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 4))

    def forward(self, x):
        return self.layers(x)


def in_threads(fits):
    return Parallel(n_jobs=4, prefer="threads")(delayed(fit)() for fit in fits)


def test_fits_of_every_kind_at_once_agree_with_one_after_the_other(data):
    student = Student()
    images = data.x[:, :9].abs().reshape(N, 1, 3, 3).repeat_interleave(2, 2).repeat_interleave(2, 3)
    small = {"sampling.batch_size": 32, "neighbors.n_neighbors": 10}

    def fits():
        for seed in (0, 1):
            here = {"random_state": seed, "epochs": 2}
            yield lambda a=here: GenURL(**a).fit(data)
            yield lambda a=here: GenURL(deterministic=True, **a).fit(data.x)
            yield lambda a=here, s=seed: GenURL(encoder="linear", **a).fit(data.x[s * 10 :])
            yield lambda a=here: GenURL(
                4, task="images", config=small | {"encoder.hidden": 8}, **a | {"epochs": 1}
            ).fit(images)
            yield lambda a=here: GenURL(task="distill", encoder=student, config=small, **a).fit(data.x, teacher=data.x)

    expected = [fit().embedding_ for fit in fits()]
    before = torch.get_rng_state(), torch.get_num_threads(), list(warnings.filters), threadpool_info()
    found = [model.embedding_ for model in in_threads(fits())]
    assert [torch.equal(a, b) for a, b in zip(found, expected, strict=True)] == [True] * len(expected)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), list(warnings.filters), threadpool_info()) == before[1:]
    assert student.training


def test_one_thread_counts_for_this_thread_until_the_last_has_left():
    def blas():
        return {entry["num_threads"] for entry in threadpool_info() if entry["user_api"] == "blas"}

    before, threads = blas(), torch.get_num_threads()
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    assert torch.get_num_threads() == 1
    assert Parallel(n_jobs=2, prefer="threads")(delayed(torch.get_num_threads)() for _ in range(2)) == [threads] * 2
    first.__exit__(None, None, None)
    assert blas() <= {1}
    second.__exit__(None, None, None)
    assert (blas(), torch.get_num_threads()) == (before, threads)


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_a_generator_moves_on_from_fit_to_fit(data, make):
    model, again = (GenURL(2, epochs=2, random_state=make(5)) for _ in range(2))
    first, second = (model.fit(data).embedding_ for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(again.fit(data).embedding_, first)
    same = GenURL(2, epochs=2, random_state=model.fit(data).seed_).fit(data)
    assert torch.equal(same.embedding_, model.embedding_)
