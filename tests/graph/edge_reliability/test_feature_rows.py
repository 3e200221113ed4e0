"""edge_reliability.feature_rows: blocks of nodes and single pairs have the same nearness, to the bit."""

import numpy as np
import pytest
import scipy.sparse as sp

from genurl_graph.graph.edge_reliability.feature_rows import FeatureRows

METRICS = pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])


def bag(n: int = 80, f: int = 50) -> np.ndarray:
    """Words with counts: many pairs of rows are exactly as near as others."""
    rng = np.random.default_rng(0)
    x: np.ndarray = (rng.random((n, f)) < 0.2) * rng.integers(1, 4, (n, f))
    return x.astype(np.float32)


@METRICS
@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_a_block_and_its_pairs_agree_to_the_bit(metric: str, layout: str) -> None:
    # Ranks compare the two: what rounding parts would count as nearer, or farther, where it is as near.
    x = bag()
    rows = FeatureRows(x if layout == "dense" else sp.csr_matrix(x), metric)
    block = rows.between(np.arange(80), np.arange(80))
    i, j = np.indices(block.shape)
    assert np.array_equal(rows.pairs(i.ravel(), j.ravel()).reshape(block.shape), block)


def test_cosines_are_those_of_float64() -> None:
    x = bag().astype(np.float64)
    length = np.linalg.norm(x, axis=1)
    expected = (x @ x.T) / (length[:, None] * length)
    block = FeatureRows(x.astype(np.float32), "cosine").between(np.arange(80), np.arange(80))
    # Half a unit in the last place of float32.
    assert np.abs(block - expected).max() <= np.spacing(np.float32(1.0)) / 2
