"""Distillation: P of the teacher, Q of the student; against dense references, on digits, and what is refused."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier
from torch import nn
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.config import Config, load_preset
from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.estimator import distill
from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import log_kernel, similarities
from genurl_graph.graph.knn import knn_graph
from genurl_graph.losses.pairwise import gkl_dense
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.objectives.distillation import BatchSimilarities, Teacher

N = 40
CONFIG = {"neighbors.n_neighbors": 5, "similarity.perplexity": 5.0, "encoder.dim": 6, "sampling.batch_size": N}


@pytest.fixture
def table():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N, 7, generator=generator), torch.randn(N, 9, generator=generator)


def objective(x, t, **changes):
    config = load_preset("distill").override(CONFIG | changes)
    torch.manual_seed(1)
    encoder = make_encoder(Config(encoder=EncoderConfig("mlp", dim=6, hidden=8)), x.size(1))
    return BatchSimilarities(encoder, Features(x), None, Teacher(t), len(x), config)


def dense(t, config):
    edges, distance = knn_graph(t, 5, metric=config.neighbors.metric)
    edges, p = similarities(edges, distance, len(t), 5.0)
    return torch.zeros(len(t), len(t), dtype=torch.float64).index_put((edges[0], edges[1]), p.double())


def log_similarities(z, loss):
    z = nn.functional.normalize(z, dim=1) if loss.metric == "cosine" else z
    squares = (z[:, None] - z[None, :]).square().sum(2)
    return log_kernel((squares / 2 if loss.metric == "cosine" else squares) / loss.temperature, loss.nu)


@pytest.mark.parametrize("per", ["row", "global"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_whole_batch_is_the_dense_divergence_and_its_gradient(table, per, metric):
    x, t = table
    made = objective(x, t, **{"loss.per": per, "loss.metric": metric, "neighbors.metric": metric})
    z = torch.randn(N, 6, requires_grad=True)
    P = dense(t, made.config)
    found = made.compare(z, t).loss
    again = z.detach().double().requires_grad_()
    expected = gkl_dense(P, log_similarities(again, made.loss), per=per) / P.sum()
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        *(torch.autograd.grad(loss, part)[0].double() for loss, part in ((found, z), (expected, again))),
        rtol=1e-3,
        atol=1e-6,
    )


def test_cross_entropy_of_a_batch_counts_every_pair_once(table):
    x, t = table
    made = objective(x, t, **{"loss.name": "bce", "loss.gamma": 0.7})
    z = torch.randn(N, 6)
    P, log_q = dense(t, made.config), log_similarities(z.double(), made.loss)
    off = ~torch.eye(N, dtype=torch.bool)
    p, q = P[off], log_q.exp()[off]
    expected = torch.xlogy(p, p / q) + 0.7 * torch.xlogy(1 - p, (1 - p) / (1 - q))
    torch.testing.assert_close(made.compare(z, t).loss.double(), expected.sum() / P.sum(), rtol=1e-4, atol=1e-5)


def test_p_of_all_samples_is_that_of_the_teacher(table):
    x, t = table
    model = GenURL(6, config={"similarity.among": "samples", "neighbors.n_neighbors": 5, "encoder.hidden": 8}, epochs=1)
    model.fit(x, teacher=t)
    assert model.task_ == "distill"
    graph = model.graph_
    found = torch.zeros(N, N, dtype=torch.float64).index_put(tuple(graph.edge_index), graph.edge_weight.double())
    torch.testing.assert_close(found, dense(t, model.config_))


@pytest.fixture(scope="module")
def taught(digits):
    x, y = digits[0] / 16, digits[1]
    # A teacher that knows more than pixels: linear discriminants of labels that the student never sees.
    teacher = LinearDiscriminantAnalysis().fit(x[:1300], y[:1300])
    return x[:1300], y[:1300], x[1300:], y[1300:], teacher


def accuracy(z, y):
    return KNeighborsClassifier(10).fit(z[::2], y[::2]).score(z[1::2], y[1::2])


@pytest.mark.parametrize(
    ("student", "config"),
    [
        ("mlp", {}),
        ("mlp", {"similarity.among": "samples"}),
        ("cnn", {"encoder.hidden": 16}),
        ("linear", {}),
        ("mlp", {"loss.name": "bce"}),
    ],
)
def test_student_of_digits_beats_the_untrained_and_itself_after_saving(taught, student, config, tmp_path):
    x, y, new, truth, teacher = taught
    config = {"neighbors.n_neighbors": 15, "sampling.batch_size": 128} | config
    model = GenURL(8, task="distill", encoder=student, epochs=5, random_state=0, config=config)
    trained, untrained = model.fit(x, teacher=teacher).embedding_, model.untrained_embedding()
    assert accuracy(trained, y) > accuracy(untrained, y) + 0.02
    assert KNeighborsClassifier(10).fit(trained, y).score(model.transform(new), truth) > 0.85
    model.save(tmp_path / "m")
    np.testing.assert_allclose(GenURL.load(tmp_path / "m").transform(new), model.transform(new), atol=1e-5)


def test_networks_as_teacher_and_student(taught, tmp_path):
    x, _, new, *_ = taught
    images = x.reshape(-1, 1, 8, 8)
    student = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))
    before = student[0].weight.clone()
    seen = []
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(64, 12))
    teacher.register_forward_hook(lambda module, args, out: seen.append(args[0].shape))
    weights = [p.clone() for p in teacher.parameters()]
    model = distill(teacher, student, images, epochs=2, random_state=0)
    assert torch.equal(student[0].weight, before)
    assert not torch.equal(model.encoder_[0].weight, before)
    assert all(torch.equal(a, b) for a, b in zip(weights, teacher.parameters(), strict=True))
    assert seen[-1] == (512, 1, 8, 8)
    assert model.embedding_.shape == (1300, 5)
    new_images = new.reshape(-1, 1, 8, 8)
    model.save(tmp_path / "m")
    with pytest.raises(InputError, match="expected a module like the saved one"):
        GenURL.load(tmp_path / "m")
    loaded = GenURL.load(tmp_path / "m", encoder=student)
    np.testing.assert_allclose(loaded.transform(new_images), model.transform(new_images), atol=1e-5)
    np.testing.assert_allclose(model.encoder_(torch.from_numpy(images)).detach().numpy(), model.embedding_, atol=1e-5)


def graph():
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(60, 200, generator=generator) < 0.05).float()
    edge_index = torch.randint(60, (2, 200), generator=generator)
    return Data(x=x, edge_index=edge_index)


def test_graph_teacher_needs_no_edges_at_inference():
    data = graph()
    teacher = GenURL(
        8, encoder="gcn", epochs=2, random_state=0, config={"encoder.hidden": 16, "merge.evidence": "none"}
    ).fit(data)
    student = distill(teacher, "mlp", data, epochs=2, random_state=0, n_components=4)
    alone = student.transform(Data(x=data.x))
    torch.testing.assert_close(alone, student.embedding_)
    # One node at a time, as in production.
    torch.testing.assert_close(student.transform(Data(x=data.x[3:4])), alone[3:4])


@pytest.mark.parametrize("objective", ["gkl", "feature-l2"])
def test_graph_student(objective):
    data = graph()
    teacher = torch.randn(60, 5, generator=torch.Generator().manual_seed(1))
    model = distill(teacher, "gcn", data, objective=objective, epochs=2, random_state=0, n_components=4)
    torch.testing.assert_close(model.transform(data), model.embedding_)
    with pytest.raises(InputError, match="needs edges"):
        model.transform(Data(x=data.x))


def test_resumed_runs_are_of_the_same_teacher(table, tmp_path):
    x, t = table
    options = {"epochs": 2, "random_state": 0, "n_components": 4, "checkpoint": tmp_path / "c"}
    distill(t, "mlp", x, **options)
    with pytest.raises(InputError, match="another run: checksum"):
        distill(t + 1, "mlp", x, resume=True, **options)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (np.ones((N - 1, 3), np.float32), "teacher: found 39 rows for 40 samples"),
        (np.ones((N, 3), np.float32), "teacher: found 40 rows of features, all the same"),
        (np.full((N, 3), np.nan, np.float32), "teacher: x: found 120 NaN"),
        (np.ones((N, 3, 2)), r"teacher: x: found shape \[40, 3, 2\]"),
        ("no/such/file.npy", r"no/such/file\.npy: found no such file"),
        (nn.Linear(3, 2), "Linear: cannot read rows"),
        (nn.Sequential(nn.Linear(7, 2), nn.Threshold(1e9, 0.0)), "rows of features, all the same"),
    ],
)
def test_bad_teachers(table, teacher, message):
    with pytest.raises(InputError, match=message):
        distill(teacher, "mlp", table[0], epochs=1)


def test_bad_students(table):
    x, t = table
    for student, message in (
        ("free", "student: found 'free'; expected one that reads features"),
        ("gcn", "found no graph for student 'gcn'"),
        ("cnn", "7 columns, which are no square images"),
        ("mpl", "found 'mpl'; expected one of auto, gcn"),
        (nn.Linear(3, 2), "cannot read rows"),
    ):
        with pytest.raises(InputError, match=message):
            distill(t, student, x, epochs=1)
    with pytest.raises(InputError, match="n_components: found 3, but the student has 2"):
        distill(t, nn.Linear(7, 2), x, n_components=3)
    with pytest.raises(InputError, match="found no teacher"):
        GenURL(task="distill").fit(x)
    with pytest.raises(InputError, match="found one for the task reduce"):
        GenURL(task="reduce").fit(x, teacher=t)
    with pytest.raises(InputError, match="found a module for the task auto"):
        GenURL(encoder=nn.Linear(7, 2)).fit(x)
    with pytest.raises(InputError, match=r"neighbors\.n_neighbors: found 39; expected 1 to 9"):
        distill(t, "mlp", x, config={"sampling.batch_size": 10, "neighbors.n_neighbors": 39})


def test_a_fitted_transformer_is_a_teacher(table):
    x, _ = table
    pca = PCA(3).fit(x.numpy())
    by_model, by_features = (
        distill(t, "mlp", x.numpy(), epochs=1, random_state=0) for t in (pca, pca.transform(x.numpy()))
    )
    assert torch.equal(by_model.embedding_, by_features.embedding_)
