"""Nodes of a new graph that the model was fitted on: their one-hot columns know them again.

A model whose nodes are told apart one by one embeds new nodes by what it knows of their neighbours, as long as some of
these are nodes of the fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.graph.structural_features import ONE_HOT
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.sparse import csr_tensor
from genurl_graph.nn.gnn import GNNS
from genurl_graph.training.checkpoint import checksum


class FittedNodes(NamedTuple):
    """What the nodes of a fit are known again by.

    Attributes
    ----------
    num_nodes : int
    names : sequence of str or None
        None where the user gave none: positions in a ``Data`` name nothing.
    edges : int
        Checksum of the edges: the fitted graph itself is known without names.
    """

    num_nodes: int
    names: Sequence[str] | None
    edges: int


def tells_nodes_apart(config: Config, bare: bool) -> bool:
    """Whether the encoder of a graph reads a one-hot column of each node; `bare`: it reads no features."""
    c = config.encoder
    return (bare or c.beside != "never") and config.embeds_graph and c.structure in ONE_HOT and c.name in GNNS


def knows_nodes(config: Config, bare: bool) -> bool:
    """Whether a model has columns of its own for the nodes that it was fitted on."""
    return tells_nodes_apart(config, bare) or bool(config.encoder.structure_columns)


def fitted_nodes(data: Input) -> FittedNodes:
    """What the nodes of `data` will be known again by."""
    return FittedNodes(data.num_nodes, names_of(data), checksum(data.edge_index, data.edge_weight))


def names_of(data: Input) -> list[str] | None:
    """Names of the nodes as text: those of the user; None if there are none.

    The numbers 0 to n - 1 are names, too, if a table of edges was read.
    """
    if data.names is not None:
        return [*map(str, data.names)]
    told = {} if data.reading is None else data.reading.record
    return [*map(str, range(data.num_nodes))] if "edges" in told else None


def find_known(data: Input, fitted: FittedNodes) -> Tensor | None:
    """Position in the fit of each node, int64 [n], -1 for a new one; None if none is known."""
    names = names_of(data)
    if names is None or fitted.names is None:
        same = data.num_nodes == fitted.num_nodes and checksum(data.edge_index, data.edge_weight) == fitted.edges
        return torch.arange(data.num_nodes) if same else None
    found = _index(fitted.names).get_indexer(_index(names))
    return torch.from_numpy(found.astype(np.int64)) if (found >= 0).any() else None


def _index(names: Sequence[str]) -> pd.Index:
    """Names, each with how often it came before: parallel edges without a key are known by their order."""
    given = pd.Series(names, dtype=object)
    return pd.MultiIndex.from_arrays([given, given.groupby(given).cumcount()])


def one_hot_of_known(position: Tensor, count: int) -> Tensor:
    """CSR [n, count]: a 1 at the position of each known node; the rows of new nodes are empty."""
    known = position >= 0
    crow = torch.cat([position.new_zeros(1), known.long().cumsum(0)])
    return csr_tensor(crow, position[known], torch.ones(int(known.sum())), (len(position), count))
