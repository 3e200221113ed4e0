"""What users hand in from Python, and what small or large data met: the part of the list that has no files."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import networkx
import numpy as np
import pytest
import torch

from genurl_graph import GenURL

QUICK = {"n_components": 4, "epochs": 3, "random_state": 0, "device": "cpu"}


def embedded(*data: Any, **settings: Any) -> np.ndarray:
    """The embedding of a quick fit."""
    found = GenURL(**{**QUICK, **settings}).fit_transform(*data)
    return np.asarray(found)


def weighted() -> networkx.Graph:
    graph = networkx.karate_club_graph()
    assert len({w for _, _, w in graph.edges(data="weight")}) > 1
    for _, attributes in graph.nodes(data=True):
        attributes.clear()
    return graph


@pytest.mark.parametrize("library", ["igraph", "dgl"])
def test_graphs_of_other_libraries(library: str) -> None:
    module = pytest.importorskip(library)
    graph = weighted()
    if library == "igraph":
        found = module.Graph.from_networkx(graph)
    else:
        found = module.from_networkx(graph.to_directed(), edge_attrs=["weight"])
    np.testing.assert_allclose(embedded(found), embedded(graph), atol=1e-5)


# ---------------------------------------------------------------- random_state


@pytest.mark.usefixtures("one_thread")
def test_fits_in_threads_are_those_one_after_the_other() -> None:
    graph = networkx.karate_club_graph()
    expected = embedded(graph)
    before = torch.random.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: embedded(graph), range(8)))
    assert [np.array_equal(each, expected) for each in found] == [True] * 8
    assert torch.equal(torch.random.get_rng_state(), before)


def test_random_states_of_scikit_learn() -> None:
    graph = networkx.karate_club_graph()
    for make in (np.random.RandomState, np.random.default_rng):
        first, second = (embedded(graph, random_state=make(3)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first, embedded(graph, random_state=make(4)))


# ---------------------------------------------------------------- large, small and empty

WIDE = """
import numpy as np, resource, scipy.sparse
from genurl_graph import GenURL
rng = np.random.default_rng(0)
rows, columns = np.repeat(np.arange(2000), 30), rng.integers(0, 300_000, 60_000)
x = scipy.sparse.csr_matrix((np.ones(60_000, np.float32), (rows, columns)), shape=(2000, 300_000))
GenURL(2, epochs=1, random_state=0, device="cpu").fit(x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def test_wide_sparse_input_stays_small() -> None:
    done = subprocess.run([sys.executable, "-c", WIDE], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0  # GiB, libraries included


def test_signed_weights_say_what_to_do(write, run) -> None:
    links = write("e.csv", "source,target,weight\na,b,1\nb,c,-2\nc,a,1\n")
    text = run("embed", "--input", links, code=2).stderr
    assert "-2" in text
    assert "absolute" in text or "--column ignore=weight" in text
