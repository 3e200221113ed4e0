"""Two kinds of small graphs."""

import pytest
import torch
from torch import Tensor

from genurl_graph.inputs.collection import GraphCollection


def collection_of(sizes: list[int], stars: list[bool], x: Tensor | None) -> GraphCollection:
    """Rings and stars of some numbers of nodes >= 3, one after another."""
    edges, first = [], 0
    for size, star in zip(sizes, stars, strict=True):
        node = torch.arange(size)
        pair = torch.stack([torch.zeros(size - 1).long(), node[1:]]) if star else torch.stack([node, (node + 1) % size])
        edges.append(torch.cat([pair, pair.flip(0)], 1) + first)
        first += size
    joined = torch.cat(edges, 1)
    joined = joined[:, (joined[0] * first + joined[1]).argsort()]
    counts = torch.tensor([part.size(1) for part in edges])
    pointers = [torch.cat([n.new_zeros(1), n.cumsum(0)]) for n in (torch.tensor(sizes), counts)]
    return GraphCollection(x, joined, None, None, *pointers)


@pytest.fixture(scope="module")
def rings_and_stars() -> GraphCollection:
    """15 rings, then 15 stars, of 4 to 8 nodes of one of three kinds."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.randint(4, 9, (30,), generator=generator).tolist()
    kinds = torch.randint(3, (sum(sizes),), generator=generator)
    return collection_of(sizes, [k >= 15 for k in range(30)], torch.eye(3)[kinds])
