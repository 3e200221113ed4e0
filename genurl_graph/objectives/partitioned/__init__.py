"""Training on partitions: each worker holds the rows of its nodes, their edges in P, and fetches the neighbours' rows.

Workers are the processes of a torch process group, or one process without a group. W of them hold n / W consecutive
rows each, whatever the partitions on disk are. A batch is B / W nodes of each worker. The loss, the loop and the
encoder are those of mini-batches in memory (`genurl_graph.objectives.mini_batch`).
"""

from genurl_graph.objectives.partitioned.encoder import embed_part, load_encoder
from genurl_graph.objectives.partitioned.train import train_partitions

__all__ = ["embed_part", "load_encoder", "train_partitions"]
