import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.triples import Triples

triples = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 6)), min_size=1, max_size=40)


@settings(deadline=None)
@given(triples, st.randoms())
def test_rows_hold_every_triple_and_its_inverse_once_in_any_order(listed, random):
    rows = RelationRows.of(Triples.of(listed, 7, 3))
    row, other = rows.ends(torch.arange(len(rows)))
    found = list(zip(rows.entity[row].tolist(), rows.relation[row].tolist(), other.tolist(), strict=True))
    distinct = {*listed}
    assert found == sorted(distinct | {(t, r + 3, h) for h, r, t in distinct})
    assert bool((rows.sizes > 0).all())
    mixed = list(distinct)
    random.shuffle(mixed)
    again = RelationRows.of(Triples.of(mixed, 7, 3))
    assert all(torch.equal(a, b) for a, b in zip(rows, again, strict=True))


@settings(deadline=None)
@given(triples)
def test_ends_of_some_rows_come_in_their_order(listed):
    rows = RelationRows.of(Triples.of(listed, 7, 3))
    asked = torch.arange(len(rows)).flip(0)[::2]
    row, other = rows.ends(asked)
    for place, number in enumerate(asked.tolist()):
        assert torch.equal(other[row == place], rows.other[rows.start[number] : rows.start[number + 1]])
