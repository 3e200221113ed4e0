"""2-d maps of data that change: each map continues the one before, so that samples stay about where they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from sklearn.base import clone

from genurl_graph.exceptions import wrong
from genurl_graph.inference.saved import Saved
from genurl_graph.inputs.start import FinishedMap

Model = TypeVar("Model", bound=Saved)


def align_maps(
    model: Model, Xs: Sequence[Any], relations: Sequence[Mapping[int, int] | Any] | None = None
) -> list[Model]:
    """Fit a map to each of several windows, each from the second on with ``init`` of the one before.

    A finished map does not change when the next window comes; AlignedUMAP, in contrast, optimises all maps together.
    ``merge.identity_weight`` sets how firmly samples are held (`genurl_graph.tasks.continuation`).

    Parameters
    ----------
    model : GenURL
        The parameters of all maps; it is cloned, not fitted.
    Xs : sequence of what `GenURL.fit` takes
        The windows, in their order.
    relations : sequence of len(Xs) - 1, optional
        Which rows are the same samples: for each window and the next one a dictionary ``{row: row in the next one}``,
        as AlignedUMAP has it, or an array of such pairs, int [r, 2]. By default samples are matched by their names
        (the index of a DataFrame, the nodes of a graph).

    Returns
    -------
    list of GenURL
        Fitted; ``[m.embedding_ for m in maps]`` are the maps.

    Raises
    ------
    InputError
        No relations and no names, relations that do not fit, or successive windows without a common sample; and as
        `GenURL.fit`.

    Examples
    --------
    >>> maps = align_maps(GenURL(random_state=0), [monday, tuesday, wednesday])  # DataFrames with the same names
    >>> maps = align_maps(GenURL(random_state=0), [x0, x1], [{i: i - 100 for i in range(100, 500)}])  # sliding windows
    """
    windows = list(Xs)
    given = [None] * (len(windows) - 1) if relations is None else list(relations)
    if len(given) != len(windows) - 1:
        raise wrong("relations", f"{len(given)} for {len(windows)} windows", f"{len(windows) - 1}, one less")
    maps: list[Model] = []
    for X, relation in zip(windows, [None, *given], strict=True):
        previous = _related(maps[-1], relation) if maps else None
        maps.append(clone(model).fit(X, init=previous))
    return maps


def _related(before: Any, relation: Any) -> Any:
    """The map before as the start of the next window."""
    if relation is None:
        if np.array_equal(before.node_id_, np.arange(len(before.node_id_))):
            raise wrong("relations", "none, and samples without names", "relations, or a DataFrame's index of names")
        return before
    pairs = np.array(list(relation.items()) if isinstance(relation, Mapping) else relation)
    n = len(before.embedding_)
    fits = pairs.ndim == 2 and pairs.shape[1] == 2 and pairs.dtype.kind in "iu" and len(pairs)
    if not fits or pairs.min() < 0 or pairs[:, 0].max() >= n:
        raise wrong("relations", f"pairs of shape {list(pairs.shape)}", f"pairs of rows, the first of them below {n}")
    return FinishedMap(before.embedding_[pairs[:, 0]], pairs[:, 1])
