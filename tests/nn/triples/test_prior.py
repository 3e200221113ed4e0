import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.triples import Triples
from genurl_graph.nn.triples import EndPrior, TripleEncoder
from genurl_graph.nn.triples.prior import SPREADS


def drawn(seed: int, n: int = 12, kinds: int = 3, count: int = 40) -> Triples:
    g = torch.Generator().manual_seed(seed)
    rows = torch.stack([torch.randint(k, (count,), generator=g) for k in (n, kinds, n)], 1)
    return Triples.of(rows, n, kinds)


def fit(own: np.ndarray, sides: np.ndarray, spread: float) -> float:
    """Log likelihood of the ends of a relation, each left out in turn."""
    seen = own > 0
    left = own - 1 + spread * sides / (sides.sum() + len(sides))
    return float((own[seen] * np.log(left[seen] / (own.sum() - 1 + spread))).sum())


def check(triples: Triples, prior: EndPrior) -> None:
    """The prior of each relation by its formula, one relation at a time."""
    n, kinds = triples.num_entities, triples.num_relations
    relation = torch.cat([triples.relation, triples.relation + kinds]).numpy()
    end = torch.cat([triples.tail, triples.head]).numpy()
    for kind in np.unique(relation):
        sides = np.bincount(end[(relation >= kinds) == (kind >= kinds)], minlength=n)
        own, spread = np.bincount(end[relation == kind], minlength=n), float(prior.spread[kind])
        assert fit(own, sides, spread) == pytest.approx(max(fit(own, sides, each) for each in SPREADS))
        expected = (own + spread * (sides + 1) / (sides.sum() + n)) / (own.sum() + spread)
        np.testing.assert_allclose(prior.log(torch.tensor([kind]))[0], np.log(expected), atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.integers(1, 60))
def test_the_prior_is_that_of_its_formula(seed, count):
    triples = drawn(seed, count=count)
    prior = EndPrior.of(RelationRows.of(triples), 12, 3, 5.0)
    check(triples, prior)
    # Several relations at once, some of them twice or without triples.
    asked = torch.tensor([5, 0, 0, 3, 1, 2, 4])
    found = prior.log(asked)
    assert torch.equal(found, torch.cat([prior.log(one[None]) for one in asked]))
    torch.testing.assert_close(found.exp().sum(1), torch.ones(7))


def test_the_order_of_triples_changes_nothing():
    triples = drawn(1)
    shuffled = triples.chosen(torch.randperm(len(triples)))
    first, again = (EndPrior.of(RelationRows.of(which), 12, 3, 5.0) for which in (triples, shuffled))
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    stored = EndPrior.stored(first.state_dict())
    assert torch.equal(stored.log(torch.arange(6)), first.log(torch.arange(6)))


def test_little_known_entities_are_answered_by_the_prior():
    triples = Triples.of([(0, 0, k) for k in range(1, 9)] + [(9, 0, 1)], 11, 1)
    prior = EndPrior.of(RelationRows.of(triples), 11, 1, 8.0)
    encoder = TripleEncoder(torch.randn(11, 4), torch.randn(2, 4), prior=prior).eval()
    entity, relation = torch.tensor([0, 9, 10]), torch.zeros(3, dtype=torch.int64)
    scores = encoder.queries(entity, relation) @ encoder.table.T
    log = prior.log(relation)
    belief = torch.tensor([1 / 2, 1 / 65, 0.0])[:, None]
    torch.testing.assert_close(encoder.tail_scores(entity, relation), belief * scores + (1 - belief) * log)
    assert torch.equal(encoder.tail_scores(entity, relation)[2], log[2])
    assert log[2].argmax() == 1


@pytest.mark.parametrize("strength", [0.5, 50.0])
def test_many_entities_cost_what_their_triples_do(strength):
    n = 200_000
    triples = Triples.of(torch.stack([torch.arange(n), torch.arange(n) % 500, torch.arange(n).flip(0)], 1), n, 500)
    prior = EndPrior.of(RelationRows.of(triples), n, 500, strength)
    assert sum(value.numel() for value in prior.state_dict().values()) < 8 * n
    assert prior.log(torch.tensor([0, 999])).shape == (2, n)
