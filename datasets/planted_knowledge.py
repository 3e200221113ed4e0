"""Triples among entities with planted coordinates, and features of several kinds: of any size, with a known answer."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.reading import Reading
from genurl_graph.inputs.triples.triple_set import Modality, Triples, TripleSet

if TYPE_CHECKING:
    from genurl_graph.datasets.registry import DatasetInfo

MODALITIES = ("table", "text", "noise")
# Coordinates of an entity; how far entities of one group lie from its centre, which has deviation 1.
DIM, SPREAD = 6, 0.4
# How much likelier a triple is whose score is a deviation above the mean, as a power of e.
SHARPNESS = 2.5
# Entities differ in how many triples they have: the deviation of the logarithm of their weights.
UNEVEN = 0.5
# The logarithm of what never happens.
NEVER = -1e6
# Columns, and the deviation of the noise in a table; words of a text, and how many it has.
COLUMNS, TABLE_NOISE, WORDS, LENGTH = 12, 0.3, 200, 60


class Planted(NamedTuple):
    """Entities and relations whose triples are to be drawn; the truth that triples are judged by.

    Attributes
    ----------
    kind : Tensor, int64, shape [n]
        Type of each entity, 0 to T - 1, ascending.
    group : Tensor, int64, shape [n]
        Group of each entity; every type has groups of its own.
    latent : Tensor, float32, shape [n, k]
        Coordinates.
    weight : Tensor, float32, shape [n]
        Logarithm of the share of the triples that an entity has, but for a constant.
    source, target : Tensor, int64, shape [R]
        Types that each relation leads from and to.
    maps : Tensor, float32, shape [R, k, k]
        Bilinear form of each relation.
    """

    kind: Tensor
    group: Tensor
    latent: Tensor
    weight: Tensor
    source: Tensor
    target: Tensor
    maps: Tensor

    @classmethod
    def of(cls, num_entities: int, num_relations: int, types: int, groups: int, seed: int) -> Planted:
        """Draw entities and relations; the parameters are those of `planted_knowledge`."""
        drawn = torch.Generator().manual_seed(seed)
        kind = torch.arange(num_entities) * types // num_entities
        group = kind * groups + torch.randint(groups, (num_entities,), generator=drawn)
        centre = torch.randn(types * groups, DIM, generator=drawn)
        latent = centre[group] + SPREAD * torch.randn(num_entities, DIM, generator=drawn)
        weight = UNEVEN * torch.randn(num_entities, generator=drawn)
        # Every type is the source of some relation, if there are as many.
        source = torch.arange(num_relations) % types
        target = torch.randint(types, (num_relations,), generator=drawn)
        maps = torch.randn(num_relations, DIM, DIM, generator=drawn)
        return cls(kind, group, latent, weight, source, target, maps)

    def logits(self, relation: int) -> tuple[Tensor, Tensor, Tensor]:
        """Entities that a relation leads from [a], and to [b], and how likely each pair is, [a, b], as a logarithm."""
        head, tail = (torch.nonzero(self.kind == side[relation]).view(-1) for side in (self.source, self.target))
        score = self.latent[head] @ self.maps[relation] @ self.latent[tail].T
        score = SHARPNESS * (score - score.mean()) / score.std()
        score = score + self.weight[head, None] + self.weight[tail]
        # Nothing is related to itself.
        return head, tail, score.masked_fill_(head[:, None] == tail, -math.inf)

    def tail_scores(self, head: Tensor, relation: Tensor) -> Tensor:
        """How likely each entity is the tail, [B, n]: the best that any model can know; `NEVER` for other types."""
        return self._scores(head, relation, 1)

    def head_scores(self, relation: Tensor, tail: Tensor) -> Tensor:
        """How likely each entity is the head, [B, n]."""
        return self._scores(tail, relation, 0)

    def _scores(self, entity: Tensor, relation: Tensor, asked: int) -> Tensor:
        found = torch.full((len(entity), len(self.kind)), NEVER)
        for each in {*relation.tolist()}:
            which = torch.nonzero(relation == each).view(-1)
            *ends, score = self.logits(each)
            row = torch.full((len(self.kind),), -1)
            row[ends[1 - asked]] = torch.arange(len(ends[1 - asked]))
            place = row[entity[which]]
            which, place = which[place >= 0], place[place >= 0]
            held = score if asked else score.T
            found[which[:, None], ends[asked]] = held[place].clamp_min(NEVER)
        return found


def planted_knowledge(
    num_entities: int = 1000,
    num_triples: int = 20_000,
    relations: int = 12,
    types: int = 4,
    groups: int = 5,
    *,
    kept: float = 1.0,
    missing: float = 0.2,
    modalities: Collection[str] = MODALITIES,
    seed: int = 0,
) -> TripleSet:
    """Triples whose probability is a bilinear form of the coordinates of their entities, as RESCAL models it.

    Entities of a type lie in groups. Each relation leads from one type to one type; its triples are drawn without
    replacement in proportion to ``exp(score)`` and to the weights of head and tail (Nickel, Tresp, Kriegel: A Three-Way
    Model for Collective Learning on Multi-Relational Data, ICML 2011, is the form; pairs are drawn by Gumbel numbers).

    Parameters
    ----------
    num_entities, num_triples, relations, types, groups : int
        `groups` is that of each type. A relation has the same number of triples as every other.
    kept : float
        Share of the training triples that are there, in (0, 1]. The others are gone; validation and test are the same
        for every share, and ranks do not count those that are gone (`TripleSet.known`).
    missing : float
        Share of the entities, in [0, 1), that have no row in a modality; others in each.
    modalities : collection of str
        "table": linear functions of the coordinates, with noise. "text": counts of words, which the group determines.
        "noise": numbers that say nothing.
    seed : int

    Returns
    -------
    TripleSet
        A tenth of the triples is for validation, and one for the test. y: type of each entity. Time and memory
        O(R (n / T)^2).

    Raises
    ------
    InputError
        Numbers out of range, more triples than pairs, or an unknown modality.

    Examples
    --------
    >>> planted_knowledge()
    TripleSet(16,000 triples, 1,000 entities, 12 relations)
    """
    for what, found, least in (
        ("relations", relations, 1),
        ("types", types, 1),
        ("groups", groups, 1),
        ("num_entities", num_entities, 2 * types),
        ("num_triples", num_triples, 10 * relations),
    ):
        if found < least:
            raise wrong(what, found, f"at least {least}")
    if not 0 < kept <= 1:
        raise wrong("kept", kept, "a share in (0, 1]")
    if not 0 <= missing < 1:
        raise wrong("missing", missing, "a share in [0, 1)")
    strange = [name for name in modalities if name not in MODALITIES]
    if strange:
        raise unknown("modalities", strange[0], MODALITIES)
    planted = Planted.of(num_entities, relations, types, groups, seed)
    drawn = torch.Generator().manual_seed(seed + 1)
    rows = torch.cat([_draw(planted, each, num_triples, drawn) for each in range(relations)])
    rows = rows[torch.randperm(len(rows), generator=drawn)]
    tenth = len(rows) // 10
    begin = 2 * tenth
    end = begin + max(round(kept * (len(rows) - begin)), 1)
    split = (rows[:tenth], rows[tenth:begin], rows[begin:end], rows[end:])
    test, valid, train, gone = (Triples.of(part, num_entities, relations) for part in split)
    held = tuple(_modality(planted, name, missing, seed) for name in MODALITIES if name in modalities)
    y, names = planted.kind, [f"type {k}" for k in range(types)]
    line = f"planted: {len(train):,} triples to train on, {len(valid):,} to validate, {len(test):,} to test"
    known = gone if len(gone) else None
    reading = Reading((line,))
    return TripleSet(train, valid, test, modalities=held, y=y, label_names=names, reading=reading, known=known)


def _draw(planted: Planted, relation: int, num_triples: int, drawn: torch.Generator) -> Tensor:
    """Triples of a relation, [m, 3], without replacement: those with the largest logit plus a Gumbel number."""
    relations = len(planted.source)
    m = num_triples * (relation + 1) // relations - num_triples * relation // relations
    head, tail, logits = planted.logits(relation)
    pairs = int(logits.isfinite().sum())
    if m > pairs // 2:
        raise wrong("num_triples", f"{m:,} of a relation", f"at most {pairs // 2:,}, half of its pairs")
    noise = -torch.rand(logits.shape, generator=drawn).clamp_min_(1e-20).log_().neg_().clamp_min_(1e-20).log_()
    best = (logits + noise).view(-1).topk(m).indices
    h, t = head[best // len(tail)], tail[best % len(tail)]
    return torch.stack([h, torch.full_like(h, relation), t], 1)


def _modality(planted: Planted, name: str, missing: float, seed: int) -> Modality:
    """Features of the entities that have them; the draws of one modality do not depend on the others."""
    n = len(planted.kind)
    drawn = torch.Generator().manual_seed((seed << 8) + 2 + MODALITIES.index(name))
    entity = torch.randperm(n, generator=drawn)[: n - round(missing * n)].sort().values
    if name == "table":
        x = planted.latent @ torch.randn(DIM, COLUMNS, generator=drawn) / math.sqrt(DIM)
        x = x + TABLE_NOISE * torch.randn(n, COLUMNS, generator=drawn)
    elif name == "text":
        # Words of a group, by their probability; a text is a count of words.
        topic = (1.5 * torch.randn(int(planted.group.max()) + 1, WORDS, generator=drawn)).softmax(1)
        word = torch.multinomial(topic[planted.group], LENGTH, replacement=True, generator=drawn)
        x = torch.zeros(n, WORDS).scatter_add_(1, word, torch.ones(n, LENGTH)).sqrt_()
        x = x / x.norm(dim=1, keepdim=True)
    else:
        x = torch.randn(n, COLUMNS, generator=drawn)
    return Modality(name, entity, x[entity])


def load_planted(entry: DatasetInfo, root: Path) -> TripleSet:
    """`planted_knowledge` as it is, for the registry: no files are read."""
    return planted_knowledge()
