"""Exact neighbours by partitions: those of one matrix, and their distances to the bit."""

import numpy as np
import pytest
import torch

from genurl_graph.graph.knn import knn
from genurl_graph.graph.partitioned.search import exact, search_partitions
from genurl_graph.runtime.partitions import OneProcess, Store
from tests.conftest import threads
from tests.graph.partitioned.search.stored import collected, search, stored

METRICS = ["euclidean", "cosine", "inner_product"]
# Tiles of 128 rows.
MEMORY = 1.0


def matrix(kind: str) -> np.ndarray:
    generator = np.random.default_rng(1)
    x = np.repeat(generator.normal(size=(14, 12)), 50, 0) * 4 + generator.normal(size=(700, 12))
    if kind == "duplicates":
        x[::3] = x[0]
        x[1::7] = 0
    elif kind == "far":
        # Rounding of products is larger than the distances: many rows are searched again.
        x[::2] += 1e4
    elif kind == "few far":
        x[:60] += 1e3 * generator.normal(size=(60, 12))
    elif kind == "small":
        x *= 1e-25
    elif kind == "counts":
        x = x.round()
    elif kind == "words":
        x = (generator.random((700, 600)) < 0.01) * generator.random((700, 600))
    return x.astype(np.float32)


@pytest.mark.parametrize("kind", ["plain", "duplicates", "far", "few far", "small", "counts", "words"])
@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_are_those_of_one_matrix(kind, metric, tmp_path) -> None:
    x = matrix(kind)
    expected = knn(x, 9, metric=metric, backend="exact", memory_mb=MEMORY)
    found = search(tmp_path, x, 3, 9, metric=metric, backend="exact", memory_mb=MEMORY)
    assert np.array_equal(found.indices, expected.indices)
    assert np.array_equal(found.distances, expected.distances)
    assert found.recall is None


@pytest.mark.parametrize(("count", "k"), [(1, 5), (2, 699), (7, 1), (20, 9)])
def test_the_number_of_partitions_does_not_matter(count, k, tmp_path) -> None:
    x = matrix("plain")
    expected = knn(x, k, backend="exact", memory_mb=MEMORY)
    found = search(tmp_path, x, count, k, backend="exact", memory_mb=MEMORY)
    assert np.array_equal(found.indices, expected.indices)
    assert np.array_equal(found.distances, expected.distances)


def test_threads_find_the_same_neighbours(tmp_path) -> None:
    x = matrix("few far")
    with threads(1):
        one = search(tmp_path / "one", x, 3, 9, memory_mb=MEMORY)
    with threads(3):
        three = search(tmp_path / "three", x, 3, 9, memory_mb=MEMORY)
    assert np.array_equal(one.indices, three.indices)
    np.testing.assert_allclose(one.distances, three.distances, rtol=1e-5)


def test_few_rows_in_many_partitions(tmp_path) -> None:
    x = np.array([[0.0], [1.0], [3.0]], dtype=np.float32)
    found = search(tmp_path, x, 3, 2)
    assert found.indices.tolist() == [[1, 2], [0, 2], [1, 0]]
    assert found.distances.tolist() == [[1, 3], [1, 2], [2, 3]]


def test_rows_searched_again_are_few_or_all(tmp_path, monkeypatch) -> None:
    again = []
    inner = exact.search_rows
    monkeypatch.setattr(exact, "search_rows", lambda *given: again.append(len(given[2])) or inner(*given))
    search(tmp_path / "plain", matrix("plain"), 3, 9, memory_mb=MEMORY)
    plain, again[:] = sum(again), []
    search(tmp_path / "far", matrix("far"), 3, 9, memory_mb=MEMORY)
    assert plain < 70
    assert sum(again) == 700


def test_a_search_goes_on_where_it_ended(tmp_path, monkeypatch) -> None:
    x = matrix("plain")
    expected = knn(x, 9, backend="exact")
    store, work = stored(tmp_path, x, 5)
    done, whole = [], exact._search

    def dies(part, *given):
        if part == 3 and len(done) < 4:
            done.append(part)
            raise RuntimeError("killed")
        done.append(part)
        return whole(part, *given)

    monkeypatch.setattr(exact, "_search", dies)
    with pytest.raises(RuntimeError, match="killed"):
        search_partitions(OneProcess(), (store, "x"), work, 9)
    assert search_partitions(OneProcess(), (store, "x"), work, 9) is None
    assert done == [0, 1, 2, 3, 3, 4]
    assert np.array_equal(collected(work).indices, expected.indices)
    # Finished: nothing is read any more.
    assert search_partitions(OneProcess(), (Store(tmp_path / "gone", store.bounds), "x"), work, 9) is None
    assert not (work.path / "search").exists()


def test_rows_may_be_numbered_in_any_order(tmp_path) -> None:
    x = matrix("plain")
    order = np.random.default_rng(2).permutation(len(x))
    plain = search(tmp_path / "plain", x, 4, 9)
    mixed = search(tmp_path / "mixed", x[order], 4, 9)
    assert np.array_equal(order[mixed.indices], plain.indices[order])
    np.testing.assert_allclose(mixed.distances, plain.distances[order], rtol=2e-5)


def test_memory_holds_a_partition_and_a_block(tmp_path, monkeypatch) -> None:
    """Blocks of other partitions are read as they are compared, not the partitions."""
    read = []
    load = Store.load

    def seen(self, name, part, start=0, stop=None):
        found = load(self, name, part, start, stop)
        if name == "x":
            read.append(len(found))
        return found

    monkeypatch.setattr(Store, "load", seen)
    x = torch.randn(2048, 4, generator=torch.Generator().manual_seed(0)).numpy()
    search(tmp_path, x, 2, 3, memory_mb=MEMORY)
    assert max(read) <= 1024
