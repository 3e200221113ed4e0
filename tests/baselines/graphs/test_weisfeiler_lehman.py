"""The WL kernel: grakel's numbers are those of histograms made by hand, for graphs of all sizes."""

from collections import Counter

import pytest
import torch
from torch.nn.functional import normalize

from genurl_graph.baselines.graphs import get_graph_baseline, require_graph_baseline
from genurl_graph.exceptions import InputError
from genurl_graph.graph.descriptors import wl_histogram
from genurl_graph.inputs.collection import GraphCollection


def histograms(collection: GraphCollection, iterations: int) -> list[Counter]:
    """How often each label stands in each graph; a label is the nested tuple that it abbreviates."""
    kinds, ends = collection.node_kinds().tolist(), collection.node_ptr.tolist()
    near: dict[int, list[int]] = {node: [] for node in range(collection.num_nodes)}
    for source, target in collection.edge_index.T.tolist():
        near[source].append(target)
    labels, found = [(kind,) for kind in kinds], [Counter() for _ in range(collection.num_graphs)]
    for step in range(iterations + 1):
        for g, counter in enumerate(found):
            counter.update((step, labels[node]) for node in range(ends[g], ends[g + 1]))
        labels = [(labels[node], *sorted(labels[other] for other in near[node])) for node in near]
    return found


@pytest.mark.parametrize("features", [True, False])
def test_kernel_is_the_cosine_of_histograms(rings_and_stars, features):
    pytest.importorskip("grakel", reason="grakel is not installed: pip install 'genurl-graph[baselines]'")
    given = rings_and_stars if features else rings_and_stars._replace(x=None)
    # A graph without edges, one with a node, one without nodes.
    last, edges = int(given.node_ptr[-1]), given.edge_ptr[-1:]
    given = given._replace(
        x=torch.cat([given.x, torch.eye(3)[[0, 1, 2]]]) if features else None,
        node_ptr=torch.cat([given.node_ptr, torch.tensor([last + 2, last + 3, last + 3])]),
        edge_ptr=torch.cat([given.edge_ptr, edges, edges, edges]),
    )
    found = get_graph_baseline("wl", {"iterations": 2})(given, 0, "cpu")
    counts = histograms(given, 2)
    inner = torch.tensor([[sum(a[k] * b[k] for k in a) for b in counts] for a in counts], dtype=torch.float64)
    norm = inner.diagonal().sqrt().clamp_min(1)
    torch.testing.assert_close(found, inner / norm[:, None] / norm)
    assert found.dtype == torch.float64
    assert found[-1].any() == 0
    # Without the package, `genurl_graph.graph.descriptors` counts the same labels.
    own = torch.from_numpy(wl_histogram(given, 2)[0].toarray()).double()
    torch.testing.assert_close(normalize(own) @ normalize(own).T, found)


def test_absent_grakel_names_the_extra(rings_and_stars, monkeypatch):
    monkeypatch.setattr("genurl_graph.baselines.graphs.weisfeiler_lehman.find_spec", lambda package: None)
    for call in (
        lambda: require_graph_baseline("wl"),
        lambda: get_graph_baseline("wl")(rings_and_stars, 0, "cpu"),
    ):
        with pytest.raises(InputError, match=r"wl: needs the package grakel.*genurl-graph\[peers\]"):
            call()
