"""All that is known of pairs of nodes before a window, as numbers that a score may be fitted to."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.ages import Ages
from genurl_graph.evaluation.temporal_links.node_history import node_history
from genurl_graph.evaluation.temporal_links.pair_history import directed_history, partner_history
from genurl_graph.evaluation.temporal_links.walks import Walks
from genurl_graph.inputs.temporal.events import TemporalEdges

# Of an embedding: cosine, inner product, distance, whether both nodes have been seen.
EMBEDDING_COLUMNS = 4


class PairFeatures:
    """Features of ordered pairs, from the events before a window alone.

    Parameters
    ----------
    before : TemporalEdges
        All events before the window.
    unit : float
        Number of events in a usual window.
    position : (Tensor [n, d], Tensor bool [n]), optional
        Where each node was last seen and whether it was (`genurl_graph.inputs.temporal.Trajectory.before`).

    Examples
    --------
    >>> PairFeatures(before, 600.0)(source, target).shape  # both int64 [m]
    """

    def __init__(self, before: TemporalEdges, unit: float, position: tuple[Tensor, Tensor] | None = None) -> None:
        ages = Ages.of(before, unit)
        self.directed, self.partners = directed_history(ages), partner_history(ages)
        self.nodes, self.walks = node_history(ages), Walks(ages)
        self.position = None if position is None else _Nearness(*position)

    def __call__(self, source: Tensor, target: Tensor) -> Tensor:
        """Features of each pair of int64 [m], float32 [m, f]: both directions, both nodes, walks, the embedding."""
        parts = [
            self.directed(source, target),
            self.directed(target, source),
            self.partners(source, target),
            # The recency of the pair is that of the other order.
            self.partners(target, source)[:, 1:],
            self.nodes[source],
            self.nodes[target],
            self.walks(source, target),
        ]
        if self.position is not None:
            parts.append(self.position(source, target))
        return torch.cat(parts, 1)


class _Nearness:
    """How near two nodes lie, in units of the usual length of a node's vector."""

    def __init__(self, z: Tensor, seen: Tensor) -> None:
        length = z[seen].norm(dim=1).mean() if bool(seen.any()) else torch.ones(())
        self.z, self.seen = z / length.clamp_min(1e-12), seen
        self.direction = torch.nn.functional.normalize(z, dim=1)

    def __call__(self, source: Tensor, target: Tensor) -> Tensor:
        known = (self.seen[source] & self.seen[target]).float()
        cosine = (self.direction[source] * self.direction[target]).sum(1)
        product = (self.z[source] * self.z[target]).sum(1)
        distance = (self.z[source] - self.z[target]).norm(dim=1)
        return torch.stack([cosine * known, product * known, distance * known, known], 1)
