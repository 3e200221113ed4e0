"""The protocol edges: what a perfect and a worthless embedding get, and its rows on Linkoping's roads."""

from pathlib import Path

import numpy as np
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.evaluation.edges.figures import FIGURES
from genurl_graph.evaluation.edges.judgement import EdgeJudge, f1_scores
from genurl_graph.evaluation.edges.references import reference_embedding
from genurl_graph.evaluation.splits import Split
from genurl_graph.exceptions import InputError
from tests.evaluation.edges.grid import street_grid


def test_an_embedding_that_is_the_class_has_all_figures_1() -> None:
    data = street_grid()
    found = EdgeJudge(data, 8).embedding(torch.eye(3)[data.y], seed=1)
    assert found == dict.fromkeys(FIGURES, 1.0)


def test_neighbours_tell_in_the_random_split_and_not_in_blocks() -> None:
    # Numbers of edges alone, one column each: what is learned of one place says nothing about another.
    data = street_grid()
    distance = torch.cdist(data.middle, data.middle)
    found = EdgeJudge(data, 12).embedding((-distance.square()).exp(), seed=0)
    assert found["micro"] > 0.85 > found["blocks_micro"] + 0.05


def test_a_row_that_no_seed_changes_is_judged_once_on_the_given_split() -> None:
    data = street_grid()
    judge = EdgeJudge(data, 8)
    first = judge.embedding(data.x, 0)
    told = {"micro": 0.123, "macro": 0.456, "blocks_micro": 0.0, "blocks_macro": 0.0}
    again = judge.embedding(data.x, 1, told)
    assert (again["micro"], again["macro"]) == (0.123, 0.456)
    assert again["blocks_micro"] == judge.embedding(data.x, 1)["blocks_micro"] != 0
    assert judge.embedding(data.x, 0) == first
    free = EdgeJudge(street_grid(masks=False), 8)
    assert free.embedding(data.x, 1, told)["micro"] != 0.123


def test_without_places_there_are_no_blocks() -> None:
    data = street_grid()
    data.middle = None
    judge = EdgeJudge(data)
    found = judge.embedding(data.x, 0)
    assert found["blocks_micro"] is None
    assert found["micro"] is not None
    assert judge.left_out == ["no blocks of space: it is not known where the edges lie"]
    with pytest.raises(InputError, match="edges without coordinates; expected edges with coordinates"):
        EdgeJudge(data, 20)


def test_what_cannot_be_judged_is_refused_at_once() -> None:
    data = street_grid(masks=False)
    with pytest.raises(InputError, match="embedding: found shape"):
        EdgeJudge(data, 8).embedding(torch.zeros(3, 2), 0)
    data.y = None
    with pytest.raises(InputError, match="no labels"):
        EdgeJudge(data)


def test_macro_f1_counts_classes_alike() -> None:
    y, test = np.array([0] * 9 + [1]), np.arange(10)
    found = f1_scores(y, np.zeros(10, int), Split(test, test, test))
    assert found["micro"] == 0.9
    assert found["macro"] == pytest.approx((18 / 19) / 2)


def test_rows_without_training_on_the_roads_of_linkoping(data_root: Path) -> None:
    if not (data_root / "roads").is_dir():
        pytest.skip("no roads among the real data")
    data = datasets.load("linkoping", data_root)
    judge = EdgeJudge(data)
    assert judge.reader("majority", 0)["micro"] == pytest.approx(0.396)
    told = judge.reader("label-propagation", 0)
    assert told["micro"] == pytest.approx(0.820, abs=0.015)
    # Neighbours that tell are far away there.
    assert told["blocks_micro"] < told["micro"] - 0.1
    raw = judge.embedding(reference_embedding("raw", data), 0)
    assert raw["micro"] == pytest.approx(0.603, abs=0.015)
