"""Input of encoders: dense or sparse features, some of them hidden."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genurl_graph.inputs.sparse import constant_product, csr_rows, transposed
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import generator, rand


class Features(nn.Module):
    """Input features of all nodes, dense or sparse, ready for the input layer.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Strided or CSR.
    parts : int
        Equal blocks that the columns consist of, each about the same quantities (`genurl_graph.graph.propagation`).
    stays : bool
        Kept where it is, whatever device asks for rows: too large to be moved as a whole.
    aside : Features, optional
        Columns that no layer reads: what `genurl_graph.nn.skip.Skip` takes components of, in the place of x.
    """

    def __init__(self, x: Tensor, parts: int = 1, stays: bool = False, aside: Features | None = None) -> None:
        super().__init__()
        self.aside = aside
        # A tensor that is no buffer is left where it is.
        self.x = x if stays else constant(x)
        self.x_t = constant(transposed(x)) if x.layout == torch.sparse_csr else None
        self.parts = parts
        self.num_nodes, self.num_features = int(x.size(0)), int(x.size(1))

    def rows(self, index: Tensor) -> Features:
        """The features of some nodes, sparse where all are; on the device of `index`."""
        if self.x_t is not None:
            return Features(csr_rows(self.x, index), self.parts)
        return Features(self.x.index_select(0, index.to(self.x.device)).to(index.device), self.parts)

    def mask(self, drop: float, device: torch.device) -> Tensor | None:
        """Random mask of columns (`genurl_graph.nn.features.keep_features`), the same for every part; None if `drop`
        is 0."""
        keep = keep_features(self.num_features // self.parts, drop, device)
        return None if keep is None else keep.repeat(self.parts)

    def matmul(self, w: Tensor, keep: Tensor | None = None) -> Tensor:
        """``(x * keep) @ w`` with gradients for w, shape [n, columns of w]."""
        # Dropping a column of x is dropping a row of w, which needs no copy of x.
        w = w if keep is None else w * keep[:, None]
        if self.x_t is None:
            return self.x @ w
        return constant_product(self.x, self.x_t, w)


class InputLayer(nn.Module):
    """Linear map of the input features, ``(x * keep) W + b``, sparse-aware."""

    def __init__(self, in_dim: int, out_dim: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_dim, out_dim))
        nn.init.xavier_uniform_(self.weight, generator=generator(self.weight.device))
        self.bias = nn.Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, features: Features, keep: Tensor | None = None) -> Tensor:
        h = features.matmul(self.weight, keep)
        return h if self.bias is None else h + self.bias


def keep_features(num_features: int, drop: float, device: torch.device | str = "cpu") -> Tensor | None:
    """Random mask of input columns, shared by all nodes (feature masking of GRACE, arXiv 2006.04131).

    Parameters
    ----------
    num_features : int
        Number of columns f.
    drop : float
        Share of columns set to zero; 0 returns None, that is, no mask.
    device : torch.device or str
        Where the mask is drawn, from the run's generator of that device.

    Returns
    -------
    Tensor, float32, shape [f], or None
        1 for a kept column, 0 for a dropped one.
    """
    if drop == 0:
        return None
    return (rand(num_features, device) >= drop).float()
