"""Approximate neighbours by partitions: most true ones are found, the recall says how many, distances are exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn import knn
from genurl_graph.graph.partitioned.search import approximate, lists, search_partitions
from genurl_graph.graph.partitioned.search.asking import readings
from genurl_graph.runtime.partitions import OneProcess
from tests.graph.partitioned.search.stored import collected, search, stored
from tests.graph.partitioned.search.test_exact import matrix


@pytest.fixture(autouse=True)
def _small_lists(monkeypatch) -> None:
    monkeypatch.setattr(lists, "FEWEST", 39)


def groups(n, d=16, seed=0):
    """Rows around n / 50 centres, in no order."""
    generator = np.random.default_rng(seed)
    x = np.repeat(generator.normal(size=(n // 50, d)), 50, 0) * 4 + generator.normal(size=(n, d))
    return generator.permutation(x).astype(np.float32)


def distances(x, indices, metric):
    """Float64, of every row to its neighbours."""
    left, right = x.astype(np.float64)[:, None], x.astype(np.float64)[indices]
    if metric == "euclidean":
        return np.sqrt(((left - right) ** 2).sum(2))
    products = (left * right).sum(2)
    if metric == "inner_product":
        return -products
    return 1 - products / np.linalg.norm(left, axis=2) / np.linalg.norm(right, axis=2)


@pytest.mark.parametrize(("metric", "count"), [("euclidean", 1), ("euclidean", 3), ("cosine", 7), ("inner_product", 3)])
def test_most_neighbours_are_found(metric, count, tmp_path) -> None:
    x = groups(1500)
    x[1] = x[0]
    found = search(tmp_path, x, count, 10, metric=metric, backend="approximate", seed=1)
    assert not (found.indices == np.arange(1500)[:, None]).any()
    assert all(len(set(row)) == 10 for row in found.indices.tolist())
    np.testing.assert_allclose(found.distances, distances(x, found.indices, metric), rtol=2e-5, atol=1e-5)
    assert (np.diff(found.distances) >= 0).all()
    exact = knn(x, 10, metric=metric, backend="exact").distances[:, -1:].numpy()
    recall = (found.distances <= exact + 1e-6 * abs(exact) + 1e-6).mean()
    assert found.recall == pytest.approx(recall, abs=0.04)
    assert recall > 0.88


def test_lists_do_not_depend_on_the_number_of_partitions(tmp_path) -> None:
    x = groups(1200)
    one, many = (search(tmp_path / str(count), x, count, 5, backend="approximate") for count in (1, 6))
    assert np.array_equal(one.indices, many.indices)
    np.testing.assert_allclose(one.distances, many.distances, rtol=1e-5)
    assert one.recall == many.recall


def test_a_list_larger_than_a_partition_is_spread(tmp_path) -> None:
    x = groups(1500)
    x[:750] = x[0] + 0.1 * groups(1500)[:750]
    found = search(tmp_path, x, 6, 5, backend="approximate")
    exact = knn(x, 5, backend="exact").distances[:, -1:].numpy()
    assert (found.distances <= exact * (1 + 1e-5) + 1e-6).mean() > 0.85


@pytest.mark.parametrize("metric", ["cosine", "inner_product"])
def test_rows_short_of_candidates_are_searched_exactly(metric, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(approximate, "SCANNED", 300)
    x = matrix("plain")
    expected = knn(x, 600, metric=metric, backend="exact")
    found = search(tmp_path, x, 4, 600, metric=metric, backend="approximate")
    assert np.array_equal(found.indices, expected.indices)


def test_where_half_of_the_lists_are_needed_all_rows_are_compared(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(approximate, "TARGET", 0.999)
    x = np.random.default_rng(0).normal(size=(1500, 40)).astype(np.float32)
    found = search(tmp_path, x, 3, 5, backend="approximate")
    assert found.recall == 1.0
    assert np.array_equal(found.indices, knn(x, 5, backend="exact").indices)


@pytest.mark.parametrize("stage", ["_search", "_return"])
def test_a_search_goes_on_where_it_ended(stage, tmp_path, monkeypatch) -> None:
    x = groups(1200)
    expected = search(tmp_path / "whole", x, 4, 5, backend="approximate")
    store, work = stored(tmp_path, x, 4)
    done, whole = [], getattr(approximate, stage)

    def dies(part, *given):
        done.append(part)
        if done == [0, 1, 2]:
            raise RuntimeError("killed")
        return whole(part, *given)

    monkeypatch.setattr(approximate, stage, dies)
    with pytest.raises(RuntimeError, match="killed"):
        search_partitions(OneProcess(), (store, "x"), work, 5, backend="approximate")
    recall = search_partitions(OneProcess(), (store, "x"), work, 5, backend="approximate")
    assert done == [0, 1, 2, 2, 3]
    assert recall == expected.recall
    found = collected(work)
    assert np.array_equal(found.indices, expected.indices)
    assert np.array_equal(found.distances, expected.distances)
    assert not (work.path / "search").exists()


def test_bad_input_is_named(tmp_path) -> None:
    x = groups(100)
    store, work = stored(tmp_path, x, 2)
    for message, options in {
        "metric: found manhattan for rows in partitions; expected one of euclidean": {"metric": "manhattan"},
        "metric: found 'cosin'": {"metric": "cosin"},
        "backend: found 'fast'": {"backend": "fast"},
        r"n_neighbors: found 100; expected at most 99 \(x has 100 rows": {"k": 100},
        "n_neighbors: found 0": {"k": 0},
    }.items():
        with pytest.raises(InputError, match=message):
            search_partitions(OneProcess(), (store, "x"), work, **{"k": 5, **options})
    with pytest.raises(InputError, match="work: found 1 partitions of 100 rows"):
        search_partitions(OneProcess(), (store, "x"), type(store).of(tmp_path, 100, 1), 5)
    x[70, 3] = np.nan
    store, work = stored(tmp_path / "nan", x, 2)
    with pytest.raises(InputError, match="x: found 1 NaN"):
        search_partitions(OneProcess(), (store, "x"), work, 5)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20), st.integers(1, 40), st.data())
def test_every_row_of_a_wanted_list_is_read_once(sizes, most, data) -> None:
    starts = np.concatenate([[0], np.cumsum(sizes)])
    wanted = sorted(data.draw(st.sets(st.integers(0, len(sizes) - 1))))
    seen = []
    for reading in readings(wanted, starts, most):
        assert 0 < reading.stop - reading.start <= most
        for at, first, end in reading.lists:
            assert reading.start <= first < end <= reading.stop
            seen += [(at, place) for place in range(first, end)]
    assert seen == [(at, place) for at in wanted for place in range(starts[at], starts[at + 1])]
