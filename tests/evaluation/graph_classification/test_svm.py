"""Support vector machines choose their penalty inside the training folds, as scikit-learn's grid search would."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.svm import SVC, LinearSVC

from genurl_graph.evaluation.graph_classification import svm
from genurl_graph.evaluation.graph_classification.few_labels import few_labels
from genurl_graph.evaluation.graph_classification.folds import FOLDS, inner_pairs, stratified_folds, too_few_graphs
from genurl_graph.evaluation.graph_classification.rows import Row
from genurl_graph.evaluation.graph_classification.svm import KERNELS, TOLERANCE, Kernel, nested_svm
from genurl_graph.exceptions import InputError
from tests.evaluation.blobs import blobs


@pytest.fixture(scope="module")
def hard() -> tuple[Row, np.ndarray]:
    """Classes that overlap, of unequal size."""
    z, y = blobs(90, 3, dim=4, noise=3.0)
    return Row.of(z, y), np.where(np.arange(90) < 45, y, y // 2)


@pytest.mark.filterwarnings("ignore:Liblinear")
@pytest.mark.parametrize("kernel", KERNELS)
def test_all_inner_folds_are_a_grid_search_inside_the_training_folds(
    hard: tuple[Row, np.ndarray], kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    strengths = (0.01, 0.1, 1.0)
    monkeypatch.setattr(svm, "STRENGTHS", strengths)
    row, y = hard
    assert row.features is not None
    fold = stratified_folds(y, 1)
    given = row.rbf() if kernel == "rbf" else row.features
    model = SVC(kernel="precomputed") if kernel == "rbf" else LinearSVC(dual=False, tol=TOLERANCE)
    found = []
    for test in range(FOLDS):
        train, held = np.flatnonzero(fold != test), np.flatnonzero(fold == test)
        columns = train if kernel == "rbf" else np.arange(given.shape[1])
        # Means of the same numbers in another order differ by rounding.
        search = GridSearchCV(
            model,
            {"C": strengths},
            cv=PredefinedSplit(fold[train]),
            refit=lambda found: int(np.round(found["mean_test_score"], 9).argmax()),
        )
        search.fit(given[np.ix_(train, columns)], y[train])
        found.append(search.score(given[np.ix_(held, columns)], y[held]))
    assert nested_svm(row, y, fold, FOLDS - 1, kernel) == pytest.approx(np.mean(found), abs=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_labels_that_mean_nothing_cannot_be_predicted(kernel: Kernel) -> None:
    rng = np.random.default_rng(0)
    row, y = Row.of(rng.normal(size=(200, 20)), np.zeros(200)), np.arange(200) % 2
    assert 0.3 < nested_svm(row, y, stratified_folds(y, 0), 2, kernel) < 0.62
    if kernel == "rbf":  # few labels have no kernel
        assert 0.4 < few_labels(row, y, 0, repeats=4) < 0.6


@pytest.mark.parametrize("kernel", KERNELS)
def test_classes_that_are_apart_are_found(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svm, "STRENGTHS", (0.1, 10.0))
    z, y = blobs(120, 3, noise=0.2)
    row = Row.of(z, y)
    assert nested_svm(row, y, stratified_folds(y, 0), 2, kernel) == 1
    same = Row.of_kernel(row.rbf())
    assert nested_svm(same, y, stratified_folds(y, 0), 2, kernel) == 1
    if kernel == "rbf":
        assert few_labels(row, y, 0, repeats=2) > 0.95
        assert few_labels(same, y, 0, repeats=2) > 0.95


def test_the_kernel_is_that_of_scikit_learn(hard: tuple[Row, np.ndarray]) -> None:
    row, _ = hard
    assert row.features is not None
    constant = Row.of(np.concatenate([row.features, np.ones((90, 2))], 1), np.zeros(90))
    expected = rbf_kernel(row.features, gamma=1 / 4)
    assert np.allclose(row.rbf(), expected)
    assert np.allclose(constant.rbf(), expected)


def test_components_of_a_kernel_have_its_distances(hard: tuple[Row, np.ndarray]) -> None:
    row, _ = hard
    found = Row.of_kernel(row.rbf()).components()
    distances = ((found[:, None] - found[None, :]) ** 2).sum(-1)
    assert np.corrcoef(distances.ravel(), -row.rbf().ravel())[0, 1] > 0.9999
    assert np.square(found).sum(1).mean() == pytest.approx(found.shape[1])


@pytest.mark.parametrize("inner", [2, 4, FOLDS - 1])
def test_each_fold_is_chosen_for_by_as_many_others(inner: int) -> None:
    pairs = inner_pairs(inner)
    assert all(i != j for i, j in pairs)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert np.bincount(np.array(pairs).ravel()).tolist() == [inner] * FOLDS


def test_folds_are_stratified_and_those_of_the_seed() -> None:
    y = np.repeat([0, 1, 2], [70, 40, 3])
    fold = stratified_folds(y, 0)
    assert np.bincount(fold[y == 0]).tolist() == [7] * FOLDS
    assert np.bincount(fold[y == 1]).tolist() == [4] * FOLDS
    assert (fold == stratified_folds(y, 0)).all()
    assert (fold != stratified_folds(y, 1)).any()


def test_labels_that_are_too_few_are_told() -> None:
    assert too_few_graphs(np.repeat([0, 1], [30, 10])) is None
    assert too_few_graphs(np.repeat([0, 1, -1], [30, 9, 50])) == (
        "no classification of graphs: 9 graphs of the second largest class; it takes 10"
    )
    assert too_few_graphs(np.zeros(50)) == "no classification of graphs: 1 classes; it takes 2"


def test_rows_and_labels_must_match() -> None:
    with pytest.raises(InputError, match="embedding"):
        Row.of(np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(InputError, match=r"kernel: found shape \(3, 2\); expected \[G, G\]"):
        Row.of_kernel(np.zeros((3, 2)))


def test_equal_graphs_are_judged_in_the_space_that_they_span() -> None:
    draw = np.random.default_rng(0)
    z = draw.normal(size=(30, 100))[draw.integers(0, 30, 200)]
    row = Row.of(z, np.zeros(200))
    found = row.coordinates()
    assert found.shape[1] <= 30
    assert np.allclose(found @ found.T, row.features @ row.features.T)
    full = Row.of(draw.normal(size=(200, 20)), np.zeros(200))
    assert full.coordinates() is full.features
