"""A small trajectory on a map: three windows, the second without events, and a node that crosses the map."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from matplotlib import pyplot as plt

from genurl_graph.inputs.temporal.trajectory import Trajectory


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without a display, pyplot knows of no figure."""
    plt.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    before = plt.get_fignums()  # of the tests before this one
    yield
    assert plt.get_fignums() == before


def planted(windows: int = 6, nodes: int = 20) -> Trajectory:
    """Nodes stay near (node, 0), but node 3 crosses to (3, 30) halfway, and node 7 is in window 0 only."""
    window, node = (
        part.flatten() for part in torch.meshgrid(torch.arange(windows), torch.arange(nodes), indexing="ij")
    )
    kept = (node != 7) | (window == 0)
    window, node = window[kept], node[kept]
    jitter = 0.1 * torch.randn(len(node), 2, generator=torch.Generator().manual_seed(0))
    z = torch.stack([node.float(), 30.0 * ((node == 3) & (window >= windows // 2))], dim=1) + jitter
    starts = 86400.0 * torch.arange(windows + 1).double()
    return Trajectory(node, window, z, torch.ones(len(node)), starts, nodes)


@pytest.fixture
def trajectory() -> Trajectory:
    return planted()
