"""A grid of streets whose classes lie in space, as edges that are rows."""

import torch

from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet


def street_grid(side: int = 12, labels: int = 3, masks: bool = True) -> EdgeSet:
    """Streets between neighbouring corners of a grid; the class is the stripe that a street lies in."""
    corner = torch.arange(side * side).reshape(side, side)
    ends = torch.cat(
        [
            torch.stack([corner[:, :-1].flatten(), corner[:, 1:].flatten()]),
            torch.stack([corner[:-1].flatten(), corner[1:].flatten()]),
        ],
        1,
    )
    place = torch.stack([torch.arange(side * side) % side, torch.arange(side * side) // side], 1).double()
    middle = place[ends].mean(0)
    y = (middle[:, 0] * labels / side).long().clamp(max=labels - 1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(ends.size(1), 5, generator=generator)
    part = torch.rand(ends.size(1), generator=generator)
    found = EdgeSet(EdgeEnds(ends, side * side), x=x, y=y, middle=middle, name="grid")
    if masks:
        found.train_mask, found.val_mask, found.test_mask = part < 0.5, (part >= 0.5) & (part < 0.7), part >= 0.7
    return found
