"""Which rows, columns and edges of one graph belong to which type of a ``HeteroData``."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class NodeTypes(NamedTuple):
    """What is left of a ``HeteroData`` in the one graph that `genurl_graph.hetero` makes of it.

    Attributes
    ----------
    rows : dict
        First node of each type, and the one after its last.
    columns : dict
        The same of its columns in x; an empty range for a type without features.
    relations : tuple of str
        "source__name__target".
    relation : Tensor, int64, shape [E]
        Which of them each edge belongs to.
    """

    rows: dict[str, tuple[int, int]]
    columns: dict[str, tuple[int, int]]
    relations: tuple[str, ...]
    relation: Tensor

    def widths(self) -> dict[str, int]:
        """Number of features of each type."""
        return {name: high - low for name, (low, high) in self.columns.items()}
