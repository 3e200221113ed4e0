"""What a fitted model makes of new samples: through its encoder, or beside their neighbours in its table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph.structural_features import TRANSFERABLE
from genurl_graph.inference.placement import Fitted, neighbors_of, place
from genurl_graph.inputs.hetero import as_graph, split, weigh
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.precomputed import as_new
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNNS
from genurl_graph.objectives.mini_batch import embed_rows
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.graph import as_propagation, averaged, edges_of_new

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL


def embed_new(model: GenURL, X: Any) -> Any:
    """`genurl_graph.estimator.GenURL.transform` of a fitted model; see there."""
    if model.config_.neighbors.metric == "precomputed":
        indices, distances = as_new(X, model.config_.neighbors.n_neighbors, len(model.embedding_))
        z = place(indices, distances, _fitted(model), model.config_)
        return z if isinstance(X, Tensor) else z.numpy()
    data = _like_fitted(model, X)
    z = _beside_neighbors(model, data) if model.encoder_name_ == "free" else _encoded(model, data)
    if data.types is not None:
        return split(z, data.types.rows)
    return z if data.kind == "torch" else z.numpy()


def _like_fitted(model: GenURL, X: Any) -> Input:
    """New data, checked to have the features, and the types of nodes, of the fitted ones."""
    data = as_graph(X, None if model.node_widths_ is None else list(model.node_widths_), at_least=1)
    found, expected = data.num_features, model.n_features_in_
    widths = None if data.types is None else data.types.widths()
    if widths != model.node_widths_ or found != expected:
        kinds = [f" ({part})" if part else "" for part in (widths, model.node_widths_)]
        raise InputError(f"transform: found {found} features{kinds[0]}; the model was fitted on {expected}{kinds[1]}")
    return weigh(data, model.config_.merge.type_weights)


def _encoded(model: GenURL, data: Input) -> Tensor:
    config, device = model.config_, torch.device(model.device_)
    if data.bare_nodes().numel() and config.encoder.structure not in TRANSFERABLE:
        raise InputError(
            f"transform: without features encoder.structure={config.encoder.structure} knows the fitted nodes only; "
            f"fit with {' or '.join(TRANSFERABLE)} to embed new graphs"
        )
    encoder, name = model._encoder.eval(), model.encoder_name_
    x, _ = encoder_input(data, config, model.device_, model.statistics_)
    assert x is not None
    propagation = None
    if name in GNNS or name == "sign":
        if data.edge_index is None:
            raise InputError(f"transform: encoder {name!r} needs edges; the input has none")
        edges = edges_of_new(data, config, model.seed_)
        if name == "sign":
            return embed_rows(encoder, averaged(x, edges, config, device), device).cpu()
        propagation = as_propagation(edges, data.num_nodes).to(device)
    with torch.no_grad():
        z: Tensor = encoder(Features(x).to(device), encoder.operator(propagation))
    return z.cpu()


def _beside_neighbors(model: GenURL, data: Input) -> Tensor:
    if model._space is None or data.x is None:
        raise InputError(
            'transform: the encoder "free" places new samples by their features; this table was fitted '
            "on a graph (neighbors.hops) or by the graph task; use another encoder there"
        )
    if data.edge_index is not None:
        warnings.warn("transform: edges between new samples are ignored by the free table", stacklevel=4)
    indices, distances = neighbors_of(data.x, model._space, model.config_, model.seed_)
    return place(indices, distances, _fitted(model), model.config_)


def _fitted(model: GenURL) -> Fitted:
    return Fitted(model.embedding_, model.mass_, model.seed_)
