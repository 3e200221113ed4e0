"""Structural features: the encoder's input for nodes without features (`encoder.structure`).

One-hot rows ("identity") distinguish all nodes but do not transfer to a new graph. The other kinds are functions of the
graph:

* "degree": Local Degree Profile (Cai & Wang, arXiv 1811.03508), logarithms of PyG's `LocalDegreeProfile`;
* "random_walk": ``(D^-1 A)^t_ii``, the probability of returning after t steps (Dwivedi et al., arXiv 2110.07875);
* "laplacian": eigenvectors of ``I - D^-1/2 A D^-1/2`` to the smallest eigenvalues but the first (Dwivedi et al., arXiv
  2003.00982), by PyG's `AddLaplacianEigenvectorPE`. Those of one graph mean nothing on another.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.sparse import csr_tensor
from genurl_graph.runtime.random import seeded_globally

Structure = Literal["identity", "degree", "random_walk", "laplacian"]
# Kinds that transfer to another graph.
TRANSFERABLE = ("degree", "random_walk")

# Numbers of float32 in each of the three blocks [n, B] of a random walk: on a CPU 2 MB, which fit into its caches
# (blocks of 64 MB took three times as long), elsewhere 64 MB.
_CELLS = {"cpu": 1 << 19}
_CELLS_ELSEWHERE = 1 << 24


def structural_features(
    kind: str, columns: int, edge_index: Tensor, edge_weight: Tensor, num_nodes: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Structural features of every node.

    Parameters
    ----------
    kind : "degree", "random_walk" or "laplacian"
    columns : int
        Number of steps or of eigenvectors; a degree profile always has 5.
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
    return {"identity": num_nodes, "degree": 5}.get(kind, columns)


def degree_profile(edge_index: Tensor, num_nodes: int) -> Tensor:
    """``log(1 + v)`` of each node's degree and of minimum, maximum, mean and deviation of its neighbours', [n, 5]."""
    from torch_geometric.data import Data
    from torch_geometric.transforms import LocalDegreeProfile

    profile: Tensor = LocalDegreeProfile()(Data(edge_index=edge_index, num_nodes=num_nodes)).x
    return profile.float().log1p()


def return_probabilities(edge_index: Tensor, edge_weight: Tensor, num_nodes: int, steps: int) -> Tensor:
    """Probabilities ``(D^-1 W)^t_ii`` of t = 2, ..., steps + 1, exactly (t = 1 is 0 without self loops).

    PyG's `AddRandomWalkPE` multiplies sparse matrices with each other, which fill up to n x n. Here blocks of unit
    vectors walk. With ``S = D^-1/2 W D^-1/2``, ``v_s = S^s e_i`` and symmetry, ``(D^-1 W)^(a + b)_ii = <v_a, v_b>``:
    half the steps suffice. O(n E steps / 2) operations: 16 steps on 20,000 nodes with 200,000 directed edges took 37 s
    on one core of a busy machine; ten times as many nodes take a hundred times as long.

    Parameters
    ----------
    edge_index, edge_weight, num_nodes
        As in `structural_features`; computed on their device.
    steps : int
        Number of columns.

    Returns
    -------
    Tensor, float32, shape [num_nodes, steps]
        0 for isolated nodes.
    """
    from torch_geometric.index import index2ptr

    row, col = edge_index
    degree = edge_weight.new_zeros(num_nodes).index_add_(0, row, edge_weight)
    scale = torch.where(degree > 0, degree.clamp_min(torch.finfo(degree.dtype).tiny).rsqrt(), 0.0)
    operator = csr_tensor(index2ptr(row, num_nodes), col, edge_weight * scale[row] * scale[col], (num_nodes, num_nodes))
    found = edge_weight.new_zeros(num_nodes, steps)
    width = max(1, _CELLS.get(row.device.type, _CELLS_ELSEWHERE) // num_nodes)
    for start in range(0, num_nodes, width):
        nodes = torch.arange(start, min(start + width, num_nodes), device=row.device)
        before = edge_weight.new_zeros(num_nodes, nodes.numel())
        before[nodes, nodes - start] = 1.0
        before = operator @ before
        for length in range(2, steps + 2, 2):
            found[nodes, length - 2] = before.square().sum(0)
            if length <= steps:
                after = operator @ before
                found[nodes, length - 1] = (before * after).sum(0)
                before = after
    return found


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
