"""Building blocks of encoders: sparse-aware input layer, activation, normalisation, and the perceptron made of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph._csr import constant_product, csr_rows, transposed
from genurl_graph.config import EncoderConfig
from genurl_graph.distributed import BatchNorm, dropout
from genurl_graph.exceptions import InputError
from genurl_graph.propagation import Propagation
from genurl_graph.views import keep_features

# Factor of the last layer's first weights beside a linear map.
SILENT = 1e-2


class _Slope(torch.autograd.Function):
    """``max(h, 0) + slope min(h, 0)``; torch's own backward pass of it is several times slower on a CPU."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(h, slope)
        return torch.addcmul(h.clamp_min(0), h.clamp_max(0), slope)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor]:
        h, slope = ctx.saved_tensors
        above = torch.ops.aten.threshold_backward(grads[0], h, 0)
        below = torch.dot(grads[0].reshape(-1), h.clamp_max(0).reshape(-1))
        return torch.lerp(above, grads[0], slope), below.view(1)


class PReLU(nn.PReLU):
    """`torch.nn.PReLU` with one slope for all columns."""

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = _Slope.apply(h, self.weight.to(h.dtype))  # type: ignore[no-untyped-call]
        return out


class Features:
    """Input features of all nodes, dense or sparse, ready for the input layer.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Strided or CSR.
    parts : int
        Equal blocks that the columns consist of, each about the same quantities (`genurl_graph.hops`).
    stays : bool
        Kept where it is, whatever device asks for rows: too large to be moved as a whole.
    """

    def __init__(self, x: Tensor, parts: int = 1, stays: bool = False) -> None:
        self.x, self.parts, self.stays = x, parts, stays
        self.x_t = transposed(x) if x.layout == torch.sparse_csr else None
        self.num_nodes, self.num_features = int(x.size(0)), int(x.size(1))

    def to(self, device: torch.device) -> Features:
        """The same features on another device."""
        moved = object.__new__(Features)
        vars(moved).update(vars(self))
        moved.x = self.x if self.stays else self.x.to(device)
        moved.x_t = None if self.x_t is None else self.x_t.to(device)
        return moved

    def rows(self, index: Tensor) -> Features:
        """The features of some nodes, sparse where all are; on the device of `index`."""
        if self.x_t is not None:
            return Features(csr_rows(self.x, index), self.parts)
        return Features(self.x.index_select(0, index.to(self.x.device)).to(index.device), self.parts)

    def mask(self, drop: float, device: torch.device) -> Tensor | None:
        """Random mask of columns (`genurl_graph.views.keep_features`), the same for every part; None if `drop` is 0."""
        keep = keep_features(self.num_features // self.parts, drop, device)
        return None if keep is None else keep.repeat(self.parts)

    def matmul(self, w: Tensor) -> Tensor:
        """``x @ w`` with gradients for w, shape [n, columns of w]."""
        if self.x_t is None:
            return self.x @ w
        return constant_product(self.x, self.x_t, w)


class InputLayer(nn.Module):
    """Linear map of the input features, ``(x * keep) W + b``, sparse-aware.

    Dropping a column of x is dropping a row of W, which needs no copy of x.
    """

    def __init__(self, in_dim: int, out_dim: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_dim, out_dim))
        nn.init.xavier_uniform_(self.weight)
        self.bias = nn.Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, features: Features, keep: Tensor | None = None) -> Tensor:
        w = self.weight if keep is None else self.weight * keep[:, None]
        h = features.matmul(w)
        return h if self.bias is None else h + self.bias


class RowEncoder(nn.Module):
    """Encoder that reads each row alone, whatever graph there is: what mini-batches need (`genurl_graph.batches`).

    Parameters
    ----------
    width : int
        Columns of its output.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def operator(self, propagation: Propagation | None, drop_edges: float = 0.0) -> None:
        """It propagates over nothing."""
        return


class MLP(RowEncoder):
    """Multi-layer perceptron; the same call as `genurl_graph.encoders.GNN`, the graph is ignored.

    Parameters
    ----------
    config : EncoderConfig
        Read as by `genurl_graph.encoders.GNN`.
    in_dim : int
        Number of input columns.
    linear : bool
        No activations: a linear map in factors ("factorized linear" of TLDR, arXiv 2110.09455).
    skip : bool
        The encoder starts as the first `dim` input columns, and learns what to change: a single layer by its weights,
        several by a linear map beside them, while they are nearly silent at first.
    """

    def __init__(self, config: EncoderConfig, in_dim: int, *, linear: bool = False, skip: bool = False) -> None:
        super().__init__(config.dim)
        dim, norm = config.dim, config.norm
        self.dropout = config.dropout
        widths = [config.hidden] * (config.layers - 1) + [dim]
        self.input = InputLayer(in_dim, widths[0], bias=True)
        linears = [nn.Linear(a, b) for a, b in pairwise(widths)]
        self.linears = nn.ModuleList(linears)
        self.norms = nn.ModuleList([normalisation(norm, width, output=False) for width in widths[:-1]])
        self.output_norm = normalisation(norm, dim, output=True)
        self.acts = nn.ModuleList([nn.Identity() if linear else PReLU() for _ in widths[:-1]])
        self.skip = InputLayer(in_dim, dim, bias=False) if skip and linears else None
        if skip:
            with torch.no_grad():
                first = self.input if self.skip is None else self.skip
                first.weight.copy_(torch.eye(in_dim, dim))
                if self.skip is not None:
                    linears[-1].weight.mul_(SILENT)

    def forward(self, features: Features, graph: Any = None, keep: Tensor | None = None) -> Tensor:
        """Embedding [n, dim]."""
        h: Tensor = self.input(features, keep)
        for linear, norm, act in zip(self.linears, self.norms, self.acts, strict=True):
            h = linear(dropout(act(norm(h)), self.dropout, self.training))
        if self.skip is not None:
            h = h + self.skip(features, keep)
        z: Tensor = self.output_norm(h)
        return z


def projector(in_dim: int, width: int, out_dim: int) -> nn.Module:
    """Hidden layer with batch normalisation, linear output: trained beside an encoder, dropped afterwards."""
    return nn.Sequential(
        nn.Linear(in_dim, width, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Linear(width, out_dim, bias=False),
    )


def normalisation(norm: str, width: int, output: bool) -> nn.Module:
    if norm not in ("none", "output", "hidden", "batch"):
        raise InputError(f"encoder.norm: unknown {norm!r}; expected none, output, hidden or batch")
    if norm == "none" or (norm == "output" and not output) or (norm == "hidden" and output):
        return nn.Identity()
    return BatchNorm(width, affine=not output)
