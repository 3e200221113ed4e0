"""Embedding of new samples by a fitted model: by its encoder, or from their neighbours in its embedding table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.exceptions import InputError
from genurl_graph.graph.edge_attributes.heed import weigh_as_fitted
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.propagation import Propagation
from genurl_graph.graph.structural_features import TRANSFERABLE
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inference.known_nodes import find_known, one_hot_of_known, tells_nodes_apart
from genurl_graph.inference.placement import neighbors_of, place
from genurl_graph.inference.temporal.later import follow
from genurl_graph.inference.triples.new_entities import embed_entities
from genurl_graph.inference.whole_graphs import embed_graphs
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.edge_rows.convert import as_edges
from genurl_graph.inputs.hetero import as_graph, weigh
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.precomputed import as_new
from genurl_graph.inputs.reading import NOTHING_SAID, ReadOptions
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNN, GNNS
from genurl_graph.nn.table import PositionTable
from genurl_graph.objectives.base import embed_all, embed_rows
from genurl_graph.tasks.edges import on_line_graph
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.evidence import goes_around, reads_structure_alone, without_features
from genurl_graph.tasks.evidence.around import around_network, put_beside
from genurl_graph.tasks.graph import averaged, edges_of_new, propagation_of


def embed_new(model: FittedModel, X: Any, options: ReadOptions = NOTHING_SAID) -> tuple[Any, Any]:
    """`genurl_graph.estimator.GenURL.transform` of a fitted model, and the names of the rows, if they have any."""
    if model.config.neighbors.metric == "precomputed":
        indices, distances = as_new(X, model.config.neighbors.n_neighbors, len(model.embedding))
        return as_given(place(indices, distances, model), "torch" if isinstance(X, Tensor) else "numpy"), None
    if model.config.task == "graphs":
        z, data = embed_graphs(model, X, options)
        return as_given(z, data.kind), data.names
    if model.time is not None:
        return follow(model, X, options).trajectory, None
    if model.facts is not None:
        z, data = embed_entities(model, X, options)
        assert data.triples is not None
        return as_given(z, data.kind, data.triples.rows), data.names
    data = _like_fitted(model, X, options)
    z = _beside_neighbors(model, data) if model.config.encoder.name == "free" else _encoded(model, data)
    return as_given(z, data.kind, None if data.types is None else data.types.rows), data.names


def why_no_transform(config: Config, bare: bool, edges: bool, named: bool = False) -> str | None:
    """Why a model of such a run knows the fitted samples only, and what embeds new ones; None if it does.

    Parameters
    ----------
    config : Config
        Resolved.
    bare, edges : bool
        Whether nodes have no features, and whether there are edges.
    named : bool
        Whether nodes have names, by which they are known again (`genurl_graph.inference.known_nodes`).
    """
    c = config.encoder
    if config.task in ("graphs", "temporal", "triples"):
        return None
    if c.name == "free":
        if config.task == "reduce" and not bare and not (config.neighbors.hops and edges):
            return None
        return "an embedding table of a graph has no place for new nodes; any other encoder embeds them"
    beside = c.beside != "never"
    # Features of no evidence are not read.
    bare = bare or reads_structure_alone(config)
    if not (bare or beside) or c.structure in (*TRANSFERABLE, "both"):
        return None
    if tells_nodes_apart(config, bare) and (beside or named):
        return None
    nodes = "nodes" if beside else "nodes without features"
    kinds = " or ".join(f"encoder.structure={kind}" for kind in TRANSFERABLE)
    return f"{nodes} are told apart one by one ({c.structure}); {kinds} embeds new ones"


def knows_nodes_by_name(config: Config, bare: bool, named: bool) -> bool:
    """Whether a model of such a run embeds new nodes beside those of the fit, which it knows by their names."""
    return named and tells_nodes_apart(config, bare or reads_structure_alone(config))


def as_given(z: Tensor, kind: str, rows: Mapping[str, Sequence[int]] | None = None) -> Any:
    """An embedding in the form of the input: Tensor or array, or a dictionary by node type (`rows` of each)."""
    if rows is not None:
        return {name: z[low:high] for name, (low, high) in rows.items()}
    return z if kind == "torch" else z.numpy()


def _like_fitted(model: FittedModel, X: Any, options: ReadOptions) -> Input:
    """New data, checked to have the features, and the types of nodes, of the fitted ones."""
    types = None if model.node_widths is None else list(model.node_widths)
    how = FeatureOptions.of_model(model.plan, model.edge_plan)
    if model.config.task == "edges":
        data = on_line_graph(as_edges(X, options, how, 1), model.config.edges)
    else:
        data = as_graph(X, types, 1, how, options=options)
    found, expected = data.num_features, model.n_features
    widths = None if data.types is None else data.types.widths()
    if widths != model.node_widths or found != expected:
        kinds = [f" ({part})" if part else "" for part in (widths, model.node_widths)]
        raise InputError(f"transform: found {found} features{kinds[0]}; the model was fitted on {expected}{kinds[1]}")
    return weigh_as_fitted(weigh(data, model.config.merge.type_weights), model.statistics)


def _encoded(model: FittedModel, data: Input) -> Tensor:
    config, device = model.config, torch.device(model.device)
    beside = config.encoder.beside != "never"
    data = without_features(data, config)
    data = data._replace(column_weight=model.statistics.get("weight"))
    encoder, name = model.encoder.eval(), model.config.encoder.name
    if (beside or data.bare_nodes().numel()) and config.encoder.structure not in TRANSFERABLE:
        x = _known_columns(model, data, device)
    else:
        found, _ = encoder_input(data, config, device, model.statistics)
        assert found is not None
        x = found
    propagation = None
    if name in GNNS or name == "sign":
        if data.edge_index is None:
            raise InputError(f"transform: encoder {name!r} needs edges; the input has none")
        edges = edges_of_new(data, config, model.seed)
        if name == "sign":
            return embed_rows(encoder, averaged(x, edges, config, device), device).cpu()
        propagation = propagation_of(data, edges, config, model.statistics).to(device)
    own = encoder_input(data, config, device, model.statistics)[0] if goes_around(data, config) else x
    around = around_network(data, own, config, device)
    z = embed_all(encoder, Features(x, aside=around).to(device), propagation).cpu()
    structure = encoder.structure if isinstance(encoder, GNN) else None
    return z if structure is None else torch.cat([z, _positions(model, data, structure)], 1)


def _positions(model: FittedModel, data: Input, fitted: PositionTable) -> Tensor:
    """Positions of nodes: of new ones by the fitted ones among their neighbours, else 0."""
    known = None if model.nodes is None else find_known(data, model.nodes)
    if known is None:
        warnings.warn(
            "transform: no node of this graph is one of the fitted nodes, whose positions the model knows: their "
            f"{fitted.width} columns are 0 (encoder.structure_columns=0 fits a model without them)",
            stacklevel=6,
        )
        return torch.zeros(data.num_nodes, fitted.width)
    given, device = predefined_graph(data), torch.device(model.device)
    one_hot = Features(one_hot_of_known(known, len(model.embedding))).to(device)
    propagation = Propagation(*given[:2], data.num_nodes).to(device)
    return embed_all(fitted, one_hot, propagation).cpu()


def _known_columns(model: FittedModel, data: Input, device: torch.device) -> Tensor:
    """What an encoder of one-hot nodes reads: the columns of the fitted nodes, beside features where there are any."""
    config, nodes = model.config, model.nodes
    known = None if nodes is None or config.encoder.name not in GNNS else find_known(data, nodes)
    around = goes_around(data, config)
    if nodes is not None and known is None and (data.x is not None or around):
        left = "roles alone embed it" if data.x is None else "features alone embed it"
        warnings.warn(
            "transform: no node of this graph is one of the fitted nodes, whose structure the model knows; "
            f"{left} (encoder.structure=roles fits a model for other graphs)",
            stacklevel=5,
        )
        known = torch.full((data.num_nodes,), -1)
    if nodes is None or known is None:
        kind = config.encoder.structure
        raise InputError(
            f"transform: encoder.structure={kind} knows only the fitted nodes, and this graph has none of their ids; "
            f"fit with {' or '.join(TRANSFERABLE)} to embed other graphs"
        )
    own = one_hot_of_known(known, nodes.num_nodes)
    if around or data.x is None:
        return own
    features = config.override({"encoder.beside": "never"})
    x, _ = encoder_input(data, features, device, model.statistics)
    assert x is not None
    return put_beside(x, own)


def _beside_neighbors(model: FittedModel, data: Input) -> Tensor:
    if model.space is None or data.x is None:
        raise InputError(
            'transform: the encoder "free" finds new samples their neighbours by their features; this table was fitted '
            "on a graph (no features, neighbors.hops, or the graph task); use another encoder there"
        )
    if data.edge_index is not None:
        warnings.warn("transform: edges between new samples are ignored by an embedding table", stacklevel=4)
    return place(*neighbors_of(data.x, model.space, model), model)
