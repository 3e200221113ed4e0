"""Whatever a user has, as one input: PyG ``Data``, NumPy, SciPy, torch, networkx."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions, FeaturePlan, read_data_features, read_features
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.edges import sum_repeats
from genurl_graph.inputs.images import Shape, as_rows, stacked
from genurl_graph.inputs.validation import check_edges, check_matrix


class Input(NamedTuple):
    """Nodes with features, edges, or both.

    Attributes
    ----------
    x : Tensor, float32, shape [n, f], or None
        Strided, or CSR where few entries are not zero. Finite.
    edge_index : Tensor, int64, shape [2, E], or None
        Every ordered pair once, in any order; of several relations (``types``) each pair once for each.
    edge_weight : Tensor, float32, shape [E], or None
        Weights of repeated edges are summed (`genurl_graph.inputs.edges.sum_repeats`).
    num_nodes : int
    kind : str
        What the user handed in, to answer in kind: "torch" or "numpy".
    types : NodeTypes or None
        Of a ``HeteroData``, whose x is CSR.
    distances : array or SciPy matrix, shape [n, n], or None
        In place of features (`genurl_graph.inputs.precomputed`).
    image : (height, width, channels) or None
        Of images, whose rows are pixels, channels last.
    coherence : dict or None
        By metric, once it was asked for (`genurl_graph.graph.edge_reliability.measure_consistency`).
    plan : FeaturePlan or None
        What `x` was made by of raw columns; None where it is what came.
    """

    x: Tensor | None
    edge_index: Tensor | None
    edge_weight: Tensor | None
    num_nodes: int
    kind: str
    types: NodeTypes | None = None
    distances: Any = None
    image: Shape | None = None
    coherence: dict[str, float] | None = None
    plan: FeaturePlan | None = None

    @property
    def num_features(self) -> int:
        """Columns of the features, or of the distances that stand in for them."""
        if self.distances is not None:
            return int(self.distances.shape[1])
        return 0 if self.x is None else int(self.x.size(1))

    def bare_nodes(self) -> Tensor:
        """Nodes without features, int64."""
        if self.x is None or self.types is None:
            return torch.arange(self.num_nodes if self.x is None else 0)
        widths = self.types.widths()
        ranges = [torch.arange(low, high) for name, (low, high) in self.types.rows.items() if not widths[name]]
        return torch.cat([torch.arange(0), *ranges])


def as_input(data: Any, at_least: int = 2, features: FeatureOptions = AS_THEY_ARE) -> Input:
    """Check `data` and bring it to torch tensors on the CPU, sparse features without a dense copy.

    Parameters
    ----------
    data : Data, array, sparse matrix, Tensor or networkx graph
        A PyG ``Data`` (``x``, ``edge_index``, ``edge_weight`` or one-column ``edge_attr``); a matrix [n, f] of
        features; images [n, channels, height, width], or a torch ``Dataset`` of images, which become rows of pixels; or
        a networkx graph (edge attribute ``weight``; numeric node attribute ``x`` as features). A ``Data`` may say by
        ``image_shape``, (height, width, channels), that its rows are images.
    at_least : int
        Nodes that there must be.
    features : FeatureOptions
        What is to be done with the features; by default matrices are left as they are, and text is no feature.

    Raises
    ------
    InputError
        Nothing to embed, fewer than two nodes, NaN or infinite features, rows that do not match, unknown type.
    """
    if hasattr(data, "is_multigraph"):
        data, kind = _from_networkx(data), "numpy"
    elif hasattr(data, "num_node_features"):
        kind = "torch"
    else:
        data = stacked(data) if isinstance(data, Dataset) else data
        rows, image = as_rows(data)
        x, plan = (as_features(rows), None) if image else read_features(rows, features)
        kind = "torch" if isinstance(data, Tensor) else "numpy"
        n = len(rows) if x is None else int(x.size(0))
        return check_input(Input(x, None, None, n, kind, image=image, plan=plan), at_least)
    if hasattr(data, "node_types"):
        raise wrong("data", type(data).__name__, "a homogeneous PyG Data")
    x, plan = read_data_features(data, features, graph=data.edge_index is not None)
    if data.edge_index is None and getattr(data, "adj_t", None) is not None:
        raise wrong("data", "adj_t without edge_index", "edges as edge_index [2, E]")
    edges: Tensor | None = None
    weight = edge_weights(data)
    if data.edge_index is not None:
        # PyG derives the number of nodes from the edges where nothing else tells it: `check_input` compares the two.
        edges, weight = check_edges(data.edge_index, None, weight=weight)
        edges, weight = edges.cpu(), None if weight is None else weight.cpu()
    image = getattr(data, "image_shape", None)
    n = int(data.num_nodes or 0)
    found = check_input(Input(x, edges, weight, n, kind, image=image, plan=plan), at_least)
    if found.edge_index is None:
        return found
    edges, weight = sum_repeats(found.edge_index, found.edge_weight, found.num_nodes)
    return found._replace(edge_index=edges, edge_weight=weight)


def check_input(found: Input, at_least: int = 2) -> Input:
    """`found`, if its parts fit together; InputError if not (see `as_input`)."""
    n = found.num_nodes
    if found.edge_index is not None:
        check_edges(found.edge_index, n, weight=found.edge_weight)
    if n < at_least:
        raise wrong("data", f"{n} nodes (n_samples={n})", f"at least {at_least}")
    if found.x is not None:
        check_matrix(found.x, rows=n)
    elif found.edge_index is None or found.edge_index.numel() == 0:
        if found.plan is not None:
            raise wrong("data", f"no column that tells rows apart ({'; '.join(found.plan.lines()[:5])})", "some")
        raise wrong("data", "neither features nor edges", "at least one of them")
    return found


def _from_networkx(graph: Any) -> Any:
    from torch_geometric.data import Data

    nodes = {node: i for i, node in enumerate(graph.nodes)}
    edges = list(graph.edges(data="weight", default=1.0))
    pairs = np.array([(nodes[u], nodes[v]) for u, v, _ in edges], dtype=np.int64).reshape(-1, 2)
    try:
        weight = np.array([w for *_, w in edges], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise wrong("edge attribute weight", error, "numbers") from error
    if not graph.is_directed():
        pairs, weight = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([weight, weight])
    features = [graph.nodes[node].get("x") for node in graph.nodes]
    x, lacking = None, [node for node, value in zip(nodes, features, strict=True) if value is None]
    if lacking and len(lacking) < len(nodes):
        raise wrong("node attribute x", f"none at {len(lacking)} nodes, such as {lacking[0]!r}", "one at every node")
    if nodes and not lacking:
        x = as_features([np.atleast_1d(value) for value in features])
    return Data(
        x=x,
        edge_index=torch.from_numpy(pairs.T.copy()),
        edge_weight=torch.from_numpy(weight),
        num_nodes=len(nodes),
    )


def edge_weights(data: Any) -> Tensor | None:
    """``edge_weight`` of a PyG Data, or ``edge_attr`` if it is one number an edge; wider edge features are not."""
    weight: Tensor | None = getattr(data, "edge_weight", None)
    if weight is None and getattr(data, "edge_attr", None) is not None:
        if data.edge_attr.dim() == 1 or data.edge_attr.size(1) == 1:
            weight = data.edge_attr.reshape(-1)
        else:
            warnings.warn(f"edge_attr with {data.edge_attr.size(1)} columns is ignored", stacklevel=3)
    return None if weight is None else weight.reshape(-1)


class NodeTypes(NamedTuple):
    """What is left of a ``HeteroData`` in the one graph that `genurl_graph.inputs.hetero` makes of it.

    Attributes
    ----------
    rows : dict
        First node of each type, and the one after its last.
    columns : dict
        The same of its columns in x; an empty range for a type without features.
    relations : tuple of str
        "source__name__target".
    relation : Tensor, int64, shape [E]
        Which of them each edge belongs to.
    """

    rows: dict[str, tuple[int, int]]
    columns: dict[str, tuple[int, int]]
    relations: tuple[str, ...]
    relation: Tensor

    def widths(self) -> dict[str, int]:
        """Number of features of each type."""
        return {name: high - low for name, (low, high) in self.columns.items()}
