"""`GenURL`: inputs, parameters, repeatability, resuming, new samples; and that it learns something on real data."""

import os
import signal

import networkx
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch_geometric.data import Data
from torch_geometric.utils import stochastic_blockmodel_graph

from genurl_graph.config import Config
from genurl_graph.config.toml import to_toml
from genurl_graph.estimator import GenURL
from genurl_graph.exceptions import InputError

# Fixed: what random toy features tell is no matter of these tests (tests/tasks/test_evidence.py).
SMALL = {"encoder.hidden": 16, "sampling.n_negatives": 16, "merge.evidence": "none"}

# So many that both halves of them tell the same, which is soon measured.
COLUMNS = 24


def block_model(seed=0, size=20, blocks=3):
    """A small graph of blocks, with features that tell the blocks apart."""
    torch.manual_seed(seed)
    y = torch.arange(blocks).repeat_interleave(size)
    probabilities = torch.full((blocks, blocks), 0.03) + 0.25 * torch.eye(blocks)
    edge_index = stochastic_blockmodel_graph(torch.full((blocks,), size), probabilities)
    x = torch.randn(blocks, COLUMNS)[y] + 0.5 * torch.randn(len(y), COLUMNS)
    return Data(x=x, edge_index=edge_index, y=y)


@pytest.fixture(scope="module")
def graph():
    return block_model()


@pytest.fixture(scope="module")
def vectors(graph):
    return graph.x.numpy()


def small(config=None, **options):
    options = {"n_components": 4, "epochs": 4, "random_state": 0} | options
    return GenURL(**options, config=SMALL | (config or {}))


def test_graph_in_tensor_out(graph):
    before = graph.clone()
    model = small()
    z = model.fit_transform(graph)
    assert isinstance(z, torch.Tensor)
    assert z.dtype == torch.float32
    assert z.shape == (60, 4)
    assert torch.equal(z, model.embedding_)
    assert (model.task_, model.encoder_name_, model.device_, model.n_iter_) == ("graph", "gcn", "cpu", 4)
    assert (model.n_features_in_, model.seed_, len(model.loss_history_)) == (COLUMNS, 0, 4)
    assert model.seconds_.keys() == {"graph", "train"}
    assert model.knn_backend_ == "exact"
    summary = model.graph_summary_
    given = graph.edge_index.size(1) // 2
    assert summary["n_predefined"] + summary["n_both"] == given
    assert sum(summary[key] for key in ("n_predefined", "n_feature", "n_both")) == model.graph_.edge_weight.numel() // 2
    assert summary["n_components_after"] <= summary["n_components_before"]
    for key, value in before:
        assert torch.equal(value, graph[key])  # the caller's data is left alone


def test_graph_without_features_is_embedded():
    model = small(n_components=3)
    assert model.fit_transform(networkx.karate_club_graph()).shape == (34, 3)
    assert model.n_features_in_ == 0
    assert model.knn_backend_ is None
    with pytest.raises(InputError, match="structure=identity knows only the fitted nodes"):
        model.transform(networkx.les_miserables_graph())


def test_task_is_chosen_by_the_edges_and_can_be_forced(graph, vectors):
    assert small(task="reduce", encoder="mlp").fit(graph).task_ == "reduce"
    with pytest.raises(InputError, match="task graph: the input has no edges"):
        small(task="graph").fit(vectors)
    with pytest.raises(InputError, match="task: found 'image'; expected one of auto, graph"):
        small(task="image").fit(vectors)
    with pytest.raises(InputError, match="found 'gcn'; expected one of free, mlp"):
        small(encoder="gcn").fit(vectors)


def test_seed_repeats_a_run_exactly_and_leaves_the_callers_state(graph):
    state, np_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - the state others use
    first = small().fit(graph)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
    torch.manual_seed(123)
    second = small(random_state=np.int64(0)).fit(graph)
    assert first.loss_history_ == second.loss_history_
    assert torch.equal(first.embedding_, second.embedding_)
    assert not torch.equal(first.embedding_, small(random_state=1).fit(graph).embedding_)
    drawn = small(random_state=None).fit(graph)
    assert torch.equal(drawn.embedding_, small(random_state=drawn.seed_).fit(graph).embedding_)


def test_interrupted_fit_resumes_bit_for_bit(graph, tmp_path):
    whole = small(epochs=8, random_state=None).fit(graph)

    def interrupt(epoch, loss):
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGINT)

    options = {"epochs": 8, "checkpoint": tmp_path / "run.ckpt"}
    model = small(random_state=whole.seed_, **options)
    with pytest.raises(KeyboardInterrupt):
        model.fit(graph, callbacks=[interrupt])
    assert not hasattr(model, "embedding_")
    # Without a seed, a resumed run goes on with the one that its checkpoint holds.
    resumed = small(random_state=None, resume=True, **options).fit(graph)
    assert resumed.seed_ == whole.seed_
    assert resumed.loss_history_ == whole.loss_history_
    assert torch.equal(resumed.embedding_, whole.embedding_)
    assert torch.equal(resumed.untrained_embedding(), whole.untrained_embedding())
    other = block_model(seed=5)
    other.edge_index = graph.edge_index
    with pytest.raises(InputError, match="another run: checksum"):
        small(random_state=None, resume=True, **options).fit(other)
    with pytest.raises(InputError, match=r"another run: config\.encoder\.dim is 4 there and 5 here"):
        small(n_components=5, random_state=None, resume=True, **options).fit(graph)


def test_configuration_by_mapping_and_by_file(vectors, tmp_path):
    model = GenURL(epochs=2, config={"loss.gamma": 0.5, "training.epochs": 9}, random_state=0).fit(vectors)
    assert model.config_.loss.gamma == 0.5
    assert model.config_.training.epochs == 2  # the argument has the last word
    assert isinstance(model.config_, Config)
    (tmp_path / "run.toml").write_text(to_toml(model.config_))
    again = GenURL(config=tmp_path / "run.toml", random_state=0).fit(vectors)
    assert again.config_ == model.config_
    assert torch.equal(again.embedding_, model.embedding_)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"config": {"loss.gama": 1}}, "config: found 'loss.gama'; expected .*did you mean 'loss.gamma'"),
        ({"config": {"loss.gamma": "much"}}, "loss.gamma: found 'much'"),
        ({"config": "no/such/file.toml"}, "config file no/such/file.toml"),
        ({"config": 3}, "config: found int"),
        ({"encoder": "gnn"}, "encoder: found 'gnn'; expected one of auto, gcn"),
        ({"n_components": 0}, "dim: found 0"),
        ({"epochs": 0}, "epochs: found 0"),
        *(({"random_state": value}, "random_state") for value in (-1, 2**32, 1.5, True, "0")),
    ],
)
def test_bad_arguments(graph, arguments, message):
    with pytest.raises(InputError, match=message):
        GenURL(**arguments).fit(graph)


def test_too_many_neighbours_are_an_error_only_if_asked_for(vectors):
    few = vectors[:9]
    model = GenURL(epochs=2, random_state=0).fit(few)
    assert model.config_.neighbors.n_neighbors == 8
    for options in ({"n_neighbors": 9}, {"config": {"neighbors.n_neighbors": 9}}):
        with pytest.raises(InputError, match="n_neighbors"):
            GenURL(epochs=2, **options).fit(few)
    assert GenURL(n_neighbors=8, epochs=2).fit(few).n_iter_ == 2


@pytest.mark.parametrize("encoder", ["gcn", "sage", "gat", "gin", "mlp"])
def test_transform_of_the_fitted_graph_is_its_embedding_also_after_loading(graph, encoder, tmp_path):
    model = small(encoder=encoder, config={"encoder.norm": "batch", "encoder.dropout": 0.2}).fit(graph)
    assert torch.equal(model.transform(graph), model.embedding_)
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    assert torch.equal(loaded.transform(graph), model.embedding_)
    assert torch.equal(loaded.embedding_, model.embedding_)
    new = block_model(seed=1, size=7)
    assert torch.equal(loaded.transform(new), model.transform(new))
    assert model.transform(new).shape == (21, 4)


@pytest.mark.parametrize("feature_weight", [0.0, 1.0])
def test_transform_propagates_over_knn_edges_as_fit_does(graph, feature_weight):
    # Weights as given: beside edges as reliable as these, adaptive ones leave kNN edges out.
    config = {"merge.weighting": "given", "merge.feature_weight": feature_weight}
    model = small(config | {"merge.propagation_weight": 0.5}).fit(graph)
    assert torch.equal(model.transform(graph), model.embedding_)
    without = small(config | {"merge.propagation_weight": 0.0}).fit(graph)
    assert not torch.equal(model.embedding_, without.embedding_)


def test_transform_refuses_what_does_not_fit(graph, vectors):
    with pytest.raises(NotFittedError):
        GenURL().transform(vectors)
    with pytest.raises(InputError, match="finds new samples their neighbours"):
        GenURL(encoder="free", epochs=2).fit(graph).transform(graph)
    model = small().fit(graph)
    with pytest.raises(InputError, match="found 5 features; the model was fitted on 24"):
        model.transform(Data(x=graph.x[:, :5], edge_index=graph.edge_index))
    with pytest.raises(InputError, match="'gcn' needs edges"):
        model.transform(graph.x)


def test_untrained_embedding_is_the_start_and_changes_nothing(graph):
    model = small().fit(graph)
    trained, start = model.embedding_.clone(), model.untrained_embedding()
    assert start.shape == trained.shape
    assert not torch.allclose(start, trained)
    assert torch.equal(start, small(epochs=1).fit(graph).untrained_embedding())
    assert torch.equal(model.transform(graph), trained)
    # It depends on the graph, not on the order of its nodes.
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    permuted = Data(x=graph.x[order], edge_index=order.argsort()[graph.edge_index])
    torch.testing.assert_close(small().fit(permuted).untrained_embedding(), start[order], rtol=1e-4, atol=1e-5)


@pytest.mark.data
def test_cora_probe_is_far_above_the_untrained_encoder(data_root):
    from genurl_graph import datasets
    from genurl_graph.evaluation.protocols import probe_embedding

    data = datasets.load("cora", data_root)
    model = GenURL(epochs=20, random_state=0).fit(data)
    own = model.model_.encoder.width  # what stands beside these columns is not trained
    trained, untrained = model.embedding_, model.untrained_embedding()
    scores = [probe_embedding(z, data)["test"] for z in (trained, untrained, trained[:, :own], untrained[:, :own])]
    assert scores[0] >= 0.81
    assert scores[0] >= scores[1] + 0.03
    assert scores[2] >= scores[3] + 0.045


@pytest.mark.parametrize("n", [2, 5])
def test_a_new_graph_may_be_smaller_than_a_neighbourhood(graph, n):
    """kNN edges are searched anew in the graph that is transformed, among fewer nodes than in `fit`."""
    model = small(epochs=1).fit(graph)
    assert model.config_.neighbors.n_neighbors > n
    z = model.transform(Data(x=graph.x[:n], edge_index=torch.tensor([[0], [1]])))
    assert z.shape == (n, 4)
    assert torch.isfinite(z).all()


def test_resolve_is_what_fit_runs_with(graph):
    model = small()
    resolved = model.resolve(graph)
    assert resolved == model.fit(graph).config_


def test_arguments_by_the_names_that_users_know(vectors):
    model = GenURL(exaggeration=2.5, init="random", n_epochs=2, random_state=0).fit(vectors)
    config = model.config_
    assert (config.loss.exaggeration, config.encoder.init, config.training.epochs) == (2.5, "random", 2)
    same = GenURL(init="auto", epochs=2, random_state=0).fit(vectors)
    assert same.config_ == GenURL(epochs=2, random_state=0).fit(vectors).config_
    with pytest.raises(InputError, match=r"epochs: found 3, and n_epochs 3; expected one of them"):
        GenURL(epochs=3, n_epochs=3).fit(vectors)
    with pytest.raises(InputError, match=r"loss.exaggeration: found -1"):
        GenURL(exaggeration=-1).fit(vectors)


def test_given_start_repeats_resumes_and_is_saved(vectors, tmp_path):
    given = np.random.default_rng(0).normal(size=(len(vectors), 2))
    options = {"epochs": 6, "random_state": 0, "init": given}
    whole = GenURL(**options).fit(vectors)
    assert torch.equal(whole.embedding_, clone(GenURL(**options)).fit(vectors).embedding_)
    assert not torch.equal(whole.embedding_, GenURL(**options | {"init": given[::-1]}).fit(vectors).embedding_)

    def interrupt(epoch, loss):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    kept = options | {"checkpoint": tmp_path / "run.ckpt"}
    with pytest.raises(KeyboardInterrupt):
        GenURL(**kept).fit(vectors, callbacks=[interrupt])
    with pytest.raises(InputError, match="another run: checksum"):
        GenURL(**kept | {"init": given + 1e-3}, resume=True).fit(vectors)
    assert torch.equal(GenURL(**kept, resume=True).fit(vectors).embedding_, whole.embedding_)
    whole.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    assert loaded.config_ == whole.config_
    np.testing.assert_array_equal(loaded.transform(vectors[:5]), whole.transform(vectors[:5]))


def test_given_start_of_a_graph(graph):
    given = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    first = small(encoder="free", init=given).fit(graph)
    assert first.config_.encoder.init == "given"
    start = first.untrained_embedding()
    assert torch.nn.functional.cosine_similarity(start, given - given.mean(0)).min() > 0.95
    with pytest.raises(InputError, match="coordinates for the encoder gcn"):
        small(init=given).fit(graph)
