"""Tests of the container of typed edges."""

import torch

from genurl_graph.inputs.triples import Triples


def test_repeats_are_dropped_and_first_ones_keep_their_order():
    found = Triples.of([(2, 0, 1), (0, 1, 2), (2, 0, 1), (0, 0, 1)])
    assert found.rows().tolist() == [[2, 0, 1], [0, 1, 2], [0, 0, 1]]
    assert (found.num_entities, found.num_relations) == (3, 2)


def test_chosen_triples_stay_among_the_same_entities():
    found = Triples.of([(2, 0, 1), (0, 1, 2)]).chosen(torch.tensor([True, False]))
    assert len(found) == 1
    assert (found.num_entities, found.num_relations) == (3, 2)
