"""Figures of triples, against counts by hand."""

import torch

from genurl_graph.inputs.triples import Modality, Triples, TripleSet
from genurl_graph.inputs.triples.figures import first_triples, relation_rows, triple_figures, triple_lines

TRAIN = Triples.of([(0, 0, 1), (1, 0, 0), (0, 0, 2), (2, 1, 2), (0, 1, 2)], 5, 3)
TEST = Triples.of([(2, 1, 0), (3, 1, 1)], 5, 3)


def here() -> TripleSet:
    modality = Modality("text", torch.tensor([0, 2]), torch.eye(2))
    return TripleSet(TRAIN, None, TEST, [*"abcde"], ["r", "s", "t"], (modality,))


def test_counts_are_those_by_hand() -> None:
    found = triple_figures(here())
    assert (found["triples"], found["entities"], found["relations"]) == (5, 5, 3)
    assert (found["valid"], found["test"]) == (None, 2)
    assert (found["idle"], found["self_loops"]) == (2, 1)
    assert found["by_relation"] == [
        {"relation": "r", "triples": 3, "heads": 2, "tails": 3, "symmetric": 2 / 3},
        {"relation": "s", "triples": 2, "heads": 2, "tails": 1, "symmetric": 0.5},
        {"relation": "t", "triples": 0, "heads": 0, "tails": 0, "symmetric": 0.0},
    ]
    assert found["turned"] == 0.5
    assert found["of_an_entity"]["most"] == 4
    assert found["modalities"] == [{"name": "text", "columns": 2, "rows": 2}]


def test_the_first_ones_have_names() -> None:
    assert first_triples(here())[:2] == [["head", "relation", "tail"], ["a", "r", "b"]]
    assert first_triples(TripleSet(TRAIN))[1] == ["0", "0", "1"]


def test_words_say_what_the_figures_are() -> None:
    figures = triple_figures(here())
    told = "\n".join(triple_lines(figures))
    assert "5 triples of 3 relations among 5 entities" in told
    assert "held out: 2 for the test" in told
    assert relation_rows(figures)[1] == ["r", 3, 2, 3, "67%"]
