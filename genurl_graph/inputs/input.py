"""Whatever a user has, as one input: PyG ``Data``, NumPy, SciPy, torch, networkx."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.images import Shape, as_rows, stacked
from genurl_graph.inputs.sparse import csr_tensor

# Features with a smaller share of non-zero entries are kept as CSR: the first layer is then several times cheaper.
SPARSE_BELOW = 0.1


COMPLEX = "Complex data not supported"


class EntryError(InputError, TypeError):
    """An entry of a matrix that is no number: a TypeError by scikit-learn's conventions."""


class Input(NamedTuple):
    """Nodes with features, edges, or both.

    Attributes
    ----------
    x : Tensor, float32, shape [n, f], or None
        Strided, or CSR where few entries are not zero. Finite.
    edge_index : Tensor, int64, shape [2, E], or None
    edge_weight : Tensor, float32, shape [E], or None
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


def as_input(data: Any, at_least: int = 2) -> Input:
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
        x = as_features(rows)
        kind = "torch" if isinstance(data, Tensor) else "numpy"
        return check_input(Input(x, None, None, int(x.size(0)), kind, image=image), at_least)
    if hasattr(data, "node_types"):
        raise InputError(f"data: found {type(data).__name__}; expected a homogeneous PyG Data")
    x_given = None if data.x is None else as_features(data.x)
    if data.edge_index is None and getattr(data, "adj_t", None) is not None:
        raise InputError("data: found adj_t without edge_index; expected edges as edge_index [2, E]")
    edge_index = None if data.edge_index is None else _edges(data.edge_index)
    weight = edge_weights(data)
    weight = None if weight is None or edge_index is None else weight.detach().cpu().float()
    image = getattr(data, "image_shape", None)
    return check_input(Input(x_given, edge_index, weight, int(data.num_nodes or 0), kind, image=image), at_least)


def _edges(edge_index: Any) -> Tensor:
    if not isinstance(edge_index, Tensor) or edge_index.dtype not in (torch.int64, torch.int32):
        kind = edge_index.dtype if isinstance(edge_index, Tensor) else type(edge_index).__name__
        raise InputError(f"edge_index: found {kind}; expected an int64 Tensor [2, E]")
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise InputError(f"edge_index: found shape {list(edge_index.shape)}; expected [2, E]")
    return edge_index.detach().cpu().long()


def check_input(found: Input, at_least: int = 2) -> Input:
    """`found`, if its parts fit together; InputError if not (see `as_input`)."""
    # Before the number of nodes, which PyG derives from the edges where nothing else tells it.
    if found.edge_index is not None and found.edge_index.numel():
        low, high = int(found.edge_index.min()), int(found.edge_index.max())
        if low < 0 or high >= found.num_nodes:
            raise InputError(
                f"edge_index: an edge names node {low if low < 0 else high}, which is missing; "
                f"expected 0 to {found.num_nodes - 1}"
            )
    if found.num_nodes < at_least:
        raise InputError(
            f"data: found {found.num_nodes} nodes (n_samples={found.num_nodes}); expected at least {at_least}"
        )
    if found.x is None and (found.edge_index is None or found.edge_index.numel() == 0):
        raise InputError("data: found neither features nor edges; expected at least one of them")
    if found.x is not None:
        if found.x.size(0) != found.num_nodes:
            raise InputError(f"x: found {found.x.size(0)} rows for {found.num_nodes} nodes")
        if found.x.size(1) == 0:
            raise InputError(
                f"x: found 0 feature(s) (shape=({found.num_nodes}, 0)) while a minimum of 1 is required (or no x)"
            )
        values = found.x.values() if found.x.layout == torch.sparse_csr else found.x
        if not bool(torch.isfinite(values).all()):
            bad = (~torch.isfinite(values)).nonzero()
            row, column = _position(found.x, bad[0])
            raise InputError(
                f"x: found {len(bad)} NaN or infinite values, the first at row {row}, column {column}; "
                "expected finite features"
            )
    if found.edge_index is not None and found.edge_weight is not None:
        _check_weights(found.edge_weight, found.edge_index.size(1))
    return found


def _position(x: Tensor, entry: Tensor) -> tuple[int, int]:
    """Row and column of an entry of the strided matrix, or of the values of the CSR matrix."""
    if x.layout == torch.strided:
        return int(entry[0]), int(entry[1])
    return int(torch.searchsorted(x.crow_indices(), entry, right=True)) - 1, int(x.col_indices()[entry])


def _check_weights(weight: Tensor, num_edges: int) -> None:
    if weight.numel() != num_edges:
        raise InputError(f"edge_weight: found {weight.numel()} values for {num_edges} edges")
    bad = weight[~torch.isfinite(weight) | (weight < 0)]
    if bad.numel():
        raise InputError(
            f"edge_weight: found {bad.numel()} negative or non-finite weights (the first is {float(bad[0]):g}); "
            "expected finite weights >= 0"
        )


def as_features(data: Any) -> Tensor:
    """An array, SciPy matrix or Tensor as float32 [n, f] on the CPU; CSR if it is sparse enough to pay."""
    x = data.detach().cpu() if isinstance(data, Tensor) else _from_arrays(data)
    if x.dim() != 2:
        hint = ". Reshape your data: a single column to [n, 1], a single sample to [1, f]" if x.dim() == 1 else ""
        raise InputError(f"x: found shape {list(x.shape)}; expected [n, f]{hint}")
    if x.is_complex():
        raise InputError(f"x: found dtype {x.dtype}; expected real numbers. {COMPLEX}")
    if x.layout == torch.strided:
        x = x.float()
        share = float(torch.count_nonzero(x)) / max(x.numel(), 1)
        if share >= SPARSE_BELOW or not x.numel():
            return x.contiguous()
        return x.to_sparse_csr()
    csr: Tensor = x if x.layout == torch.sparse_csr else x.to_sparse_csr()
    share = csr.values().numel() / max(csr.size(0) * csr.size(1), 1)
    return csr.float() if share < SPARSE_BELOW else csr.to_dense().float()


def _from_arrays(data: Any) -> Tensor:
    import numpy as np
    import scipy.sparse as sp

    if sp.issparse(data):
        if data.ndim != 2:
            raise InputError(f"x: found shape {list(data.shape)}; expected [n, f]")
        csr = data.tocsr()
        if csr.dtype.kind not in "fiub":
            hint = f". {COMPLEX}" if csr.dtype.kind == "c" else ""
            raise InputError(f"x: found dtype {csr.dtype}; expected numbers{hint}")
        if not csr.has_canonical_format:
            csr = csr.copy()  # summing works in place, and the matrix is the user's
            csr.sum_duplicates()
        return csr_tensor(
            torch.from_numpy(csr.indptr.astype(np.int64)),
            torch.from_numpy(csr.indices.astype(np.int64)),
            torch.from_numpy(csr.data.astype(np.float32)),
            csr.shape,
        )
    try:
        array = np.asarray(data)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except ValueError as error:
        raise InputError(f"data: found {type(data).__name__}; expected numbers of shape [n, f] ({error})") from error
    except TypeError as error:
        raise EntryError(f"data: found {type(data).__name__}; expected numbers of shape [n, f] ({error})") from error
    if array.dtype.kind not in "fiub":
        hint = f". {COMPLEX}" if array.dtype.kind == "c" else ""
        raise InputError(f"data: found {type(data).__name__} of dtype {array.dtype}; expected numbers{hint}")
    array = np.ascontiguousarray(array, dtype=np.float32) if array.ndim else array.astype(np.float32)
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _from_networkx(graph: Any) -> Any:
    import numpy as np
    from torch_geometric.data import Data

    nodes = {node: i for i, node in enumerate(graph.nodes)}
    edges = list(graph.edges(data="weight", default=1.0))
    pairs = np.array([(nodes[u], nodes[v]) for u, v, _ in edges], dtype=np.int64).reshape(-1, 2)
    try:
        weight = np.array([w for *_, w in edges], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"edge attribute weight: {error}; expected numbers") from error
    if not graph.is_directed():
        pairs, weight = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([weight, weight])
    features = [graph.nodes[node].get("x") for node in graph.nodes]
    x, lacking = None, [node for node, value in zip(nodes, features, strict=True) if value is None]
    if lacking and len(lacking) < len(nodes):
        raise InputError(f"node attribute x: missing at {len(lacking)} nodes, such as {lacking[0]!r}; expected at all")
    if nodes and not lacking:
        x = _from_arrays([np.atleast_1d(value) for value in features])
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
