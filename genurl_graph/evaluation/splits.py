"""Node splits of the evaluation protocols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.config.choices import ProtocolName, words
from genurl_graph.exceptions import unknown, wrong

PROTOCOLS = words(ProtocolName)
# Nodes that a classifier is to learn from at least.
FEWEST = 6
REPEATS = {"random-10": 3, "random-10-10-80": 20}

Index = npt.NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of nodes to be ranked.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, m]
    label : Tensor, bool, shape [m]
        Whether the pair is an edge. Half of them are, in random splits.
    """

    edge_index: Tensor
    label: Tensor


class Split(NamedTuple):
    """Node ids of one split; `val` is empty where the protocol has none."""

    train: Index
    val: Index
    test: Index


def default_protocol(data: Any) -> ProtocolName:
    """Name of a data set's protocol: "public" where it brings masks, else "random-10-10-80"."""
    masks = [getattr(data, f"{name}_mask", None) for name in ("train", "val", "test")]
    return "public" if all(mask is not None for mask in masks) else "random-10-10-80"


def check_masks(data: Any) -> None:
    """InputError where the data lack a mask that the protocol "public" needs."""
    if default_protocol(data) != "public":
        raise wrong("protocol public", "a data set without train, validation and test masks", "all three")


def splits(protocol: ProtocolName, data: Any, *, seed: int = 0, n_repeats: int | None = None) -> Iterator[Split]:
    """Yield the splits of a protocol.

    Parameters
    ----------
    protocol : str
        "public": the masks of the data set (every column, where they are [n, s]); "random-10": 10 % train, 90 % test
        (GRACE); "random-10-10-80": 10 % train, 10 % validation, 80 % test (GCA, CCA-SSG).
    data : Data
        With labels ``y`` [n]; negative labels and nodes outside all masks are left out.
    seed : int
        Seed of random splits. Repeat r of a seed is always the same, whatever `n_repeats` is.
    n_repeats : int, optional
        Number of random splits; 3 and 20 in the two protocols.

    Raises
    ------
    InputError
        Unknown protocol, "public" without masks, or too few labelled nodes.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    if n_repeats is not None and n_repeats < 1:
        raise wrong("n_repeats", n_repeats, "at least 1")
    y = labels_of(data)
    if protocol == "public":
        yield from _public(data, y >= 0)
        return
    lack = shortage(y, least=1)
    if lack is not None:
        found, expected = lack
        raise wrong(f"protocol {protocol}", found, expected)
    labelled = np.flatnonzero(y >= 0)
    tenth = len(labelled) // 10
    for repeat in range(REPEATS[protocol] if n_repeats is None else n_repeats):
        rng = np.random.default_rng([seed, repeat])
        order = rng.permutation(labelled)
        # A tenth of a tiny data set may hold one class only, which leaves nothing to learn: it is drawn again.
        while len(np.unique(y[order[:tenth]])) < 2:
            order = rng.permutation(labelled)
        if protocol == "random-10":
            yield Split(order[:tenth], order[:0], order[tenth:])
        else:
            yield Split(order[:tenth], order[tenth : 2 * tenth], order[2 * tenth :])


def count_splits(protocol: ProtocolName, data: Any) -> int:
    """Number of splits of a protocol; errors as in `splits`."""
    return sum(1 for _ in splits(protocol, data)) if protocol not in REPEATS else REPEATS[protocol]


def named_parts(data: Any) -> tuple[Index, Index] | None:
    """Rows of the training and of the test part, where one split of the data set names both."""
    masks = [getattr(data, f"{part}_mask", None) for part in ("train", "test")]
    if any(mask is None or mask.ndim != 1 for mask in masks):
        return None
    train, test = (mask.nonzero().squeeze(1).numpy() for mask in masks if mask is not None)
    return train, test


def shortage(y: npt.NDArray[Any], least: int = 2) -> tuple[str, str] | None:
    """What labels [n] lack for random splits, found and expected; None where they suffice.

    A tenth of the labelled nodes is to hold `least` nodes of each class, on average. With two, at least `FEWEST` nodes:
    a figure of fewer means nothing. One is enough for splits that were asked for.
    """
    labelled = y[y >= 0]
    classes = len(np.unique(labelled))
    if classes < 2:
        return f"{classes} class{'es' * (classes != 1)}", "at least 2"
    needed = classes if least == 1 else max(least * classes, FEWEST)
    if len(labelled) // 10 < needed:
        found = f"{len(labelled)} labelled nodes of {classes} classes"
        return found, f"at least {10 * needed}, so that a tenth can {'hold' if least == 1 else 'teach'} all classes"
    return None


def labels_of(data: Any) -> npt.NDArray[Any]:
    """Labels of a data set, an array [n]; InputError where it has none."""
    if getattr(data, "y", None) is None:
        raise wrong("evaluation", "a data set with no labels", "labels y [n]")
    return np.asarray(data.y).reshape(-1)


def check_labels(y: Any, n: int) -> npt.NDArray[Any]:
    """Labels as an array [n]; InputError where their number is not that of the rows of the embedding."""
    labels = np.asarray(y).reshape(-1)
    if len(labels) != n:
        raise wrong("embedding", f"{n} rows", f"{len(labels)}, one for each label")
    return labels


def _public(data: Any, known: npt.NDArray[np.bool_]) -> Iterator[Split]:
    check_masks(data)
    masks = [np.asarray(getattr(data, f"{name}_mask")) for name in ("train", "val", "test")]
    masks = [mask[:, None] if mask.ndim == 1 else mask for mask in masks]
    columns = max(mask.shape[1] for mask in masks)
    for column in range(columns):
        # One test mask for several train masks (WikiCS) serves them all.
        train, val, test = (np.flatnonzero(mask[:, min(column, mask.shape[1] - 1)] & known) for mask in masks)
        for name, part in (("train", train), ("val", val), ("test", test)):
            if len(part) == 0:
                raise wrong("protocol public", f"no labelled node in {name}_mask", "at least one")
        yield Split(train, val, test)
