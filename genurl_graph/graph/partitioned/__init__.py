"""The graph of a run by partitions of its rows: what `genurl_graph.tasks.graph` does in memory, in bounded memory.

The stages, in their order: `judge_edges` (edge reliability), `weigh_partitions` (weights of the predefined edges, and
degrees), the search (`genurl_graph.graph.partitioned.search`), `relate_neighbors` (kNN edges and their similarities),
`merge_partitions` (P, and the graph of the propagation) and `average_partitions` (what the encoder "sign" reads). Each
works on a partition at a time by a `genurl_graph.runtime.partitions.Launcher`, and goes on where it was stopped. Every
number is computed as in memory, by the same functions and in the same order, so that the number of partitions and of
workers makes no difference.
"""

from genurl_graph.graph.partitioned.averages import average_partitions
from genurl_graph.graph.partitioned.merge import merge_partitions
from genurl_graph.graph.partitioned.reliability import judge_edges
from genurl_graph.graph.partitioned.similarities import relate_neighbors
from genurl_graph.graph.partitioned.statistics import partition_statistics
from genurl_graph.graph.partitioned.weights import weigh_partitions

__all__ = [
    "average_partitions",
    "judge_edges",
    "merge_partitions",
    "partition_statistics",
    "relate_neighbors",
    "weigh_partitions",
]
