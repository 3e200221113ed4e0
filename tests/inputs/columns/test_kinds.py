"""A bag of words, comparable columns or different units: decided without labels, on real and on made tables."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA

from genurl_graph.inputs.columns.kinds import column_moments, is_far, matrix_kind

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(500, 64))
WORDS = (RNG.random((300, 200)) < 0.05).astype(float)

COMPARABLE = {
    "digits": load_digits().data,
    "iris": load_iris().data,
    "diabetes, scaled": load_diabetes().data,
    "normal": NORMAL,
    "unit length": NORMAL / np.linalg.norm(NORMAL, axis=1, keepdims=True),
    "components of wine": PCA().fit_transform(load_wine().data),
    "components of digits": PCA(50).fit_transform(load_digits().data),
    "uncentred components": PCA().fit_transform(load_breast_cancer().data) + 30,
    "one column": NORMAL[:, :1] + 100,
    "constant": np.ones((10, 3)),
}
UNITS = {
    "wine": load_wine().data,
    "breast cancer": load_breast_cancer().data,
    "diabetes": load_diabetes(scaled=False).data,
    "age and income": np.column_stack([RNG.normal(40, 12, 300), RNG.normal(4e4, 1e4, 300)]),
    "two large of three": np.column_stack(
        [RNG.normal(40, 12, 300), RNG.normal(4e4, 1e4, 300), RNG.normal(3e4, 8e3, 300)]
    ),
    "one-hot beside an income": np.column_stack([np.eye(20)[RNG.integers(20, size=300)], RNG.normal(4e4, 1e4, 300)]),
    "wide": RNG.normal(5, 1, (400, 60)) * 10 ** RNG.uniform(0, 6, 60),
}
BAGS = {
    "words": WORDS,
    "counts": RNG.poisson(RNG.gamma(0.2, 1, 200), (300, 200)),
    "CSR": sp.csr_matrix(RNG.poisson(0.9, (100, 30))),
}


@pytest.mark.parametrize("name", COMPARABLE)
def test_pixels_embeddings_and_components_are_comparable(name):
    assert matrix_kind(COMPARABLE[name]) == "comparable"


@pytest.mark.parametrize("name", UNITS)
def test_columns_in_different_units_are_found(name):
    assert matrix_kind(UNITS[name]) == "units"


@pytest.mark.parametrize("name", BAGS)
def test_bags_of_words_need_evidence(name):
    x = BAGS[name]
    assert matrix_kind(x) == "bag"
    assert matrix_kind(x[:, :15]) != "bag"  # few columns
    assert matrix_kind(-x) != "bag"  # below 0


def test_the_form_of_the_matrix_does_not_matter():
    dense = torch.from_numpy(WORDS).float()
    assert {matrix_kind(part) for part in (dense, dense.to_sparse_csr(), sp.csr_matrix(WORDS))} == {"bag"}
    for made in (sp.csr_matrix(WORDS), dense.to_sparse_csr()):
        for part, expected in zip(column_moments(made), column_moments(WORDS), strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-6)


def test_numbers_far_from_zero_are_noticed():
    seconds = 1.7e9 + RNG.normal(size=(50, 3)) * 1000
    assert is_far(seconds)
    assert not is_far(seconds - 1.7e9)
    assert not is_far(np.full((5, 2), 7.0))


@pytest.mark.parametrize("name", ["Cora", "Texas", "Actor"])
def test_bags_of_words_of_the_benchmarks(name, data_root):
    from genurl_graph import datasets

    assert matrix_kind(datasets.load(name, data_root).x) == "bag"
