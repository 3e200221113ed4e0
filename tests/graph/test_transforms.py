"""The graph stages as PyG transforms."""

import copy

import pytest
import torch
import torch_geometric.transforms as T
from torch_geometric.data import Batch, Data

from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.knn import knn_graph
from genurl_graph.graph.merge import FEATURE, PREDEFINED, merge_graphs
from genurl_graph.graph.transforms import FeatureKNN, MergeFeatureEdges


def points(seed: int = 0, n: int = 20) -> Data:
    g = torch.Generator().manual_seed(seed)
    return Data(
        x=torch.randn(n, 4, generator=g),
        edge_index=torch.randint(0, n, (2, 30), generator=g),
        y=torch.arange(n),
    )


def test_repr() -> None:
    assert repr(FeatureKNN(k=3)) == "FeatureKNN(k=3, metric='auto')"
    assert repr(MergeFeatureEdges()) == "MergeFeatureEdges(how='mix', feature_weight=1.0)"


def test_compose_is_the_stages_one_after_the_other() -> None:
    data = points()
    untouched = copy.deepcopy(data)
    out = T.Compose([FeatureKNN(k=3), MergeFeatureEdges(feature_weight=0.5)])(data)

    edges, distance = knn_graph(data.x, 3, metric="euclidean")
    edges, p = similarities(edges, distance, 20, perplexity=3.0)
    expected = merge_graphs(data.edge_index, None, edges, p, num_nodes=20, how="mix", feature_weight=0.5)
    assert torch.equal(out.edge_index, expected.edge_index)
    assert torch.equal(out.edge_weight, expected.edge_weight)
    assert torch.equal(out.edge_provenance, expected.provenance)
    assert out.is_undirected()
    assert {PREDEFINED, FEATURE, PREDEFINED | FEATURE} >= set(out.edge_provenance.tolist())
    assert torch.equal(out.x, data.x)
    assert torch.equal(out.y, data.y)
    assert data.keys() == untouched.keys()
    assert torch.equal(data.edge_index, untouched.edge_index)


def test_weights_count_and_other_edge_attributes_are_removed() -> None:
    data = points()
    data.edge_attr = torch.full((30, 1), 4.0)
    data.edge_type = torch.zeros(30, dtype=torch.long)
    out = MergeFeatureEdges(how="union")(FeatureKNN(k=3)(data))
    given = (out.edge_provenance & PREDEFINED) > 0
    assert set(out.edge_weight[given].tolist()) == {4.0}
    assert set(out.keys()) == {"x", "y", "edge_index", "edge_weight", "edge_provenance"}
    assert out.validate()


def test_no_edge_of_similarity_zero() -> None:
    """Duplicates have p = 1 and leave nothing for the far third neighbour."""
    x = torch.zeros(6, 1)
    x[3:] = 1e6
    out = T.Compose([FeatureKNN(k=3, metric="euclidean"), MergeFeatureEdges()])(Data(x=x))
    assert out.num_edges > 0
    assert bool((out.edge_weight > 0).all())
    assert bool((x[out.edge_index[0]] == x[out.edge_index[1]]).all())


def test_auto_metric_is_cosine_for_bags_of_words_dense_or_sparse() -> None:
    x = (torch.rand(30, 50, generator=torch.Generator().manual_seed(0)) < 0.08).float() + torch.eye(30, 50)
    cosine = FeatureKNN(k=4, metric="cosine")(Data(x=x))
    for given in (x, x.to_sparse_csr()):
        auto = FeatureKNN(k=4)(Data(x=given))
        torch.testing.assert_close(auto.knn_distance, cosine.knn_distance)
    assert not torch.allclose(cosine.knn_distance, FeatureKNN(k=4, metric="euclidean")(Data(x=x)).knn_distance)


def test_knn_edges_are_batched() -> None:
    knn = FeatureKNN(k=3)
    batch = Batch.from_data_list([knn(points(0)), knn(points(1))])
    assert torch.equal(batch.knn_edge_index[:, 60:], knn(points(1)).knn_edge_index + 20)


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="FeatureKNN: found data without x"):
        FeatureKNN()(Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2))
    with pytest.raises(InputError, match="expected FeatureKNN to be applied first"):
        MergeFeatureEdges()(points())
    with pytest.raises(InputError, match="n_neighbors: found 20; expected at most 19"):
        FeatureKNN(k=20)(points())
    with pytest.raises(InputError, match="how: found 'geodesic'"):
        MergeFeatureEdges(how="geodesic")
