"""Planted graphs written part by part: what was asked for, and the same structure as in memory."""

import numpy as np
import pyarrow.parquet as parquet
import pytest

from genurl_graph.datasets.planted_partitions import write_planted
from genurl_graph.exceptions import InputError


def contents(path, **asked):
    files = write_planted(path, **asked)
    edges = [parquet.read_table(file).to_pandas() for file in files.edges]
    nodes = [parquet.read_table(file).to_pandas() for file in files.nodes]
    return edges, nodes


@pytest.mark.parametrize("partitions", [1, 7])
def test_edges_are_distinct_follow_classes_and_hubs(tmp_path, partitions) -> None:
    n, classes = 6000, 5
    edges, nodes = contents(
        tmp_path / "planted", num_nodes=n, edges_a_node=8, num_features=6, classes=classes, partitions=partitions
    )
    assert [len(each) for each in edges] == [
        8 * n * (p + 1) // partitions - 8 * n * p // partitions for p in range(partitions)
    ]
    source, target = (np.concatenate([each[end] for each in edges]) for end in ("source", "target"))
    assert (source != target).all()
    pairs = np.minimum(source, target) * n + np.maximum(source, target)
    assert len(np.unique(pairs)) == 8 * n
    ids = np.concatenate([each["id"] for each in nodes])
    assert sorted(ids) == list(range(n))
    y = np.empty(n, dtype=int)
    y[ids] = np.concatenate([each["label"] for each in nodes])
    sizes = np.bincount(y) / n
    assert len(sizes) == classes
    # Within a class: by homophily, or by chance.
    expected = 0.65 + 0.35 * (sizes**2).sum()
    assert (y[source] == y[target]).mean() == pytest.approx(expected, abs=0.02)
    degree = np.bincount(np.concatenate([source, target]), minlength=n)
    assert degree.max() > 10 * degree.mean()
    # Every file of nodes has all classes.
    assert all(each["label"].nunique() == classes for each in nodes)
    x = np.concatenate([each.filter(like="x").to_numpy() for each in nodes])
    # Centres of groups have deviation 1, less their mean over four groups, and the noise 2.
    assert x.std() == pytest.approx((0.75 + 4) ** 0.5, rel=0.1)


def test_a_seed_repeats_and_another_does_not(tmp_path) -> None:
    asked = {"num_nodes": 300, "edges_a_node": 3, "num_features": 2, "classes": 3, "partitions": 2}
    one, again, other = (contents(tmp_path / name, **asked, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    for part in range(2):
        for kind in range(2):
            assert one[kind][part].equals(again[kind][part])
            assert not one[kind][part].equals(other[kind][part])


def test_without_noise_features_are_the_centres_of_groups(tmp_path) -> None:
    asked = {"num_nodes": 400, "edges_a_node": 3, "num_features": 5, "classes": 3, "partitions": 2}
    _, nodes = contents(tmp_path / "planted", **asked, noise=0.0)
    x = np.concatenate([each.filter(like="x").to_numpy() for each in nodes])
    assert len(np.unique(x, axis=0)) == 3 * 4


def test_what_cannot_be_planted_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match=r"classes: found 40; expected 1 to 25, a node for each group"):
        write_planted(tmp_path / "a", 100, 3)
    with pytest.raises(InputError, match="edges_a_node: found 60; expected few beside all pairs"):
        write_planted(tmp_path / "a", 100, 60, classes=2)
    assert not (tmp_path / "a").exists()
