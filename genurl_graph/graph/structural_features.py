"""Structural features: the encoder's input for nodes without features (`encoder.structure`).

One-hot rows ("identity") distinguish all nodes, so that communities are found, but do not transfer to a new graph. The
other kinds are functions of the graph:

* "degree": Local Degree Profile (Cai & Wang, arXiv 1811.03508), logarithms of PyG's `LocalDegreeProfile`;
* "random_walk": ``(D^-1 A)^t_ii``, the probability of returning after t steps (Dwivedi et al., arXiv 2110.07875);
* "roles": all of these counts and more, and what they are among the neighbours (`genurl_graph.graph.role_features`);
* "both": one-hot rows for the network, and role features for the skip (`genurl_graph.nn.skip`);
* "laplacian": eigenvectors of ``I - D^-1/2 A D^-1/2`` to the smallest eigenvalues but the first (Dwivedi et al., arXiv
  2003.00982), by PyG's `AddLaplacianEigenvectorPE`. Those of one graph mean nothing on another.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config.choices import Structure as Structure
from genurl_graph.exceptions import wrong
from genurl_graph.graph.role_features import ROLE_COLUMNS, role_features
from genurl_graph.graph.role_features.counts import degree_profile
from genurl_graph.graph.role_features.walks import return_probabilities
from genurl_graph.runtime.random import seeded_globally

# Kinds that transfer to another graph, and those that know a node of the fit by a column of its own.
TRANSFERABLE = ("roles", "degree", "random_walk")
ONE_HOT = ("identity", "both")


def structural_features(
    kind: str, columns: int, edge_index: Tensor, edge_weight: Tensor, num_nodes: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Structural features of every node.

    Parameters
    ----------
    kind : "roles", "degree", "random_walk" or "laplacian"
    columns : int
        Number of steps or of eigenvectors; a degree profile always has 5, and role features `ROLE_COLUMNS`.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, without self loops (as `genurl_graph.graph.merge.merge_graphs` returns).
    edge_weight : Tensor, float32, shape [E]
        Weights >= 0; degree profiles count edges.
    num_nodes : int
    device : torch.device
        Where random walks are computed.

    Returns
    -------
    Tensor, float32, shape [num_nodes, `structure_width`], on the CPU
        Memory O(E + num_nodes columns); nothing is n x n.

    Raises
    ------
    InputError
        Fewer than one column, or more eigenvectors than the graph has.
    """
    if columns < 1:
        raise wrong("encoder.structure_dim", columns, "at least 1")
    if kind == "roles":
        return role_features(edge_index, edge_weight, num_nodes, device)
    if kind == "degree":
        return degree_profile(edge_index, num_nodes)
    if kind == "random_walk":
        return return_probabilities(edge_index.to(device), edge_weight.to(device), num_nodes, columns).cpu()
    if columns > num_nodes - 2:
        found = f"{columns} eigenvectors of {num_nodes} nodes"
        raise wrong("encoder.structure_dim", found, f"{num_nodes - 2} at most")
    return eigenvectors(edge_index, edge_weight, num_nodes, columns)


def structure_width(kind: str, columns: int, num_nodes: int) -> int:
    """Number of columns of `structural_features`, or of one-hot rows."""
    known = {"identity": num_nodes, "both": num_nodes, "degree": 5, "roles": ROLE_COLUMNS}
    return known.get(kind, columns)


def eigenvectors(edge_index: Tensor, edge_weight: Tensor, num_nodes: int, columns: int) -> Tensor:
    """Eigenvectors of the normalised Laplacian to its smallest eigenvalues but the first, float32 [n, columns].

    The sign of an eigenvector is chosen so that the sum of its cubes is positive, which does not depend on the order of
    the nodes (a vector that mirrors itself, as on a path, stays ambiguous). Vectors of equal eigenvalues, such as those
    of the components of a disconnected graph, are one basis of many. Repeatable on one machine.
    """
    from torch_geometric.data import Data
    from torch_geometric.transforms import AddLaplacianEigenvectorPE

    start = torch.linspace(1, 2, num_nodes).double().numpy()
    # The transform draws signs, which are replaced below: no generator must advance.
    with seeded_globally(0):
        # float64: the solver is as accurate as its dtype.
        data = Data(edge_index=edge_index.cpu(), edge_weight=edge_weight.cpu().double(), num_nodes=num_nodes)
        data = AddLaplacianEigenvectorPE(columns, "pe", is_undirected=True, v0=start)(data)
    vectors: Tensor = data.pe.double()
    return (vectors * torch.where(vectors.pow(3).sum(0) < 0, -1.0, 1.0)).float()
