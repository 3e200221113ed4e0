"""The rows that need no training, beside every embedding of whole graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from genurl_graph.evaluation.graph_classification.figures import KERNEL_ROWS
from genurl_graph.evaluation.graph_classification.rows import Array, Row
from genurl_graph.evaluation.probe import standardised
from genurl_graph.graph.descriptors import degree_histogram, label_histogram, wl_histogram
from genurl_graph.inputs.collection import GraphCollection


def reference(name: str, collection: GraphCollection, seed: int) -> Array:
    """A row without training.

    Parameters
    ----------
    name : str
        One of `genurl_graph.evaluation.graph_classification.figures.REFERENCES`.
    collection : GraphCollection
    seed : int
        Of the weights that are not trained.

    Returns
    -------
    array, float64
        ``histogram``: logarithms of the numbers of nodes of each kind and degree, of nodes and of edges, [G, d].
        ``wl``: the subtree kernel of rounds 0 to 4 (Shervashidze et al., JMLR 12, 2011), each graph 1 with itself,
        [G, G]. ``untrained``: the preset's GIN without what stands beside it, [G, d]. ``concat``: the mean of the
        kernels of all three, so that each is as wide as the others in a distance, [G, G].
    """
    made = {"histogram": _histogram, "wl": _subtree_kernel, "concat": _side_by_side}
    return _untrained(collection, seed) if name == "untrained" else made[name](collection, seed)


def as_row(name: str, found: Any, y: Any) -> Row:
    """What a classifier reads of a row `name` of a table: one without training, or any embedding."""
    if name in KERNEL_ROWS:
        return Row.of_kernel(found)
    return Row.of(found, y)


def _histogram(collection: GraphCollection, seed: int) -> Array:
    sizes = np.stack([collection.sizes().numpy(), collection.edge_ptr.diff().numpy()], 1)
    counts = np.concatenate([label_histogram(collection).numpy(), degree_histogram(collection).numpy(), sizes], 1)
    found: Array = np.sign(counts) * np.log1p(np.abs(counts))
    return found


def _subtree_kernel(collection: GraphCollection, seed: int) -> Array:
    # As grakel and others have it; with kinds of edges it is worse on MUTAG and PTC_MR.
    counts, _ = wl_histogram(collection._replace(edge_attr=None))
    gram = Row.of_kernel((counts @ counts.T).toarray()).gram
    assert gram is not None
    return gram


def _untrained(collection: GraphCollection, seed: int) -> Array:
    from genurl_graph.config import load_preset
    from genurl_graph.nn.graphs import embed_collection, make_graph_encoder, measure_norms
    from genurl_graph.nn.graphs.pooling import pooled_columns
    from genurl_graph.runtime.random import seeded

    preset = load_preset("graphs")
    c = preset.encoder
    # So many columns are the pooled layers, without a linear map after them.
    pooled = {"encoder.skip": 0, "encoder.dim": c.layers * c.hidden * pooled_columns(c.pooling)}
    with seeded(seed):
        encoder = make_graph_encoder(preset.override(pooled), collection)
        measure_norms(encoder, collection)
    return np.asarray(embed_collection(encoder, collection).double())


def _side_by_side(collection: GraphCollection, seed: int) -> Array:
    parts = (reference(name, collection, seed) for name in ("histogram", "untrained"))
    products = [Row(standardised(part)).products() for part in parts]
    found: Array = (products[0] + products[1] + _subtree_kernel(collection, seed)) / 3
    return found
