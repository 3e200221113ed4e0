"""kNN edges of activity profiles."""

import pytest
import torch

from genurl_graph.config import load_preset
from genurl_graph.graph.merge import PREDEFINED, MergedGraph
from genurl_graph.tasks.temporal import profile_edges


def given(rows: int, weight: float) -> MergedGraph:
    """Rows 0 and 1 have an interaction."""
    edges = torch.tensor([[0, 1], [1, 0]])
    return MergedGraph(edges, torch.full((2,), weight), torch.full((2,), PREDEFINED, dtype=torch.uint8), rows)


def test_neighbours_are_of_ones_own_window_and_fade_with_the_degree() -> None:
    profile = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    window = torch.arange(2).repeat_interleave(30)
    config = load_preset("temporal").override({"similarity.perplexity": 3.0})
    found = profile_edges.with_profile_edges(given(60, 9.0), profile, window, config, 0, torch.device("cpu"))
    source, target = found.edge_index
    assert bool((window[source] == window[target]).all())
    assert len(torch.unique(source)) == 60
    other = (source > 1) & (target > 1)
    assert float(found.edge_weight[other].max()) > 2 * float(found.edge_weight[(source == 0) & (target > 1)].max())


def test_similarities_that_become_0_make_no_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_but_nothing(edges: torch.Tensor, distance: torch.Tensor, *_: object) -> tuple[torch.Tensor, torch.Tensor]:
        return edges, torch.full_like(distance, 1e-45)

    monkeypatch.setattr(profile_edges, "calibrate_distances", all_but_nothing)
    profile, window = torch.arange(10.0)[:, None], torch.zeros(10, dtype=torch.int64)
    config = load_preset("temporal").override({"similarity.perplexity": 3.0})
    found = profile_edges.with_profile_edges(given(10, 1.0), profile, window, config, 0, torch.device("cpu"))
    assert bool((found.edge_weight > 0).all())
    assert {(0, 1), (1, 0)} <= {*map(tuple, found.edge_index.T.tolist())}
