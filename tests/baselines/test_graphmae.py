"""GraphMAE: the error against its formula, what is hidden, and that sparse features mean what dense ones do."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.nn import GATConv

from genurl_graph import datasets
from genurl_graph.baselines import get_baseline
from genurl_graph.baselines.common import prepare
from genurl_graph.baselines.graphmae import (
    DroppedEntries,
    GraphMAE,
    HiddenRows,
    entry_order,
    make_encoder,
    scaled_cosine_error,
)
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.sparse import csr_tensor
from genurl_graph.nn.features import Features


def rows(seed=0, n=8, f=5):
    return torch.randn(n, f, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 2**31), st.sampled_from([1.0, 2.0, 3.0]))
def test_error_is_the_formula(seed, gamma):
    x, z = rows(seed), rows(seed + 1)
    expected = [(1 - float(a @ b / a.norm() / b.norm())) ** gamma for a, b in zip(x, z, strict=True)]
    assert float(scaled_cosine_error(x, z, gamma)) == pytest.approx(sum(expected) / len(expected))


def test_error_reads_angles_alone_and_gamma_discounts_easy_rows():
    x = rows()
    assert float(scaled_cosine_error(x, 7 * x, 3.0)) == pytest.approx(0, abs=1e-12)
    assert float(scaled_cosine_error(x, -x, 3.0)) == pytest.approx(2**3)
    assert float(scaled_cosine_error(torch.zeros_like(x), x, 2.0)) == 1.0
    near = x + 0.3 * rows(1)  # angles below 90 degrees count less the larger gamma is
    errors = [float(scaled_cosine_error(x, near, gamma)) for gamma in (1.0, 2.0, 3.0)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("sparse", [False, True])
def test_hidden_rows_are_a_matrix_with_other_rows(sparse):
    x, w = rows(n=6).float(), rows(3, n=5, f=2).float()
    features = Features(x.to_sparse_csr() if sparse else x)
    source, hidden = torch.tensor([0, 1, 5, 3, 4, 5]), torch.tensor([False, True, False, False, False, False])
    token = torch.arange(5.0)
    shown = x[source].clone()
    shown[1] = token
    torch.testing.assert_close(HiddenRows(features, source, token, hidden).matmul(w), shown @ w)


def test_dropout_of_sparse_entries_is_unbiased_and_has_its_gradient():
    x = (rows(n=30, f=12) * (rows(1, 30, 12) > 0.5)).float()
    features = Features(x.to_sparse_csr())
    w = rows(2, n=12, f=3).float().requires_grad_()
    shown = DroppedEntries(features, 0.5, entry_order(features))
    torch.manual_seed(0)
    found = shown.matmul(w)
    torch.manual_seed(0)
    values = features.x.values() * (torch.rand(features.x.values().numel()) >= 0.5) * 2
    dense = csr_tensor(features.x.crow_indices(), features.x.col_indices(), values, x.shape).to_dense()
    torch.testing.assert_close(found, dense @ w)
    torch.testing.assert_close(torch.autograd.grad(found.square().sum(), w)[0], 2 * dense.T @ (dense @ w))
    mean = torch.stack([shown.matmul(w.detach()) for _ in range(400)]).mean(0)
    assert (mean - x @ w).norm() < 0.1 * (x @ w).norm()


@pytest.fixture
def make(graph):
    def made(**changes):
        settings = baseline_settings("graphmae", None, {"dim": 8, **changes})
        prepared = prepare("graphmae", graph, "auto")
        torch.manual_seed(0)
        return GraphMAE(make_encoder("gcn", prepared.features.num_features, 8, 8, 2), prepared, settings)

    return made


def test_hidden_features_reach_no_output(make):
    """All nodes hidden, none replaced: what is rebuilt does not depend on the features."""
    objective = make(mask=0.99, replace=0.0, drop_features=0.0)
    objective.n_hidden = objective.num_nodes
    seen = []
    objective.rebuild.register_forward_hook(lambda module, given, out: seen.append(out.detach()))
    for scale in (1.0, 5.0):
        objective.features = Features(objective.features.x.to_dense() * scale)
        torch.manual_seed(1)
        objective(0.0)
    torch.testing.assert_close(*seen)


def test_shares_of_hidden_and_replaced_nodes(make):
    objective = make(mask=0.5, replace=0.25)
    assert (objective.n_hidden, objective.n_replaced) == (20, 5)
    assert make(mask=0.0).n_hidden == 1


def test_masks_differ_from_step_to_step_and_all_weights_learn(make):
    objective = make()
    torch.manual_seed(0)
    terms = [objective(0.0) for _ in range(2)]
    assert not torch.equal(terms[0].loss, terms[1].loss)
    terms[0].loss.backward()
    assert [name for name, p in objective.named_parameters() if p.grad is None] == []


def test_gat_has_heads_beside_each_other(graph):
    z = get_baseline("graphmae", {"encoder": "gat", "dim": 8, "heads": 4, "epochs": 3})(graph, 0, "cpu")
    assert z.shape == (40, 8)
    assert torch.isfinite(z).all()
    with pytest.raises(InputError, match=r"graphmae\.heads: found 3 heads for 8 columns"):
        get_baseline("graphmae", {"encoder": "gat", "dim": 8, "heads": 3})(graph, 0, "cpu")
    with pytest.raises(InputError, match=r"graphmae\.encoder: found 'gin'"):
        get_baseline("graphmae", {"encoder": "gin"})(graph, 0, "cpu")


def test_a_decoder_that_maps_last_is_pygs_layer(graph):
    """Propagation and linear map commute: attention on mapped rows is attention on rows by mapped vectors."""
    torch.manual_seed(0)
    whole = GATConv(8, 5, bias=False).double()
    split = GATConv(8, 8, bias=False).double()
    weight = whole.lin.weight.detach()
    split.lin = torch.nn.Identity()
    with torch.no_grad():
        split.att_src.copy_((whole.att_src[0] @ weight)[None])
        split.att_dst.copy_((whole.att_dst[0] @ weight)[None])
    h = rows(n=40, f=8)
    torch.testing.assert_close(split(h, graph.edge_index) @ weight.T, whole(h, graph.edge_index))


def test_training_helps_on_cora(data_root):
    data = datasets.load("cora", data_root)
    settings = {"encoder": "gcn", "dim": 64, "epochs": 30, "lr": 0.01}
    trained, before = (
        float(probe_embedding(get_baseline("graphmae", settings | change)(data, 0, "cpu"), data, "public")["test"])
        for change in ({}, {"epochs": 1, "lr": 1e-9})
    )
    assert trained > 0.65
    assert trained > before + 0.05
