"""An undirected graph stored in both directions: which two columns of its edge list are one edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong


class Paired(NamedTuple):
    """Edges of a list of which most, or all, stand there twice.

    Attributes
    ----------
    edge_id : Tensor, int64, shape [m]
        First column of each edge, ascending.
    row : Tensor, int64, shape [E]
        Number of the edge that each column is.
    differs : str
        Attribute whose values differ between the two directions of an edge; empty: none does.
    """

    edge_id: Tensor
    row: Tensor
    differs: str

    def check(self, directed: bool | None) -> None:
        """Refuse edges that are said to be undirected (`directed` is False) but are not the same in both directions."""
        if self.differs and directed is False:
            found = "other values in one direction of an edge than in the other"
            raise wrong(self.differs, found, "the same, or directed=True")


def pair_directions(edge_index: Tensor, num_nodes: int, attributes: Mapping[str, Any]) -> Paired | None:
    """Each edge of an undirected list once; None where an edge is not there in both directions as often.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        A self loop stands there once: each is an edge of its own.
    num_nodes : int
    attributes : mapping of str to Tensor, ndarray, list or tuple, of length E
        By which parallel edges are told apart, and in which both directions are to be equal.

    Returns
    -------
    Paired or None
        Parallel edges with equal attributes are paired as they come.
    """
    low, high = edge_index.sort(0).values
    pair = low * num_nodes + high
    loop = low == high
    forward, backward = ((~loop & turned).nonzero().view(-1) for turned in (low == edge_index[0], low != edge_index[0]))
    mark = _marks(pair, loop, attributes)
    forward, backward = (_sorted_by(columns, pair, mark) for columns in (forward, backward))
    if not torch.equal(pair[forward], pair[backward]):
        return None
    differs = [name for name, held in attributes.items() if not _are_equal(held, forward, backward)]
    first = torch.minimum(forward, backward)
    edge_id = torch.cat([first, loop.nonzero().view(-1)]).sort().values
    row = torch.full_like(pair, -1)
    row[edge_id] = torch.arange(len(edge_id), device=pair.device)
    row[torch.maximum(forward, backward)] = row[first]
    return Paired(edge_id, row, differs[0] if differs else "")


def _marks(pair: Tensor, loop: Tensor, attributes: Mapping[str, Any]) -> Tensor:
    """A number for each set of attributes, int64 [E]; 0 where the edge has no parallel one."""
    _, inverse, count = torch.unique(pair, return_inverse=True, return_counts=True)
    columns = ((count[inverse] > 2) & ~loop).nonzero().view(-1)
    mark = torch.zeros_like(pair)
    if len(columns):
        keys = [_codes(held, columns) for held in attributes.values()]
        if keys:
            both = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
            mark[columns] = torch.from_numpy(both).to(mark)
    return mark


def _codes(held: Any, columns: Tensor) -> Any:
    """A number for each distinct value among these columns, int64 [c]."""
    if isinstance(held, list | tuple):
        known: dict[str, int] = {}
        return np.array([known.setdefault(repr(held[c]), len(known)) for c in columns.tolist()])
    values = held.detach().cpu().numpy() if isinstance(held, Tensor) else np.asarray(held)
    values = values[columns.cpu().numpy()]
    return np.unique(values.reshape(len(values), -1), axis=0, return_inverse=True, equal_nan=False)[1].reshape(-1)


def _sorted_by(columns: Tensor, pair: Tensor, mark: Tensor) -> Tensor:
    columns = columns[mark[columns].sort(stable=True).indices]
    return columns[pair[columns].sort(stable=True).indices]


def _are_equal(held: Any, first: Tensor, second: Tensor) -> bool:
    if isinstance(held, list | tuple):
        return all(held[a] == held[b] for a, b in zip(first.tolist(), second.tolist(), strict=True))
    if isinstance(held, Tensor):
        return torch.equal(held[first.to(held.device)].nan_to_num(), held[second.to(held.device)].nan_to_num())
    a, b = (held[columns.cpu().numpy()] for columns in (first, second))
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
