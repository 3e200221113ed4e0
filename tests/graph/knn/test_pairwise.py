"""`RowDistances` against scikit-learn: blocks and single pairs, dense and sparse."""

import numpy as np
import pytest
import scipy.sparse
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn.pairwise import RowDistances
from tests.graph.knn.test_metrics import NAMED, all_distances, data_for, root_gap


@pytest.mark.parametrize("metric", [*NAMED, root_gap])
@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "csr"])
def test_blocks_and_pairs_are_scikit_learns(metric, kind):
    x = data_for(metric, 60, 9, 0)
    expected, rows = all_distances(x, metric, x), RowDistances(kind(x), metric)
    left, right = torch.tensor([3, 0, 59]), torch.tensor([7, 0, 1])
    np.testing.assert_allclose(rows.block(left), expected[left], atol=1e-12)
    np.testing.assert_allclose(rows.block(left, right), expected[left][:, right], atol=1e-12)
    np.testing.assert_allclose(rows.pairs(left, right), expected[left, right], atol=1e-12)


def test_names_the_matrix_in_its_message():
    with pytest.raises(InputError, match="input: found"):
        RowDistances(np.array([[np.nan]]), "manhattan", name="input")
