"""Networks that make one row of every graph of a collection."""

from genurl_graph.nn.graphs.encoder import (
    GraphEncoder,
    embed_collection,
    encoder_of,
    make_graph_encoder,
    measure_norms,
)

__all__ = ["GraphEncoder", "embed_collection", "encoder_of", "make_graph_encoder", "measure_norms"]
