"""The validator of matrices, edge lists and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.validation import check_edges, check_finite, check_matrix, check_weights

DENSE = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 3.0]])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint32, np.int64, np.float16, ">f4", np.float64, np.longdouble])
def test_arrays_of_numbers_pass(dtype: Any) -> None:
    found = check_matrix(DENSE.astype(dtype))
    assert np.array_equal(found, DENSE.astype(dtype))
    assert found.dtype.isnative
    assert found.dtype.itemsize <= 8


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.bfloat16, torch.float32])
def test_tensors_keep_their_dtype(dtype: torch.dtype) -> None:
    x = torch.from_numpy(DENSE).to(dtype).requires_grad_(dtype.is_floating_point)
    found = check_matrix(x)
    assert found.dtype == dtype
    assert found.data_ptr() == x.data_ptr()
    assert not found.requires_grad


@pytest.mark.parametrize(
    "make",
    [
        sp.coo_matrix,
        sp.csc_array,
        lambda x: torch.from_numpy(x).to_sparse(),
        lambda x: torch.from_numpy(x).to_sparse_csr(),
        lambda x: torch.from_numpy(x).to_sparse_csc(),
    ],
)
def test_sparse_matrices_become_csr(make: Callable[[Any], Any]) -> None:
    found = check_matrix(make(DENSE))
    assert getattr(found, "format", found.layout if isinstance(found, torch.Tensor) else "") in (
        "csr",
        torch.sparse_csr,
    )
    dense = found.to_dense().numpy() if isinstance(found, torch.Tensor) else found.toarray()
    assert np.array_equal(dense, DENSE)
    with pytest.raises(InputError, match=r"^x: found a sparse matrix; expected a dense one"):
        check_matrix(make(DENSE), sparse=False)


def test_duplicate_entries_are_summed_and_the_matrix_of_the_user_is_left_alone() -> None:
    given = sp.csr_matrix(([1.0, 2.0], [0, 0], [0, 2]), shape=(1, 2))
    assert check_matrix(given).toarray().tolist() == [[3.0, 0.0]]
    assert given.nnz == 2


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.zeros(3), {}, r"x: found shape \[3\]; expected \[n, f\]. Reshape your data"),
        (np.zeros((2, 2, 2)), {}, r"x: found shape \[2, 2, 2\]; expected \[n, f\]$"),
        (np.zeros((2, 3)), {"rows": 4}, r"x: found shape \[2, 3\]; expected \[4, f\]"),
        (np.zeros((2, 3)), {"columns": 4}, r"x: found shape \[2, 3\]; expected \[n, 4\]"),
        (np.zeros((0, 3)), {}, r"x: found shape \[0, 3\]; expected at least one row"),
        (np.zeros((2, 0)), {}, r"x: found 0 feature\(s\) \(shape=\(2, 0\)\) while a minimum of 1 is required"),
        (np.zeros((2, 2), dtype=complex), {}, "x: found ndarray of dtype complex128; expected real numbers. Complex"),
        (torch.zeros(2, 2, dtype=torch.complex64), {}, r"x: found Tensor of dtype torch.complex64; expected real"),
        (sp.csr_matrix(np.zeros((2, 2), dtype=complex)), {}, "x: found csr_matrix of dtype complex128; expected"),
        (np.array([["a", "b"]]), {}, "x: found ndarray of dtype <U1; expected real numbers"),
        ([[1], [1, 2]], {}, r"x: found list \(.*\); expected numbers of shape \[n, f\]"),
        (np.array([[{}]]), {}, r"x: found ndarray \(.*\); expected numbers of shape \[n, f\]"),
        (np.array([[0, np.inf]]), {}, r"x: found 1 NaN or infinite values, the first \(inf\) at row 0, column 1"),
    ],
)
def test_other_matrices_are_refused(x: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        check_matrix(x, **options)


@pytest.mark.parametrize(
    "make", [np.asarray, sp.csr_matrix, torch.from_numpy, lambda x: torch.from_numpy(x).to_sparse_csr()]
)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_entry_that_is_not_finite_is_named(make: Callable[[Any], Any], value: float) -> None:
    x = DENSE.copy()
    x[1, 0] = x[2, 1] = value
    with pytest.raises(InputError, match=rf"^z: found 2 NaN .*, the first \({value}\) at row 1, column 0; expected"):
        check_matrix(make(x), "z")
    check_matrix(make(x), "z", finite=False)
    with pytest.raises(InputError, match=r"row line 1, column 'a'"):
        check_finite(make(x), "z", row_name="line {}".format, column_name=lambda j: repr("ab"[j]))


def test_edges_come_back_as_int64_with_float32_weights() -> None:
    edges = torch.tensor([[0, 1], [1, 2]], dtype=torch.int32)
    found, weight = check_edges(edges, 3, weight=np.array([[1], [2]]))
    assert found.dtype == torch.int64
    assert found.tolist() == edges.tolist()
    assert weight.dtype == torch.float32
    assert weight.tolist() == [1, 2]
    assert check_edges(torch.empty(2, 0, dtype=torch.long), 0)[1] is None


@pytest.mark.parametrize(
    ("edges", "options", "message"),
    [
        ([[0], [1]], {}, r"edge_index: found list; expected an int64 Tensor \[2, E\]"),
        (torch.zeros(2, 1), {}, r"edge_index: found torch.float32 of shape \[2, 1\]; expected an int64 Tensor"),
        (torch.zeros(3, 1, dtype=torch.long), {}, r"edge_index: found torch.int64 of shape \[3, 1\]; expected"),
        (torch.tensor([[0, 1], [1, 3]]), {}, "edge_index: found edge 1 from 1 to 3; expected nodes 0 to 2"),
        (torch.tensor([[0, -1], [1, 1]]), {}, "edge_index: found edge 1 from -1 to 1; expected nodes 0 to 2"),
        (torch.tensor([[2], [2]]), {"num_targets": 2}, "edge_index: found edge 0 .*; expected target nodes 0 to 1"),
        (torch.tensor([[0, 1], [0, 1]]), {"loops": False}, "edge_index: found 2 self loops; expected none"),
        (torch.tensor([[0], [1]]), {"weight": torch.ones(2)}, r"edge_weight: found .*\[2\]; expected numbers \[1\]"),
    ],
)
def test_other_edges_are_refused(edges: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        check_edges(edges, 3, **options)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, 1e300])
def test_the_first_weight_that_is_no_weight_is_named(value: float) -> None:
    weight = np.array([1.0, value, value])
    expected = (
        rf"^w: found 2 negative or non-finite weights, the first \({value:g}\) of line 3; expected finite weights"
    )
    with pytest.raises(InputError, match=expected.replace("+", r"\+")):
        check_weights(weight, 3, "w", edge_name=lambda edge: f"line {edge + 2}")
    with pytest.raises(InputError, match=r"^w: found .*; expected numbers"):
        check_weights(np.array(["a"]), 1, "w")
