"""How many columns of an embedding are components: as many as the features tell, as asked for, or none at all."""

import pytest
import torch
from torch_geometric.data import Data, HeteroData

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError
from genurl_graph.nn.build import skip_blocks, trained_columns
from tests.graph.edge_reliability.test_edge_reliability import blobs, edges_of

N, F = 120, 100


def graph(kind: str = "consistent") -> Data:
    x, y = blobs(n=N, columns=F)
    g = torch.Generator().manual_seed(5)
    x = {
        "consistent": x,
        "noise": (torch.rand(x.shape, generator=g) < 0.2).float(),
        "few": torch.nn.functional.one_hot(y, 5).float() + 0.2 * torch.randn(N, 5, generator=g),
        "none": None,
    }[kind]
    return Data(x=x, edge_index=edges_of(y, alike=True), num_nodes=N)


def resolved(data: object = None, **changes: object) -> int:
    return int(config_of(data, **changes).encoder.skip)


def config_of(data: object = None, **changes: object) -> object:
    settings = {"encoder.dim": 48, "encoder.structure_columns": 0, "encoder.structure": "identity"} | {
        key.replace("__", "."): value for key, value in changes.items()
    }
    return GenURL(config=settings).resolve(graph() if data is None else data)


def test_consistent_features_get_two_thirds_of_the_columns():
    config = config_of()
    assert (config.encoder.skip, skip_blocks(config), trained_columns(config)) == (10, 3, 18)
    for layers in (1, 3):
        config = config_of(encoder__layers=layers)
        assert skip_blocks(config) == layers + 1
        assert 48 / 3 <= trained_columns(config) < 48 / 3 + layers + 1
    # An average for each of its hops, whatever layers come after.
    assert skip_blocks(config_of(encoder__name="sign", encoder__hops=4)) == 5


def test_columns_grow_with_the_consistency_and_vanish_with_it():
    mixed = [graph() for _ in range(4)]
    for share, data in enumerate(mixed):
        rows = torch.rand(N, generator=torch.Generator().manual_seed(1)) < share / 3
        data.x = torch.where(rows[:, None], graph("noise").x, data.x)
    found = [resolved(data, merge__evidence="none") for data in mixed]
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (10, 0)
    assert 1 < found[1] < 10


def test_unreliable_edges_leave_a_twelfth_to_train():
    x, y = blobs(n=N, columns=F)
    unlike = Data(x=x, edge_index=edges_of(y, alike=False), num_nodes=N)
    config = config_of(unlike)
    assert (config.encoder.skip, trained_columns(config)) == (14, 6)
    # Edges that count as they are say nothing of their reliability; without edges, features are all there is.
    assert resolved(unlike, merge__weighting="given") == 10
    assert resolved(merge__weighting="none") == 14


def test_columns_that_only_edges_contradict_are_kept():
    # Half of the rows are noise: less consistent, but no worse than edges that join unlike nodes.
    x, y = blobs(n=N, columns=F)
    rows = torch.rand(N, generator=torch.Generator().manual_seed(1)) < 0.5
    x = torch.where(rows[:, None], graph("noise").x, x)
    alike, unlike = (Data(x=x, edge_index=edges_of(y, alike), num_nodes=N) for alike in (True, False))
    assert resolved(alike, merge__evidence="none") < 10 < resolved(unlike, merge__evidence="none")


def test_evidence_is_a_share_of_the_columns():
    full, half, none = (resolved(merge__evidence=share) for share in (1.0, 0.5, 0.0))
    assert (full, half, none) == (10, 5, 0)


def test_a_table_of_few_columns_is_kept_whole():
    alone = {"encoder__beside": "never"}
    assert resolved(graph("few"), merge__evidence=1.0, **alone) == 5
    assert resolved(graph("few"), merge__evidence="none") == 5
    assert resolved(graph("few"), merge__evidence=1.0, encoder__dim=24, **alone) == 5
    assert resolved(graph("few"), merge__evidence=1.0, encoder__dim=18, **alone) == 4


def test_few_columns_beside_one_hot_ones_are_widened_by_cosines():
    assert resolved(graph("few"), merge__evidence=1.0) == 10
    assert resolved(graph("few"), merge__evidence=1.0, encoder__dim=384) == 85


def test_maps_are_trained_as_a_whole():
    assert [resolved(encoder__dim=dim) for dim in (2, 15, 16, 18)] == [0, 0, 3, 4]


def test_numbers_that_are_asked_for_stand():
    assert [resolved(encoder__skip=asked) for asked in (0, 1, 15)] == [0, 1, 15]
    # Whatever the features tell, and on a map as well.
    assert resolved(graph("noise"), merge__evidence="none", encoder__skip=7) == 7
    assert resolved(encoder__dim=4, encoder__skip=1) == 1


@pytest.mark.parametrize("encoder", ["gcn", "sage", "gin", "gat", "sign"])
def test_encoders_of_graphs_have_them(encoder):
    assert resolved(encoder__name=encoder) == 10


@pytest.mark.parametrize("encoder", ["mlp", "linear", "free"])
def test_other_encoders_have_none(encoder):
    assert resolved(encoder__name=encoder) == 0
    with pytest.raises(InputError, match=rf"encoder\.skip: found 2 with encoder {encoder}; expected 0"):
        resolved(encoder__name=encoder, encoder__skip=2)


def typed() -> HeteroData:
    data = HeteroData()
    data["page"].x = graph().x
    data["page", "links", "page"].edge_index = graph().edge_index
    return data


@pytest.mark.parametrize(
    ("data", "changes", "message"),
    [
        (graph(), {"encoder__skip": 16}, r"found 16; expected at most 15"),
        (graph("few"), {"encoder__skip": 6, "encoder__beside": "never"}, r"found 6; expected at most 5"),
        (graph("none"), {"encoder__skip": 2}, r"found 2 with no features; expected 0"),
        (graph("noise"), {"encoder__skip": 2, "merge__evidence": 0.0}, r"found 2 with no features; expected 0"),
        (typed(), {"encoder__skip": 2}, r"found 2 with HeteroData; expected 0"),
        (graph().x, {"encoder__skip": 2}, r"found 2 with task reduce; expected 0"),
        (graph(), {"encoder__skip": -1}, r"found -1"),
        (graph(), {"encoder__skip": "all"}, r"found 'all'"),
        (graph(), {"encoder__skip_deviation": 0.0}, r"found 0"),
    ],
    ids=["columns", "features", "bare", "no evidence", "types", "vectors", "negative", "word", "deviation"],
)
def test_bad_requests(data, changes, message):
    with pytest.raises(InputError, match=r"encoder\.skip.*" + message):
        resolved(data, **changes)


@pytest.mark.parametrize("data", [graph("none"), typed(), graph().x], ids=["bare", "types", "vectors"])
def test_auto_is_none_where_there_are_no_components(data):
    assert resolved(data) == 0


def test_no_more_than_hashed_columns_and_nodes_allow():
    sparse = graph()
    sparse.x = torch.cat([sparse.x, torch.zeros(N, 400)], 1).to_sparse_csr()
    small = {"input.hash_columns": 8, "encoder.dim": 48, "encoder.hidden": 8, "merge.evidence": "none"}
    small |= {"encoder.structure_columns": 0}
    model = GenURL(epochs=1, random_state=0, config=small).fit(sparse)
    assert model.config_.encoder.skip == 8
    assert model.embedding_.shape == (N, 48)
    few = planted_graph(6, 8, 20, 2, seed=0)
    assert resolved(few, encoder__skip=5, merge__evidence="none") == 5
    with pytest.raises(InputError, match="at most 5"):
        resolved(few, encoder__skip=6, merge__evidence="none")
