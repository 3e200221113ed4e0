"""2-d maps by an MLP that chooses among the prototypes of an embedding table."""

from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph import GenURL
from genurl_graph.config import load_preset
from genurl_graph.config.parameters import EncoderConfig, SamplingConfig
from genurl_graph.exceptions import InputError
from genurl_graph.nn.features import Features
from genurl_graph.nn.prototypes import ANCHORS, REACH, PrototypeMLP
from genurl_graph.objectives.prototypes import PrototypeObjective, find_prototypes
from genurl_graph.tasks.resolve import resolve_prototypes
from tests.resumed import assert_resumes

SMALL = {"encoder.hidden": 128}
ENCODER = EncoderConfig(name="mlp", anchors=7, hidden=16, layers=2)


@pytest.fixture
def problem():
    torch.manual_seed(0)
    table = torch.randn(60, 2)
    encoder = PrototypeMLP(ENCODER, 5)
    return PrototypeObjective(encoder, Features(torch.randn(60, 5)), table, SamplingConfig(batch_size=60), seed=3)


def test_loss_is_the_divergence_between_two_choices_of_prototypes(problem):
    # All samples are one batch, in whatever order: a sum over them.
    found = problem(0.0)
    anchors, spacing = problem.encoder.anchors.double(), problem.encoder.spacing.double()
    p = torch.exp(-0.5 * (torch.cdist(problem.table.double(), anchors) / spacing) ** 2)
    p /= p.sum(1, keepdim=True)
    log_q = problem.encoder.scores(problem.features).double().log_softmax(1)
    torch.testing.assert_close(found.loss.double(), F.kl_div(log_q, p, reduction="batchmean"), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.loss, found.attraction + found.repulsion)


def test_spacing_is_the_median_distance_to_the_next_prototype():
    encoder = PrototypeMLP(EncoderConfig(name="mlp", anchors=4, dim=1, hidden=4, layers=1), 2)
    encoder.place(torch.tensor([[0.0], [1.0], [3.0], [3.0]]))  # duplicates say nothing about it
    assert encoder.spacing == 1
    encoder.place(torch.zeros(4, 1))
    assert encoder.spacing == 1  # nothing to go by, yet a number to divide by


def test_a_sample_stands_among_the_prototypes_around_its_likeliest(problem, monkeypatch):
    encoder = problem.encoder
    scores = 3 * torch.randn(60, 7)
    monkeypatch.setattr(encoder, "scores", lambda features, keep=None: scores[: features.num_nodes])
    found = encoder(Features(torch.zeros(60, 5)))
    best = encoder.anchors[scores.argmax(1)]
    for row in range(60):
        near = (encoder.anchors - best[row]).norm(dim=1) <= REACH * encoder.spacing
        weight = scores[row, near].softmax(0)
        torch.testing.assert_close(found[row], weight @ encoder.anchors[near])
    # A network that is sure names one prototype.
    scores.copy_(F.one_hot(torch.arange(60) % 7, 7) * 100.0)
    torch.testing.assert_close(encoder(Features(torch.zeros(60, 5))), encoder.anchors[torch.arange(60) % 7])


def test_prototypes_are_the_table_itself_or_centres_of_it():
    table = torch.randn(200, 2, generator=torch.Generator().manual_seed(1))
    assert torch.equal(find_prototypes(table, 200, 0), table)
    some = find_prototypes(table, 20, 0)
    assert some.shape == (20, 2)
    assert torch.equal(some, find_prototypes(table, 20, 0))
    assert (some.min(0).values >= table.min(0).values).all()
    assert (some.max(0).values <= table.max(0).values).all()
    # They stand for all of it better than samples of it do.
    assert torch.cdist(table, some).amin(1).mean() < 0.9 * torch.cdist(table, table[:20]).amin(1).mean()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ANCHORS),
        ({"encoder.anchors": 50}, 50),
        ({"encoder.anchors": 0}, 0),
        ({"loss.name": "barlow"}, 0),
        ({"encoder.dim": 8}, 0),
        ({"encoder.name": "linear"}, 0),
        ({"views.self_weight": 1.0}, 0),
    ],
)
def test_prototypes_where_a_table_can_be_had(changes, expected):
    config = load_preset("reduce", "mlp", "mlp-anchors").override(changes)
    assert resolve_prototypes(config, 10_000) == expected
    assert resolve_prototypes(config, 30) == min(expected, 30)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder.anchors": -1}, "encoder.anchors: found -1; expected 'auto' or a whole number >= 0"),
        ({"encoder.anchors": 9, "loss.name": "barlow"}, "encoder.anchors: found 9 with loss barlow; expected 0"),
        ({"encoder.anchors": 9, "encoder.dim": 3}, "encoder.anchors: found 9 with encoder.dim 3; expected 0"),
    ],
)
def test_prototypes_that_cannot_be_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        resolve_prototypes(load_preset("reduce", "mlp", "mlp-anchors").override(changes), 100)


@pytest.fixture(scope="module")
def halves():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x[::2].astype("float32"), y[::2], x[1::2].astype("float32"), y[1::2]


@pytest.fixture(scope="module")
def model(halves):
    return GenURL(encoder="mlp", epochs=10, random_state=0, config=SMALL).fit(halves[0])


@pytest.fixture(scope="module")
def table(halves):
    return GenURL(encoder="free", random_state=0).fit(halves[0])


def test_it_learns_from_the_map_that_the_table_is(model, table, halves):
    assert torch.equal(model.model_.objective.table, table.embedding_)
    assert model.config_.encoder.anchors == len(halves[0])


def test_new_digits_are_placed_nearly_as_well_as_by_the_table(model, table, halves):
    x, y, new, truth = halves

    def accuracy(fitted):
        return KNeighborsClassifier(10).fit(fitted.embedding_.numpy(), y).score(fitted.transform(new), truth)

    untrained = KNeighborsClassifier(10).fit(model.untrained_embedding().numpy(), y)
    assert accuracy(model) > accuracy(table) - 0.03
    assert accuracy(model) > untrained.score(model.untrained_embedding().numpy(), y) + 0.3
    # A network whose output is the map itself, the same otherwise, is what this is better than.
    assert accuracy(model) > accuracy(
        GenURL(encoder="mlp", epochs=10, random_state=0, config=SMALL | {"encoder.anchors": 0}).fit(x)
    )


def test_the_fitted_samples_are_placed_by_the_network_too(model, halves, tmp_path):
    torch.testing.assert_close(torch.from_numpy(model.transform(halves[0])), model.embedding_, rtol=0, atol=1e-3)
    model.save(tmp_path / "model")
    again = GenURL.load(tmp_path / "model").transform(halves[2])
    np.testing.assert_array_equal(again, model.transform(halves[2]))


@pytest.mark.usefixtures("short_table")
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, halves):
    model = partial(GenURL, encoder="mlp", epochs=4, random_state=0, config=SMALL)
    assert_resumes(model, halves[0], tmp_path / "state")


@pytest.mark.parametrize(
    "changes", [{"views.self_weight": 1.0}, {"loss.name": "barlow"}, {"encoder.anchors": 0}, {"encoder.anchors": "0"}]
)
def test_without_a_table_the_settings_are_those_of_an_mlp(changes):
    found = GenURL(encoder="mlp", config=changes).resolve(torch.rand(40, 6))
    alone = load_preset("reduce", "mlp")
    assert found.encoder.anchors == 0
    assert (found.encoder.hidden, found.encoder.dropout) == (alone.encoder.hidden, alone.encoder.dropout)
    assert (found.sampling.batch_size, found.training.epochs) == (alone.sampling.batch_size, alone.training.epochs)
