"""`FittedTriples`: what a model of typed edges keeps beside its vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.input import as_names
from genurl_graph.inputs.triples import Triples, TripleSet

Names = list[int] | list[str]
# Names that a message lists.
MOST_NAMED = 20


class FittedTriples(NamedTuple):
    """The triples of the fit, and what entities and relations are called.

    Attributes
    ----------
    triples : Triples
        Those of the training.
    entities, relations : list of int or of str, or None
        None: 0, 1, ...
    """

    triples: Triples
    entities: Names | None
    relations: Names | None

    @classmethod
    def of(cls, data: TripleSet) -> FittedTriples:
        """Of the input of a fit."""
        return cls(data.triples, _plain(data.entity_id), _plain(data.relation_id))

    def entity_numbers(self, names: Any) -> npt.NDArray[np.int64]:
        """Number of each entity by its name; InputError for one that the fit did not have."""
        return _numbers(names, self.entities, self.triples.num_entities, "entity")

    def find_entities(self, names: Any) -> npt.NDArray[np.int64]:
        """Number of each entity by its name; -1 for one that the fit did not have."""
        return _find(names, self.entities, self.triples.num_entities)[0]

    def relation_numbers(self, names: Any) -> npt.NDArray[np.int64]:
        """Number of each relation by its name; InputError for one that the fit did not have."""
        return _numbers(names, self.relations, self.triples.num_relations, "relation")

    @property
    def entity_names(self) -> Any:
        """Names of all entities, array [n]."""
        return np.arange(self.triples.num_entities) if self.entities is None else as_names(self.entities)

    @property
    def relation_names(self) -> list[str]:
        """Names of the rows of ``relation_embedding_``: of the relations, then of their inverses."""
        names = [*map(str, range(self.triples.num_relations) if self.relations is None else self.relations)]
        return [*names, *(f"{name} (inverse)" for name in names)]

    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name, for a file."""
        return {"triples": self.triples.rows()}

    def record(self) -> dict[str, Any]:
        """The rest, for JSON."""
        sizes = {"num_entities": self.triples.num_entities, "num_relations": self.triples.num_relations}
        return sizes | {"entities": self.entities, "relations": self.relations}

    @classmethod
    def stored(cls, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> FittedTriples:
        """What `tensors` and `record` describe; KeyError or ValueError where they do not fit together."""
        rows, n, kinds = tensors["triples"], int(record["num_entities"]), int(record["num_relations"])
        sizes = {"entities": n, "relations": kinds}
        if rows.dim() != 2 or rows.size(1) != 3 or (rows.numel() and (rows.min() < 0 or rows[:, [0, 2]].max() >= n)):
            raise ValueError("its triples have other entities than it has")
        if rows.numel() and int(rows[:, 1].max()) >= kinds:
            raise ValueError("its triples have other relations than it has")
        for key, size in sizes.items():
            if record[key] is not None and len({*record[key]}) != size:
                raise ValueError(f"its {key} are not as many as their names")
        triples = Triples(rows[:, 0], rows[:, 1], rows[:, 2], n, kinds)
        return cls(triples, record["entities"], record["relations"])


def _plain(names: Sequence[Any] | None) -> Names | None:
    """Names that JSON keeps: whole numbers, or text."""
    if names is None:
        return None
    held = [name.item() if isinstance(name, np.generic) else name for name in names]
    return held if all(type(name) is int for name in held) else [*map(str, held)]


def _numbers(names: Any, known: Names | None, size: int, what: str) -> npt.NDArray[np.int64]:
    found, asked = _find(names, known, size)
    if (found < 0).any():
        first = asked[int(np.flatnonzero(found < 0)[0])]
        own = range(size) if known is None else known
        if size <= MOST_NAMED:
            raise unknown(what, str(first), [*map(str, own)])
        raise wrong(what, repr(first), f"one of the {size:,} of the fit, such as {own[0]!r}")
    return found


def _find(names: Any, known: Names | None, size: int) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Number of each name, -1 where there is none, and the names; whole numbers and their text are the same."""
    asked = [name.item() if isinstance(name, np.generic) else name for name in names]
    own: pd.Index = pd.RangeIndex(size) if known is None else pd.Index(known)
    if own.dtype == object or not all(type(name) is int for name in asked):
        own, asked = pd.Index([*map(str, own)], dtype=object), [*map(str, asked)]
    return own.get_indexer(pd.Index(asked, dtype=own.dtype)).astype(np.int64), asked
