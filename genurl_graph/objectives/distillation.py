"""Batches in which the output of a student meets that of its teacher: what distillation objectives are made of.

`genurl_graph.matching` compares the two directly; `BatchSimilarities` compares how their rows are similar. (P of stored
features is known before the training: `genurl_graph.batches` and `genurl_graph.objective` need no teacher then.)
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import InputError
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.images import Shape
from genurl_graph.losses.pairwise import get_loss
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.cnn import in_parts
from genurl_graph.nn.features import Features
from genurl_graph.objectives.base import Encoder, check_kernel, embed_all
from genurl_graph.objectives.batch_graph import batch_similarities, block_terms, check_batch_neighbors
from genurl_graph.objectives.mini_batch import RandomBatches
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.precision import network


class Teacher(nn.Module):
    """Features of samples by a stored table, or by a network that is asked anew for each batch and never trained.

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
        return in_parts(module.to(index.device).eval(), self.x.rows(index), self.shape, whole=True).float()


class DistillationObjective(RandomBatches):
    """Encoder, input and teacher; subclasses add ``compare(z, t) -> LossTerms``, and `_prepare` what they need for it.

    Parameters
    ----------
    encoder : nn.Module
        The student, as in `genurl_graph.nn.build`. A GNN computes all nodes at every step.
    features : Features
        What it reads.
    propagation : Propagation or None
        What it propagates over, if it is a GNN.
    teacher : Teacher
    num_nodes : int
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
        size = config.sampling.batch_size
        if size < 2:
            raise InputError(f"sampling.batch_size: found {size}; expected at least 2")
        what = "distillation from batches of a teacher"
        super().__init__(what, features, num_nodes, min(size, num_nodes), config)
        self.encoder: Encoder = encoder  # type: ignore[assignment]
        self.propagation, self.teacher = propagation, teacher
        self._prepare()

    def _prepare(self) -> None:
        """Check the options, make what is trained beside the encoder."""

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew without replacement."""
        rows = self.draw()
        if self.propagation is None:
            z = network(self.encoder, self.features.rows(rows), None)
        else:
            operator = self.encoder.operator(self.propagation)
            z = network(self.encoder, self.features, operator).index_select(0, rows)
        return self.compare(z, self.teacher.rows(rows))

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        """Loss of the student's output [B, d] beside the teacher's [B, t]."""
        raise NotImplementedError

    def embed(self) -> Tensor:
        """Embedding [n, d] of all samples."""
        return embed_all(self.encoder, self.features, self.propagation)


class BatchSimilarities(DistillationObjective):
    r"""Divergence of Q from a P that is made anew of the teacher's features of every batch.

    The batch is a small data set of its own: nearest neighbours by the teacher's features, their calibrated
    similarities P, Q of all pairs of the batch, and any loss of `genurl_graph.losses` between them, exactly. Parameters
    are those of `DistillationObjective`.
    """

    def _prepare(self) -> None:
        check_kernel(self.loss)
        get_loss(self.loss.name)
        check_batch_neighbors(self.config.neighbors, self.size)

    def compare(self, z: Tensor, t: Tensor) -> LossTerms:
        """Divergence of all pairs of a batch, per unit of similarity."""
        edges, p = batch_similarities(t, self.config.neighbors, self.config.similarity)
        return block_terms(z, edges, p, self.loss)


class FeatureMatching(DistillationObjective):
    """Base of losses with a linear adapter from the student's columns to the teacher's."""

    def _prepare(self) -> None:
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
        loss = self.loss
        for name in ("temperature", "teacher_temperature"):
            if not 0 < getattr(loss, name) < math.inf:
                raise InputError(f"loss.{name}: found {getattr(loss, name)}; expected a finite number > 0")
        if loss.queue < 1:
            raise InputError(f"loss.queue: found {loss.queue}; expected at least 1")
        rows = torch.randperm(self.num_nodes)[: loss.queue]
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
