"""Probes on frozen embeddings: logistic regression and nearest-neighbour vote."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.evaluation.splits import Split, check_labels
from genurl_graph.exceptions import wrong

Array = npt.NDArray[Any]

# Inverse strengths of the L2 penalty, from strongest to weakest.
STRENGTHS = tuple(10.0 ** np.arange(-4, 2.5, 0.5))

FOLDS = 5
# Nearest training nodes that vote.
NEIGHBORS = 20


def linear_probe(z: Any, y: Any, split: Split, protocol: str, *, scaled: bool = False) -> dict[str, float | None]:
    """Accuracy of a linear classifier on frozen embeddings, by the rules of the protocol.

    * "public" and "random-10-10-80": multinomial logistic regression on standardised columns (mean and
      deviation of all nodes, no labels), L2 strength by validation accuracy, the strongest penalty among equals.
    * "random-10" (GRACE, arXiv 2006.04131): rows of unit length, one-vs-rest logistic regression, C by 5-fold
      cross-validation inside the training nodes.

    Parameters
    ----------
    z : array or sparse matrix, float, shape [n, d]
        Sparse input is scaled by its columns' deviation but not centred, to stay sparse.
    y : array, int, shape [n]
    split : Split
    protocol : str
    scaled : bool
        Whether the columns are principal components of standardised ones (`standardised_components`), whose scales
        mean something: they are not standardised again.

    Returns
    -------
    dict
        ``train``, ``val`` (None where the protocol has no validation nodes) and ``test`` accuracy in [0, 1].
    """
    y = check_labels(y, z.shape[0])
    model, features = _fitted(z, y, split, protocol, scaled)

    def accuracy(index: Array) -> float | None:
        return float(np.mean(model.predict(features[index]) == y[index])) if len(index) else None

    return {"train": accuracy(split.train), "val": accuracy(split.val), "test": accuracy(split.test)}


def probe_predictions(z: Any, y: Any, split: Split, protocol: str) -> Array:
    """Classes [n] that the classifier of `linear_probe` gives to all rows; arguments as there."""
    y = check_labels(y, z.shape[0])
    model, features = _fitted(z, y, split, protocol, scaled=False)
    found: Array = model.predict(features)
    return found


def _fitted(z: Any, y: Array, split: Split, protocol: str, scaled: bool) -> tuple[Any, Any]:
    """The classifier, and the features that it reads."""
    if len(np.unique(y[split.train])) < 2:
        raise wrong("linear probe", "fewer than two classes among the training nodes", "at least two")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # lbfgs short of converging at weak penalties
        if protocol == "random-10":
            return _cross_validated(z, y, split)
        return _validated(z if scaled else standardised(z), y, split)


def voters(n_neighbors: int, num_train: int) -> int:
    """How many of the nearest training rows vote: `n_neighbors`, but at most a fifth of all, and at least one.

    A vote of all of them would be the same for every node.
    """
    return max(1, min(n_neighbors, num_train // 5))


def knn_probe(z: Any, y: Any, split: Split, n_neighbors: int = NEIGHBORS, metric: str = "cosine") -> float:
    """Test accuracy of the vote of the nearest training nodes (`voters` of them), in [0, 1].

    The protocol's metric is cosine; 2-d maps, whose origin means nothing, need "euclidean".
    """
    from sklearn.neighbors import KNeighborsClassifier

    y = np.asarray(y).reshape(-1)
    k = voters(n_neighbors, len(split.train))
    model = KNeighborsClassifier(k, metric=metric, algorithm="brute").fit(z[split.train], y[split.train])
    return float(model.score(z[split.test], y[split.test]))


def _validated(features: Any, y: Array, split: Split) -> tuple[Any, Any]:
    from sklearn.linear_model import LogisticRegression

    best: tuple[float, Any] = (-1.0, None)
    start = None
    for strength in STRENGTHS:
        # Each fit starts at the one before: the path of solutions is smooth in the strength.
        model = LogisticRegression(C=strength, max_iter=300, warm_start=True)
        if start is not None:
            model.classes_, model.coef_, model.intercept_ = start
        model.fit(features[split.train], y[split.train])
        start = (model.classes_, model.coef_.copy(), model.intercept_.copy())
        score = float(model.score(features[split.val], y[split.val]))
        if score > best[0]:
            best = (score, model)
        if score == 1:
            break  # a weaker penalty would have to do better
    return best[1], features


def _cross_validated(z: Any, y: Array, split: Split) -> tuple[Any, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import normalize

    largest = int(np.unique(y[split.train], return_counts=True)[1].max())
    if largest < FOLDS:
        expected = f"{FOLDS} for {FOLDS}-fold cross-validation; use random-10-10-80"
        raise wrong("protocol random-10", f"at most {largest} training nodes of a class", expected)
    features = normalize(z)
    model = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
    grid = {"estimator__C": [2.0**p for p in range(-10, 10)]}
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    search = GridSearchCV(model, grid, cv=folds).fit(features[split.train], y[split.train])
    return search.best_estimator_, features


def standardised(z: Any) -> Any:
    """Columns of mean 0 and deviation 1 over all nodes; sparse ones are scaled but not centred, to stay sparse."""
    import scipy.sparse as sp
    from sklearn.preprocessing import StandardScaler

    features = StandardScaler(with_mean=not sp.issparse(z)).fit_transform(z)
    return features.tocsr() if sp.issparse(features) else features


def standardised_components(z: Any, columns: int, seed: int = 0) -> Array:
    """Project rows to the first principal components of their standardised columns, by a randomised SVD.

    A penalty on the length of the coefficients does not see a rotation: with all components the probe would find what
    it finds without, so that these few are its nearest approximation. They keep their scales for that, and the probe
    must not standardise them (``scaled=True``).

    Parameters
    ----------
    z : array or sparse matrix, float, shape [n, f]
    columns : int
        At most min(n, f) are given.
    seed : int

    Returns
    -------
    array, float32, shape [n, columns]
    """
    from sklearn.utils.extmath import randomized_svd

    left, lengths, _ = randomized_svd(standardised(z), min(columns, *z.shape), n_iter=2, random_state=seed)
    return np.asarray(left * lengths, dtype=np.float32)
