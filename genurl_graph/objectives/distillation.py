"""Distillation in batches: the output of a student is compared with that of its teacher.

`BatchSimilarities` compares how their rows are similar; the baselines in `MATCHING` compare the rows themselves. P of
stored features is known before the training, so that the other objectives need no teacher.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.images import Shape
from genurl_graph.losses.pairwise import get_loss
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.cnn import in_parts
from genurl_graph.nn.features import Features
from genurl_graph.objectives.base import Objective
from genurl_graph.objectives.batch_graph import batch_similarities, block_terms, check_batch_neighbors
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import one_process
from genurl_graph.runtime.random import global_draws, randperm


class Teacher(nn.Module):
    """Features of samples from a stored table, or from a network that reads each batch anew and is never trained.

    Parameters
    ----------
    features : Tensor, float32, shape [n, t], or None
        Stored features; None for a network.
    module : nn.Module or None
        The network; it runs in evaluation mode, without gradients.
    x : Features or None
        What the network reads, as the user gave it.
    shape : (height, width, channels) or None
        The network reads images.
    width : int
        Columns t.
    """

    def __init__(
        self,
        features: Tensor | None,
        module: nn.Module | None = None,
        x: Features | None = None,
        shape: Shape | None = None,
        width: int = 0,
    ) -> None:
        super().__init__()
        self.features = None if features is None else constant(features)
        # Not a submodule: its weights are neither trained nor in a checkpoint.
        self.module = (module,)
        self.x, self.shape = x, shape
        self.width = width if features is None else int(features.size(1))

    @torch.no_grad()
    def rows(self, index: Tensor) -> Tensor:
        """Features [B, t] of some samples."""
        if self.features is not None:
            return self.features.index_select(0, index)
        (module,) = self.module
        assert module is not None
        assert self.x is not None
        with global_draws():
            return in_parts(module.to(index.device).eval(), self.x.rows(index), self.shape, whole=True).float()


class DistillationObjective(Objective):
    """Encoder, input and teacher; subclasses add ``compare(z, t) -> LossTerms``, and `_prepare` what they need for it.

    Parameters
    ----------
    encoder, features, propagation, num_nodes
        As of `genurl_graph.objectives.base.Objective`: the student. A GNN computes all nodes at every step.
    teacher : Teacher
    config : Config
        Resolved.

    Raises
    ------
    InputError
        A batch of fewer than two samples, or an option that the subclass cannot read.
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: Features,
        propagation: Propagation | None,
        teacher: Teacher,
        num_nodes: int,
        config: Config,
    ) -> None:
        one_process("distillation from batches of a teacher")
        super().__init__(encoder, features, propagation, num_nodes)
        self.config, self.loss, self.teacher = config, config.loss, teacher
        self._divide(config.sampling.batch_size)
        self._prepare()

    def _prepare(self) -> None:
        """Check the options, make what is trained beside the encoder."""

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew without replacement."""
        assert self.features is not None
        rows = self._batch()
        if self.propagation is None:
            z = network(self.encoder, self.features.rows(rows), None)
        else:
            operator = self.encoder.operator(self.propagation)
            z = network(self.encoder, self.features, operator).index_select(0, rows)
        return self.compare(z, self.teacher.rows(rows))

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        """Loss of the student's output [B, d] beside the teacher's [B, t]."""
        raise NotImplementedError


class BatchSimilarities(DistillationObjective):
    r"""Divergence of Q from a P that is made anew of the teacher's features of every batch.

    The batch is a small data set of its own: nearest neighbours by the teacher's features, their calibrated
    similarities P, Q of all pairs of the batch, and any loss of `genurl_graph.losses` between them, exactly. Parameters
    are those of `DistillationObjective`.
    """

    def _prepare(self) -> None:
        get_loss(self.loss.name)
        check_batch_neighbors(self.config.neighbors, self.size)

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        """Divergence of all pairs of a batch, per unit of similarity."""
        edges, p = batch_similarities(t, self.config.neighbors, self.config.similarity)
        return block_terms(z, edges, p, self.loss)


class FeatureMatching(DistillationObjective):
    """Base of losses with a linear adapter from the student's columns to the teacher's."""

    def _prepare(self) -> None:
        with global_draws():
            self.adapter = nn.Linear(self.config.encoder.dim, self.teacher.width)


class L2Matching(FeatureMatching):
    """``|A z - t|^2``, mean over rows and columns, in units of the teacher's variance (which Adam hardly notices)."""

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        return only(F.mse_loss(self.adapter(z), t) / t.var(0, correction=0).mean().clamp_min(1e-12))


class CosineMatching(FeatureMatching):
    """``1 - cos(A z, t)``, mean over rows."""

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        return only((1 - F.cosine_similarity(self.adapter(z), t)).mean())


class RKD(DistillationObjective):
    """Huber's function of ``d(z_i, z_j) / mean d - d(t_i, t_j) / mean d``, mean over all pairs of a batch."""

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        return only(F.smooth_l1_loss(relative_distances(z), relative_distances(t)))


class SEED(FeatureMatching):
    """Cross-entropy of two distributions, of similarities to a queue and to the sample itself: teacher's and student's.

    The queue holds the teacher's features of the last ``loss.queue`` samples (at most n); the teacher's feature of the
    sample itself stands beside it. ``loss.temperature`` is the student's, ``loss.teacher_temperature`` the teacher's.
    """

    queue: Tensor
    place: Tensor

    def _prepare(self) -> None:
        super()._prepare()
        rows = randperm(self.num_nodes)[: self.loss.queue]
        self.register_buffer("queue", F.normalize(self.teacher.rows(rows), dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        a, t = F.normalize(self.adapter(z), dim=1), F.normalize(t, dim=1)
        own = (t * t).sum(1, keepdim=True), (a * t).sum(1, keepdim=True)
        # A copy: the gradient reads the queue after the new features are in it.
        queue = self.queue.clone()
        target, found = (torch.cat([part @ queue.T, same], 1) for part, same in zip((t, a), own, strict=True))
        p = (target / self.loss.teacher_temperature).softmax(1)
        loss = -(p * (found / self.loss.temperature).log_softmax(1)).sum(1).mean()
        size = len(self.queue)
        place = (self.place + torch.arange(min(len(t), size), device=t.device)) % size
        self.queue[place] = t[: len(place)]
        self.place += len(place)
        return only(loss)


def relative_distances(x: Tensor) -> Tensor:
    """Euclidean distances of all pairs of rows [B (B - 1) / 2], divided by their mean."""
    # Not by the norm of differences: pdist has a gradient of zero, not NaN, where two rows agree.
    distance = F.pdist(x)
    return distance / distance.mean().clamp_min(1e-12)


def only(loss: Tensor) -> LossTerms:
    """A loss that has one part."""
    return LossTerms(loss, loss.detach(), torch.zeros_like(loss))


MATCHING: dict[str, type[DistillationObjective]] = {
    "feature-l2": L2Matching,
    "feature-cosine": CosineMatching,
    "rkd": RKD,
    "seed": SEED,
}
