"""Whatever a user has, as one input: checked tensors, the names of the nodes, and what was read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions, FeaturePlan, read_data_features, read_features
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.edge_rows import EdgeEnds
from genurl_graph.inputs.edges import average_attributes, join_directions, sum_repeats
from genurl_graph.inputs.images import Shape, as_rows, stacked
from genurl_graph.inputs.objects.convert import answer_kind, convert
from genurl_graph.inputs.objects.edge_attributes import attributes_of, edge_names
from genurl_graph.inputs.objects.pyg import choose_features, describe, edges_of
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.start import Start
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.triples import TripleSet
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
    edge_attr : Tensor, float32, shape [E, a], or None
        Attributes of the edges; averaged by weight over repeats and both directions
        (`genurl_graph.inputs.edges.average_attributes`).
    num_nodes : int
    kind : str
        What the user handed in, to answer in kind: "torch" or "numpy".
    types : NodeTypes or None
        Of a ``HeteroData``, whose x is CSR.
    distances : array or SciPy matrix, shape [n, n], or None
        In place of features (`genurl_graph.inputs.precomputed`).
    image : (height, width, channels) or None
        Of images, whose rows are pixels, channels last.
    measured : dict or None
        What was measured of the features, once it was asked for: feature consistency by metric
        (`genurl_graph.graph.edge_reliability.measure_consistency`), and their evidence.
    column_weight : Tensor, float32, shape [f], or None
        How far each column counts (`genurl_graph.graph.evidence`); None: all in full.
    plan : FeaturePlan or None
        What `x` was made by of raw columns; None where it is what came.
    names : array, int64 or object, shape [n], or None
        What the nodes are called; None: 0 to n - 1.
    reading : Reading
        What was read as what, and what was left out.
    start : Start or None
        Coordinates that an embedding table begins with; None: they are computed.
    graphs : GraphCollection or None
        Of many graphs, each of which is a node: there are ``num_nodes`` of them, named by `names`, and x and edge_index
        are None.
    edge_plan : FeaturePlan or None
        What the attributes of the edges, of one graph or of `graphs`, were made by.
    events : EventSet or None
        Of events with a time among these nodes; edge_index is None then.
    ends : EdgeEnds or None
        Of edges that are rows: the nodes of this input are edges, and edge_index is that of their line graph.
    triples : TripleSet or None
        Of typed edges among these nodes; x and edge_index are None then.
    """

    x: Tensor | None
    edge_index: Tensor | None
    edge_weight: Tensor | None
    num_nodes: int
    kind: str
    types: NodeTypes | None = None
    distances: Any = None
    image: Shape | None = None
    measured: dict[str, Any] | None = None
    column_weight: Tensor | None = None
    plan: FeaturePlan | None = None
    names: Any = None
    reading: Reading = Reading()
    start: Start | None = None
    graphs: GraphCollection | None = None
    edge_plan: FeaturePlan | None = None
    events: EventSet | None = None
    ends: EdgeEnds | None = None
    triples: TripleSet | None = None
    edge_attr: Tensor | None = None

    @property
    def num_features(self) -> int:
        """Columns of the features (of many graphs, of their nodes), or of the distances that stand in for them."""
        if self.graphs is not None:
            return 0 if self.graphs.x is None else int(self.graphs.x.size(1))
        if self.distances is not None:
            return int(self.distances.shape[1])
        return 0 if self.x is None else int(self.x.size(1))

    @property
    def has_edges(self) -> bool:
        """Whether there are edges of any kind among the nodes."""
        return self.edge_index is not None or self.events is not None or self.triples is not None

    @property
    def known(self) -> dict[str, Any]:
        """`measured`; an empty dictionary that is not kept where nothing is to be kept."""
        return {} if self.measured is None else self.measured

    def bare_nodes(self) -> Tensor:
        """Nodes without features, int64."""
        if self.x is None or self.types is None:
            return torch.arange(self.num_nodes if self.x is None else 0)
        widths = self.types.widths()
        ranges = [torch.arange(low, high) for name, (low, high) in self.types.rows.items() if not widths[name]]
        return torch.cat([torch.arange(0), *ranges])


def as_input(
    data: Any, at_least: int = 2, features: FeatureOptions = AS_THEY_ARE, *, options: ReadOptions = NOTHING_SAID
) -> Input:
    """Check `data` and bring it to torch tensors on the CPU, sparse features without a dense copy.

    Parameters
    ----------
    data : Data, DataFrame, array, sparse matrix, Tensor, graph or list of pairs
        A PyG ``Data`` (`genurl_graph.inputs.objects.pyg`): ``x``; edges as ``edge_index`` or ``adj_t``; weights as
        ``edge_weight``, ``weight`` or one-column ``edge_attr``; with more columns it holds attributes of the edges. A
        graph of networkx, igraph or DGL (`genurl_graph.inputs.objects.networks`). A DataFrame, or a list of pairs:
        edges or vectors
        (`genurl_graph.inputs.objects.frames`). A matrix [n, f] of features, or an adjacency matrix
        (``as_="adjacency"``); images [n, channels, height, width], or a torch ``Dataset`` of images, which become rows
        of pixels. A ``Data`` may say by ``image_shape``, (height, width, channels), that its rows are images.
    at_least : int
        Nodes that there must be.
    features : FeatureOptions
        What is to be done with the features; by default matrices are left as they are, and text is no feature.
    options : ReadOptions
        What the user says about it: ``as_``, ``columns``, ``directed`` of `genurl_graph.estimator.GenURL.fit`.

    Raises
    ------
    InputError
        Nothing to embed, fewer than two nodes, NaN or infinite features, rows that do not match, negative weights,
        unknown type, or two possible readings.
    """
    kind = answer_kind(data)
    found = convert(data, options, fitted=features.fitted)
    if hasattr(found, "num_node_features"):
        # What the user said of the columns of another object has been heeded.
        told = options if hasattr(data, "num_node_features") else ReadOptions(directed=options.directed)
        return from_data(found, kind, at_least, features, told)
    rows, image = as_rows(stacked(found) if isinstance(found, Dataset) else found)
    x, plan = (as_features(rows), None) if image else read_features(rows, features)
    n = len(rows) if x is None else int(x.size(0))
    reading = _describe_matrix(data, n, 0 if x is None else int(x.size(1)), image) + _describe_plan(plan)
    return check_input(Input(x, None, None, n, kind, image=image, plan=plan, reading=reading), at_least)


def from_data(
    data: Any,
    kind: str,
    at_least: int = 2,
    features: FeatureOptions = AS_THEY_ARE,
    options: ReadOptions = NOTHING_SAID,
) -> Input:
    """`as_input` of a PyG ``Data``; `kind` is what the user is answered in."""
    if hasattr(data, "node_types"):
        raise wrong("data", type(data).__name__, "a homogeneous PyG Data")
    named, options = edge_names(data, options)
    data = choose_features(data, options)
    edges, weight, lines = edges_of(data, options, attributes=named)
    x, plan = read_data_features(data, features, graph=edges is not None)
    if edges is not None:
        # PyG derives the number of nodes from the edges where nothing else tells it: `check_input` compares the two.
        edges, weight = check_edges(edges, None, weight=weight)
        edges, weight = edges.cpu(), None if weight is None else weight.cpu()
    names, reading = data.get("node_id"), data.get("reading") or describe(data, edges)
    found = Input(
        x,
        edges,
        weight,
        int(data.num_nodes or 0),
        kind,
        image=getattr(data, "image_shape", None),
        plan=plan,
        names=None if names is None else as_names(names),
        reading=reading + Reading(lines) + _describe_plan(None if plan is data.get("feature_plan") else plan),
    )
    found = check_input(found, at_least)
    if found.edge_index is None:
        return found
    said = attributes_of(data, found.edge_index, found.edge_weight, named, features)
    edges, weight = sum_repeats(found.edge_index, found.edge_weight, found.num_nodes)
    if options.directed is False:
        edges, weight = join_directions(edges, weight, found.num_nodes)
    found = found._replace(edge_index=edges, edge_weight=weight)
    if said is None:
        return found
    attributes = average_attributes(said.values, said.ends, said.weight, edges, found.num_nodes)
    reading = found.reading + Reading((said.line,), {"edge_attributes": {"columns": int(attributes.size(1))}})
    return found._replace(edge_attr=attributes, edge_plan=said.plan, reading=reading)


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
    elif found.types is None:
        _check_links(found.edge_index, found.edge_weight)
    return found


def _check_links(edges: Tensor, weight: Tensor | None) -> None:
    """InputError where nodes without features have no edge with another node that counts."""
    between = edges[0] != edges[1]
    if not bool(between.any()):
        raise wrong("edge_index", f"{between.numel():,} self loops alone", "edges between different nodes, or features")
    if weight is not None and not bool((weight[between] > 0).any()):
        raise wrong("edge_weight", "0 for every edge", "weights > 0, or no weights at all: each edge then counts 1")


def _describe_matrix(data: Any, rows: int, columns: int, image: Shape | None) -> Reading:
    what = (
        f"{rows:,} rows, {columns:,} columns" if image is None else f"{rows:,} images of {image[0]} x {image[1]} pixels"
    )
    return Reading((f"read {type(data).__name__} as vectors: {what}",), {"vectors": {"as": "vectors", "rows": rows}})


def _describe_plan(plan: FeaturePlan | None) -> Reading:
    return Reading() if plan is None else Reading((plan.summary(),), {"features": plan.lines()})


def as_names(names: Any) -> Any:
    """Names of nodes as an array [n], int64 or object."""
    held = [*names]
    whole = bool(held) and all(isinstance(name, int) and not isinstance(name, bool) for name in held)
    if whole and max(map(abs, held)) < 2**63:
        return np.array(held, dtype=np.int64)
    # Name by name: NumPy would take tuples for rows.
    array = np.empty(len(held), dtype=object)
    array[:] = held
    return array


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
