"""Right answers to queries, out of one sorted list."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from genurl_graph.inputs.triples import Triples


class Answers:
    """The entities that are known to stand at one end of a typed edge.

    Parameters
    ----------
    known : iterable of Triples
        Among the same entities and relations.
    of : "head" or "tail"
        Which end is asked for.

    Examples
    --------
    >>> answers = Answers([Triples.of([(0, 0, 1), (0, 0, 2), (1, 0, 2)])], "tail")
    >>> answers(torch.tensor([1, 0]), torch.tensor([0, 0]))
    (tensor([0, 1, 1]), tensor([2, 1, 2]))
    """

    def __init__(self, known: Iterable[Triples], of: str) -> None:
        parts = [*known]
        self.num_entities, self.num_relations = parts[0].num_entities, parts[0].num_relations
        keys = [self._key(t.head, t.relation) * self.num_entities + t.tail for t in parts if of == "tail"]
        keys += [self._key(t.tail, t.relation) * self.num_entities + t.head for t in parts if of == "head"]
        self.keys = torch.unique(torch.cat(keys))

    def _key(self, entity: Tensor, relation: Tensor) -> Tensor:
        return entity * self.num_relations + relation

    def __call__(self, entity: Tensor, relation: Tensor) -> tuple[Tensor, Tensor]:
        """Right answers to some queries.

        Parameters
        ----------
        entity, relation : Tensor, int64, shape [B]
            The end that is known, and the relation.

        Returns
        -------
        query, answer : Tensor, int64, shape [k]
            Numbers of queries, ascending, and of entities.
        """
        first = self._key(entity, relation) * self.num_entities
        begin, end = (torch.searchsorted(self.keys, bound) for bound in (first, first + self.num_entities))
        count = end - begin
        query = torch.arange(len(entity), device=entity.device).repeat_interleave(count)
        place = torch.arange(len(query), device=entity.device) - (count.cumsum(0) - count)[query] + begin[query]
        return query, self.keys[place] - first[query]
