"""The metric of features beside edges: planted directions, planted lengths, and principal components of real words."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import TruncatedSVD
from torch_geometric.data import Data

from genurl_graph import GenURL, datasets
from genurl_graph.evaluation.protocols import evaluate_embedding
from genurl_graph.graph.evidence.metric import metric_by_edges
from genurl_graph.graph.transforms import FeatureKNN
from genurl_graph.inputs.sparse import to_scipy_or_numpy

N, GROUPS, COLUMNS = 400, 8, 32


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def edges_within(group, share=0.9):
    """Edges, most of them inside groups, each in one direction."""
    i, j = torch.randint(N, (2, 20_000), generator=generator(1))
    kept = (group[i] == group[j]) == (torch.rand(20_000, generator=generator(2)) < share)
    return torch.stack([i[kept], j[kept]])[:, :2000]


def planted(kind):
    """Rows whose direction tells the group and whose length does not ("directions"), or the other way ("lengths")."""
    group = torch.arange(N) % GROUPS
    noise = 0.3 * torch.randn(N, COLUMNS, generator=generator(3))
    if kind == "directions":
        centres = torch.randn(GROUPS, COLUMNS, generator=generator(4))
        x = (centres[group] + noise) * torch.exp(torch.randn(N, 1, generator=generator(5)))
    else:
        x = torch.randn(COLUMNS, generator=generator(4)) * (1.0 + group[:, None]) + noise
    return x, group


@pytest.mark.parametrize(("kind", "expected"), [("directions", "cosine"), ("lengths", "euclidean")])
@pytest.mark.parametrize("layout", ["strided", "CSR"])
def test_edges_tell_whether_directions_or_lengths_count(kind, expected, layout):
    x, group = planted(kind)
    edges = edges_within(group)
    x = x.to_sparse_csr() if layout == "CSR" else x
    assert metric_by_edges(x, edges) == expected
    # Both directions, repeats and loops say nothing new.
    more = torch.cat([edges, edges.flip(0), torch.arange(N).expand(2, -1)], 1)
    assert metric_by_edges(x, more) == expected


def test_the_order_of_the_nodes_and_more_edges_than_are_judged_change_nothing():
    x, group = planted("directions")
    order = torch.randperm(N, generator=generator(6))
    place = torch.empty_like(order)
    place[order] = torch.arange(N)
    assert metric_by_edges(x[order], place[edges_within(group)]) == "cosine"
    dense = torch.nonzero(group[:, None] == group).T
    assert dense.size(1) < 2**15 < 3 * dense.size(1)
    assert metric_by_edges(x, dense.repeat(1, 3)) == "cosine"


@pytest.mark.parametrize("case", ["unrelated", "unlike", "few columns", "no edges", "one edge", "None"])
def test_without_clear_evidence_it_is_the_euclidean_distance(case):
    x, group = planted("directions")
    edges = edges_within(group, share=0.0 if case == "unlike" else 0.9)
    if case == "unrelated":
        x = x[torch.randperm(N, generator=generator(7))]
    elif case == "few columns":
        x = x[:, :15]
    given = {"no edges": edges[:, :0], "one edge": edges[:, :1], "None": None}.get(case, edges)
    assert metric_by_edges(x, given) == "euclidean"


def test_runs_and_transforms_read_it_from_the_edges():
    x, group = planted("directions")
    data = Data(x=x, edge_index=edges_within(group))
    assert GenURL().resolve(data).neighbors.metric == "cosine"
    assert GenURL().resolve(x).neighbors.metric == "euclidean"
    assert GenURL(metric="euclidean").resolve(data).neighbors.metric == "euclidean"
    near = FeatureKNN(5)(data.clone()).knn_edge_index
    assert torch.equal(near, FeatureKNN(5, "cosine")(data.clone()).knn_edge_index)


def test_principal_components_of_words_are_compared_by_direction(data_root):
    """Cora's words as 100 principal components, lengths and all: the Euclidean distance costs points there."""
    data = datasets.load("cora", data_root)
    words = to_scipy_or_numpy(data.x).astype(np.float32)
    z = TruncatedSVD(100, random_state=0).fit_transform(words).astype(np.float32)
    data = Data(
        x=torch.from_numpy(z),
        edge_index=data.edge_index,
        y=data.y,
        **{name: data[name] for name in ("train_mask", "val_mask", "test_mask")},
    )
    found = {}
    for metric in ("auto", "euclidean"):
        model = GenURL(task="graph", metric=metric, epochs=15, random_state=0).fit(data)
        found[metric] = evaluate_embedding(model.embedding_, data, "public")["probe"]["test"]
    assert found["auto"] > found["euclidean"] + 0.01
    assert found["auto"] > 0.78
