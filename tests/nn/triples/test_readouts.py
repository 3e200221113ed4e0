import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.nn.triples import TripleEncoder
from genurl_graph.nn.triples.readouts import complex_product, distmult


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 8))
def test_the_complex_readout_is_that_of_complex_numbers(seed, half):
    g = torch.Generator().manual_seed(seed)
    h, r, t = (torch.randn(4, 2 * half, generator=g, dtype=torch.float64) for _ in range(3))
    as_complex = [torch.complex(*z.chunk(2, -1)) for z in (h, r, t)]
    expected = (as_complex[0] * as_complex[1] * as_complex[2].conj()).real.sum(1)
    torch.testing.assert_close((complex_product(h, r) * t).sum(1), expected)
    # The conjugate relation is the inverse.
    inverse = torch.cat([r[:, :half], -r[:, half:]], 1)
    torch.testing.assert_close((complex_product(t, inverse) * h).sum(1), expected)
    torch.testing.assert_close((distmult(h, r) * t).sum(1), (distmult(t, r) * h).sum(1))


def test_heads_are_asked_for_by_the_inverse():
    torch.manual_seed(0)
    encoder = TripleEncoder(torch.randn(5, 4), torch.randn(6, 4), share=0.5).eval()
    one, relation = torch.tensor([1, 4]), torch.tensor([0, 2])
    assert torch.equal(encoder.head_scores(relation, one), encoder.tail_scores(one, relation + 3))
    expected = complex_product(encoder.table[one], encoder.relations[relation]) @ encoder.table.T
    assert torch.equal(encoder.tail_scores(one, relation), expected)
