"""Bilinear readouts: what a relation makes of an entity, so that its product with another one is the score."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Readout = Callable[[Tensor, Tensor], Tensor]


def distmult(entity: Tensor, relation: Tensor) -> Tensor:
    """``entity * relation`` (DistMult, Yang et al., ICLR 2015, eq. 3): a relation is the same as its inverse.

    Parameters
    ----------
    entity, relation : Tensor, float, shape [b, d]

    Returns
    -------
    Tensor, float, shape [b, d]

    Examples
    --------
    >>> distmult(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, -1.0]])).tolist()
    [[3.0, -2.0]]
    """
    return entity * relation


def complex_product(entity: Tensor, relation: Tensor) -> Tensor:
    """``entity * relation`` of complex numbers (ComplEx, Trouillon et al., ICML 2016, eq. 9-11).

    The first half of the columns are real parts, the second half imaginary ones. The real product of the result with t
    is ``Re <relation, entity, conj t>``.

    Parameters
    ----------
    entity, relation : Tensor, float, shape [b, d], d even

    Returns
    -------
    Tensor, float, shape [b, d]

    Examples
    --------
    >>> complex_product(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 1.0]])).tolist()
    [[-2.0, 1.0]]
    """
    (a, b), (c, d) = entity.chunk(2, -1), relation.chunk(2, -1)
    return torch.cat([a * c - b * d, a * d + b * c], -1)


READOUTS: dict[str, Readout] = {"complex": complex_product, "distmult": distmult}
"""By the name that ``triples.readout`` has for them."""
