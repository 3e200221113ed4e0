"""Weights of edges by their attributes: an additive, piecewise linear model that a saved folder can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import torch
from torch import Tensor

# Pieces of each column, from quantile to quantile.
PIECES = 4
# Quantiles of the predictions between which weights rise, and the least weight before the power.
LOW, HIGH, LEAST, POWER = 0.02, 0.98, 0.02, 2.0


def ramps(values: Tensor, knots: Tensor) -> Tensor:
    """The basis of piecewise linear functions of each column: ``clip((v - knot_k) / (knot_k+1 - knot_k), 0, 1)``.

    Parameters
    ----------
    values : Tensor, float, shape [E, a]
    knots : Tensor, float, shape [a, PIECES + 1]
        Ascending; a piece without width is a column of zeros.

    Returns
    -------
    Tensor, float64, shape [E, a PIECES]
    """
    knots = knots.double().to(values.device)
    start, width = knots[:, :-1], knots.diff(dim=1)
    share = (values.double()[:, :, None] - start) / torch.where(width > 0, width, 1.0)
    return (share.clamp(0, 1) * (width > 0)).flatten(1)


def quantiles(values: Tensor) -> Tensor:
    """Knots of the columns of `values` [E, a]: their quantiles 0, 1/4, 1/2, 3/4 and 1, float32 [a, PIECES + 1]."""
    place = torch.linspace(0, len(values) - 1, PIECES + 1).round().long().to(values.device)
    return values.float().sort(dim=0).values[place].T.contiguous()


class AttributeWeights(NamedTuple):
    """From attributes of an edge to its weight.

    Attributes
    ----------
    knots : Tensor, float32, shape [a, PIECES + 1]
    coefficients : Tensor, float32, shape [a PIECES]
        Of a ridge regression on `ramps`.
    ends : Tensor, float32, shape [2]
        Predictions of the weights 0 and 1.
    share : Tensor, float32, shape [1]
        How far the weights differ from 1.

    Examples
    --------
    >>> knots = torch.tensor([[0.0, 0.0, 1.0, 1.0, 1.0]])
    >>> model = AttributeWeights(knots, torch.tensor([0.0, 0.3, 0, 0]), torch.tensor([0, 0.3]), torch.ones(1))
    >>> model.of(torch.tensor([[0.0], [0.5], [1.0]])).tolist()
    [0.0003999999898951501, 0.25, 1.0]
    """

    knots: Tensor
    coefficients: Tensor
    ends: Tensor
    share: Tensor

    @classmethod
    def fit(cls, values: Tensor, closeness: Tensor, penalty: float = 1.0) -> Self:
        """The model of attributes [E, a] that predicts the closeness [E] of the ends, with `share` 1."""
        knots = quantiles(values)
        found = ramps(values, knots)
        centred = found - found.mean(0)
        eye = torch.eye(found.size(1), dtype=torch.float64, device=found.device)
        coefficients = torch.linalg.solve(
            centred.T @ centred + penalty * eye, centred.T @ (closeness.double() - closeness.double().mean())
        ).float()
        model = cls(knots, coefficients, torch.zeros(2), torch.ones(1))
        predicted = model.predicted(values).sort().values
        place = torch.tensor([LOW, HIGH]) * (len(predicted) - 1)
        return model._replace(ends=predicted[place.round().long()].float())

    def predicted(self, values: Tensor) -> Tensor:
        """Predicted closeness [E], up to a constant."""
        return ramps(values, self.knots) @ self.coefficients.double().to(values.device)

    def of(self, values: Tensor) -> Tensor:
        """Weights of edges with the attributes [E, a], float32 in (0, 1]; 1 each where the model tells them not apart.

        ``1 - s + s max(r, 0.02)^2``, r being how far the prediction has come from the 2nd to the 98th percentile of
        those of the fitted edges, s the share. Memory O(a PIECES) for each of a block of edges.
        """
        low, high = (float(end) for end in self.ends)
        if high <= low:
            return torch.ones(len(values))
        parts = [self.predicted(part) for part in torch.split(values, 1 << 20)]
        risen = ((torch.cat(parts) - low) / (high - low)).clamp(LEAST, 1.0) if parts else torch.ones(0)
        return (1 - self.share + self.share * risen.pow(POWER)).float()

    def tensors(self) -> dict[str, Tensor]:
        """Its parts by name, for a file."""
        return {f"edges.{name}": value for name, value in self._asdict().items()}

    @classmethod
    def stored(cls, tensors: Mapping[str, Tensor]) -> Self | None:
        """What `tensors` took apart; None where there is none."""
        return cls(*(tensors[f"edges.{name}"] for name in cls._fields)) if "edges.knots" in tensors else None
