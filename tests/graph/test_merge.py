"""Merging against dense references, geodesics against Floyd-Warshall, and bad input."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph import edge_lists
from genurl_graph.graph import merge as graph
from genurl_graph.graph import merged as merged_graph
from genurl_graph.graph.edge_lists import align, align_blocks, align_by_keys
from genurl_graph.graph.merge import FEATURE, PATH, PREDEFINED, MergedGraph, count_components, merge_graphs

few = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**31)


def random_edges(seed: int, n: int, m: int) -> tuple[Tensor, Tensor]:
    """Directed edges with self loops and duplicates; quarters as weights are exact in float32, 0 among them."""
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, n, (2, m), generator=g), torch.randint(0, 9, (m,), generator=g) / 4


def dense(edge_index: Tensor, weight: Tensor, n: int, absent: float, reduce: str, both: bool = True) -> np.ndarray:
    """Matrix of weights without diagonal, edge by edge; `absent` where there is no edge.

    "sum": repeats of an ordered pair are summed, and of both directions the larger counts; "min": the smallest of all.
    """
    out = np.full((n, n), np.nan)
    for i, j, w in zip(*edge_index.tolist(), weight.tolist(), strict=True):
        if i != j:
            repeated = out[i, j] + w if reduce == "sum" else min(out[i, j], w)
            out[i, j] = w if np.isnan(out[i, j]) else repeated
    if both:
        out = (np.fmax if reduce == "sum" else np.fmin)(out, out.T)
    return np.where(np.isnan(out), absent, out)


def to_dense(merged: MergedGraph, n: int, absent: float) -> tuple[np.ndarray, np.ndarray]:
    weight, bits = np.full((n, n), float(absent)), np.zeros((n, n), dtype=int)
    row, col = merged.edge_index.numpy()
    weight[row, col], bits[row, col] = merged.edge_weight.numpy(), merged.provenance.numpy()
    return weight, bits


def assert_canonical(merged: MergedGraph, n: int) -> None:
    row, col = merged.edge_index
    assert bool((row != col).all())
    assert bool(((row * n + col).diff() > 0).all()), "sorted by row, every edge once"
    assert merged.edge_weight.dtype == torch.float32
    assert merged.provenance.dtype == torch.uint8


@few
@given(seeds, st.sampled_from(["union", "mix"]), st.sampled_from(["symmetrize", "keep"]), st.sampled_from([0.5, 2.0]))
def test_union_and_mix_are_the_dense_formulas(seed: int, how: Any, directed: Any, feature_weight: float) -> None:
    n = 9
    pre, w_pre = random_edges(seed, n, 20)
    knn, w_knn = random_edges(seed + 1, n, 20)
    merged = merge_graphs(
        pre, w_pre, knn, w_knn, num_nodes=n, how=how, feature_weight=feature_weight, directed=directed
    )
    assert_canonical(merged, n)
    a = dense(pre, w_pre, n, -1, "sum", both=directed == "symmetrize")
    b = dense(knn, w_knn, n, -1, "sum")
    expected_bits = PREDEFINED * (a >= 0) + FEATURE * (b >= 0)
    a, b = np.maximum(a, 0), np.maximum(b, 0) * feature_weight
    weight, bits = to_dense(merged, n, 0)
    np.testing.assert_array_equal(bits, expected_bits)
    np.testing.assert_array_equal(weight, a + b if how == "mix" else np.maximum(a, b))


@few
@given(
    seeds, st.sampled_from(["symmetrize", "keep"]), st.sampled_from([0.5, 2.0]), st.sampled_from([0.75, 2.0, np.inf])
)
def test_geodesics_are_all_shortest_paths_within_the_cutoff(
    seed: int, directed: Any, feature_weight: float, cutoff: float
) -> None:
    n = 12
    pre, w_pre = random_edges(seed, n, 10)
    knn, w_knn = random_edges(seed + 1, n, 10)
    options: Any = {"how": "geodesic", "feature_weight": feature_weight, "directed": directed, "cutoff": cutoff}
    merged = merge_graphs(pre, w_pre, knn, w_knn, num_nodes=n, **options)
    assert_canonical(merged, n)
    a = dense(pre, w_pre, n, np.inf, "min", both=directed == "symmetrize")
    b = dense(knn, w_knn, n, np.inf, "min") / feature_weight
    length = np.minimum(a, b)
    for k in range(n):  # Floyd-Warshall by hand: SciPy takes a zero length for no edge
        length = np.minimum(length, length[:, k, None] + length[None, k, :])
    np.fill_diagonal(length, np.inf)
    length[length > cutoff] = np.inf
    found, bits = to_dense(merged, n, np.inf)
    np.testing.assert_allclose(found, length)
    own = PREDEFINED * np.isfinite(a) + FEATURE * np.isfinite(b)
    np.testing.assert_array_equal(bits, np.where(np.isinf(length), 0, np.where(own == 0, PATH, own)))


def test_geodesics_do_not_depend_on_the_batch_of_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 40
    edges, w = random_edges(3, n, 60)
    run = partial(merge_graphs, edges, w + 0.1, None, None, num_nodes=n, how="geodesic", cutoff=3.0)
    whole = run()
    monkeypatch.setattr(graph, "_PATH_CELLS", 7 * n)
    for a, b in zip(whole[:3], run()[:3], strict=True):
        assert torch.equal(a, b)


def test_by_hand() -> None:
    """Six nodes: a duplicate, a self loop, one edge of both graphs, node 5 isolated."""
    pre = torch.tensor([[0, 1, 1, 2, 3], [1, 0, 2, 2, 0]])
    knn = torch.tensor([[1, 3], [2, 4]])
    merged = merge_graphs(pre, None, knn, torch.tensor([0.25, 0.5]), num_nodes=6, how="mix")
    assert merged.edge_index.tolist() == [[0, 0, 1, 1, 2, 3, 3, 4], [1, 3, 0, 2, 1, 0, 4, 3]]
    assert merged.edge_weight.tolist() == [1, 1, 1, 1.25, 1.25, 1, 0.5, 0.5]  # 0 - 1 stands there once each way
    assert merged.provenance.tolist() == [1, 1, 1, 3, 3, 1, 2, 2]
    assert merged.summary() == {"n_predefined": 2, "n_feature": 1, "n_both": 1}
    # Both ways each: two predefined edges weigh 1, the one of both 1 + 0.25, that of features 0.5.
    shares = {"mass_predefined": 2 / 3.75, "mass_both": 1.25 / 3.75, "mass_feature": 0.5 / 3.75}
    assert merged.weight_shares() == pytest.approx(shares)
    assert count_components(pre, 6) == 3
    assert count_components(merged.edge_index, 6) == 2


@few
@given(seeds, st.sampled_from(["symmetrize", "keep"]), st.sampled_from([1, 3, 1 << 20]))
def test_summary_is_the_dense_count_whatever_is_counted_at_a_time(seed: int, directed: Any, at_a_time: int) -> None:
    n = 9
    (pre, w), (knn, v) = random_edges(seed, n, 25), random_edges(seed + 1, n, 15)
    merged = merge_graphs(pre, w, knn, v, num_nodes=n, directed=directed)
    bits = to_dense(merged, n, 0)[1]
    pairs = (bits | bits.T)[np.triu_indices(n, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merged_graph, "_STEP", at_a_time)
        found, shares = merged.summary(), merged.weight_shares()
    assert list(found.values()) == [(pairs == kind).sum() for kind in (PREDEFINED, FEATURE, PREDEFINED | FEATURE)]
    assert shares == pytest.approx(merged.weight_shares())


def test_either_list_may_be_missing_or_empty() -> None:
    edges, w = random_edges(0, 6, 12)
    empty = torch.empty(2, 0, dtype=torch.long)
    for none in (None, empty):
        given_only = merge_graphs(edges, w, none, None, num_nodes=6)
        near_only = merge_graphs(none, None, edges, w, num_nodes=6)
        assert torch.equal(given_only.edge_index, near_only.edge_index)
        assert torch.equal(given_only.edge_weight, near_only.edge_weight)
        assert set(given_only.provenance.tolist()) == {PREDEFINED}
        assert set(near_only.provenance.tolist()) == {FEATURE}
    for how in ("mix", "geodesic"):
        nothing = merge_graphs(empty, None, None, None, num_nodes=6, how=how, cutoff=1.0)
        assert nothing.edge_index.shape == (2, 0)
        assert nothing.summary() == {"n_predefined": 0, "n_feature": 0, "n_both": 0}
        assert set(nothing.weight_shares().values()) == {0.0}
    assert count_components(empty, 6) == 6


@few
@given(seeds, st.sampled_from(["union", "mix", "geodesic"]))
def test_renaming_nodes_renames_the_result(seed: int, how: Any) -> None:
    n = 15
    pre, w_pre = random_edges(seed, n, 20)
    knn, w_knn = random_edges(seed + 1, n, 20)
    new = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    before = merge_graphs(pre, w_pre, knn, w_knn, num_nodes=n, how=how, cutoff=1.5)
    after = merge_graphs(new[pre], w_pre, new[knn], w_knn, num_nodes=n, how=how, cutoff=1.5)
    row, col = new[before.edge_index]
    order = (row * n + col).argsort()
    assert torch.equal(after.edge_index, torch.stack([row, col])[:, order])
    torch.testing.assert_close(after.edge_weight, before.edge_weight[order])
    assert torch.equal(after.provenance, before.provenance[order])


def test_directed_input_is_refused_when_asked() -> None:
    both_ways = torch.tensor([[0, 1], [1, 0]])
    merge_graphs(both_ways, None, None, None, num_nodes=2, directed="error")
    with pytest.raises(InputError, match="1 edges without their inverse"):
        merge_graphs(both_ways[:, :1], None, None, None, num_nodes=2, directed="error")
    with pytest.raises(InputError, match="weigh less than their inverse"):
        merge_graphs(both_ways, torch.tensor([1.0, 2.0]), None, None, num_nodes=2, directed="error")


EDGE = torch.tensor([[0, 1], [1, 2]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"edge_index": torch.tensor([[0, 7], [1, 2]])}, "edge_index: found edge 1 from 7 to 2; expected nodes 0 to 2"),
        ({"edge_weight": torch.ones(3)}, r"edge_weight: .*expected numbers \[2\]"),
        ({"knn_edge_index": EDGE, "knn_weight": torch.tensor([1.0, torch.inf])}, "knn_weight: .*non-finite"),
        ({"knn_edge_index": EDGE + 1}, "knn_edge_index: found edge 1 from 2 to 3"),
        ({"knn_weight": torch.ones(2)}, "knn_weight: found weights, but no knn_edge_index"),
        ({"how": "sum"}, "how: found 'sum'; expected one of"),
        ({"directed": "maybe"}, "directed: found 'maybe'; expected one of"),
        ({"feature_weight": 0.0}, "feature_weight"),
        ({"feature_weight": float("nan")}, "feature_weight"),
        ({"how": "geodesic"}, "cutoff: found None"),
        ({"how": "geodesic", "cutoff": float("nan")}, "cutoff: found nan"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], message: str) -> None:
    given_arguments = {"edge_index": EDGE, "edge_weight": None, "knn_edge_index": None, "knn_weight": None}
    with pytest.raises(InputError, match=message):
        merge_graphs(**(given_arguments | arguments), num_nodes=3)


pairs = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7))).map(sorted)


@few
@given(first=pairs, second=pairs, block=st.sampled_from([1, 3, 1 << 22]))
def test_sorted_lists_are_aligned_block_by_block(first: Any, second: Any, block: int) -> None:
    union = sorted({*first, *second})
    lists = [torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T for edges in (first, second)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge_lists, "ALIGNED", block)
        blocks = list(align_blocks(*lists, num_nodes=8))
    assert [tuple(edge) for (edges, _, _), _, _ in blocks for edge in edges.T.tolist()] == union
    # What serves on a GPU finds the same.
    by_keys, whole = align_by_keys(*lists, num_nodes=8), align(*lists, num_nodes=8)
    assert all(torch.equal(a, b) for a, b in zip(by_keys, whole, strict=True))
    for side, own in enumerate((first, second)):
        parts = [(aligned[1 + side].tolist(), own[entries[side]]) for aligned, *entries in blocks]
        found = [part[i - 1] if i else None for positions, part in parts for i in positions]
        assert found == [edge if edge in own else None for edge in union]


def test_pairs_written_as_rows_make_no_view() -> None:
    # torch warns of a view in searches, and copies it each time.
    pairs = torch.tensor([[0, 1], [1, 0], [1, 2], [2, 1]])
    merged = merge_graphs(pairs.T, None, None, None, num_nodes=3)
    assert merged.edge_index.is_contiguous()
    assert merged.edge_index.T.tolist() == pairs.tolist()
