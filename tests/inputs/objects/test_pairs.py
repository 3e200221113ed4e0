"""Both directions of an edge: parallel ones, with equal and with other attributes, in any order."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.objects.pairs import pair_directions

edges = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(edges, st.integers(0, 99))
def test_each_edge_is_found_once_and_joins_back(given_edges, seed):
    both = given_edges + [(v, u, cost) for u, v, cost in given_edges if u != v]
    order = torch.randperm(len(both), generator=torch.Generator().manual_seed(seed)).tolist()
    columns = torch.tensor([both[place] for place in order]).T
    cost = columns[2].float()
    names = [f"cost {value:g}" for value in cost]
    found = pair_directions(columns[:2], 5, {"cost": cost, "names": names, "wide": cost[:, None].numpy()})
    assert found is not None
    assert found.differs == ""
    assert len(found.edge_id) == len(given_edges)
    # A row and its columns join the same nodes and carry the same.
    first = found.edge_id[found.row]
    assert torch.equal(columns[:2].sort(0).values, columns[:2, first].sort(0).values)
    assert torch.equal(cost, cost[first])
    loop = columns[0] == columns[1]
    assert torch.equal(found.row.bincount()[found.row], torch.where(loop, 1, 2))
    assert torch.equal(found.edge_id, found.edge_id.sort().values)


def test_other_attributes_and_missing_directions_are_told():
    index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    found = pair_directions(index, 3, {"one": torch.zeros(4), "other": torch.arange(4)})
    assert found is not None
    assert found.differs == "other"
    found.check(None)
    with pytest.raises(InputError, match="other: found other values in one direction of an edge"):
        found.check(False)
    assert pair_directions(index[:, :3], 3, {}) is None
    unknown = pair_directions(index, 3, {"nan": torch.tensor([torch.nan, torch.nan, 1.0, 1.0])})
    assert unknown is not None
    assert unknown.differs == ""
