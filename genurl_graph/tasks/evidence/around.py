"""What goes around a network into its embedding: features, and random cosines of them."""

from __future__ import annotations

import torch
from scipy.sparse import csr_matrix, hstack
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.propagation import propagated
from genurl_graph.graph.role_features import kernel_columns
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.sparse import scale_columns, to_scipy_or_numpy
from genurl_graph.nn.build import skip_blocks
from genurl_graph.nn.features import Features
from genurl_graph.tasks.evidence import goes_around, widened


def around_network(
    data: Input, x: Tensor | None, config: Config, device: torch.device | str = "cpu"
) -> Features | None:
    """What a skip reads in the place of what the network reads; None where it reads the same.

    Parameters
    ----------
    data : Input
    x : Tensor or None
        As `genurl_graph.tasks.encoder_input.encoder_input` makes it.
    config : Config
        Resolved.
    device : torch.device
        Where averages are computed.

    Returns
    -------
    Features or None
        Roles, or features that stand apart (`goes_around`), as they are in x. Of few features beside one-hot columns:
        `with_cosines`, and their averages over the predefined edges as they are given: where these join unlike nodes,
        the network reads others, but what a node is joined with tells what it is.
    """
    if x is None:
        return None
    if goes_around(data, config):
        return Features(x)
    if data.x is None or config.encoder.beside != "always":
        return None
    width = int(config.input.hash_columns) or data.num_features
    if not widened(config, width):
        return None
    given, steps = predefined_graph(data), skip_blocks(config) - 1
    wide = with_cosines(x, width, config).to_dense()
    return Features(propagated(given.edge_index, given.edge_weight, wide, steps, device=device), steps + 1)


def with_cosines(x: Tensor, columns: int, config: Config) -> Tensor:
    """The first columns of what an encoder reads, and random cosines of them on their right, together as long.

    A skip takes components of both: few columns hold their own beside trained ones, and of few the cosines tell what a
    linear map of them does not; of many, the columns themselves tell more.
    """
    part = as_features(csr_matrix(to_scipy_or_numpy(x))[:, :columns]) if columns < x.size(1) else x
    # Rows of standardised columns have this length.
    length = 1.0 if config.encoder.normalize in ("rows", "unit") else columns**0.5
    cosines = kernel_columns(scale_columns(part, torch.full((columns,), columns**0.5 / length)))
    part = scale_columns(part, torch.full((columns,), 1 / length))
    return put_beside(part, cosines) if part.layout == torch.sparse_csr else torch.cat([part, cosines], 1)


def put_beside(x: Tensor, structural: Tensor) -> Tensor:
    """Features [n, f] with structural columns [n, c] on their right, strided or CSR."""
    return as_features(hstack([csr_matrix(to_scipy_or_numpy(part)) for part in (x, structural)], format="csr"))
