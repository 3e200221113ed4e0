"""What distillation by similarities is compared with: losses of student's and teacher's features, batch by batch.

=================  =============================================================================================
feature-l2         squared distance through a linear adapter (FitNets' hint loss, arXiv 1412.6550, eq. 3)
feature-cosine     cosine distance through a linear adapter
rkd                distances of all pairs of a batch (RKD-D, arXiv 1904.05068, eqs. 5 and 6)
seed               similarities to a queue of earlier features, as distributions (SEED, arXiv 2101.04731, eqs. 3 to 6)
=================  =============================================================================================

Adapters and queue belong to the objective and are dropped after the training.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genurl_graph.exceptions import InputError
from genurl_graph.losses import LossTerms
from genurl_graph.teaching import TeacherBatches


class FeatureMatching(TeacherBatches):
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


class RKD(TeacherBatches):
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


MATCHING: dict[str, type[TeacherBatches]] = {
    "feature-l2": L2Matching,
    "feature-cosine": CosineMatching,
    "rkd": RKD,
    "seed": SEED,
}
