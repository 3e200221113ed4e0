"""Triples of PyG's objects and of networkx graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.columns import FeatureOptions, read_features
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.objects.pyg import edges_of
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.triples.columns import RELATIONS, ROLES
from genurl_graph.inputs.triples.tables import read_triple_tables
from genurl_graph.inputs.triples.triple_set import Modality, Triples, TripleSet
from genurl_graph.inputs.validation import check_edges, check_matrix

# What PyG's ToUndirected puts in front of the name of an inverse relation.
REVERSED = "rev_"
PARTS = ("train", "valid", "test")
MASKS = {"train": "train_mask", "valid": "val_mask", "test": "test_mask"}
# What is no attribute of a relation, or is known to be left out without a word.
STRUCTURE = ("edge_index", "adj_t", "edge_label", "edge_label_index")


def from_hetero(data: Any, features: FeatureOptions) -> TripleSet:
    """Triples of a ``HeteroData``: node types stacked, a relation for each edge type, a modality for each type's x.

    A relation ``rev_NAME`` that only turns another round, as ``ToUndirected`` adds it, is left out: every relation has
    an inverse here. Labels are the ``y`` of the one node type that has one, else the node types.

    Raises
    ------
    InputError
        No edges; a node type whose size nothing tells; features that are not finite.
    """
    if not data.edge_types:
        raise wrong("HeteroData", "no edge types", "some edges")
    sizes = [_size(data, name) for name in data.node_types]
    stops = np.cumsum([0, *sizes]).tolist()
    rows = {name: (stops[i], stops[i + 1]) for i, name in enumerate(data.node_types)}
    kinds: list[str] = []
    parts, turned, left = [], [], []
    for kind in data.edge_types:
        name = "__".join(kind)
        if _turns_round(data, kind):
            turned.append(name)
            continue
        ends = edges_of(data[kind], None, f"relation {name}: ").edge_index
        if ends is None:
            raise wrong(f"relation {name}", "no edge_index", "edges as edge_index [2, E]")
        low, high = (rows[end] for end in (kind[0], kind[2]))
        what = f"relation {name}: edge_index"
        edges, _ = check_edges(ends.cpu(), low[1] - low[0], what, num_targets=high[1] - high[0])
        relation = torch.full((edges.size(1),), len(kinds))
        parts.append(torch.stack([edges[0] + low[0], relation, edges[1] + high[0]], 1))
        kinds.append(name)
        left += [f"{key} of {name}" for key in data[kind].to_dict() if key not in STRUCTURE]
    triples = Triples.of(torch.cat(parts), stops[-1], len(kinds))
    found = TripleSet(triples, relation_id=kinds, rows=rows)
    lines = [f"read HeteroData as triples: {_shown(found)}, of {count(len(sizes), 'node type')}"]
    lines += [f"left out: {', '.join(turned)} (the inverse of another relation)"] if turned else []
    lines += [f"left out: {', '.join(left)}"] if left else []
    own = [name for name in data.node_types if isinstance(data[name].get("y"), Tensor) and data[name].y.dim() == 1]
    y, label_names = _labels(data, own, rows)
    lines.append(f"labels: y of {own[0]}" if len(own) == 1 else "labels: the node types")
    record = {"as": "triples", "object": "HeteroData", "relations": kinds, "left_out": [*turned, *left]}
    found = found.told(Reading(tuple(lines), {"triples": record}), y=y, label_names=label_names)
    return _with_x(found, data, features)


def from_data(data: Any, options: ReadOptions, features: FeatureOptions) -> TripleSet:
    """Triples of a ``Data`` with a type for each edge: ``edge_type``, or what the user names.

    Masks of the edges (``train_mask``, ``val_mask``, ``test_mask``), or ``train_edge_index``, ``valid_edge_index`` and
    so on, as ``RelLinkPredDataset`` has them, are a split. ``x`` is a modality.

    Raises
    ------
    InputError
        No such attribute; another number of types than of edges.
    """
    others = [role for role in options.columns if role != "type"]
    if others:
        raise wrong("columns", f"{others[0]} for Data", 'columns={"type": "..."}')
    name = (options.names("type") or ("edge_type",))[0]
    if all(data.get(f"train_{key}") is not None for key in ("edge_index", "edge_type")):
        parts = {part: _rows(data, f"{part}_edge_index", f"{part}_edge_type") for part in PARTS}
    else:
        parts = _by_mask(data, _rows(data, "edge_index", name))
    n = int(data.num_nodes)
    kinds = max(int(part[:, 1].max(initial=-1)) for part in parts.values() if part is not None) + 1
    sets = {key: None if part is None else Triples.of(part, n, kinds) for key, part in parts.items()}
    train = sets["train"]
    if train is None or not len(train):
        raise wrong("Data", "no edges", "some edges with a type")
    if int(torch.stack([train.head, train.tail]).max()) >= n:
        raise wrong("Data: edge_index", "a node beyond num_nodes", f"nodes 0 to {n - 1:,}")
    ids = data.get("node_id")
    found = TripleSet(train, sets["valid"], sets["test"], entity_id=ids.tolist() if hasattr(ids, "tolist") else ids)
    apart = [f"{count(len(each), 'triple')} held out for {key}" for key in PARTS[1:] if (each := sets[key]) is not None]
    lines = [f"read Data as triples: {', '.join([_shown(found), f'relations in {name}', *apart])}"]
    y = data.get("y")
    held = y.long() if isinstance(y, Tensor) and y.dim() == 1 and len(y) == n and not y.is_floating_point() else None
    found = found.told(Reading(tuple(lines), {"triples": {"as": "triples", "object": "Data"}}), y=held)
    return found if data.get("x") is None else _modality(found, "x", 0, n, data.x, features)


def from_networkx(graph: Any, options: ReadOptions) -> TripleSet:
    """Triples of a directed networkx graph: the relation is an attribute of the edges, or the key of a multigraph.

    Raises
    ------
    InputError
        An undirected graph; no attribute that must be the relation, or an edge without it.
    """
    kind = f"networkx {type(graph).__name__}"
    if not graph.is_directed():
        raise wrong(kind, "edges without a direction", "a DiGraph or MultiDiGraph: each edge from its head to its tail")
    known = sorted({key for _, _, held in graph.edges(data=True) for key in held}, key=str)
    said = options.names("type")
    if said and said[0] not in known:
        raise unknown(f"{kind}: edge attribute", said[0], map(str, known))
    named = [*said] or [name for name in known if RELATIONS.intersection(names.words(str(name)))]
    if len(named) > 1 or (not named and not graph.is_multigraph()):
        listed = ", ".join(map(str, named or known)) or "none"
        raise wrong(f"{kind}: edge attributes", listed, 'one of relations, named by columns={"type": "..."}')
    rows = [*(graph.edges(data=named[0]) if named else graph.edges(keys=True))]
    frame = pd.DataFrame([(head, relation, tail) for head, tail, relation in rows], columns=["1", "2", "3"])
    if frame["2"].isna().any():
        head, tail = frame.loc[frame["2"].isna(), ["1", "3"]].iloc[0]
        raise wrong(f"{kind}: edge {head!r} -> {tail!r}", f"no {named[0]}", "a relation of every edge")
    columns = dict(zip(ROLES, (("1",), ("2",), ("3",)), strict=True))
    found = read_triple_tables(Table(kind, frame, header=False), options=ReadOptions("triples", columns))
    alone = graph.number_of_nodes() - len(found)
    return found.told(Reading((f"left out: {count(alone, 'node')} without an edge",) if alone else ()))


def _shown(found: TripleSet) -> str:
    parts = count(len(found.triples), "triple"), f"{len(found):,} entities"
    return ", ".join((*parts, count(found.triples.num_relations, "relation")))


def _size(data: Any, name: str) -> int:
    store = data[name]
    if "x" not in store and "num_nodes" not in store:
        raise wrong(f"node type {name!r}", "neither x nor num_nodes", "one of them")
    return int(store.num_nodes)


def _turns_round(data: Any, kind: tuple[str, str, str]) -> bool:
    """Whether a relation holds the edges of another one from tail to head, and is named so."""
    forward = (kind[2], kind[1].removeprefix(REVERSED), kind[0])
    if not kind[1].startswith(REVERSED) or forward not in data.edge_types:
        return False
    one, other = (edges_of(data[each]).edge_index for each in (kind, forward))
    if one is None or other is None or one.size(1) != other.size(1):
        return False
    n = 1 + max(int(each.max()) if each.numel() else 0 for each in (one, other))
    return bool(torch.equal((one[1] * n + one[0]).sort().values, (other[0] * n + other[1]).sort().values))


def _labels(data: Any, own: Sequence[str], rows: dict[str, tuple[int, int]]) -> tuple[Tensor, list[str] | None]:
    if len(own) != 1:
        sizes = torch.tensor([high - low for low, high in rows.values()])
        return torch.arange(len(rows)).repeat_interleave(sizes), [*rows]
    low, high = rows[own[0]]
    y = torch.full((max(high for _, high in rows.values()),), -1)
    y[low:high] = data[own[0]].y.long().cpu()
    return y, None


def _with_x(found: TripleSet, data: Any, features: FeatureOptions) -> TripleSet:
    assert found.rows is not None
    for name, (low, high) in found.rows.items():
        if "x" in data[name]:
            found = _modality(found, name, low, high, data[name].x, features)
    return found


def _modality(found: TripleSet, name: str, low: int, high: int, x: Any, features: FeatureOptions) -> TripleSet:
    what = f"x of {name}"
    matrix = as_features(x, what)
    check_matrix(matrix, what, rows=high - low)
    encoded, plan = read_features(matrix, features, what=what, graph=True)
    if encoded is None or not encoded.size(1):
        return found.told(Reading((f"left out: {what} (no column tells entities apart)",)))
    modality = Modality(name, torch.arange(low, high), encoded, plan)
    told = f"{count(int(encoded.size(1)), 'column')}, {high - low:,} of {len(found):,} entities have them"
    lines = (f"features {name}: {told}",)
    return found.told(Reading(lines), modalities=(*found.modalities, modality))


def _rows(data: Any, index: str, kind: str) -> Any:
    """Triples [E, 3] of two attributes, as NumPy; None where there are none."""
    if data.get(index) is None:
        return None
    if data.get(kind) is None:
        listed = ", ".join(name for name in data.to_dict() if name != index)
        raise wrong("Data", f"no {kind} ({listed})", 'a type for each edge (columns={"type": "..."})')
    ends, relation = data[index].cpu(), torch.as_tensor(data[kind]).reshape(-1).cpu()
    check_edges(ends, None)
    if len(relation) != ends.size(1) or relation.is_floating_point() or bool((relation < 0).any()):
        found = f"{relation.dtype} of {len(relation):,}"
        raise wrong(f"Data: {kind}", found, f"{ends.size(1):,} whole numbers from 0, one for each edge")
    return torch.stack([ends[0], relation, ends[1]], 1).numpy()


def _by_mask(data: Any, rows: Any) -> dict[str, Any]:
    if rows is None:
        return dict.fromkeys(PARTS)
    masks = {part: data.get(name) for part, name in MASKS.items()}
    fit = {part: mask for part, mask in masks.items() if isinstance(mask, Tensor) and mask.shape == (len(rows),)}
    if "train" not in fit:
        return {"train": rows, "valid": None, "test": None}
    return {part: rows[fit[part].bool().cpu().numpy()] if part in fit else None for part in PARTS}
