"""DistMult (Yang et al., ICLR 2015, arXiv 1412.6575, eq. 4): ``<head, relation, tail>``, without a direction."""

from __future__ import annotations

from torch import Tensor

from genurl_graph.baselines.triples.model import EntityModel


class DistMult(EntityModel):
    """``sum of head * relation * tail`` over the columns."""

    def query(self, entity: Tensor, relation: Tensor, end: str) -> Tensor:
        """The product of both rows, whichever end is asked for."""
        return entity * relation

    def compare(self, query: Tensor, entities: Tensor) -> Tensor:
        """Inner products."""
        return query @ entities.T if entities.dim() == 2 else (entities @ query[:, :, None]).squeeze(2)


MODEL = DistMult
