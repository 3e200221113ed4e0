"""TransE (Bordes et al., NeurIPS 2013, eq. 1): ``-|| head + relation - tail ||``, entities of length 1."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from genurl_graph.baselines.triples.model import EntityModel
from genurl_graph.exceptions import unknown, wrong

LENGTHS = ("unit", "free")


class TransE(EntityModel):
    """Distances between the translated head and the tail.

    Parameters
    ----------
    num_entities, num_relations : int
    settings : dict
        As `EntityModel` reads them; ``norm``: 1 or 2, of the distance; ``lengths`` of the entities: "unit", as in
        the paper, or "free".
    """

    def __init__(self, num_entities: int, num_relations: int, settings: dict[str, Any]) -> None:
        super().__init__(num_entities, num_relations, settings)
        if settings["norm"] not in (1, 2):
            raise wrong("transe.norm", settings["norm"], "1 or 2")
        if settings["lengths"] not in LENGTHS:
            raise unknown("transe.lengths", settings["lengths"], LENGTHS)

    def rows(self) -> Tensor:
        """The entities, of length 1 where that is asked for."""
        return normalize(self.entity, dim=1) if self.settings["lengths"] == "unit" else self.entity

    def query(self, entity: Tensor, relation: Tensor, end: str) -> Tensor:
        """Where the other end is expected."""
        return entity + relation if end == "tail" else entity - relation

    def compare(self, query: Tensor, entities: Tensor) -> Tensor:
        """Negative distances."""
        if entities.dim() == 3:
            found: Tensor = torch.linalg.vector_norm(query[:, None] - entities, self.settings["norm"], dim=-1)
        else:
            found = torch.cdist(query, entities, self.settings["norm"])
        return -found


MODEL = TransE
