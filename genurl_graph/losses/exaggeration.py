r"""The weight of the attraction over the steps of a training: a map assembles, separates and evens out.

With e the factor of the attraction and t the share of the steps that is over, a step minimises::

    GKL_e(t) = e(t) * sum_ij p_ij log(1 / q_ij) + repulsion

    assemble   t < s1           e falls linearly from e1 to e     strong attraction: what belongs together meets
    separate   s1 <= t < 1 - s2 e                                 clusters part
    even out   t >= 1 - s2      e2 < 1                            filaments and holes inside clusters fill

e1, s1 are ``early_exaggeration`` and ``early_share``, e is ``exaggeration``, and e2, s2 are ``late_exaggeration`` and
``late_share`` of `genurl_graph.config.parameters.LossConfig`. The strong attraction of the first steps is t-SNE's early
exaggeration (van der Maaten and Hinton, JMLR 9:2579, 2008), whose limit is a spectral embedding (Linderman and
Steinerberger, SIAM J. Math. Data Sci. 1:313, 2019). The last phase is ours: repulsion beyond the balance spreads
near points before it moves whole clusters, so that a few steps of it change nothing but the inside of these.
"""

from __future__ import annotations

import math

from genurl_graph.config.parameters import LossConfig


def resolve_late(loss: LossConfig, num_nodes: int) -> float:
    """``late_exaggeration`` as a number; auto: ``1 - 0.5 min(1, n / 10,000)^(1/8)``.

    The radius of a map grows by about this power. Clusters of a small one are few kernels wide, and repulsion of that
    range would change their order as well as fill their holes.
    """
    if isinstance(loss.late_exaggeration, str):
        return 1 - 0.5 * math.sqrt(math.sqrt(math.sqrt(min(1.0, num_nodes / 10_000))))
    return loss.late_exaggeration


def exaggeration_at(loss: LossConfig, progress: float) -> float:
    """Factor of the attraction when the share `progress` in [0, 1) of the steps is over.

    The first phase never pulls less, and the last never more, than the ``exaggeration`` between them.

    Examples
    --------
    >>> schedule = LossConfig(early_exaggeration=9.0, early_share=0.5, late_exaggeration=0.5, late_share=0.1)
    >>> [exaggeration_at(schedule, t) for t in (0.0, 0.25, 0.5, 0.95)]
    [9.0, 5.0, 1.0, 0.5]
    """
    between = loss.exaggeration
    if progress < loss.early_share:
        above = max(loss.early_exaggeration - between, 0.0)
        return between + above * (1 - progress / loss.early_share)
    if progress >= 1 - loss.late_share:
        return min(float(loss.late_exaggeration), between)
    return between
