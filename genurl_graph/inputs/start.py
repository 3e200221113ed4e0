"""Coordinates that a user hands in for an embedding table to start from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.validation import check_matrix

# Starts that are computed; "auto" is the preset's choice among them.
NAMED = ("auto", "pca", "spectral", "random")


class Start(NamedTuple):
    """First coordinates.

    Attributes
    ----------
    z : Tensor, float32, shape [n, d]
        Finite.
    """

    z: Tensor


def named_start(init: Any) -> str | None:
    """The start that a name asks for; None for "auto", for nothing, and for coordinates. InputError for others."""
    if init is None or not isinstance(init, str):
        return None
    if init not in NAMED:
        raise unknown("init", init, NAMED)
    return None if init == "auto" else init


def read_start(init: Any, names: Any, num_nodes: int) -> Start | None:
    """The coordinates that a user hands in.

    Parameters
    ----------
    init : array or Tensor [n, d], DataFrame, str or None
        A row for each sample, in their order; of a DataFrame, whose index holds the names of the samples, in any order.
    names : array [n] or None
        What the samples are called; None: 0 to n - 1.
    num_nodes : int

    Returns
    -------
    Start or None
        None where the start is to be computed.

    Raises
    ------
    InputError
        Another shape, no real numbers, NaN or infinite ones, or names that are not those of the samples.
    """
    if init is None or isinstance(init, str):
        return None
    if isinstance(init, pd.DataFrame):
        names = np.arange(num_nodes) if names is None else names
        at = positions(init.index, names)
        lacking = np.flatnonzero(at < 0)
        if len(lacking):
            first = names[lacking[:1]].tolist()[0]
            raise wrong("init", f"no row for {len(lacking)} samples, the first {first!r}", "one for each sample")
        return Start(coordinates(init)[torch.from_numpy(at)])
    return Start(coordinates(init, rows=num_nodes))


def coordinates(given: Any, rows: int | None = None) -> Tensor:
    """A matrix of coordinates as float32 [m, d] on the CPU; InputError as of `check_matrix`."""
    given = given.to_numpy() if isinstance(given, pd.DataFrame) else given
    matrix = check_matrix(given, "init", rows=rows, sparse=False)
    with np.errstate(over="ignore"):  # an infinite number, which is found below
        found = matrix.cpu() if isinstance(matrix, Tensor) else torch.from_numpy(np.array(matrix, dtype=np.float32))
    found = found.float().contiguous()
    check_matrix(found, "init")
    return found


def positions(known: Any, names: Any) -> Any:
    """Where each of `names` [n] stands among `known` [m], int64 [n]; -1 where it does not. InputError for duplicates.

    Integers and the text that writes them are different names.
    """
    index = pd.Index(known)
    if not index.is_unique:
        raise wrong("init", f"the name {index[index.duplicated()].tolist()[0]!r} twice", "each sample once")
    return index.get_indexer(pd.Index(names)).astype(np.int64)
