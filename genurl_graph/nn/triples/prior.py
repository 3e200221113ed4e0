"""How often each entity stands at an end of each relation: what is answered where little is known of an entity."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.sparse import run_entries

# Ends of a relation that those of all relations count as: the one that predicts left-out ends best is taken.
SPREADS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


class EndPrior(nn.Module):
    r"""The prior of the ends of each relation, and how far the scores of each entity are believed.

    ``prior_r(t) = (c_r(t) + s_r c(t)) / (N_r + s_r)``: of the N_r ends of r, ``c_r(t)`` are t, and c is the share of t,
    one added to each count, among the tails of all relations, or among the heads for inverses. ``s_r`` is the one of
    `SPREADS` of the greatest likelihood of the ends of r, each left out in turn. Scores of an entity with k triples
    become ``w score + (1 - w) log prior``, ``w = k^2 / (k^2 + strength^2)``: what few triples taught is
    noise.

    Only pairs of a relation and an end that were seen are kept: memory is linear in triples and entities.

    Parameters
    ----------
    key : Tensor, int64, shape [K]
        ``r * n + t`` of the seen pairs, ascending, inverses included.
    count : Tensor, float32, shape [K]
    base : Tensor, float32, shape [2, n]
        Shares of tails and of heads of all relations.
    spread : Tensor, float32, shape [2 R]
    belief : Tensor, float32, shape [n]
        ``w`` of each entity.

    Examples
    --------
    >>> from genurl_graph.inputs.triples import Triples
    >>> rows = RelationRows.of(Triples.of([(0, 0, 1), (2, 0, 1), (0, 0, 2)]))
    >>> prior = EndPrior.of(rows, 3, 1, strength=2.0)
    >>> prior.log(torch.tensor([0])).argmax(1), prior.belief
    (tensor([1]), tensor([0.5000, 0.5000, 0.5000]))
    """

    key: Tensor
    count: Tensor
    base: Tensor
    spread: Tensor
    belief: Tensor

    def __init__(self, key: Tensor, count: Tensor, base: Tensor, spread: Tensor, belief: Tensor) -> None:
        super().__init__()
        held = {"key": key, "count": count, "base": base, "spread": spread, "belief": belief}
        for name, value in held.items():
            self.register_buffer(name, value)

    @classmethod
    def of(cls, rows: RelationRows, num_entities: int, num_relations: int, strength: float) -> EndPrior:
        """Of the training triples; `strength` > 0 is the number of triples of an entity that counts as much as it."""
        n, kinds = num_entities, 2 * num_relations
        relation = rows.relation.repeat_interleave(rows.sizes)
        key, count = torch.unique(relation * n + rows.other, return_counts=True)
        inverse = (relation >= num_relations).long()
        seen = torch.bincount(inverse * n + rows.other, minlength=2 * n).view(2, n)
        total = seen.sum(1, keepdim=True) + n
        base = (seen + 1) / total
        kind, end = key // n, key % n
        c, size = count.double(), torch.bincount(relation, minlength=kinds).double()
        # An end that is left out is missing in the counts of all relations as well.
        left = ((seen / total)[(kind >= num_relations).long(), end]).double()
        fits = []
        for spread in SPREADS:
            fit = size.new_zeros(kinds).index_add_(0, kind, c * (c - 1 + spread * left).log())
            fits.append(fit - size * (size - 1 + spread).log())
        best = size.new_tensor(SPREADS)[torch.stack(fits).argmax(0)].float()
        known = seen.sum(0).float()
        return cls(key, count.float(), base, best, known**2 / (known**2 + strength**2))

    @classmethod
    def stored(cls, tensors: Mapping[str, Tensor]) -> EndPrior:
        """Of its saved tensors by name."""
        return cls(*(tensors[name] for name in ("key", "count", "base", "spread", "belief")))

    def log(self, relation: Tensor) -> Tensor:
        """Logarithm of the prior of all entities as ends of relations int64 [b]: float [b, n].

        Relations r + R are the inverses.
        """
        n, (kinds, place) = self.base.size(1), torch.unique(relation, return_inverse=True)
        bounds = torch.stack([kinds, kinds + 1]) * n
        begin, end = torch.searchsorted(self.key, bounds)
        row = torch.arange(len(kinds), device=kinds.device).repeat_interleave(end - begin)
        at = run_entries(begin, end - begin)
        spread = self.spread[kinds]
        found = spread[:, None] * self.base[(2 * kinds >= len(self.spread)).long()]
        found[row, self.key[at] - kinds[row] * n] += self.count[at]
        size = torch.zeros_like(spread).index_add_(0, row, self.count[at])
        return (found.log_() - (size + spread).log()[:, None]).index_select(0, place)

    def forward(self, scores: Tensor, entity: Tensor, relation: Tensor) -> Tensor:
        """Scores [b, n] of the answers to queries of `entity` and `relation` [b], shrunk towards the prior."""
        belief = self.belief[entity][:, None]
        return torch.lerp(self.log(relation).to(scores.dtype), scores, belief.to(scores.dtype))
