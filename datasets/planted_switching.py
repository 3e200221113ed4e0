"""Events among nodes of planted communities, some of which change theirs: of any size, with a known answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.event_set import EventSet, NodeStates
from genurl_graph.inputs.temporal.events import TemporalEdges

if TYPE_CHECKING:
    from genurl_graph.datasets.registry import DatasetInfo

# Length of a span, in seconds: a day.
SPAN = 86_400
# Nodes differ in how many events they have: squared deviation of their weights, which are gamma distributed, mean 1.
UNEVEN = 0.25


class Planted(NamedTuple):
    """Nodes whose events are to be drawn.

    Attributes
    ----------
    label : Tensor, int64, shape [n, S]
        Community of each node in each of S spans of a day.
    weight : Tensor, float64, shape [n]
        Share of the events that a node has, but for a factor.
    num_events : int
    inside : float
    seed : int
    """

    label: Tensor
    weight: Tensor
    num_events: int
    inside: float
    seed: int

    @classmethod
    def of(
        cls,
        num_nodes: int = 1000,
        num_events: int = 50_000,
        communities: int = 5,
        spans: int = 20,
        *,
        inside: float = 0.8,
        switching: float = 0.2,
        seed: int = 0,
    ) -> Planted:
        """Draw the nodes: parameters, and what is raised, are those of `planted_switching`."""
        for what, found, least in (
            ("num_nodes", num_nodes, 2),
            ("num_events", num_events, 1),
            ("communities", communities, 2),
            ("spans", spans, 5),
        ):
            if found < least:
                raise wrong(what, found, f"at least {least}")
        for name, share in (("inside", inside), ("switching", switching)):
            if not 0 <= share <= 1:
                raise wrong(name, share, "a share in [0, 1]")
        drawn = torch.Generator().manual_seed(seed)
        first = torch.randint(communities, (num_nodes,), generator=drawn)
        label = first[:, None].repeat(1, spans)
        switch = torch.randperm(num_nodes, generator=drawn)[: round(switching * num_nodes)]
        # Two spans at least before a change and after it: less is no state, but an exception.
        when = torch.randint(2, spans - 2 + 1, (len(switch),), generator=drawn)
        other = (first[switch] + torch.randint(1, communities, (len(switch),), generator=drawn)) % communities
        label[switch] = torch.where(torch.arange(spans) >= when[:, None], other[:, None], first[switch][:, None])
        # A sum of squares of standard normal numbers is gamma distributed.
        normal = torch.randn(num_nodes, round(2 / UNEVEN), generator=drawn, dtype=torch.float64)
        return cls(label, normal.square().mean(1), num_events, inside, seed)

    def span(self, span: int) -> tuple[Tensor, Tensor, Tensor]:
        """Source, target and second of the events of a span, int64, in the order of time; no node meets itself."""
        spans = self.label.size(1)
        drawn = torch.Generator().manual_seed((self.seed << 20) + span + 1)
        m = self.num_events * (span + 1) // spans - self.num_events * span // spans
        label = self.label[:, span]
        # Nodes by community; the weights of one are a piece of the line, and so are those of all.
        order = label.argsort(stable=True)
        end = self.weight[order].cumsum(0)
        size = torch.bincount(label)
        last = (size.cumsum(0) - 1).clamp_min(0)
        high = end[last]
        low = torch.cat([end.new_zeros(1), high[:-1]])
        u, v, side = torch.rand(3, m, generator=drawn, dtype=torch.float64)
        source = order[torch.searchsorted(end, u * end[-1]).clamp_max(len(order) - 1)]
        own = side < self.inside
        begin = torch.where(own, low[label[source]], 0.0)
        width = torch.where(own, high[label[source]], end[-1]) - begin
        target = order[torch.searchsorted(end, begin + v * width).clamp_max(len(order) - 1)]
        time = torch.randint(span * SPAN, (span + 1) * SPAN, (m,), generator=drawn).sort().values
        kept = source != target
        return source[kept], target[kept], time[kept]

    def parts(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The events of each span, one after another."""
        for span in range(self.label.size(1)):
            yield self.span(span)


def planted_switching(
    num_nodes: int = 1000,
    num_events: int = 50_000,
    communities: int = 5,
    spans: int = 20,
    *,
    inside: float = 0.8,
    switching: float = 0.2,
    seed: int = 0,
) -> EventSet:
    """Events of a degree-corrected stochastic block model in which some nodes change their community once.

    Each span is a day, and is drawn by the communities of that day (Karrer & Newman, arXiv 1008.3926; with nodes that
    move: Ghasemian et al., Phys. Rev. X 6, 2016). A node that switches does so at the beginning of a day that is drawn
    for it alone; its number of events stays what it was, so that only the others it meets tell.

    Parameters
    ----------
    num_nodes, num_events, communities : int
        At least 2, 1 and 2. An event of a node with itself is left out: there are a few fewer than asked for.
    spans : int
        Days, at least 5.
    inside : float
        Share of the events whose target is of the source's community; that of the others is any node.
    switching : float
        Share of the nodes that switch.
    seed : int

    Returns
    -------
    EventSet
        ``states``: the community of each node on each day; ``y``: that in which it is for the longest time (the first
        of two equal ones). Times are whole seconds. Time and memory O(n S + M).

    Raises
    ------
    InputError
        Numbers out of range.

    Examples
    --------
    >>> events = planted_switching()
    >>> events.states.label.shape
    torch.Size([1000, 20])
    """
    planted = Planted.of(num_nodes, num_events, communities, spans, inside=inside, switching=switching, seed=seed)
    source, target, time = (torch.cat(part) for part in zip(*planted.parts(), strict=True))
    edges = TemporalEdges.of(source, target, time, num_nodes=num_nodes)
    states = NodeStates(SPAN * torch.arange(spans).double(), planted.label)
    counts = torch.nn.functional.one_hot(planted.label, communities).sum(1)
    first = torch.nn.functional.one_hot(planted.label[:, 0], communities)
    y = (2 * counts + first).argmax(1)
    names = [f"community {k}" for k in range(communities)]
    return EventSet(edges, y=y, label_names=names, unit="seconds", states=states)


def load_planted(entry: DatasetInfo, root: Path) -> EventSet:
    """`planted_switching` as it is, for the registry: no files are read."""
    return planted_switching()


def write_planted_stream(path: str | os.PathLike[str], num_nodes: int, num_events: int, **options: object) -> int:
    """Write such events to a Parquet file, one span at a time: never all of them in memory.

    Parameters
    ----------
    path : path
        Columns source, target (int32 or int64) and time (int64, seconds).
    num_nodes, num_events : int
    **options
        As of `planted_switching`.

    Returns
    -------
    int
        Events written.

    Raises
    ------
    InputError
        Numbers out of range, or no pyarrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise wrong("Parquet", "no pyarrow", "the extra genurl-graph[parquet]") from error
    planted = Planted.of(num_nodes, num_events, **options)  # type: ignore[arg-type]
    kind = pa.int32() if num_nodes < 1 << 31 else pa.int64()
    schema = pa.schema([("source", kind), ("target", kind), ("time", pa.int64())])
    written = 0
    with pq.ParquetWriter(Path(path), schema) as writer:
        for source, target, time in planted.parts():
            parts = {"source": source, "target": target, "time": time}
            columns = {name: pa.array(part.numpy()).cast(schema.field(name).type) for name, part in parts.items()}
            writer.write_table(pa.table(columns, schema=schema))
            written += len(time)
    return written
