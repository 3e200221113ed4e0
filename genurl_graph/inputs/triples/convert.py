"""Whatever holds typed edges, as one checked `Input`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions
from genurl_graph.inputs.input import Input, as_names
from genurl_graph.inputs.objects.frames import as_table, in_python
from genurl_graph.inputs.objects.networks import is_networkx
from genurl_graph.inputs.reading import NOTHING_SAID, ReadOptions
from genurl_graph.inputs.tables.assemble import check_columns
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.triples.modalities import as_node_table, attach_modalities
from genurl_graph.inputs.triples.objects import from_data, from_hetero, from_networkx
from genurl_graph.inputs.triples.tables import read_triple_tables
from genurl_graph.inputs.triples.triple_set import Triples, TripleSet

TAKEN = (
    "triples: a DataFrame, list or array of heads, relations and tails; a PyG HeteroData, or a Data with edge_type; a "
    "directed networkx graph; what datasets.load or datasets.read give; or (triples, features), with a DataFrame, or a "
    "dict of several"
)


def is_triples(X: Any) -> bool:
    """Whether `X` is nothing else than triples: what `genurl_graph.datasets` reads of them."""
    return isinstance(X[0] if isinstance(X, tuple) and len(X) == 2 else X, TripleSet | Triples)


def as_triples(
    data: Any,
    options: ReadOptions = NOTHING_SAID,
    features: FeatureOptions = AS_THEY_ARE,
    at_least: int = 2,
) -> Input:
    """Typed edges among n entities as one input.

    Parameters
    ----------
    data : TripleSet, Triples, DataFrame, list, array, HeteroData, Data, networkx graph, or (triples, features)
        Of a DataFrame: columns of head, relation and tail by their names, or in this order. Of a list or array: rows of
        these three. Features of the entities are a DataFrame, a pair (ids, matrix), a matrix with a row for each
        numbered entity, or a dict of such, one for each modality; entities may be missing in each.
    options : ReadOptions
        ``columns``: source, type and target of the triples; id, label, feature and ignore of the features.
    features : FeatureOptions
        What is to be done with feature columns.
    at_least : int
        Entities that there must be.

    Returns
    -------
    Input
        With `Input.triples`; x and edge_index are None, names are those of the entities.

    Raises
    ------
    InputError
        What holds no triples, or columns that can be read in two ways.

    Examples
    --------
    >>> found = as_triples([("a", "likes", "b"), ("b", "likes", "c")])
    >>> found.num_nodes, found.triples.relation_id
    (3, ['likes'])
    """
    options = dataclasses.replace(options, scale=features.scale or options.scale, text=features.text)
    data, more = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    named = _modalities(more)
    triples, kind = _read(data, options, features, named)
    if named:
        with in_python():
            triples = attach_modalities(triples, named, options=options)
    n = triples.num_nodes
    if n < at_least:
        raise wrong("data", f"{n} entities", f"at least {at_least}")
    if not len(triples.triples):
        raise wrong("data", "no triples", "at least one")
    names = None if triples.entity_id is None else as_names(triples.entity_id)
    return Input(None, None, None, n, kind, names=names, reading=triples.reading, triples=triples)


def _read(data: Any, options: ReadOptions, features: FeatureOptions, named: Mapping[str, Any]) -> tuple[TripleSet, str]:
    if isinstance(data, TripleSet):
        return data, "torch"
    if isinstance(data, Triples):
        return TripleSet(data), "torch"
    if hasattr(data, "node_types"):
        _check_none(options, "HeteroData", ())
        return from_hetero(data, features), "torch"
    if hasattr(data, "num_node_features"):
        return from_data(data, options, features), "torch"
    if is_networkx(data):
        _check_none(options, "networkx graphs", ("type",))
        return from_networkx(data, options), "numpy"
    kind = "torch" if isinstance(data, Tensor) else "numpy"
    frame = _as_frame(data)
    table = as_table(frame, "triples")
    with in_python():
        check_columns(options, [table, *(each for each in named.values() if isinstance(each, Table))])
        found = read_triple_tables(table, options=options)
    if found.entity_id is not None and all(map(_is_whole, (frame[each] for each in _ends(frame, table, found)))):
        # As the user's tables have them, so that they can be joined.
        found.entity_id = [*map(int, found.entity_id)]
    return found, kind


def _as_frame(data: Any) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return data
    if not isinstance(data, list | np.ndarray | Tensor) and hasattr(data, "to_pandas"):
        frame: pd.DataFrame = data.to_pandas()  # of polars or pyarrow
        return frame
    if isinstance(data, Tensor):
        data = data.detach().cpu().numpy()
    if isinstance(data, np.ndarray):
        if data.ndim != 2 or data.shape[1] != 3:
            raise wrong("data", f"an array of shape {list(data.shape)}", "[M, 3]: head, relation, tail")
        return pd.DataFrame(data, columns=["1", "2", "3"])
    if isinstance(data, list) and data and all(isinstance(row, tuple | list) for row in data):
        widths = {*map(len, data)}
        if widths != {3}:
            raise wrong("list of triples", f"entries of {' and '.join(map(str, sorted(widths)))} values", "3 each")
        return pd.DataFrame(data, columns=["1", "2", "3"])
    raise wrong("data", type(data).__name__, TAKEN)


def _ends(frame: pd.DataFrame, table: Table, found: TripleSet) -> list[Any]:
    told, columns = found.reading.record["triples"], [*table.frame.columns]
    return [frame.columns[columns.index(told[end])] for end in ("head", "tail")]


def _is_whole(cells: Any) -> bool:
    return bool(pd.api.types.is_integer_dtype(cells.dtype))


def _modalities(more: Any) -> dict[str, Any]:
    if more is None:
        return {}
    several = isinstance(more, Mapping) and not {"node_id", "embedding"} <= {*more}
    return {
        str(name): as_node_table(each, str(name)) for name, each in (more if several else {"features": more}).items()
    }


def _check_none(options: ReadOptions, what: str, but: tuple[str, ...]) -> None:
    others = [role for role in options.columns if role not in but]
    if others:
        raise wrong("columns", f"{others[0]} for {what}", " or ".join(("nothing", *but)))
