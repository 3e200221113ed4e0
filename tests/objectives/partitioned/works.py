"""A store as the graph stages leave it to the training, of arrays in memory."""

import numpy as np
import torch

from genurl_graph.runtime.partitions import Store


def write_work(folder, blocks, edge_index, p, count):
    """Write averages [n, f], one an array, and the sorted edges of P, in `count` partitions."""
    work = Store.of(folder, len(blocks[0]), count)
    ends = torch.searchsorted(edge_index[0].contiguous(), torch.arange(work.num_rows + 1)).numpy()
    for part in range(work.count):
        low, high = work.span(part)
        for steps, block in enumerate(blocks):
            work.save(f"average{steps}", part, block[low:high].numpy())
        edges = slice(ends[low], ends[high])
        work.save("p_crow", part, ends[low : high + 1] - ends[low])
        work.save("p_col", part, edge_index[1, edges].numpy().astype(np.int32))
        work.save("p", part, p[edges].numpy())
    return work
