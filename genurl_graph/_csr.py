"""One way to make CSR tensors: no checks in inner loops, and no notice about torch's beta state for users."""

import warnings

import torch
from torch import Tensor


def csr_tensor(crow: Tensor, col: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Sparse CSR tensor of parts that are known to be right: pointers, column indices and values."""
    return torch.sparse_csr_tensor(crow, col, values, shape, check_invariants=False)


# torch announces once a process that CSR is in beta. It does so here, unheard: what is used of it is tested.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    csr_tensor(torch.tensor([0, 0]), torch.empty(0, dtype=torch.long), torch.empty(0), (1, 1))
