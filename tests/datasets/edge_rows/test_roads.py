"""Linköping's roads."""

import numpy as np
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows import EdgeSet


@pytest.fixture(scope="module")
def roads(data_root) -> EdgeSet:
    return datasets.load("linkoping", data_root)


def test_they_have_the_published_sizes_classes_and_split(roads: EdgeSet) -> None:
    entry = datasets.info("linkoping")
    assert (roads.num_nodes, len(roads), roads.x.size(1)) == (entry.n_nodes, entry.n_edges, entry.n_features)
    assert torch.bincount(roads.y).tolist() == [1145, 947, 916, 2942, 953]
    assert roads.label_names[3] == "residential"
    masks = torch.stack([roads.train_mask, roads.val_mask, roads.test_mask])
    assert masks.sum(1).tolist() == [5403, 500, 1000]
    assert bool((masks.sum(0) == 1).all())


def test_lines_at_a_junction_meet_and_roads_go_straight_on(roads: EdgeSet) -> None:
    ends, bearings = roads.edges.ends, roads.edges.bearings
    assert bool(bearings.isfinite().all())
    # Where three segments meet, a road mostly goes straight on: two of them leave half a turn apart.
    degree = torch.bincount(ends.flatten(), minlength=roads.num_nodes)
    node, order = ends.flatten().sort()
    angle = bearings.flatten()[order][degree[node] == 3].reshape(-1, 3)
    apart = (angle - angle.roll(1, 1)).cos()
    assert float((apart.amin(1) < -0.9).float().mean()) > 0.8
    assert float((apart > 0.9).float().mean()) < 0.05


def test_another_file_of_the_same_name_is_refused(tmp_path) -> None:
    (tmp_path / "roads").mkdir()
    parts = {"junction": np.zeros((3, 2), int), "x": np.zeros((3, 4)), "y": np.zeros(3, int)}
    masks = {f"{part}_mask": np.zeros(3, bool) for part in ("val", "test")}
    np.savez(tmp_path / "roads" / "linkoping.npz", **parts, **masks)
    with pytest.raises(InputError, match=r"linkoping.npz: found x \[3, 4\].*expected x \[m, 56\]"):
        datasets.load("linkoping", tmp_path)
