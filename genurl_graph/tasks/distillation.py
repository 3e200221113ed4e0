"""Distillation: P of a teacher's features, Q of any student, no labels.

Samples are nodes. The teacher's nearest neighbours and their calibrated similarities make P: once, among all samples
(``similarity.among = samples``, stored features only), or anew among those of each batch (``batch``,
`genurl_graph.teaching.BatchSimilarities`), which is the preset's choice: neighbours in a batch lie farther apart, and
all pairs of the batch are compared exactly. The student may have any number of columns. The baselines of
`genurl_graph.matching` train on the same batches and the same loop.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph._csr import identity
from genurl_graph.batches import BatchObjective
from genurl_graph.config import Config
from genurl_graph.encoders import GNNS, Features, make_encoder
from genurl_graph.exceptions import InputError
from genurl_graph.graph import MergedGraph, merge_graphs
from genurl_graph.images import named_shape
from genurl_graph.inputs import Input, as_features, check_input
from genurl_graph.matching import MATCHING
from genurl_graph.objective import PairwiseObjective
from genurl_graph.row_encoders import output_width
from genurl_graph.sharding import held, own_block, own_edges
from genurl_graph.tasks import Problem
from genurl_graph.tasks.common import feature_similarities
from genurl_graph.tasks.graph import as_propagation, edges_of_new
from genurl_graph.teaching import BatchSimilarities, Teacher

# Rows on which a network is asked whether it tells samples apart.
PROBED = 256


def as_teacher(teacher: Any, X: Any, data: Input) -> Teacher:
    """What a user calls a teacher, as one.

    Parameters
    ----------
    teacher : array or Tensor [n, t], nn.Module, or anything fitted with ``transform``
        Stored features; a network, which reads the rows of `X`, or its images [B, c, h, w] if `X` is [n, c, h, w],
        batch by batch; or a model (a `GenURL`, a scikit-learn transformer), whose ``transform(X)`` is stored.
    X : as in `GenURL.fit`
    data : Input
        The same, checked.

    Raises
    ------
    InputError
        Other rows than samples, constant features, NaN or infinite ones, or no teacher at all.
    """
    if isinstance(teacher, nn.Module):
        if data.x is None:
            raise InputError("teacher: a network reads features; the input has none")
        asked = Teacher(
            None, teacher, Features(data.x), data.image, output_width(teacher, data.num_features, data.image)
        )
        _check_variation(asked.rows(torch.arange(min(data.num_nodes, PROBED))))
        return asked
    found = teacher.transform(X) if hasattr(teacher, "transform") else teacher
    try:
        features = as_features(found)
        features = features.to_dense() if features.layout == torch.sparse_csr else features
        if features.size(0) != data.num_nodes:
            raise InputError(f"found {features.size(0)} rows for {data.num_nodes} samples")
        check_input(Input(features, None, None, data.num_nodes, data.kind))
    except InputError as error:
        raise InputError(f"teacher: {error}") from error
    _check_variation(features)
    return Teacher(features)


def _check_variation(features: Tensor) -> None:
    if bool((features == features[0]).all()):
        raise InputError(
            f"teacher: all {len(features)} rows of features are the same; expected features that tell samples apart"
        )


def student_width(student: Any, dim: int | None, data: Input) -> int | None:
    """Columns of the embedding: `dim`, or what a module gives; InputError where they differ."""
    if not isinstance(student, nn.Module) or data.x is None:
        return dim
    found = output_width(student, data.num_features, data.image)
    if dim not in (None, found):
        raise InputError(
            f"n_components: found {dim}, but the student has {found} output columns; leave one of them out"
        )
    return found


def definite(data: Input, config: Config) -> dict[str, Any]:
    """What "auto" means for a student: dotted keys of a configuration.

    Raises
    ------
    InputError
        A student that cannot be, or nothing that it could read.
    """
    name, how = config.encoder.name, config.encoder.normalize
    if data.types is not None or data.distances is not None:
        raise InputError("task distill: found HeteroData or distances; expected features of samples, or a graph")
    if name == "free":
        raise InputError("task distill: a free table reads nothing; expected a student such as mlp, cnn or gcn")
    if name == "sign":
        raise InputError("task distill: found the student 'sign'; expected a GNN such as gcn, or mlp")
    if name in GNNS and data.edge_index is None:
        raise InputError(f"task distill: student {name!r} needs a graph; expected edges, or the student mlp")
    if data.x is None:
        if name not in GNNS:
            raise InputError(f"task distill: the input has no features; student {name!r} needs some")
        return {}
    image = config.encoder.image
    if name == "module" and data.image is None and image == "auto":
        image = "rows"
    elif name in ("cnn", "module") and image != "rows":
        image = named_shape(image, data.image, data.num_features)
    if how == "auto":
        # Pixels, and what only the user's own module knows, stay as they are.
        bag = data.x.layout == torch.sparse_csr
        how = "none" if name in ("cnn", "module") or data.image is not None else "rows" if bag else "columns"
    return {"encoder.image": image, "encoder.normalize": how}


def build(
    data: Input,
    x: Tensor | None,
    config: Config,
    seed: int,
    device: torch.device,
    teacher: Teacher,
    module: nn.Module | None = None,
) -> Problem:
    """Distillation problem.

    Parameters
    ----------
    data : Input
    x : Tensor or None
        What the student reads (normalised); None: every node is its own feature.
    config : Config
    seed : int
        Of everything random before training.
    device : torch.device
    teacher : Teacher
    module : nn.Module, optional
        The student, where it is the user's own.

    Raises
    ------
    InputError
        Unsuitable configuration.
    """
    n = data.num_nodes
    features = Features(identity(n) if x is None else x)
    encoder = make_encoder(config, features.num_features, module=module)
    propagation = None
    if config.encoder.name in GNNS:
        propagation = as_propagation(edges_of_new(data, config, seed), n)
    matching = MATCHING.get(config.loss.name)
    if matching is not None or teacher.features is None or config.similarity.among == "batch":
        make = matching or BatchSimilarities
        return Problem(make(encoder, features, propagation, teacher, n, config), MergedGraph.empty(), None)
    taught = Input(teacher.features, None, None, n, data.kind)
    neighbors, knn_edges, knn_p = feature_similarities(taught, config, seed, device)
    merged = merge_graphs(None, None, knn_edges, knn_p, num_nodes=n)
    pairwise = BatchObjective if config.sampling.negatives == "batch" else PairwiseObjective
    block = own_block(n, merged.edge_index[0])
    objective = pairwise(
        encoder,
        features,
        propagation,
        *own_edges(merged, block),
        n,
        config.loss,
        config.sampling,
        config.views,
    )
    return Problem(objective, held(merged, block), neighbors)
