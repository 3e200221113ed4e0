"""``HeteroData``: the same as the homogeneous graph made by hand; blocks, type weights, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.utils import coalesce

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.hetero import as_graph, block, normalize_blocks, weigh
from genurl_graph.inputs.input import as_input
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.prepare import feature_similarities
from genurl_graph.tasks.resolve import resolve_config, resolve_type_normalization

CPU = torch.device("cpu")
SMALL = {"encoder.hidden": 8, "sampling.n_negatives": 16, "neighbors.n_neighbors": 3}
AUTHORS, PAPERS = 20, 30


def library(seed: int = 0, venues: int = 3) -> HeteroData:
    """Authors write papers, papers cite papers with weights; venues, if any, have no features."""
    g = torch.Generator().manual_seed(seed)
    data = HeteroData()
    data["author"].x = torch.rand(AUTHORS, 4, generator=g) + 0.1
    data["paper"].x = torch.rand(PAPERS, 6, generator=g) + 0.1

    def edges(source: int, target: int, count: int) -> torch.Tensor:
        return torch.stack([torch.randint(size, (count,), generator=g) for size in (source, target)])

    data["author", "writes", "paper"].edge_index = edges(AUTHORS, PAPERS, 60)
    data["paper", "cites", "paper"].edge_index = edges(PAPERS, PAPERS, 50)
    data["paper", "cites", "paper"].edge_weight = 5 * torch.rand(50, generator=g) + 0.1
    if venues:
        data["venue"].num_nodes = venues
        data["paper", "at", "venue"].edge_index = torch.stack([torch.arange(PAPERS), torch.arange(PAPERS) % venues])
    return data


def by_hand(data: HeteroData, writes: float = 1.0, cites: float = 1.0) -> Data:
    """Authors first, then papers; a block of columns each."""
    x = torch.zeros(AUTHORS + PAPERS, 10)
    x[:AUTHORS, :4], x[AUTHORS:, 4:] = data["author"].x, data["paper"].x
    first, count = coalesce(data["author", "writes", "paper"].edge_index, torch.ones(60))
    second, weight = coalesce(data["paper", "cites", "paper"].edge_index, data["paper", "cites", "paper"].edge_weight)
    edges = torch.cat([first + torch.tensor([[0], [AUTHORS]]), second + AUTHORS], dim=1)
    return Data(
        x=x, edge_index=edges, edge_weight=torch.cat([writes * count / count.max(), cites * weight / weight.max()])
    )


def dense(x: Any) -> np.ndarray:
    return (x.to_dense() if x.layout == torch.sparse_csr else x).numpy()


# ---------------------------------------------------------------- the equivalent homogeneous graph


@pytest.mark.parametrize("in_p", [0.0, 1.5])
@pytest.mark.parametrize("propagated", [0.0, 0.6])
def test_embedding_is_that_of_the_graph_made_by_hand(in_p: float, propagated: float) -> None:
    """All cosines within a type are above 0, between types 0: the search over all nodes finds the same neighbours."""
    data = library(venues=0)
    fixed = SMALL | {"merge.weighting": "given", "merge.feature_weight": in_p, "merge.propagation_weight": propagated}
    fixed |= {"merge.evidence": "none", "input.scale": "none"}
    fixed |= {"neighbors.metric": "cosine", "encoder.normalize": "rows"}
    typed = fixed | {"merge.type_weights": "writes=2,paper__cites__paper=0.5"}
    model = GenURL(4, epochs=4, random_state=0, config=typed)
    z = model.fit_transform(data)
    same = GenURL(4, epochs=4, random_state=0, config=fixed).fit(by_hand(data, 2.0, 0.5))
    assert list(z) == ["author", "paper"]
    assert z["author"].shape == (AUTHORS, 4)
    assert torch.equal(model.graph_.edge_index, same.graph_.edge_index)
    assert torch.equal(model.graph_.provenance, same.graph_.provenance)
    torch.testing.assert_close(model.graph_.edge_weight, same.graph_.edge_weight, rtol=1e-4, atol=1e-5)
    # Distances that were rounded in another order differ by 1e-7, which Adam's first steps make more of.
    loose = {"rtol": 1e-5, "atol": 1e-5} if in_p == propagated == 0 else {"rtol": 0.05, "atol": 0.02}
    torch.testing.assert_close(torch.cat(list(z.values())), same.embedding_, **loose)


def test_stacking() -> None:
    found, expected = as_graph(library(venues=0)), as_input(by_hand(library(venues=0)))
    np.testing.assert_array_equal(dense(found.x), dense(expected.x))
    assert torch.equal(found.edge_index, expected.edge_index)
    torch.testing.assert_close(found.edge_weight, expected.edge_weight)
    assert found.types.rows == {"author": (0, 20), "paper": (20, 50)}
    assert found.types.widths() == {"author": 4, "paper": 6}
    assert found.types.relations == ("author__writes__paper", "paper__cites__paper")
    # Another order of the types, as a fitted model has it.
    turned = as_graph(library(venues=0), ["paper", "author"])
    assert turned.types.rows == {"paper": (0, 30), "author": (30, 50)}
    np.testing.assert_array_equal(dense(block(turned.x, turned.types, "author")), library()["author"].x.numpy())


# ---------------------------------------------------------------- parts


def test_feature_edges_join_nodes_of_one_type() -> None:
    """Even where a type has fewer nodes than neighbours are asked for, and features without a common column."""
    data = library(venues=0)
    data["author"].x = torch.eye(AUTHORS)  # no two authors have a word in common
    data["paper"].x = -data["paper"].x  # signs are seen type by type: cosine there, Euclidean here
    found = as_graph(data)
    resolved = resolve_config(found, config={"neighbors.n_neighbors": 25})
    neighbors, edges, _ = feature_similarities(found, resolved, 0, CPU)
    assert ((edges[0] < AUTHORS) == (edges[1] < AUTHORS)).all()
    assert neighbors.indices.shape == (50, 25)
    assert (neighbors.indices[:AUTHORS, 19:] == -1).all()
    assert (neighbors.indices[:AUTHORS, :19] < AUTHORS).all()
    distance = torch.cdist(data["paper"].x, data["paper"].x).fill_diagonal_(torch.inf)
    expected = distance.topk(25, largest=False).indices + AUTHORS
    assert torch.equal(neighbors.indices[AUTHORS:].sort(1).values, expected.sort(1).values)


def test_every_type_is_normalised_by_itself() -> None:
    data = library()
    words = data["author"].x = (torch.rand(AUTHORS, 18, generator=torch.Generator().manual_seed(2)) < 0.3).float()
    data["paper"].x = torch.randn(PAPERS, 6, generator=torch.Generator().manual_seed(1))
    found = as_graph(data)
    x, statistics = normalize_blocks(found.x, found.types, resolve_type_normalization(found, "auto", None), None)
    assert set(statistics) == {"mean.paper", "scale.paper"}
    paper = data["paper"].x
    expected = np.zeros((53, 24), dtype=np.float32)
    expected[:20, :18] = words / words.sum(1, keepdim=True).clamp_min(1)
    expected[20:50, 18:] = (paper - paper.mean(0)) / paper.std(0, correction=0)
    np.testing.assert_allclose(dense(x), expected, atol=1e-5)
    assert x.values().numel() <= 20 * 18 + 30 * 6
    # A new graph is normalised as the fitted one was, whatever it looks like.
    data["paper"].x = data["paper"].x.abs()
    other = as_graph(data)
    again, _ = normalize_blocks(other.x, other.types, resolve_type_normalization(other, "auto", statistics), statistics)
    expected[20:50, 18:] = (paper.abs() - paper.mean(0)) / paper.std(0, correction=0)
    np.testing.assert_allclose(dense(again), expected, atol=1e-5)


def test_wide_features_stay_sparse() -> None:
    """Two types of 20,000 columns each: a dense matrix would take 640 MB."""
    data = HeteroData()
    for name in ("a", "b"):
        rows = torch.arange(2000).repeat_interleave(3)
        columns = (rows * 7 + torch.arange(3).repeat(2000) * 11) % 20_000
        data[name].x = torch.sparse_coo_tensor(
            torch.stack([rows, columns]), torch.ones(6000), (2000, 20_000), check_invariants=True
        )
    data["a", "to", "b"].edge_index = torch.arange(2000).expand(2, -1)
    found = as_graph(data)
    x, _ = encoder_input(found, resolve_config(found))
    assert x.layout == torch.sparse_csr
    assert x.shape == (4000, 40_000)
    assert x.values().numel() == 12_000


def test_type_weights() -> None:
    found = as_graph(library())
    plain = found.edge_weight
    cites = found.types.relations.index("paper__cites__paper")
    weighed = weigh(found, " cites = 0.25 ,author__writes__paper=3").edge_weight
    chosen = found.types.relation
    torch.testing.assert_close(weighed[chosen == cites], plain[chosen == cites] / 4)
    torch.testing.assert_close(weighed[chosen == 0], plain[chosen == 0] * 3)
    torch.testing.assert_close(weighed[chosen == 2], plain[chosen == 2])
    assert weigh(found, "") is found
    # As a mapping, with PyG's tuples, or in a table of TOML.
    for given in ({"cites": 0.25, ("author", "writes", "paper"): 3}, {"cites": 0.25, "writes": 3}):
        resolved = resolve_config(found, config={"merge.type_weights": given})
        torch.testing.assert_close(weigh(found, resolved.merge.type_weights).edge_weight, weighed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cite=1", r"found 'cite'; expected one of .* \(did you mean 'cites'\?\)"),
        ("cites", "found 'cites'; expected RELATION=NUMBER"),
        ("cites=-1", "expected RELATION=NUMBER, a number >= 0"),
        ("cites=much", "found 'cites=much'"),
    ],
)
def test_bad_type_weights(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        weigh(as_graph(library()), text)


# ---------------------------------------------------------------- GenURL


@pytest.mark.parametrize("encoder", ["gcn", "mlp"])
def test_types_without_features_have_structural_columns(encoder: str, tmp_path: Any) -> None:
    data, new = library(), library(seed=3, venues=5)
    changes = SMALL | {"encoder.structure": "random_walk", "encoder.structure_dim": 5, "encoder.name": encoder}
    model = GenURL(4, epochs=3, random_state=0, config=changes).fit(data)
    assert model.encoder_.input.weight.size(0) == 4 + 6 + 5
    assert model.node_slices_ == {"author": (0, 20), "paper": (20, 50), "venue": (50, 53)}
    same = model.transform(data)
    torch.testing.assert_close(torch.cat(list(same.values())), model.embedding_, rtol=1e-4, atol=1e-4)
    found = model.transform(new)
    assert found["venue"].shape == (5, 4)
    model.save(tmp_path)
    loaded = GenURL.load(tmp_path)
    assert {name: tuple(ends) for name, ends in loaded.node_slices_.items()} == model.node_slices_
    again = loaded.transform(new)
    assert all(torch.equal(found[name], again[name]) for name in found)


def test_types_without_features_have_one_hot_rows() -> None:
    data = library()
    model = GenURL(4, epochs=2, random_state=0, config=SMALL).fit(data)
    x, _ = encoder_input(as_graph(data), model.config_)
    np.testing.assert_array_equal(dense(x)[50:], np.eye(13, dtype=np.float32)[10:])
    assert not dense(x)[:50, 10:].any()
    assert model.encoder_.input.weight.size(0) == 13
    with pytest.raises(InputError, match="structure=identity knows only the fitted nodes"):
        model.transform(data)


def test_no_features_at_all() -> None:
    data = library()
    for name, count in (("author", AUTHORS), ("paper", PAPERS)):
        del data[name].x
        data[name].num_nodes = count
    z = GenURL(4, epochs=2, random_state=0, config=SMALL).fit_transform(data)
    assert {name: len(rows) for name, rows in z.items()} == {"author": 20, "paper": 30, "venue": 3}
    model = GenURL(4, epochs=2, random_state=0, config=SMALL | {"encoder.structure": "degree"}).fit(data)
    torch.testing.assert_close(model.transform(data)["paper"], model.embedding_[20:50], rtol=1e-4, atol=1e-4)


def test_transform_wants_the_fitted_types_and_widths() -> None:
    data = library(venues=0)
    model = GenURL(4, epochs=1, random_state=0, config=SMALL).fit(data)
    turned = HeteroData()  # types in another order
    for name in ("paper", "author"):
        turned[name].x = data[name].x
    for kind in data.edge_types:
        turned[kind].update(data[kind])
    torch.testing.assert_close(model.transform(turned)["paper"], model.transform(data)["paper"])
    wider = library(venues=0)
    wider["paper"].x = torch.rand(PAPERS, 7)
    for wrong, message in (
        (library(), "found the node types author, paper, venue; expected author, paper"),
        (wider, r"found 11 features \(.*'paper': 7.*\); the model was fitted on 10"),
        (by_hand(data), r"found 10 features; the model was fitted on 10 \(.*'paper': 6"),
    ):
        with pytest.raises(InputError, match=message):
            model.transform(wrong)
    homogeneous = GenURL(4, epochs=1, random_state=0, config=SMALL).fit(by_hand(data))
    with pytest.raises(InputError, match=r"the model was fitted on 10$"):
        homogeneous.transform(data)


def test_features_of_several_types_do_not_judge_edges() -> None:
    data = library()
    merge = GenURL(config=SMALL).resolve(data).merge
    assert (merge.weighting, merge.propagation_weight) == ("given", 0.0)
    assert GenURL(config={"merge.propagation_weight": 0.5}).resolve(data).merge.propagation_weight == 0.5
    for key, value in (("merge.weighting", "adaptive"), ("merge.how", "geodesic"), ("neighbors.hops", 1)):
        with pytest.raises(InputError, match=f"{key}: found {value!r}.*HeteroData"):
            GenURL(config={key: value}).resolve(data)
    with pytest.raises(InputError, match="task reduce: found HeteroData"):
        GenURL(task="reduce").fit(data)
    with pytest.raises(InputError, match="for a graph without relations"):
        GenURL(config={"merge.type_weights": "cites=1"}).fit(by_hand(library(venues=0)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["paper"].update(x=torch.rand(3, 2), num_nodes=30), "x of node type 'paper'"),
        (lambda d: d["paper"].x.__setitem__((2, 1), torch.nan), "'paper': found 1 NaN or infinite values"),
        (lambda d: d["new"].update(y=torch.ones(2)), "node type 'new': found neither x nor num_nodes"),
        (
            lambda d: d["paper", "cites", "paper"].update(edge_weight=torch.ones(2)),
            r"cites__paper: edge_weight: found .* of shape \[2\]; expected numbers \[50\]",
        ),
        (
            lambda d: d["paper", "at", "venue"].edge_index.add_(2),
            "at__venue: edge_index: found edge .*; expected source nodes 0 to 29",
        ),
        (lambda d: d["paper", "of", "venue"].update(edge_attr=torch.ones(3)), "of__venue: found no edge_index"),
    ],
)
def test_bad_input_is_named(change: Any, message: str) -> None:
    data = library()
    change(data)
    with pytest.raises(InputError, match=message):
        as_graph(data)
