"""Whatever holds a graph whose edges are to be rows, as one checked `Input`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions, read_data_features
from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds, EdgeSet, names_of
from genurl_graph.inputs.edge_rows.frames import edges_of_frames
from genurl_graph.inputs.edge_rows.networks import from_networkx
from genurl_graph.inputs.edge_rows.pyg import from_data
from genurl_graph.inputs.input import Input, as_names
from genurl_graph.inputs.objects.networks import is_networkx
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.validation import check_matrix

TAKEN = (
    "edges that are rows: a DataFrame of them, or (edges, nodes), two DataFrames; a GeoDataFrame of lines; a PyG Data; "
    "a networkx graph; what datasets.load or datasets.read give"
)


def is_edge_rows(X: Any) -> bool:
    """Whether `X` is nothing else than edges that are rows: what `genurl_graph.datasets` reads of them."""
    return isinstance(X, EdgeSet | EdgeEnds)


def as_edges(
    data: Any,
    options: ReadOptions = NOTHING_SAID,
    features: FeatureOptions = AS_THEY_ARE,
    at_least: int = 2,
) -> Input:
    """The m edges of a graph as one input, whose nodes they are.

    Parameters
    ----------
    data : EdgeSet, EdgeEnds, Data, DataFrame, GeoDataFrame, (edges, nodes) or networkx graph
    options : ReadOptions
        ``columns``: which column is an end, the key, the label, which are features. ``directed``.
    features : FeatureOptions
        What is to be done with the attributes of the edges.
    at_least : int
        Edges that there must be.

    Returns
    -------
    Input
        x of the edges, or None; `Input.ends`; `names`: tuples (source, target), or (source, target, key); edge_index is
        None: whoever embeds them makes the line graph. The answer is in NumPy for frames and networkx, else in torch.

    Raises
    ------
    InputError
        What holds no edges, or where two readings are possible.

    Examples
    --------
    >>> found = as_edges(EdgeEnds(torch.tensor([[0, 1, 2], [1, 2, 0]]), 3))
    >>> found.num_nodes, found.names[2]
    (3, (2, 0))
    """
    edges, kind = read_edge_set(data, _of_model(data, options, features))
    m = len(edges)
    if m < at_least:
        raise wrong("data", f"{m} edge{'s' * (m != 1)}", f"at least {at_least}, of which each is a row")
    x, plan = _features(edges, features)
    if x is not None:
        check_matrix(x, rows=m)
    reading = edges.reading
    if plan is not None and plan is not edges.feature_plan:
        reading += Reading((plan.summary(),), {"features": plan.lines()})
    names = as_names(names_of(edges.edges))
    return Input(x, None, None, m, kind, plan=plan, names=names, reading=reading, ends=edges.edges)


def read_edge_set(data: Any, options: ReadOptions = NOTHING_SAID) -> tuple[EdgeSet, str]:
    """`data` as an `EdgeSet`, and whether the answer is in "torch" or "numpy"."""
    if isinstance(data, EdgeSet):
        return _directed(data, options), "torch"
    if isinstance(data, EdgeEnds):
        return _directed(EdgeSet(data), options), "torch"
    if is_networkx(data):
        return from_networkx(data, options), "numpy"
    if hasattr(data, "num_node_features") and not hasattr(data, "node_types"):
        return from_data(data, options), "torch"
    if isinstance(data, pd.Series):
        data = data.to_frame()  # a GeoSeries of lines
    if not isinstance(data, pd.DataFrame | tuple | list) and hasattr(data, "to_pandas"):
        data = data.to_pandas()  # of polars or pyarrow
    pair = isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(each, pd.DataFrame) for each in data)
    if isinstance(data, pd.DataFrame) or pair:
        return edges_of_frames(data, options), "numpy"
    if hasattr(data, "node_types"):
        raise wrong("data", type(data).__name__, 'a homogeneous Data (task="triples" embeds typed edges)')
    raise wrong("data", type(data).__name__, TAKEN)


def _directed(edges: EdgeSet, options: ReadOptions) -> EdgeSet:
    if options.directed is None or options.directed == edges.edges.directed:
        return edges
    return dataclasses.replace(edges, edges=dataclasses.replace(edges.edges, directed=options.directed))


def _of_model(data: Any, options: ReadOptions, features: FeatureOptions) -> ReadOptions:
    """What is said of new edges of a fitted model, whose plan knows its columns: none is judged by a few rows."""
    own = isinstance(data, EdgeSet | EdgeEnds) or hasattr(data, "num_node_features")
    if not features.fitted or features.plan is None or own:
        return options
    used = tuple(column.name for column in features.plan.used)
    return dataclasses.replace(options, columns={**options.columns, "feature": used})


def _features(edges: EdgeSet, options: FeatureOptions) -> Any:
    from torch_geometric.data import Data

    if edges.x is None and edges.feature_table is None:
        return None, None
    held = Data(edges.x, num_nodes=len(edges))
    if edges.feature_table is not None:
        held.feature_table, held.feature_plan = edges.feature_table, edges.feature_plan
    return read_data_features(held, options, graph=True)
