"""Node ids: find the rows that edges and labels mean."""

from itertools import repeat

import numpy as np
import numpy.typing as npt

from genurl_graph.datasets.checks import unique_ids
from genurl_graph.datasets.text import Ids
from genurl_graph.exceptions import InputError


class NodeIndex:
    """Positions of n node ids, which are whole numbers (int64 [n]) or names.

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

    def __init__(self, ids: Ids, where: str) -> None:
        self.ids = ids
        self.where = where
        if isinstance(ids, np.ndarray):
            self._order = np.argsort(ids, kind="stable")
            self._sorted = ids[self._order]
            twice = self._sorted[1:] == self._sorted[:-1]
            if twice.any():
                raise InputError(f"{where}: node id {self._sorted[1:][twice][0]} occurs more than once")
        else:
            unique_ids(ids, where)
        self._by_name: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[str] | None:
        """The ids as text, or None where they are just 0 .. n-1."""
        if isinstance(self.ids, np.ndarray):
            if np.array_equal(self.ids, np.arange(len(self.ids))):
                return None
            return [str(number) for number in self.ids.tolist()]
        return plain_ids(self.ids)

    def find(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Position of each id, -1 where there is none."""
        if isinstance(ids, np.ndarray) and isinstance(self.ids, np.ndarray):
            place = np.searchsorted(self._sorted, ids).clip(max=len(self._sorted) - 1)
            return np.where(self._sorted[place] == ids, self._order[place], -1)
        if self._by_name is None:
            self._by_name = dict(zip(map(str, _listed(self.ids)), range(len(self.ids)), strict=True))
        keys = map(str, _listed(ids))
        return np.fromiter(map(self._by_name.get, keys, repeat(-1)), np.int64, len(ids))


def plain_ids(names: list[str]) -> list[str] | None:
    """The names, or None where they are just "0" .. "n-1" and say nothing."""
    return None if names == list(map(str, range(len(names)))) else names


def _listed(ids: Ids) -> list[str] | list[int]:
    return ids.tolist() if isinstance(ids, np.ndarray) else ids
