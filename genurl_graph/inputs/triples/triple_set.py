"""`TripleSet`: a knowledge graph that was read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.edges import join_directions, sum_repeats
from genurl_graph.inputs.reading import Reading

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.inputs.columns.plan import FeaturePlan


@dataclasses.dataclass(frozen=True, eq=False)
class Triples:
    """M typed edges between n entities.

    Attributes
    ----------
    head, relation, tail : Tensor, int64, shape [M]
        Numbers of entities, 0 to ``num_entities - 1``, and of relations. Each triple once.
    num_entities, num_relations : int
    """

    head: Tensor
    relation: Tensor
    tail: Tensor
    num_entities: int
    num_relations: int

    @classmethod
    def of(cls, triples: Any, num_entities: int | None = None, num_relations: int | None = None) -> Triples:
        """Of rows (head, relation, tail), [M, 3]; repeats are dropped, the order of the first ones is kept.

        Examples
        --------
        >>> len(Triples.of([(0, 0, 1), (1, 0, 2), (0, 0, 1)]))
        2
        """
        rows = torch.as_tensor(triples, dtype=torch.int64).reshape(-1, 3)
        head, relation, tail = rows.unbind(1)
        n = int(torch.stack([head, tail]).max()) + 1 if num_entities is None else num_entities
        m = int(relation.max()) + 1 if num_relations is None else num_relations
        _, place = torch.unique((head * m + relation) * n + tail, return_inverse=True)
        first = torch.full((len(rows),), len(rows)).scatter_reduce_(0, place, torch.arange(len(rows)), "amin")
        rows = rows[first[first < len(rows)].sort().values]
        return cls(rows[:, 0], rows[:, 1], rows[:, 2], n, m)

    def __len__(self) -> int:
        return len(self.head)

    def rows(self) -> Tensor:
        """int64 [M, 3]."""
        return torch.stack([self.head, self.relation, self.tail], 1)

    def chosen(self, which: Tensor) -> Triples:
        """Some of the triples, by a mask or by numbers, among the same entities and relations."""
        return dataclasses.replace(self, head=self.head[which], relation=self.relation[which], tail=self.tail[which])


class Modality(NamedTuple):
    """Features of one kind that some entities have.

    Attributes
    ----------
    name : str
    entity : Tensor, int64, shape [r]
        Which entities have them, ascending.
    x : Tensor, float32, shape [r, f], strided or CSR
    plan : FeaturePlan or None
        What `x` was made by of raw columns; None where it is what came.
    """

    name: str
    entity: Tensor
    x: Tensor
    plan: FeaturePlan | None = None


@dataclasses.dataclass
class TripleSet:
    """A knowledge graph: triples, the names of entities and relations, and features of the entities.

    Attributes
    ----------
    triples : Triples
        Those that a model may be trained on.
    valid, test : Triples or None
        A split that came with them, among the same entities and relations.
    known : Triples or None
        Others that are known to be true, though nobody is trained on them or asked for them: no rank counts them.
    entity_id, relation_id : sequence, or None
        What they are called; None: 0, 1, ...
    modalities : tuple of Modality
    y : Tensor, int64, shape [n], or None
        Labels of the entities, such as their type; -1: none.
    label_names : list of str, or None
    rows : dict or None
        Of a ``HeteroData``: the first entity of each node type, and the one after its last.
    reading : Reading
        What was read, and what was left out.
    name : str
        Of a data set.

    Examples
    --------
    >>> TripleSet(Triples.of([(0, 0, 1), (1, 1, 2)]))
    TripleSet(2 triples, 3 entities, 2 relations)
    """

    triples: Triples
    valid: Triples | None = None
    test: Triples | None = None
    entity_id: Sequence[Any] | None = None
    relation_id: Sequence[Any] | None = None
    modalities: tuple[Modality, ...] = ()
    y: Tensor | None = None
    label_names: list[str] | None = None
    rows: dict[str, tuple[int, int]] | None = None
    reading: Reading = dataclasses.field(default_factory=Reading)
    name: str = ""
    known: Triples | None = None

    def __len__(self) -> int:
        return self.triples.num_entities

    @property
    def num_nodes(self) -> int:
        """n, the number of entities."""
        return self.triples.num_entities

    @property
    def node_id(self) -> Sequence[Any] | None:
        """`entity_id`, under the name that it has in every other input."""
        return self.entity_id

    def told(self, reading: Reading, **parts: Any) -> TripleSet:
        """The same triples, with more that was read, and other parts."""
        return dataclasses.replace(self, reading=self.reading + reading, **parts)

    def graph(self, directed: bool = False) -> Data:
        """One PyG ``Data`` of the triples to train on, whose types are left out: a pair of entities once, summed.

        Unless `directed`, each edge stands both ways. Features of entities are left out: not all have them.
        """
        from torch_geometric.data import Data

        index, weight = sum_repeats(torch.stack([self.triples.head, self.triples.tail]), None, len(self))
        if not directed:
            index, weight = join_directions(index, weight, len(self))
        data = Data(edge_index=index, num_nodes=len(self))
        held = {"edge_weight": weight, "y": self.y, "label_names": self.label_names, "node_id": self.entity_id}
        for key, value in held.items():
            if value is not None:
                data[key] = value
        left = " and ".join(("relations", *(["features"] if self.modalities else [])))
        told = f"{len(self.triples):,} triples, their {left} left out, {index.size(1):,} directed edges"
        data.reading = self.reading + Reading((f"read as one graph: {told}",))
        return data

    def __repr__(self) -> str:
        t = self.triples
        return f"TripleSet({len(t):,} triples, {t.num_entities:,} entities, {t.num_relations:,} relations)"
