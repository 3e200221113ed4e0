"""Clusters of rows, and who nodes are."""

import pytest
import torch

from genurl_graph.evaluation.temporal_nodes import window_clusters
from genurl_graph.evaluation.temporal_nodes.clusters import identity
from genurl_graph.exceptions import InputError
from tests.evaluation.temporal_nodes.rows import known, switched


def test_what_a_cluster_means_may_change_between_windows_but_not_jointly() -> None:
    label = switched(n=80, windows=8, switching=20)
    rows = known(label, 0.05)
    y = label[rows.node, rows.window]
    assert window_clusters(rows, y) == {"window": pytest.approx(1.0), "joint": pytest.approx(1.0)}
    # Columns permuted from window to window.
    shift = (torch.arange(4) + rows.window[:, None]) % 4
    found = window_clusters(rows._replace(embedding=rows.embedding.gather(1, shift)), y)
    assert found["window"] == pytest.approx(1.0)
    assert found["joint"] < 0.2


def test_unknown_labels_are_left_out_and_bad_ones_refused() -> None:
    label = switched(windows=8)
    rows = known(label, 0.05)
    y = label[rows.node, rows.window]
    y[rows.window < 4] = -1
    assert window_clusters(rows, y)["window"] == pytest.approx(1.0)
    with pytest.raises(InputError, match=r"^label: found no window with two labels"):
        window_clusters(rows, torch.zeros_like(y))
    with pytest.raises(InputError, match=r"^label: found shape \[5\]"):
        window_clusters(rows, y[:5])


def test_the_invariant_part_tells_who_a_node_is() -> None:
    label = switched(windows=8, switching=0)
    found = identity(known(label, 0.3), label[:, 0])
    assert found["nmi"] > 0.95
    assert found["probe"] > 0.95
    noise = known(label, 0.3)
    noise = noise._replace(embedding=torch.randn(noise.embedding.shape, generator=torch.Generator().manual_seed(0)))
    chance = identity(noise, label[:, 0])
    assert chance["nmi"] < 0.1
    assert chance["probe"] < 0.45
    with pytest.raises(InputError, match=r"^y: found 1 different labels"):
        identity(noise, torch.zeros(200, dtype=torch.int64))
    with pytest.raises(InputError, match=r"^y: found 3 labels"):
        identity(noise, label[:3, 0])
