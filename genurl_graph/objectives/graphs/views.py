"""Random views of many graphs at once: nodes left out, edges replaced, attributes hidden, connected parts.

The first four are those of GraphCL (You et al., arXiv 2010.13902, table 1). The fifth hides attributes where the
structure says so, from easy to hard, after StructMAE (Liu et al., arXiv 2404.15806). Every function takes a collection
whose edges stand both ways (`genurl_graph.nn.graphs.adjacency.undirected`) and returns one of as many graphs; `share`
is a number, or one a graph. No graph with nodes loses all of them, and no edge joins two graphs. There is no loop over
graphs.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config.views import GraphViewConfig
from genurl_graph.exceptions import unknown
from genurl_graph.graph.role_features.counts import page_rank
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.sparse import csr_tensor, row_pointers, to_scipy_or_numpy
from genurl_graph.nn.graphs.adjacency import reverse_edges, with_edges
from genurl_graph.runtime.random import rand

KINDS = ("nodes", "edges", "attributes", "subgraph", "guided")
Share = float | Tensor


def read_kinds(kinds: str) -> tuple[str, ...]:
    """The kinds of views that ``graphs.kinds`` names; InputError for an unknown one."""
    found = tuple(word.strip() for word in kinds.split(",") if word.strip())
    for name in found:
        if name not in KINDS:
            raise unknown("graphs.kinds", name, KINDS)
    return found


def random_views(
    batch: GraphCollection, views: GraphViewConfig, score: Tensor | None = None, progress: float = 0.0
) -> GraphCollection:
    """A view of every graph, of a kind that is drawn for each.

    Parameters
    ----------
    batch : GraphCollection
    views : GraphViewConfig
        Without kinds, or with share 0, graphs stay as they are.
    score : Tensor, float, shape [N], optional
        Of the nodes, by `node_ranks`; needed for the kind "guided".
    progress : float
        Share of the training that is over.
    """
    kinds = read_kinds(views.kinds)
    if not kinds or views.share == 0:
        return batch
    drawn = (rand(batch.num_graphs, batch.node_ptr.device) * len(kinds)).long()
    # Attributes first: the other kinds change which nodes there are.
    for k, name in sorted(enumerate(kinds), key=lambda kind: kind[1] not in ("attributes", "guided")):
        share: Share = views.share if len(kinds) == 1 else (drawn == k) * views.share
        if name == "guided":
            assert score is not None
            batch = mask_guided(batch, share, score, progress)
        else:
            batch = _VIEWS[name](batch, share)
    return batch


def drop_nodes(batch: GraphCollection, share: Share) -> GraphCollection:
    """Each node is left out with probability `share`, with its edges."""
    kept = rand(batch.num_nodes, batch.node_ptr.device) >= _of_nodes(batch, share)
    return keep_nodes(batch, kept)


def keep_nodes(batch: GraphCollection, kept: Tensor) -> GraphCollection:
    """The nodes for which `kept`, bool [N], holds, and the edges among them; a graph that would lose all keeps all."""
    before = torch.cat([kept.new_zeros(1, dtype=torch.long), kept.cumsum(0)])
    lost = before[batch.node_ptr].diff() == 0
    if bool((lost & (batch.sizes() > 0)).any()):
        kept = kept | lost.repeat_interleave(batch.sizes())
        before = torch.cat([kept.new_zeros(1, dtype=torch.long), kept.cumsum(0)])
    source, target = batch.edge_index
    edges = (kept.index_select(0, source) & kept.index_select(0, target)).nonzero().squeeze(1)
    moved = keep_edges(batch, edges)
    return moved._replace(
        x=None if batch.x is None else batch.x.index_select(0, kept.nonzero().squeeze(1)),
        edge_index=before.index_select(0, moved.edge_index.reshape(-1)).view(2, -1),
        node_ptr=before[batch.node_ptr],
    )


def keep_edges(batch: GraphCollection, edges: Tensor) -> GraphCollection:
    """The edges of ascending numbers `edges` alone."""
    attr, weight = batch.edge_attr, batch.edge_weight
    return batch._replace(
        edge_index=batch.edge_index.index_select(1, edges),
        edge_attr=None if attr is None else attr.index_select(0, edges),
        edge_weight=None if weight is None else weight.index_select(0, edges),
        edge_ptr=torch.searchsorted(edges, batch.edge_ptr),
    )


def perturb_edges(batch: GraphCollection, share: Share) -> GraphCollection:
    """Each edge is replaced, with probability `share`, by one between two random nodes of its graph, of its attributes.

    Both directions of an edge go and come together. A new edge may be there already, or lead from a node to itself:
    then it is only left out.
    """
    (source, target), n = batch.edge_index, batch.num_nodes
    graph = batch.graph_of_node()
    of_edge = graph.index_select(0, source)
    chance = rand(batch.num_edges, source.device)
    reverse = reverse_edges(batch)
    # Both directions read the number of the one that goes up.
    chance = torch.where(source <= target, chance, chance.index_select(0, reverse))
    replaced = chance < (share if isinstance(share, float | int) else share.index_select(0, of_edge))
    new = (replaced & (source < target)).nonzero().squeeze(1)
    ends = rand((2, len(new)), source.device, torch.float64) * batch.sizes()[of_edge[new]]
    ends = ends.long() + batch.node_ptr[of_edge[new]]
    new, ends = new[ends[0] != ends[1]], ends[:, ends[0] != ends[1]]
    kept = (~replaced).nonzero().squeeze(1)
    edges = torch.cat([batch.edge_index[:, kept], ends, ends.flip(0)], 1)
    taken = torch.cat([kept, new, new])
    key, order = (edges[0] * n + edges[1]).sort(stable=True)
    first = torch.ones_like(key, dtype=torch.bool)
    first[1:] = key[1:] != key[:-1]
    order = order[first]
    return with_edges(batch, edges[:, order], taken[order])


def mask_attributes(batch: GraphCollection, share: Share) -> GraphCollection:
    """The features of each node are 0 with probability `share`."""
    hidden = rand(batch.num_nodes, batch.node_ptr.device) < _of_nodes(batch, share)
    return _hidden(batch, hidden)


def mask_guided(batch: GraphCollection, share: Share, score: Tensor, progress: float) -> GraphCollection:
    """The features of a `share` of each graph's nodes are 0: of low `score` at first, of high score in the end.

    Nodes are ordered by ``u + (1 - 2 progress) score``, u uniform in [0, 1), and the first ones are hidden: half-way
    through the training all nodes are equally likely.

    Parameters
    ----------
    score : Tensor, float, shape [N]
        In [0, 1], by `node_ranks`.
    progress : float
        In [0, 1].
    """
    order = rand(batch.num_nodes, score.device) + (1 - 2 * progress) * score
    place = places(order, batch)
    return _hidden(batch, place < (batch.sizes() * share).round().long().repeat_interleave(batch.sizes()))


def subgraph(batch: GraphCollection, share: Share) -> GraphCollection:
    """A connected part of each graph, of all but a `share` of its nodes, or less where its component is smaller.

    The part grows from a random node along random edges: nodes in the order of their distance from it, where lengths of
    edges are drawn from an exponential distribution. Every edge that leaves the part is then equally likely to be the
    next one (Eden growth). One call of Dijkstra's algorithm serves all graphs.
    """
    from scipy.sparse.csgraph import dijkstra

    sizes, n = batch.sizes(), batch.num_nodes
    device = batch.node_ptr.device
    some = (sizes > 0).nonzero().squeeze(1)
    start = batch.node_ptr[some] + (rand(len(some), device, torch.float64) * sizes[some]).long()
    # Never 0, which a sparse matrix would take for no edge.
    length = -torch.log1p(-rand(batch.num_edges, device, torch.float64)) + 1e-12
    lengths = csr_tensor(row_pointers(batch.edge_index[0], n), batch.edge_index[1], length, (n, n))
    # Of both directions the shorter one counts: the minimum of two exponential lengths is one as well.
    away = dijkstra(to_scipy_or_numpy(lengths), directed=False, indices=start.cpu().numpy(), min_only=True)
    away = torch.from_numpy(np.asarray(away)).to(device)
    kept = sizes - (sizes * share).round().long()
    place = places(away, batch)
    return keep_nodes(batch, (place < kept.repeat_interleave(sizes)) & away.isfinite())


def places(key: Tensor, batch: GraphCollection) -> Tensor:
    """Place of each node in the order of `key` [N] within its graph, int64 [N], from 0 on."""
    # Sorted by key, then stably by graph, the nodes of a graph are again where they were.
    order = key.sort().indices
    graph = batch.graph_of_node()
    order = order[graph[order].sort(stable=True).indices]
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device) - batch.node_ptr[graph]
    return place


def node_ranks(collection: GraphCollection) -> Tensor:
    """Rank of each node's PageRank within its graph, float32 [N], from 0 (lowest) to 1."""
    place = places(page_rank(collection.edge_index, collection.num_nodes), collection)
    last = (collection.sizes() - 1).clamp_min(1).repeat_interleave(collection.sizes())
    return place.float() / last


def _hidden(batch: GraphCollection, hidden: Tensor) -> GraphCollection:
    assert batch.x is not None
    return batch._replace(x=batch.x * ~hidden[:, None])


def _of_nodes(batch: GraphCollection, share: Share) -> Share:
    return share if isinstance(share, float | int) else share.repeat_interleave(batch.sizes())


_VIEWS = {"nodes": drop_nodes, "edges": perturb_edges, "attributes": mask_attributes, "subgraph": subgraph}
