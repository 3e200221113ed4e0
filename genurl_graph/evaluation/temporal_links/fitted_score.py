"""A score of pairs whose few weights are fitted to the validation windows: history and, where given, an embedding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.examples import KINDS, Examples
from genurl_graph.evaluation.temporal_links.history import Scorer
from genurl_graph.evaluation.temporal_links.pair_features import PairFeatures
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit, references
from genurl_graph.inputs.temporal.trajectory import Trajectory

# Where nodes are before a window: vectors [n, d], and which nodes have one, bool [n].
Positions = Callable[[int], tuple[Tensor, Tensor]]
NETS, HIDDEN = 4, 16
STEPS, BATCH, RATE, DECAY = 300, 160, 1e-2, 1e-3
# What pairs of each kind weigh beside the lists: random ones are in the lists already.
WEIGHT = {"random": 0.1, "historical": 0.3, "active": 0.3}
# Standardised features beyond this are cut, and pairs that are scored at a time.
_MOST, _CHUNK = 5.0, 1 << 18


class FittedScore:
    """The mean of a few small networks over `PairFeatures`, fitted by `fit`.

    Attributes
    ----------
    split : TemporalSplit
    unit : float
        Events in a usual window, as they were before validation.
    positions : callable or None
    nets : _Nets
    mean, std : Tensor, float32, shape [f]
        Of the features of the candidates.
    """

    def __init__(self, split: TemporalSplit, trajectory: Trajectory | Positions | None = None) -> None:
        self.split = split
        self.unit = max(float(split.windows.ptr[split.first_val]) / split.first_val, 1.0)
        self.positions = trajectory.before if isinstance(trajectory, Trajectory) else trajectory
        self.mean, self.std, self.nets = torch.zeros(()), torch.ones(()), _Nets(1, 0)

    @classmethod
    def fit(
        cls,
        split: TemporalSplit,
        trajectory: Trajectory | Positions | None = None,
        seed: int = 0,
        both_ends: bool = False,
    ) -> FittedScore:
        """Fit the weights to the windows of validation, each known by what came before it.

        Each pair of a window is to stand before the other nodes that its source might have met: a softmax over a list,
        whose draws count for all nodes (`Examples`). Pairs without an event from elsewhere in the window are to have
        lower scores, too, so that scores of different sources can be compared; that is a pairwise logistic loss
        (Rendle et al., UAI 2009). Test windows are not looked at.

        Parameters
        ----------
        split : TemporalSplit
        trajectory : Trajectory or callable, optional
            Of the same windows, of a model that was fitted to those before validation and embedded the others by
            `update`: one that was fitted to all of them knows what is to be predicted. Or what gives the positions of
            nodes before a window: vectors [n, d], and which nodes have one, bool [n]. Without it, the score knows
            history alone.
        seed : int
        both_ends : bool
            Whether targets are to find their sources as sources their targets: for ranks that count both.

        Raises
        ------
        InputError
            No pairs to fit to.

        Examples
        --------
        >>> model = GenURL(task="temporal", windows=split.first_val).fit(split.windows.before(edges, split.first_val))
        >>> for window in range(split.first_val, len(split.windows)):
        ...     model.update(split.windows.events(edges, window), windows=1)
        >>> score = FittedScore.fit(split, model.trajectory_).scorer(split.first_test)
        """
        fitted = cls(split, trajectory)
        examples = Examples.of(split, fitted.features, both_ends, seed)
        flat = examples.lists.flatten(0, 1)
        fitted.mean, fitted.std = flat.mean(0), flat.std(0) + 1e-3
        lists, others = fitted._standardised(examples.lists), fitted._standardised(examples.others)
        fitted.nets = _Nets(flat.size(1), seed)
        fitted.nets.train_on(lists, examples.log_weight, others, seed)
        return fitted

    def features(self, window: int) -> PairFeatures:
        """Features of pairs before a window."""
        before = self.split.windows.before(self.split.edges, window)
        return PairFeatures(before, self.unit, None if self.positions is None else self.positions(window))

    def scorer(self, window: int) -> Scorer:
        """The score of pairs in a window, from what came before it."""
        features = self.features(window)

        @torch.no_grad()
        def score(source: Tensor, target: Tensor) -> Tensor:
            ends = torch.stack([source.reshape(-1), target.reshape(-1)])
            parts = [
                self.nets(self._standardised(features(part[0], part[1]))).mean(0)
                for part in torch.split(ends, _CHUNK, 1)
            ]
            return torch.cat(parts).double().view(source.shape)

        return score

    def _standardised(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.std).clamp_(-_MOST, _MOST)


class _Nets(torch.nn.Module):
    """`NETS` networks with two hidden layers, side by side: each forgets what another makes up."""

    def __init__(self, columns: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weights, self.shifts = torch.nn.ParameterList(), torch.nn.ParameterList()
        for wide, narrow in ((columns, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)):
            bound = wide**-0.5
            for parts, shape in ((self.weights, (NETS, wide, narrow)), (self.shifts, (NETS, 1, narrow))):
                parts.append(torch.nn.Parameter((torch.rand(shape, generator=generator) * 2 - 1) * bound))

    def forward(self, x: Tensor) -> Tensor:
        """Scores of rows [m, f], [NETS, m]."""
        h = x.expand(NETS, -1, -1)
        for layer, (weight, shift) in enumerate(zip(self.weights, self.shifts, strict=True)):
            h = torch.baddbmm(shift, torch.nn.functional.silu(h) if layer else h, weight)
        return h[:, :, 0]

    def train_on(self, lists: Tensor, log_weight: Tensor, others: Tensor, seed: int) -> None:
        """Fit to lists [m, k, f], whose first candidate is the right one, and to other pairs [m, kinds, f]."""
        m, k, f = lists.shape
        generator = torch.Generator().manual_seed(seed)
        optimizer = torch.optim.AdamW(self.parameters(), lr=RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.1)
        weight = torch.tensor([WEIGHT[kind] for kind in KINDS])
        order = torch.cat([torch.randperm(m, generator=generator) for _ in range(-(-STEPS * BATCH // m))])
        for batch in torch.split(order[: STEPS * BATCH], BATCH):
            score = self(lists[batch].view(-1, f)).view(NETS, -1, k)
            loss = -torch.log_softmax(score + log_weight[batch], 2)[:, :, 0].mean(1).sum()
            other = self(others[batch].view(-1, f)).view(NETS, -1, len(KINDS))
            above = torch.nn.functional.softplus(other - score[:, :, :1]).mean(1)
            loss = loss + (above * weight).sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()


OWN, ABLATED = "GenURL", "GenURL, without embedding"


def own_scores(
    split: TemporalSplit, trajectory: Trajectory | Positions | None, seed: int = 0, both_ends: bool = False
) -> Callable[[TemporalSplit, int], Mapping[str, Scorer]]:
    """What `genurl_graph.evaluation.temporal_links.protocol.judge` takes: ours, without embedding, and the references.

    Parameters are those of `FittedScore.fit`.

    Examples
    --------
    >>> judge(split, own_scores(split, model.trajectory_, seed), seed=seed)
    """
    fitted = {ABLATED: FittedScore.fit(split, None, seed, both_ends)}
    if trajectory is not None:
        fitted = {OWN: FittedScore.fit(split, trajectory, seed, both_ends), **fitted}

    def scores(_: TemporalSplit, window: int) -> Mapping[str, Scorer]:
        return {**{name: score.scorer(window) for name, score in fitted.items()}, **references(split, window)}

    return scores
