"""Random views of the input: what the encoder must not rely on.

Dropped edges belong to the propagation graph (`genurl_graph.propagation.Propagation.operator`); here are the
input's columns and rows.
"""

import torch
from torch import Tensor


def keep_features(num_features: int, drop: float, device: torch.device | str = "cpu") -> Tensor | None:
    """Random mask of input columns, shared by all nodes (feature masking of GRACE, arXiv 2006.04131).

    Parameters
    ----------
    num_features : int
        Number of columns f.
    drop : float
        Share of columns set to zero; 0 returns None, that is, no mask.
    device : torch.device or str
        Where the mask is drawn, from torch's generator of that device.

    Returns
    -------
    Tensor, float32, shape [f], or None
        1 for a kept column, 0 for a dropped one.
    """
    if drop == 0:
        return None
    return (torch.rand(num_features, device=device) >= drop).float()


def keep_nodes(hidden: Tensor) -> Tensor:
    """Random mask of the nodes whose features are seen, float32 [n, 1], of each node's probability `hidden` [n].

    A node whose features are hidden is embedded from its neighbours' alone (GraphMAE masks nodes, arXiv 2205.10803).
    """
    return (torch.rand_like(hidden) >= hidden).to(hidden.dtype)[:, None]
