"""A matrix of features as the tensor that everything else reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import from_scipy
from genurl_graph.inputs.validation import check_matrix

# Features with a smaller share of non-zero entries are kept as CSR: the first layer is then several times cheaper.
SPARSE_BELOW = 0.1


def as_features(data: Any, what: str = "x") -> Tensor:
    """An array, SciPy matrix or Tensor as float32 [n, f] on the CPU; CSR if it is sparse enough to pay."""
    matrix = check_matrix(data, what, empty=True, finite=False)
    if isinstance(matrix, Tensor):
        x = matrix.cpu()
    elif hasattr(matrix, "indptr"):
        x = from_scipy(matrix)
    else:
        array = np.ascontiguousarray(matrix, dtype=np.float32)
        x = torch.from_numpy(array if array.flags.writeable else array.copy())
    x = x.float()
    stored = torch.count_nonzero(x) if x.layout == torch.strided else x.values().numel()
    if x.numel() > 0 and float(stored) / x.numel() < SPARSE_BELOW:
        return x if x.layout == torch.sparse_csr else x.to_sparse_csr()
    return x.to_dense().contiguous()
