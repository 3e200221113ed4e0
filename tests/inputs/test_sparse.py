"""Products and parts of CSR tensors against the dense ones, values and gradients."""

import pytest
import torch
from torch import Tensor

from genurl_graph.inputs import sparse
from genurl_graph.inputs.sparse import constant_product, csr_columns, csr_rows, product, transposed


def example(rows: int = 9, columns: int = 7, seed: int = 0) -> Tensor:
    """A matrix whose row 2 and column 3 are empty."""
    x = torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))
    x = torch.where(x < 0.5, x, 0.0)
    x[2], x[:, 3] = 0, 0
    return x


@pytest.mark.parametrize("width", [1, 5, 64, 130])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_product_is_the_dense_one_in_any_number_of_parts(monkeypatch, width, dtype):
    monkeypatch.setattr(sparse, "_CACHED", 1)
    x, dense = example().to(dtype), torch.randn(7, width, generator=torch.Generator().manual_seed(1), dtype=dtype)
    torch.testing.assert_close(product(x.to_sparse_csr(), dense), x @ dense)


def test_a_product_does_not_read_the_memory_that_it_fills():
    x = example()
    for _ in range(3):
        # The allocator hands out again what was freed just now.
        del_me = torch.full((9, 512), float("nan"))
        del del_me
        assert bool(product(x.to_sparse_csr(), torch.ones(7, 512)).isfinite().all())
    assert not product(torch.zeros(9, 7).to_sparse_csr(), torch.ones(7, 512)).any(), "a matrix without entries"


def test_gradient_of_a_constant_product():
    x, dense = example(), torch.randn(7, 70, dtype=torch.float32, requires_grad=True)
    csr = x.to_sparse_csr()
    (constant_product(csr, transposed(csr), dense) * 2).sum().backward()
    torch.testing.assert_close(dense.grad, 2 * x.t() @ torch.ones(9, 70))


def test_columns_and_rows_are_those_of_the_dense_matrix():
    x, kept = example(), torch.tensor([1, 0, 1, 1, 0, 0, 1]).bool()
    assert torch.equal(csr_columns(x.to_sparse_csr(), kept).to_dense(), x[:, kept])
    assert torch.equal(csr_rows(x.to_sparse_csr(), torch.tensor([4, 2, 4])).to_dense(), x[[4, 2, 4]])
    none = csr_columns(x.to_sparse_csr(), torch.zeros(7, dtype=torch.bool))
    assert none.shape == (9, 0)
