"""Distillation: P of a teacher's features, Q of any student, no labels.

Samples are nodes. The teacher's nearest neighbours and their calibrated similarities make P: once, among all samples
(``similarity.among = samples``, stored features only), or anew among those of each batch (``batch``,
`BatchSimilarities`), which is the preset's choice: neighbours in a batch lie farther apart, and all pairs of the batch
are compared exactly. The student may have any number of columns. The baselines in `MATCHING` train on the same batches
and the same loop.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.graph.merge import MergedGraph, merge_graphs
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.images import named_shape
from genurl_graph.inputs.input import Input, check_input
from genurl_graph.inputs.sparse import identity
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.cnn import output_width
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNNS
from genurl_graph.nn.layers import twin
from genurl_graph.objectives.distillation import MATCHING, BatchSimilarities, Teacher
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.objectives.mini_batch import MiniBatchObjective
from genurl_graph.tasks import TrainingProblem
from genurl_graph.tasks.graph import edges_of_new
from genurl_graph.tasks.prepare import feature_similarities

# Rows that check whether a network tells samples apart.
PROBED = 256


def student_width(student: Any, dim: int | None, data: Input) -> int | None:
    """Columns of the embedding: `dim`, or what a module gives; InputError where they differ."""
    if not isinstance(student, nn.Module) or data.x is None:
        return dim
    found = output_width(twin(student), data.num_features, data.image)
    if dim not in (None, found):
        raise wrong("n_components", f"{dim}, but the student has {found} output columns", "one of them alone")
    return found


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
            raise wrong("teacher", "a network, but no features for it", "features of samples")
        teacher = twin(teacher)
        width = output_width(teacher, data.num_features, data.image)
        asked = Teacher(None, teacher, Features(data.x), data.image, width)
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
        raise wrong("teacher", f"{len(features)} rows of features, all the same", "features that tell samples apart")


def build(
    data: Input,
    x: Tensor | None,
    config: Config,
    seed: int,
    device: torch.device,
    teacher: Teacher,
    module: nn.Module | None = None,
) -> TrainingProblem:
    """Distillation problem; `module` is the student if it is the user's own."""
    n = data.num_nodes
    features = Features(identity(n) if x is None else x)
    encoder = make_encoder(config, features.num_features, module=module)
    propagation = None
    if config.encoder.name in GNNS:
        propagation = Propagation(*edges_of_new(data, config, seed)[:2], n)
    matching = MATCHING.get(config.loss.name)
    if matching is not None or teacher.features is None or config.similarity.among == "batch":
        make = matching or BatchSimilarities
        return TrainingProblem(make(encoder, features, propagation, teacher, n, config), MergedGraph.empty(n), None)
    taught = Input(teacher.features, None, None, n, data.kind)
    neighbors, knn_edges, knn_p = feature_similarities(taught, config, seed, device)
    merged = merge_graphs(None, None, knn_edges, knn_p, num_nodes=n)
    pairwise = MiniBatchObjective if config.sampling.negatives == "batch" else PairwiseObjective
    stages = (config.loss, config.sampling, config.views)
    edges, p = merged.similarities()
    objective = pairwise(encoder, features, propagation, edges, p, n, *stages)
    return TrainingProblem(objective, merged, neighbors)


def resolve_distillation(data: Input, config: Config) -> dict[str, Any]:
    """Image shape and normalisation of what a student reads: dotted keys of a configuration.

    InputError for a student that cannot be, or that has nothing to read.
    """
    name, how, image = config.encoder.name, config.encoder.normalize, config.encoder.image
    if data.types is not None or data.distances is not None:
        raise wrong("task distill", "HeteroData or distances", "features of samples, or a graph")
    if name in ("free", "sign"):
        raise wrong("task distill: student", repr(name), "one that reads features, such as mlp, cnn or gcn")
    if name in GNNS and data.edge_index is None:
        raise wrong("task distill", f"no graph for student {name!r}", "edges, or the student mlp")
    if data.x is None:
        if name not in GNNS:
            raise wrong("task distill", f"no features for student {name!r}", "some")
        return {}
    if name == "module" and data.image is None and image == "auto":
        image = "rows"
    elif name in ("cnn", "module") and image != "rows":
        image = named_shape(image, data.image, data.num_features)
    if how == "auto":
        # Pixels, what only the user's own module knows, and what a plan has scaled stay as they are.
        scaled = data.plan is not None and data.plan.is_scaled
        bag = data.x.layout == torch.sparse_csr
        kept = name in ("cnn", "module") or data.image is not None or scaled
        how = "none" if kept else "rows" if bag else "columns"
    return {"encoder.image": image, "encoder.normalize": how}
