"""New graphs by a model of a collection: a row each, the same bits whatever graphs come with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inputs.collection.convert import as_collection
from genurl_graph.inputs.collection.tables import graphs_of_frames
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.reading import NOTHING_SAID, ReadOptions
from genurl_graph.nn.graphs import GraphEncoder, embed_collection, encoder_of
from genurl_graph.runtime.random import seeded_globally


def embed_graphs(model: FittedModel, X: Any, options: ReadOptions) -> tuple[Tensor, Input]:
    """Embedding [G, d] of new graphs, and what was read of them.

    Parameters
    ----------
    model : FittedModel
        Of the task graphs.
    X, options
        As of `genurl_graph.inputs.collection.convert.as_collection`; one graph is enough.

    Raises
    ------
    InputError
        As there; or other features of nodes, or attributes of edges, than in the fit.
    """
    if options.names("graph"):
        X, options = graphs_of_frames(X, options), NOTHING_SAID
    nodes, edges = (FeatureOptions.of_model(plan) for plan in (model.plan, model.edge_plan))
    data = as_collection(X, options, nodes, edges, at_least=1)
    assert data.graphs is not None
    return embed_collection(cast(GraphEncoder, model.encoder), data.graphs), data


def saved_encoder(config: Config, state: Mapping[str, Tensor]) -> GraphEncoder:
    """The encoder of a saved model with the weights, and all that it keeps, of its `state`."""
    # Its first weights, which are replaced, are not drawn from the user's generator.
    with seeded_globally(0):
        encoder = encoder_of(config, state)
    encoder.load_state_dict(dict(state))
    return encoder
