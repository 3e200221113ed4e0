"""The Weisfeiler-Lehman subtree kernel of grakel (Shervashidze et al., JMLR 12, 2011)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from genurl_graph.baselines import missing_package
from genurl_graph.inputs.collection import GraphCollection


def require(name: str) -> None:
    """Raise InputError, which names the extra, where grakel is not installed."""
    if find_spec("grakel") is None:
        raise missing_package(name, "grakel")


def embed(
    name: str, collection: GraphCollection, seed: int, device: str | torch.device, settings: dict[str, Any]
) -> Tensor:
    """Kernel of all pairs of graphs, float64 [G, G], normalised so that a graph with itself has 1.

    Labels are `GraphCollection.node_kinds`: features, or degrees where there are none. Attributes and weights of edges
    are not read. A graph without nodes has 0 with all, itself included. The seed changes nothing.

    Parameters
    ----------
    settings : dict
        ``iterations``: rounds in which labels are refined, beside the labels themselves.
    """
    from grakel.kernels import VertexHistogram, WeisfeilerLehman

    full = (collection.sizes() > 0).nonzero().squeeze(1)
    kernel = WeisfeilerLehman(n_iter=settings["iterations"], base_graph_kernel=VertexHistogram, normalize=True)
    found = torch.zeros(collection.num_graphs, collection.num_graphs, dtype=torch.float64)
    found[full[:, None], full] = torch.from_numpy(kernel.fit_transform(list(grakel_graphs(collection, full))))
    return found


def grakel_graphs(collection: GraphCollection, index: Tensor) -> list[Any]:
    """Some graphs as grakel reads them: neighbours by node, and labels by node.

    Every node is its own neighbour as well. That keeps nodes without edges, which grakel drops, and tells apart exactly
    the labels that are told apart without it.
    """
    kinds = torch.unique(collection.node_kinds(), return_inverse=True)[1].tolist()
    targets, ends = collection.edge_index[1].tolist(), collection.node_ptr.tolist()
    count = collection.degrees()
    until = count.cumsum(0)
    bounds = list(zip((until - count).tolist(), until.tolist(), strict=True))

    def graph(g: int) -> Any:
        nodes = range(ends[g], ends[g + 1])
        near = {node: [node, *targets[slice(*bounds[node])]] for node in nodes}
        return near, {node: kinds[node] for node in nodes}

    return [graph(g) for g in index.tolist()]
