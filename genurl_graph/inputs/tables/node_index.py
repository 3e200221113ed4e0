"""Ids of nodes and their positions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.exceptions import wrong


class NodeIndex:
    """Positions of n node ids, which are whole numbers (int64) or names.

    Parameters
    ----------
    ids
        The ids, in the order of the nodes.
    where
        What the ids come from, for messages.

    Raises
    ------
    InputError
        If an id occurs twice.
    """

    def __init__(self, ids: pd.Index, where: str) -> None:
        self.ids = ids
        self.where = where
        if not ids.is_unique:
            raise wrong(where, f"node id {str(ids[ids.duplicated()][0])!r} more than once", "each id once")

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[str] | None:
        """The ids as text, or None where they are just 0 .. n-1 and say nothing."""
        plain = pd.RangeIndex(len(self.ids))
        if self.ids.dtype != object:
            return None if self.ids.equals(plain) else [*map(str, self.ids)]
        return None if self.ids.equals(as_names(plain)) else self.ids.tolist()

    def find(self, ids: pd.Index) -> npt.NDArray[np.int64]:
        """Position of each id, -1 where there is none."""
        own = self.ids
        if own.dtype != ids.dtype:
            own, ids = as_names(own), as_names(ids)
        found: npt.NDArray[np.int64] = own.get_indexer(ids)
        return found


def as_names(ids: pd.Index) -> pd.Index:
    """Ids as text."""
    return pd.Index([*map(str, ids)], dtype=object)
