"""Parameters whose values are words: each list of words is declared here once.

Signatures use these types, so that editors and type checkers know the words; the parameters of a run
(`genurl_graph.config.parameters`) are checked against them, and messages and help texts list them by `words`.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

# --8<-- [start:choices]
TaskName = Literal["graph", "reduce", "distill", "images", "graphs", "temporal", "edges", "triples"]

GNNName = Literal["gcn", "sage", "gat", "gin", "gine", "gatv2"]
DenseName = Literal["mlp", "linear", "factorized-linear"]
ImageEncoderName = Literal["cnn", "resnet"]
EncoderName = Literal[GNNName, "sign", DenseName, "free", ImageEncoderName]

PairLossName = Literal["gkl", "kl", "bce", "huber", "l2", "infonce"]
MatchingName = Literal["feature-l2", "feature-cosine", "rkd", "seed"]
# Beside these, those that users add to `genurl_graph.losses.LOSSES`.
LossName = Literal[PairLossName, "barlow", MatchingName]

Backend = Literal["auto", "exact", "approximate"]
How = Literal["mix", "union", "geodesic"]
Directed = Literal["symmetrize", "keep", "error"]
Structure = Literal["identity", "roles", "both", "degree", "random_walk", "laplacian"]
Pooling = Literal["sum", "mean", "max", "all"]

StartName = Literal["auto", "pca", "spectral", "random"]
ScaleName = Literal["auto", "columns", "none"]
TextName = Literal["drop", "tfidf"]
InputKind = Literal["edges", "vectors", "adjacency", "graph", "triples", "edge-rows"]
ColumnRole = Literal["source", "target", "weight", "time", "type", "key", "graph", "id", "label", "feature", "ignore"]

ProtocolName = Literal["public", "random-10", "random-10-10-80"]

# "cuda:1" is a device as well.
DeviceName = Literal["auto", "cpu", "cuda"] | str
# --8<-- [end:choices]


def words(choices: Any) -> tuple[str, ...]:
    """The words of one of these types, in the order of its declaration.

    Examples
    --------
    >>> words(Directed)
    ('symmetrize', 'keep', 'error')
    """
    found: tuple[str, ...] = get_args(choices)
    return found
