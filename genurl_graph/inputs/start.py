"""Coordinates that a user hands in for an embedding table to start from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.config.choices import StartName, words
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.validation import check_matrix

# Starts that are computed; "auto" is the preset's choice among them.
NAMED = words(StartName)


class Start(NamedTuple):
    """First coordinates.

    Attributes
    ----------
    z : Tensor, float32, shape [n, d]
        Finite; 0 where nothing is known.
    known : Tensor, bool, shape [n]
        Of which samples there are coordinates: of all, but for a finished map.
    finished : bool
        Whether it is a map to go on from, on its own scale; else its layout alone counts.
    """

    z: Tensor
    known: Tensor
    finished: bool = False


class FinishedMap(NamedTuple):
    """A map to go on from, where nothing but a start can be said: as `read_map` takes it.

    Attributes
    ----------
    embedding : array, Tensor or DataFrame [m, d]
    rows : array, int64, shape [m], or None
        Which samples its rows are of; None: the first m, or those of the names in a DataFrame.
    """

    embedding: Any
    rows: Any = None


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
    if isinstance(init, FinishedMap):
        return read_map(init, names, num_nodes)
    if isinstance(init, pd.DataFrame):
        names = np.arange(num_nodes) if names is None else names
        at = positions(init.index, names)
        lacking = np.flatnonzero(at < 0)
        if len(lacking):
            first = names[lacking[:1]].tolist()[0]
            raise wrong("init", f"no row for {len(lacking)} samples, the first {first!r}", "one for each sample")
        return _whole(coordinates(init)[torch.from_numpy(at)])
    return _whole(coordinates(init, rows=num_nodes))


def read_map(previous: Any, names: Any, num_nodes: int) -> Start:
    """A finished map, of some of the samples, to go on from.

    Parameters
    ----------
    previous : array or Tensor [m, d], DataFrame, `FinishedMap`, or a fitted model with ``embedding_`` [m, d]
        An array: of the first m of the samples, in their order. A DataFrame, whose index holds names, and a `GenURL`
        that was fitted on samples with names: of those of them that are among the samples.
    names : array [n] or None
    num_nodes : int
        As of `read_start`.

    Raises
    ------
    InputError
        As of `read_start`; no sample in common, more rows than samples, or a model that is not fitted.
    """
    rows = None
    if isinstance(previous, FinishedMap):
        previous, rows = previous
    if isinstance(previous, str) or (hasattr(type(previous), "fit") and not hasattr(previous, "embedding_")):
        found = repr(previous) if isinstance(previous, str) else f"a {type(previous).__name__} that is not fitted"
        raise wrong("init of fit", found, "a fitted model, or the coordinates of a finished map")
    z = coordinates(getattr(previous, "embedding_", previous))
    known = previous.index if isinstance(previous, pd.DataFrame) else getattr(previous, "node_id_", None)
    if rows is not None:
        if len(rows) and int(rows.max()) >= num_nodes:
            raise wrong("init of fit", f"row {int(rows.max())} of {num_nodes} samples", f"rows below {num_nodes}")
        at = positions(rows, np.arange(num_nodes))
    elif known is None or (not isinstance(previous, pd.DataFrame) and np.array_equal(known, np.arange(len(z)))):
        if len(z) > num_nodes:
            raise wrong("init of fit", f"{len(z)} rows for {num_nodes} samples", "rows of the first samples, or names")
        at = np.where(np.arange(num_nodes) < len(z), np.arange(num_nodes), -1)
    else:
        at = positions(known, np.arange(num_nodes) if names is None else names)
    index = torch.from_numpy(at)
    held = index >= 0
    if not bool(held.any()):
        raise wrong("init of fit", f"{len(z)} rows, of no sample that is in X", "some in common, by their names")
    return Start(torch.where(held[:, None], z[index.clamp_min(0)], 0.0), held, finished=True)


def _whole(z: Tensor) -> Start:
    return Start(z, torch.ones(len(z), dtype=torch.bool))


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
