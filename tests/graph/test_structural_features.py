"""Structural features: references, symmetries, bounded memory, and graphs without features in `GenURL`."""

import networkx as nx
import numpy as np
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.utils import coalesce, from_networkx, to_dense_adj

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.role_features import KERNEL_COLUMNS
from genurl_graph.graph.role_features import walks as structure
from genurl_graph.graph.structural_features import structural_features, structure_width

N = 40
KINDS = ("degree", "random_walk", "laplacian")


def given():
    """Edges and weights of a small connected graph with an isolated node at its end."""
    edges = coalesce(bare(n=N - 1).edge_index)
    low, high = edges.sort(0).values
    return edges, 0.25 + ((low * 7 + high * 3) % 10) / 10  # the same both ways


def bare(seed=1, n=N):
    return from_networkx(nx.connected_watts_strogatz_graph(n, 4, 0.4, seed=seed))


def dense(edge_index, weight):
    return to_dense_adj(edge_index, edge_attr=weight, max_num_nodes=N)[0].double()


def test_degree_profile_is_the_definition():
    edges, weight = given()
    found = structural_features("degree", 16, edges, weight, N)
    a = dense(edges, torch.ones(edges.size(1)))
    degree = a.sum(1)
    for i in range(N - 1):
        near = degree[a[i] > 0]
        expected = torch.stack([degree[i], near.min(), near.max(), near.mean(), near.std(correction=0)]).log1p()
        torch.testing.assert_close(found[i].double(), expected, rtol=1e-3, atol=3e-3)  # PyG's deviation has an epsilon
    assert found[-1].abs().max() < 3e-3  # isolated


@pytest.mark.parametrize("steps", [1, 2, 7, 8])
def test_return_probabilities_are_powers_of_the_transition_matrix(steps, monkeypatch):
    edges, weight = given()
    a = dense(edges, weight)
    p = a / a.sum(1, keepdim=True).clamp_min(1e-12)
    expected, power = [], p
    for _ in range(steps):
        power = power @ p
        expected.append(power.diagonal())
    found = structural_features("random_walk", steps, edges, weight, N)
    torch.testing.assert_close(found.double(), torch.stack(expected, 1), rtol=1e-5, atol=1e-6)
    assert (found[-1] == 0).all()
    # In blocks of seven nodes: the same.
    monkeypatch.setitem(structure._CELLS, "cpu", 7 * N)
    torch.testing.assert_close(structural_features("random_walk", steps, edges, weight, N), found)


@pytest.mark.parametrize("threshold", [1, 100], ids=["sparse", "dense"])
def test_eigenvectors_solve_the_equation(threshold, monkeypatch):
    monkeypatch.setattr("torch_geometric.transforms.AddLaplacianEigenvectorPE.SPARSE_THRESHOLD", threshold)
    edges, weight = given()
    state = torch.get_rng_state()
    found = structural_features("laplacian", 5, edges, weight, N).double()
    assert torch.equal(torch.get_rng_state(), state)
    a = dense(edges, weight)
    scale = a.sum(1).clamp_min(1e-12).rsqrt() * (a.sum(1) > 0)
    laplacian = torch.eye(N) - scale[:, None] * a * scale[None]
    values = torch.linalg.eigvalsh(laplacian)
    torch.testing.assert_close(laplacian @ found, found * values[1:6], rtol=1e-4, atol=1e-5)
    assert (found.pow(3).sum(0) >= 0).all()
    assert torch.equal(structural_features("laplacian", 5, edges, weight, N).double(), found)


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_may_come_in_any_order(kind):
    """Signs of eigenvectors included."""
    edges, weight = given()
    found = structural_features(kind, 4, edges, weight, N)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    place = order.argsort()
    moved = merge_graphs(place[edges], weight, None, None, num_nodes=N)
    other = structural_features(kind, 4, moved.edge_index, moved.edge_weight, N)
    torch.testing.assert_close(other[place], found, rtol=1e-4, atol=1e-4)


def test_bad_widths():
    edges, weight = given()
    with pytest.raises(InputError, match="structure_dim: found 0; expected at least 1"):
        structural_features("random_walk", 0, edges, weight, N)
    with pytest.raises(InputError, match="found 39 eigenvectors of 40 nodes; expected 38 at most"):
        structural_features("laplacian", 39, edges, weight, N)


# ---------------------------------------------------------------- GenURL


def model(kind, **more):
    config = {"encoder.structure": kind, "encoder.structure_dim": 6, "encoder.hidden": 8, **more}
    return GenURL(4, epochs=3, random_state=0, config=config)


@pytest.mark.parametrize("encoder", ["gcn", "mlp"])
@pytest.mark.parametrize("kind", ["degree", "random_walk"])
def test_new_graphs_without_features_are_embedded(kind, encoder, tmp_path):
    data, new = bare(), bare(seed=2, n=25)
    fitted = model(kind, **{"encoder.name": encoder}).fit(data)
    assert fitted.config_.encoder.normalize == "columns"
    torch.testing.assert_close(fitted.transform(data), fitted.embedding_, rtol=1e-4, atol=1e-4)
    z = fitted.transform(new)
    assert z.shape == (25, 4)
    fitted.save(tmp_path)
    torch.testing.assert_close(GenURL.load(tmp_path).transform(new), z)
    with pytest.raises(InputError, match="found 3 features; the model was fitted on 0"):
        fitted.transform(Data(x=torch.rand(25, 3), edge_index=new.edge_index))


def test_eigenvectors_are_those_of_the_fitted_graph(tmp_path):
    fitted = model("laplacian").fit(bare())
    assert structure_width("laplacian", 6, N) == fitted.encoder_.input.weight.size(0) == 6
    with pytest.raises(InputError, match="structure=laplacian knows only the fitted nodes"):
        fitted.transform(bare())
    fitted.save(tmp_path)
    assert torch.equal(GenURL.load(tmp_path).embedding_, fitted.embedding_)


def test_features_win_over_structure():
    data = bare()
    data.x = torch.rand(N, 3, generator=torch.Generator().manual_seed(0))
    given = {"merge.evidence": "none"}
    one, other = (model(kind, **given).fit(data).embedding_ for kind in ("identity", "random_walk"))
    assert torch.equal(one, other)


def test_scales_beyond_n_by_n():
    """10,000 nodes: a matrix n x n would take 400 MB; the blocks here take 2 MB each."""
    ring = torch.arange(10_000)
    edges = merge_graphs(torch.stack([ring, (ring + 1) % 10_000]), None, None, None, num_nodes=10_000)
    found = structural_features("random_walk", 2, edges.edge_index, edges.edge_weight, 10_000)
    np.testing.assert_allclose(found[:, 0].numpy(), 0.5, rtol=1e-5)
    assert (found[:, 1] == 0).all()


# ---------------------------------------------------------------- roles beside one-hot rows


def test_auto_is_both_for_a_gnn_and_roles_for_others():
    data = bare()
    skips = {"gcn": 1, "mlp": 0, "sign": 0}
    chosen = {
        name: model("auto", **{"encoder.name": name, "encoder.skip": skip}).resolve(data).encoder
        for name, skip in skips.items()
    }
    assert {name: c.structure for name, c in chosen.items()} == {"gcn": "both", "mlp": "roles", "sign": "roles"}
    data.x = torch.rand(N, 3, generator=torch.Generator().manual_seed(0))
    assert model("auto", **{"merge.evidence": "none"}).resolve(data).encoder.structure == "identity"
    with pytest.raises(InputError, match="structure: found both with task graph, encoder mlp"):
        model("both", **{"encoder.name": "mlp"}).resolve(data)


def test_both_knows_the_fitted_graph_and_embeds_others_by_roles(tmp_path):
    data, new = bare(), bare(seed=2, n=25)
    fitted = model("both", **{"encoder.skip": 2}).set_params(n_components=8).fit(data)
    # Roles go around the network, into the last columns.
    assert fitted.encoder_.input.weight.size(0) == structure_width("both", 6, N) == N
    assert fitted.encoder_.components.axes.shape == (3, KERNEL_COLUMNS, 2)
    torch.testing.assert_close(fitted.transform(data), fitted.embedding_, rtol=1e-4, atol=1e-4)
    with pytest.warns(UserWarning, match="roles alone embed it"):
        z = fitted.transform(new)
    assert z.shape == (25, 8)
    assert z[:, 2:].std(0).min() > 0
    fitted.save(tmp_path)
    with pytest.warns(UserWarning, match="roles alone embed it"):
        torch.testing.assert_close(GenURL.load(tmp_path).transform(new), z)


@pytest.mark.parametrize("graph", [nx.star_graph(5), nx.path_graph(3), nx.path_graph(2), nx.complete_graph(6)])
def test_small_graphs_have_both(graph):
    z = model("both").fit_transform(from_networkx(graph))
    assert z.shape == (len(graph), 4)
    assert torch.isfinite(z).all()
