"""What the baselines of typed edges share: a row for each entity and relation, and the losses of a batch of triples."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genurl_graph.exceptions import unknown
from genurl_graph.nn.layers import dropout
from genurl_graph.runtime.random import randint, randn

LOSSES = ("softmax", "margin")
ENDS = ("head", "tail")


class EntityModel(nn.Module):
    """Tables of entities and relations; a subclass says what a query is, and how it is compared with the entities.

    It is a `genurl_graph.evaluation.triples.scorers.TripleScorer`.

    Parameters
    ----------
    num_entities, num_relations : int
    settings : dict
        ``dim``; ``loss``: "softmax" over all entities, or "margin" against ``negatives`` random ones; ``drop`` of the
        columns of a query; ``penalty`` of the cubes of the rows of a batch (Lacroix et al., ICML 2018).
    """

    def __init__(self, num_entities: int, num_relations: int, settings: dict[str, Any]) -> None:
        super().__init__()
        if settings["loss"] not in LOSSES:
            raise unknown("baseline of typed edges: loss", settings["loss"], LOSSES)
        self.settings, dim = settings, settings["dim"]
        self.entity = nn.Parameter(randn((num_entities, dim)) * settings["spread"])
        self.relation = nn.Parameter(randn((num_relations, dim)) * settings["spread"])

    def query(self, entity: Tensor, relation: Tensor, end: str) -> Tensor:
        """Rows [B, d] of the queries for the `end` of triples whose other end is `entity` [B, d]."""
        raise NotImplementedError

    def compare(self, query: Tensor, entities: Tensor) -> Tensor:
        """Scores of entities [n, d], or of other ones for each query [B, k, d]: [B, n] or [B, k]."""
        raise NotImplementedError

    def rows(self) -> Tensor:
        """Rows of all entities [n, d] as they are compared."""
        return self.entity

    def loss(self, triples: Tensor) -> Tensor:
        """Mean loss of both ends of some triples, int64 [B, 3]."""
        head, relation, tail = triples.unbind(1)
        entities, asked = self.rows(), {"head": head, "tail": tail}
        ends = {end: entities[number] for end, number in asked.items()}
        r = self.relation[relation]
        total = triples.new_zeros((), dtype=torch.float32)
        for end in ENDS:
            given = ends["tail" if end == "head" else "head"]
            query = dropout(self.query(given, r, end), self.settings["drop"], self.training)
            total = total + self._of_queries(query, asked[end], entities)
        if self.settings["penalty"]:
            rows = torch.cat([ends["head"], r, ends["tail"]])
            total = total + self.settings["penalty"] * rows.abs().pow(3).sum() / len(triples)
        return total

    def _of_queries(self, query: Tensor, right: Tensor, entities: Tensor) -> Tensor:
        if self.settings["loss"] == "softmax":
            loss: Tensor = cross_entropy(self.compare(query, entities), right)
            return loss
        other = randint(len(entities), (len(right), self.settings["negatives"]), right.device)
        scores = self.compare(query, entities[torch.cat([right[:, None], other], 1)])
        margin: float = self.settings["margin"]
        return (margin - scores[:, :1] + scores[:, 1:]).relu().mean()

    @torch.no_grad()
    def tail_scores(self, head: Tensor, relation: Tensor) -> Tensor:
        """As `genurl_graph.evaluation.triples.scorers.TripleScorer` says."""
        return self._scores(head, relation, "tail")

    @torch.no_grad()
    def head_scores(self, relation: Tensor, tail: Tensor) -> Tensor:
        """As `genurl_graph.evaluation.triples.scorers.TripleScorer` says."""
        return self._scores(tail, relation, "head")

    def _scores(self, entity: Tensor, relation: Tensor, end: str) -> Tensor:
        rows, there = self.rows(), self.entity.device
        return self.compare(self.query(rows[entity.to(there)], self.relation[relation.to(there)], end), rows)
