"""Graphs in mini-batches: propagation once, an MLP on its results, chosen where a graph is too large for more."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError
from genurl_graph.tasks import encoder_input, resolve, size

N = 300
FAST = {"encoder.hidden": 64, "sampling.batch_size": 64}


@pytest.fixture(scope="module")
def planted():
    return planted_graph(N, 2400, 16, 5, homophily=0.8, noise=0.1, seed=1)


@pytest.fixture(scope="module")
def model(planted):
    return GenURL(n_components=16, encoder="sign", epochs=3, random_state=0, config=FAST).fit(planted)


def test_a_saved_model_repeats_the_embedding(model, planted, tmp_path):
    model.save(tmp_path / "model")
    torch.testing.assert_close(GenURL.load(tmp_path / "model").transform(planted), model.embedding_, rtol=0, atol=1e-5)


def test_features_in_a_file_change_nothing(model, planted):
    again = GenURL(n_components=16, encoder="sign", epochs=3, random_state=0, config=FAST | {"encoder.memory_mb": 0})
    assert torch.equal(again.fit(planted).embedding_, model.embedding_)


def test_large_graphs_without_features_have_nothing_to_average(monkeypatch, planted):
    monkeypatch.setattr(size, "FULL_BATCH_NODES", N - 1)
    assert GenURL().resolve(planted).encoder.name == "sign"
    bare = Data(edge_index=planted.edge_index, num_nodes=N)
    assert GenURL().resolve(bare).encoder.name == "gcn"


def test_sparse_columns_beyond_number_are_brought_to_components(planted, monkeypatch):
    for module in (resolve, encoder_input):
        monkeypatch.setattr(module, "COMPONENTS", 64)
    generator = np.random.default_rng(0)
    words = sp.random(N, 100, 0.1, format="csr", dtype=np.float32, random_state=generator)
    x = torch.from_numpy(words.toarray()).to_sparse_csr()
    data = Data(x=x, edge_index=planted.edge_index)
    fitted = GenURL(n_components=4, encoder="sign", epochs=1, random_state=0, config=FAST).fit(data)
    assert fitted.config_.encoder.normalize == "pca"
    torch.testing.assert_close(fitted.transform(data), fitted.embedding_, rtol=0, atol=1e-4)


def test_bad_requests(model, planted):
    with pytest.raises(InputError, match="encoder 'sign' needs edges"):
        model.transform(planted.x)
    bare = Data(edge_index=planted.edge_index, num_nodes=N)
    with pytest.raises(InputError, match=r"encoder sign: found nodes without features"):
        GenURL(encoder="sign", config={"encoder.structure": "identity"}).fit(bare)
    with pytest.raises(InputError, match="hops: found -1"):
        GenURL(encoder="sign", config={"encoder.hops": -1}).fit(planted)
