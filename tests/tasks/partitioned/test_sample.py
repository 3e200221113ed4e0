"""Samples of a prepared folder, against the folder read whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.inputs.input import Input, as_input
from genurl_graph.inputs.partitioned import Prepared, write_prepared
from genurl_graph.tasks.partitioned.sample import draw_edges, sample_input


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Prepared]:
    """One weighted graph of 900 nodes in 1, 3 and 7 partitions."""
    graph = planted_graph(900, 4500, num_features=6, num_classes=3, seed=1)
    graph.edge_weight = torch.arange(graph.num_edges).remainder(7).float() + 1
    data, folder = as_input(graph), tmp_path_factory.mktemp("prepared")
    return {count: write_prepared(data, folder / str(count), partitions=count) for count in (1, 3, 7)}


def pairs(data: Input) -> dict[tuple[int, int], float]:
    edges, weight = data.edge_index, data.edge_weight
    assert edges is not None
    assert weight is not None
    return dict(zip(map(tuple, edges.T.tolist()), weight.tolist(), strict=True))


def test_a_small_graph_is_its_own_sample(folders: dict[int, Prepared]) -> None:
    whole, found = folders[3].whole(), sample_input(folders[3])
    assert isinstance(found.x, Tensor)
    assert isinstance(whole.x, Tensor)
    assert torch.equal(found.x, whole.x)
    assert pairs(found) == pairs(whole)
    assert found.measured == {}


@pytest.mark.parametrize("most", [60, 300])
def test_a_sample_is_a_part_of_the_graph(folders: dict[int, Prepared], most: int) -> None:
    whole, found = folders[3].whole(), sample_input(folders[3], most, fanout=4)
    assert whole.x is not None
    assert found.x is not None
    assert 0.5 * most < found.num_nodes <= most
    # Features tell which nodes were taken.
    place = (found.x[:, None] == whole.x[None]).all(2).int().argmax(1)
    assert torch.equal(place, place.unique())
    drawn, all_pairs = pairs(found), pairs(whole)
    assert drawn
    assert all(all_pairs[int(place[i]), int(place[j])] == weight for (i, j), weight in drawn.items())
    assert all(drawn[j, i] == weight for (i, j), weight in drawn.items())
    # The sample begins with the first rows, which keep up to four of their edges, and knows the degrees of all.
    degree = np.bincount([i for i, _ in all_pairs], minlength=900)
    assert found.known["degree"].tolist() == degree[place].tolist()
    of_first = [sum(i == node for i, _ in drawn) for node in range(5)]
    assert place[:5].tolist() == [0, 1, 2, 3, 4]
    assert all(count >= min(4, degree[node]) for node, count in enumerate(of_first))


def test_a_sample_within_one_partition_does_not_depend_on_the_others(folders: dict[int, Prepared]) -> None:
    few = [sample_input(folders[count], 80, fanout=100) for count in (1, 3, 7)]
    assert len({one.num_nodes for one in few}) == 1
    assert pairs(few[0]) == pairs(few[1]) == pairs(few[2])


def test_random_edges_of_each_row_are_drawn_equally_often() -> None:
    row = np.repeat([0, 1, 3], [1, 3, 8])
    drawn = [draw_edges(row, 2, np.random.default_rng(seed)) for seed in range(400)]
    assert all(np.bincount(row[kept], minlength=4).tolist() == [1, 2, 0, 2] for kept in drawn)
    often = np.bincount(np.concatenate(drawn), minlength=12) / 400
    assert often[0] == 1
    np.testing.assert_allclose(often[1:4], 2 / 3, atol=0.1)
    np.testing.assert_allclose(often[4:], 1 / 4, atol=0.1)


def test_the_folder_is_left_as_it_was(folders: dict[int, Prepared]) -> None:
    def content(folder: Path) -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}

    before = content(folders[7].store.path)
    sample_input(folders[7], 100)
    assert content(folders[7].store.path) == before
