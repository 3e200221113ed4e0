"""Planted triples: the truth ranks them, features tell what they should, and nothing depends on what is left out."""

import pytest
import torch

from genurl_graph import datasets
from genurl_graph.datasets.planted_knowledge import Planted, planted_knowledge
from genurl_graph.evaluation.triples.protocol import judge_triples
from genurl_graph.evaluation.triples.scorers import Frequency
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.triples.tables import count_shared


@pytest.fixture(scope="module")
def planted():
    return planted_knowledge(400, 4000, 6, 4, seed=3)


def test_it_is_the_data_set_of_the_registry() -> None:
    found, entry = datasets.load("planted-knowledge"), datasets.info("planted-knowledge")
    pairs = torch.stack([found.triples.head, found.triples.tail]).unique(dim=1).size(1)
    parts = sum(map(len, (found.triples, found.valid, found.test)))
    assert (parts, found.triples.num_relations) == (entry.n_triples, entry.n_relations)
    assert (len(found), pairs, len(found.label_names)) == (entry.n_nodes, entry.n_edges, entry.n_classes)


def test_no_triple_is_drawn_twice_and_none_leads_to_itself(planted) -> None:
    rows = torch.cat([part.rows() for part in (planted.triples, planted.valid, planted.test)])
    assert len(rows.unique(dim=0)) == len(rows) == 4000
    assert not bool((rows[:, 0] == rows[:, 2]).any())
    assert rows[:, 1].bincount().tolist() == [666, 667, 667, 666, 667, 667]


def test_relations_lead_from_one_type_to_one(planted) -> None:
    truth = Planted.of(400, 6, 4, 5, 3)
    for part in (planted.triples, planted.test):
        assert torch.equal(truth.kind[part.head], truth.source[part.relation])
        assert torch.equal(truth.kind[part.tail], truth.target[part.relation])


def test_the_truth_ranks_far_better_than_frequency(planted) -> None:
    truth = judge_triples(Planted.of(400, 6, 4, 5, 3), planted)
    assert truth.mrr > 1.6 * judge_triples(Frequency(planted.triples), planted).mrr


def test_fewer_triples_are_some_of_them_and_the_rest_is_known(planted) -> None:
    few = planted_knowledge(400, 4000, 6, 4, kept=0.25, seed=3)
    assert len(few.triples) == 800
    assert count_shared(planted.triples, few.triples) == 800
    assert torch.equal(few.test.rows(), planted.test.rows())
    assert len(few.known) == 2400
    assert count_shared(few.triples, few.known) == 0
    truth = Planted.of(400, 6, 4, 5, 3)
    assert judge_triples(truth, few) == judge_triples(truth, planted)


def test_features_tell_groups_and_noise_does_not(planted) -> None:
    group = Planted.of(400, 6, 4, 5, 3).group
    share = {}
    for modality in planted.modalities:
        assert len(modality.entity) == 320
        x = torch.nn.functional.normalize(modality.x - modality.x.mean(0))
        near = (x @ x.T).fill_diagonal_(-2).topk(5).indices
        own = group[modality.entity]
        share[modality.name] = float((own[near] == own[:, None]).float().mean())
    assert share["table"] > 0.5
    assert share["text"] > 0.8
    assert share["noise"] < 0.1
    missing = [set(range(400)) - {*modality.entity.tolist()} for modality in planted.modalities]
    assert missing[0] != missing[1] != missing[2]


def test_a_modality_does_not_depend_on_the_others(planted) -> None:
    (alone,) = planted_knowledge(400, 4000, 6, 4, modalities=["text"], seed=3).modalities
    assert torch.equal(alone.x, planted.modalities[1].x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kept": 0.0}, "kept"),
        ({"missing": 1.0}, "missing"),
        ({"modalities": ["tables"]}, "did you mean 'table'"),
        ({"num_entities": 3}, "num_entities"),
        ({"num_triples": 10**6}, "half of its pairs"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(InputError, match=message):
        planted_knowledge(**options)
