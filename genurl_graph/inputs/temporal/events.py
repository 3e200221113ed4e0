"""`TemporalEdges`: events between nodes in the order of their times."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.validation import check_edges, check_finite


class TemporalEdges(NamedTuple):
    """M events among n nodes, sorted by time; events of one time keep the order in which they came.

    Attributes
    ----------
    source, target : Tensor, int64, shape [M]
    time : Tensor, float64, shape [M]
        In whatever unit it came, ascending.
    weight : Tensor, float32, shape [M], or None
        1 each if None. May be negative: of a rating, say.
    num_nodes : int
    attr : Tensor, float32, shape [M, a], or None
        What else is known of each event.
    """

    source: Tensor
    target: Tensor
    time: Tensor
    weight: Tensor | None
    num_nodes: int
    attr: Tensor | None = None

    @classmethod
    def of(
        cls, source: Any, target: Any, time: Any, weight: Any = None, num_nodes: int | None = None, attr: Any = None
    ) -> TemporalEdges:
        """Events in any order.

        Parameters
        ----------
        source, target : array or Tensor, integers, shape [M]
        time : array or Tensor, numbers, shape [M]
        weight : array or Tensor, numbers, shape [M], optional
        num_nodes : int, optional
            By default the largest number of a node, and one.
        attr : array or Tensor, numbers, shape [M, a], optional

        Raises
        ------
        InputError
            No events, parts of different lengths, nodes out of range, times, weights or attributes that are not finite.

        Examples
        --------
        >>> TemporalEdges.of([0, 1], [1, 2], [5.0, 3.0]).source.tolist()
        [1, 0]
        """
        ends = torch.stack([torch.as_tensor(source), torch.as_tensor(target)])
        moment = torch.as_tensor(time, dtype=torch.float64)
        if moment.shape != ends.shape[1:]:
            raise wrong("time", f"shape {list(moment.shape)}", f"[{ends.size(1)}], one for each event")
        if not ends.size(1):
            raise wrong("data", "no events", "some edges with a time")
        if not bool(moment.isfinite().all()):
            raise wrong("time", "NaN or infinite", "finite numbers")
        edges, _ = check_edges(ends, num_nodes)
        value = None if weight is None else torch.as_tensor(weight).float()
        if value is not None:
            if value.shape != moment.shape:
                raise wrong("weight", f"shape {list(value.shape)}", f"[{ends.size(1)}], one for each event")
            check_finite(value[:, None], "weight")
        held = None if attr is None else torch.as_tensor(attr).float()
        if held is not None:
            if held.dim() != 2 or len(held) != ends.size(1):
                raise wrong("attr", f"shape {list(held.shape)}", f"[{ends.size(1)}, a], a row for each event")
            check_finite(held, "attr")
        count = int(edges.max()) + 1 if num_nodes is None else num_nodes
        order = moment.argsort(stable=True)
        weights, attributes = (None if part is None else part[order] for part in (value, held))
        return cls(edges[0, order], edges[1, order], moment[order], weights, count, attributes)

    def __len__(self) -> int:
        return len(self.time)

    def between(self, first: int, last: int) -> TemporalEdges:
        """Events `first` to ``last - 1`` in the order of time; a view."""
        part = slice(first, last)
        weight, attr = (None if held is None else held[part] for held in (self.weight, self.attr))
        return TemporalEdges(self.source[part], self.target[part], self.time[part], weight, self.num_nodes, attr)

    def pairs(self) -> Tensor:
        """Distinct ordered pairs of nodes that have an event, int64 [2, m], sorted."""
        key = torch.unique(self.source * self.num_nodes + self.target)
        return torch.stack([key // self.num_nodes, key % self.num_nodes])

    def count_pairs(self) -> int:
        """How many distinct ordered pairs of nodes have an event; takes half the memory of `pairs`."""
        key = (self.source * self.num_nodes).add_(self.target).numpy()
        key.sort()
        return int((key[1:] != key[:-1]).sum()) + int(len(key) > 0)
