"""Figures of triples for a preview: sizes, relations one by one, how many are answered by a turned pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.triples.triple_set import Triples, TripleSet

# Triples and relations of a preview.
ROWS, RELATIONS = 5, 10
QUANTILES = {"least": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "most": 1.0}


def triple_figures(data: TripleSet) -> dict[str, Any]:
    """Figures of typed edges.

    Parameters
    ----------
    data : TripleSet

    Returns
    -------
    dict
        triples, to train on; entities; relations; valid, test, counts or None; idle, entities without a triple to train
        on; self_loops; of_an_entity, quantiles of the triples of an entity that has some; by_relation, a record for
        each of the most frequent ones: relation, triples, heads, tails, and symmetric, the share of its triples whose
        inverse it has too; turned, the share of the test triples whose two entities are joined by a training triple the
        other way round, which a model of inverses can read off; modalities, a record each: name, columns, rows.
    """
    train = data.triples
    ends = torch.bincount(torch.cat([train.head, train.tail]), minlength=len(data)).numpy()
    some = ends[ends > 0]
    return {
        "triples": len(train),
        "entities": len(data),
        "relations": train.num_relations,
        "valid": None if data.valid is None else len(data.valid),
        "test": None if data.test is None else len(data.test),
        "idle": int((ends == 0).sum()),
        "self_loops": int((train.head == train.tail).sum()),
        "of_an_entity": {name: float(np.quantile(some, q)) for name, q in QUANTILES.items()},
        "by_relation": _by_relation(data),
        "turned": None if data.test is None or not len(data.test) else _turned(train, data.test),
        "modalities": [
            {"name": each.name, "columns": int(each.x.size(1)), "rows": len(each.entity)} for each in data.modalities
        ],
    }


def first_triples(data: TripleSet) -> list[list[str]]:
    """The first triples below a header, by name."""
    rows = data.triples.rows()[:ROWS].tolist()
    return [["head", "relation", "tail"], *([named(data, h), named(data, r, True), named(data, t)] for h, r, t in rows)]


def named(data: TripleSet, number: int, relation: bool = False) -> str:
    """What an entity, or a relation, is called."""
    names = data.relation_id if relation else data.entity_id
    return str(number if names is None else names[number])


def triple_lines(figures: dict[str, Any]) -> Iterator[str]:
    """The figures in words."""
    sizes = (
        f"{figures['triples']:,} triples of {figures['relations']:,} relations among {figures['entities']:,} entities"
    )
    yield f"{sizes}, {figures['idle']:,} of them without any; {figures['self_loops']:,} lead from an entity to itself"
    held = [
        f"{figures[part]:,} for {what}"
        for part, what in (("valid", "validation"), ("test", "the test"))
        if figures[part]
    ]
    if held:
        yield f"held out: {', '.join(held)}"
    if figures["turned"] is not None:
        yield f"{figures['turned']:.1%} of the test triples join two entities that a triple joins the other way round"
    yield "triples of an entity: " + ", ".join(f"{name} {value:g}" for name, value in figures["of_an_entity"].items())
    for each in figures["modalities"]:
        yield f"features {each['name']}: {each['columns']:,} columns, {each['rows']:,} entities have them"


def relation_rows(figures: dict[str, Any]) -> list[list[Any]]:
    """The most frequent relations below a header."""
    heads = ("relation", "triples", "heads", "tails", "symmetric")
    rows = [[each[head] for head in heads[:-1]] + [f"{each['symmetric']:.0%}"] for each in figures["by_relation"]]
    return [[*heads], *rows]


def _by_relation(data: TripleSet) -> list[dict[str, Any]]:
    train = data.triples
    n, m = train.num_entities, train.num_relations
    counts = torch.bincount(train.relation, minlength=m)
    heads, tails = (_distinct(train.relation, side, n, m) for side in (train.head, train.tail))
    key = (train.relation * n + train.head) * n + train.tail
    inverse = (train.relation * n + train.tail) * n + train.head
    both = torch.bincount(train.relation[torch.isin(inverse, key)], minlength=m)
    order = counts.argsort(descending=True, stable=True)[:RELATIONS].tolist()
    return [
        {
            "relation": named(data, r, True),
            "triples": int(counts[r]),
            "heads": int(heads[r]),
            "tails": int(tails[r]),
            "symmetric": int(both[r]) / max(int(counts[r]), 1),
        }
        for r in order
    ]


def _distinct(relation: Tensor, side: Tensor, n: int, m: int) -> Tensor:
    """Distinct entities at one end of each relation, [m]."""
    key = (relation * n + side).sort().values
    new = torch.cat([torch.ones(1, dtype=torch.bool), key[1:] != key[:-1]]) if len(key) else key.bool()
    return torch.bincount(key[new] // n, minlength=m)


def _turned(train: Triples, test: Triples) -> float:
    n = train.num_entities
    return float(torch.isin(test.tail * n + test.head, train.head * n + train.tail).double().mean())
