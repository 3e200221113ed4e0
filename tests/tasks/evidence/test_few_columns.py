"""Few columns beside one-hot ones: cosines of them, and averages over the edges as given, keep what a probe needs."""

import numpy as np
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.evaluation.protocols import probe_embedding

N, GROUPS = 600, 4


def graph() -> Data:
    """Edges join each group with the next alone; three columns tell the groups apart."""
    r = np.random.default_rng(0)
    y = np.arange(N) % GROUPS
    ends = r.integers(N, size=(2, 40 * N))
    ends = ends[:, (y[ends[0]] + 1) % GROUPS == y[ends[1]]][:, : 2 * N]
    x = 1.2 * r.normal(size=(GROUPS, 3))[y] + r.normal(size=(N, 3))
    edges = torch.from_numpy(np.unique(np.concatenate([ends, ends[::-1]], 1), axis=1))
    return Data(torch.from_numpy(x).float(), edges, y=torch.from_numpy(y), num_nodes=N)


def accuracy(z: torch.Tensor, data: Data) -> float:
    return float(probe_embedding(z, data, "random-10-10-80", seed=0, n_repeats=3)["test"])


def test_edges_between_unlike_nodes_take_nothing_from_few_columns(tmp_path) -> None:
    data = graph()
    model = GenURL(epochs=5, random_state=0, config={"encoder.hidden": 32, "encoder.dim": 128}).fit(data)
    assert model.config_.encoder.beside == "always"
    assert model.config_.encoder.skip > data.num_features
    reached = accuracy(model.embedding_, data)
    assert reached > accuracy(data.x, data) + 0.03
    torch.testing.assert_close(model.transform(data), model.embedding_, rtol=1e-3, atol=1e-4)
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    torch.testing.assert_close(loaded.transform(data), model.embedding_, rtol=1e-3, atol=1e-4)


def test_the_skip_follows_the_nodes() -> None:
    data = graph()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    moved = Data(data.x[order], order.argsort()[data.edge_index], num_nodes=N)
    settings = {"encoder.hidden": 16, "encoder.dim": 96, "neighbors.backend": "exact"}
    one, other = (GenURL(epochs=1, random_state=0, config=settings).fit(given) for given in (data, moved))
    width = one.config_.encoder.skip * 3
    z, w = one.embedding_[order][:, -width:], other.embedding_[:, -width:]
    torch.testing.assert_close(torch.cdist(z, z), torch.cdist(w, w), rtol=1e-2, atol=1e-2)
