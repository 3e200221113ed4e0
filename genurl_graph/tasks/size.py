"""What the size of a graph demands: mini-batches where a step over all nodes would not fit."""

from __future__ import annotations

from typing import Any

import torch

from genurl_graph.inputs.input import Input
from genurl_graph.nn.gnn import SAMPLED
from genurl_graph.runtime.processes import world_size

# Nodes up to which a graph is embedded by steps over all of them on a CPU; memory of such a step for each node.
FULL_BATCH_NODES = 100_000
FULL_BATCH_BYTES = 40_000
# Rows up to which edges are embedded by such steps: their line graph has up to 64 neighbours a row, and a star of
# 100,000 edges took 4.5 GB.
FULL_BATCH_EDGES = 50_000


def fit_to_size(data: Input, asked: dict[str, Any], device: torch.device | str) -> None:
    """Put into `asked` what the size of a graph demands: mini-batches, and an encoder for them if none is named."""
    large = _is_too_large(data, device)
    if "encoder.name" not in asked and (large or world_size() > 1):
        asked["encoder.name"] = "sign"
    if large and asked.get("encoder.name") in SAMPLED:
        asked.setdefault("sampling.negatives", "batch")


def _is_too_large(data: Input, device: torch.device | str) -> bool:
    """Whether a graph has too many nodes for steps over all of them, and the features that mini-batches need.

    Edges have roles in place of features.
    """
    device = torch.device(device)
    if (data.x is None and data.ends is None) or data.types is not None:
        return False
    if device.type != "cuda":
        return data.num_nodes > (FULL_BATCH_NODES if data.ends is None else FULL_BATCH_EDGES)
    return data.num_nodes * FULL_BATCH_BYTES > 0.8 * torch.cuda.get_device_properties(device).total_memory
