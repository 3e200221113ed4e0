"""Frozen probes: the minimiser that scikit-learn finds, choices by validation nodes alone, bad input."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.evaluation import minibatch_probe as module
from genurl_graph.evaluation.minibatch_probe import PENALTIES, FrozenRows, LinearPath, linear_classifier, mlp_classifier
from genurl_graph.evaluation.splits import Split

Array = np.ndarray


def accuracy(labels: Array, predicted: Array) -> float:
    return float(np.mean(labels == predicted))


def blobs(n: int = 600, classes: int = 3, d: int = 5, seed: int = 0) -> tuple[Array, Array, Split]:
    """Overlapping classes on columns of unlike scale."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    z = rng.normal(size=(classes, d))[y] + rng.normal(size=(n, d))
    z = (z * 10.0 ** np.arange(-2, d - 2) + 3).astype(np.float32)
    order = rng.permutation(n)
    return z, y, Split(order[: n // 2], order[n // 2 : 3 * n // 4], order[3 * n // 4 :])


def test_linear_path_reaches_the_minimiser_of_each_penalty() -> None:
    z, y, split = blobs()
    classes = 3
    model = LinearPath(z.shape[1], classes)
    FrozenRows(z, y, split, "cpu").fit(model, TrainingConfig(epochs=200, lr=0.1, schedule="cosine"))
    x = ((z - z.mean(0, dtype=np.float64)) / z.std(0, dtype=np.float64))[split.train]
    found = model.weight.detach().view(z.shape[1], len(PENALTIES), classes)
    # What all classes have in common changes no prediction; the minimiser has none of it.
    found = (found - found.mean(2, keepdim=True)).numpy()
    for k, penalty in enumerate(PENALTIES[:4]):
        reference = LogisticRegression(C=1 / (penalty * len(x)), max_iter=2000, tol=1e-8).fit(x, y[split.train])
        np.testing.assert_allclose(found[:, k], reference.coef_.T, rtol=0.02, atol=0.02)


def test_linear_scores_as_scikit_learn_with_the_penalty_it_chose() -> None:
    z, y, split = blobs()
    found = linear_classifier(z, y, split, accuracy)
    x = (z - z.mean(0, dtype=np.float64)) / z.std(0, dtype=np.float64)
    reference = LogisticRegression(C=1 / (max(found.chosen, 1e-9) * len(split.train)), max_iter=2000)
    reference.fit(x[split.train], y[split.train])
    assert found.chosen in PENALTIES
    assert found.test == pytest.approx(reference.score(x[split.test], y[split.test]), abs=0.02)
    assert found.parameters == (5 + 1) * 3


def test_mlp_learns_what_no_linear_map_can() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(900, 2)).astype(np.float32)
    y = (z[:, 0] * z[:, 1] > 0).astype(int)
    order = rng.permutation(900)
    split = Split(order[:500], order[500:700], order[700:])
    found = mlp_classifier(z, y, split, accuracy)
    assert found.test > 0.9
    assert linear_classifier(z, y, split, accuracy, epochs=20).test < 0.7
    hidden = module.HIDDEN
    linear_maps = (2 + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * 2
    assert found.parameters == linear_maps + 2 * (2 * hidden + 1)  # batch normalisation and the slope, twice


@pytest.mark.parametrize("classifier", [linear_classifier, mlp_classifier])
def test_test_labels_decide_nothing(classifier: Callable) -> None:
    z, y, split = blobs()
    calls: list[Array] = []

    def metric(labels: Array, predicted: Array) -> float:
        calls.append(labels)
        return accuracy(labels, predicted)

    honest = classifier(z, y, split, metric, epochs=4)
    assert sum(np.array_equal(labels, y[split.test]) for labels in calls) == 1
    assert np.array_equal(calls[-1], y[split.test])
    other = y.copy()
    other[split.test] = (other[split.test] + 1) % 3
    wrong = classifier(z, other, split, accuracy, epochs=4)
    assert (wrong.val, wrong.chosen) == (honest.val, honest.chosen)
    assert wrong.test < honest.test


def test_mlp_is_that_of_the_epoch_validation_nodes_liked_first() -> None:
    z, y, split = blobs()
    scripted, seen = iter([0.1, 0.9, 0.2, 0.9, 0.3]), []

    def metric(labels: Array, predicted: Array) -> float:
        seen.append(predicted)
        return next(scripted)

    found = mlp_classifier(z, y, split, metric, epochs=4, seed=3)
    assert (found.val, found.chosen, found.test) == (0.9, 2, 0.3)
    # Weights as after two epochs: what a training of two epochs, whose second is best, predicts.
    scripted = iter([0.1, 0.9, 0.3])
    mlp_classifier(z, y, split, metric, epochs=2, seed=3)
    assert np.array_equal(seen[4], seen[-1])


def test_strongest_penalty_among_equals() -> None:
    z, y, split = blobs()
    assert linear_classifier(z, y, split, lambda labels, predicted: 0.5, epochs=1).chosen == PENALTIES[0]


@pytest.mark.parametrize("classifier", [linear_classifier, mlp_classifier])
def test_same_seed_same_result_whatever_the_chunks_and_the_scale(
    classifier: Callable, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    z, y, split = blobs()
    state = torch.get_rng_state()
    first = classifier(z, y, split, accuracy, epochs=3, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert classifier(torch.from_numpy(z), torch.from_numpy(y), split, accuracy, epochs=3, seed=1) == first
    monkeypatch.setattr(module, "CHUNK", 17)
    chunked = classifier(z * 1024, y, split, accuracy, epochs=3, seed=1)
    assert (chunked.val, chunked.test) == pytest.approx((first.val, first.test), abs=0.02)


def test_a_constant_column_changes_nothing() -> None:
    z, y, split = blobs()
    wider = np.concatenate([z, np.full((len(z), 1), 7.0, dtype=np.float32)], 1)
    assert (
        linear_classifier(wider, y, split, accuracy, epochs=5)[:2]
        == linear_classifier(z, y, split, accuracy, epochs=5)[:2]
    )


def test_every_training_row_is_seen_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 64)
    rows, label = torch.arange(100.0)[:, None], torch.zeros(100, dtype=torch.long)
    seen: list[torch.Tensor] = []

    class Spy(LinearPath):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            seen.append(rows[:, 0])
            return super().forward(rows)

    objective = module.Classification(Spy(1, 2), rows, label)
    assert objective.steps == 2
    for _ in range(2 * objective.steps):
        objective()
    assert [len(part) for part in seen] == [50] * 4
    for epoch in (seen[:2], seen[2:]):
        assert torch.equal(torch.cat(epoch).sort().values, rows[:, 0])
    assert not torch.equal(seen[0], seen[2])
