"""Drawings of an embedding of edges."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from genurl_graph.experiments.edges.drawing import draw_edges, has_place
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.geometry import Lines
from genurl_graph.plotting import edges as plotting


def test_clusters_lie_beside_labels_on_the_map(tmp_path: Path, monkeypatch: Any) -> None:
    start = torch.rand(8, 2, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 0, 0, 0, 1, 1, 1, -1])
    data = EdgeSet(EdgeEnds(torch.arange(16).view(2, 8), 16), y=y, lines=Lines.between(start, start + 1))
    z = 5.0 * torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])[:, None] + torch.rand(8, 3)
    shown: dict[str, Any] = {}
    whole = plotting.edge_panels
    monkeypatch.setattr(plotting, "edge_panels", lambda *a, **k: shown.update(a[1]) or whole(*a, **k))
    model: Any = SimpleNamespace(embedding_=z, encoder_name_="gcn", seed_=3)
    path = tmp_path / "roads.png"
    assert draw_edges(path, "roads", model, data) == {"map of edges": path}
    assert path.stat().st_size > 1000
    first, second = shown.values()
    assert [*shown] == ["2 clusters of the embedding", "labels"]
    assert len({*first[:4]}) == len({*first[4:]}) == 1 < len({*first})
    assert second is y
    assert has_place(data)
    assert not has_place(EdgeSet(data.edges))
