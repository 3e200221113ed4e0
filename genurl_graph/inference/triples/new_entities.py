"""Entities that came after a fit: placed by their triples with fitted ones, whose vectors stay as they are."""

from __future__ import annotations

import warnings
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inference.triples.fitted_triples import FittedTriples
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.triples import Triples
from genurl_graph.inputs.triples.convert import as_triples
from genurl_graph.nn.triples import TripleEncoder
from genurl_graph.nn.triples.encoder import START
from genurl_graph.runtime.random import randn, seeded

# Steps that a new vector is looked for in, their length, and names that a message lists.
STEPS, STEP, MOST_NAMED = 200, 0.02, 5


def embed_entities(model: FittedModel, X: Any, options: ReadOptions) -> tuple[Tensor, Input]:
    """Embedding [m, d] of the entities of new triples, and these as input.

    An entity of the fit has its row of the fit. A new one is put where the divergence of its own rows of P, those of
    its triples with fitted entities, is smallest, by the step that it would have had in the fit with all other vectors
    kept. Triples between two new entities do not count.

    Parameters
    ----------
    model : FittedModel
        Of the task triples.
    X, options
        As of `genurl_graph.inputs.triples.convert.as_triples`.

    Raises
    ------
    InputError
        A relation that the fit did not have, or a new entity without any triple with a fitted one.
    """
    assert model.facts is not None
    data = as_triples(X, options, FeatureOptions.of_model(model.plan), at_least=1)
    assert data.triples is not None
    number, rows = _own_rows(data, model.facts)
    new = (number < 0).nonzero()[:, 0]
    z = model.embedding[number.clamp_min(0)]
    if len(new):
        z[new] = _placed(cast(TripleEncoder, model.encoder), model.embedding, rows, new, model)
    return z, data


def _own_rows(data: Input, fitted: FittedTriples) -> tuple[Tensor, RelationRows]:
    """The number in the fit of each entity, -1 for new ones, and the rows of new ones, whose other ends are fitted."""
    assert data.triples is not None
    triples, n = data.triples.triples, fitted.triples.num_entities
    own = np.arange(data.num_nodes) if data.names is None else data.names
    number = torch.from_numpy(fitted.find_entities(own))
    names = range(triples.num_relations) if data.triples.relation_id is None else data.triples.relation_id
    relation = torch.from_numpy(fitted.relation_numbers([*names]))[triples.relation]
    head, tail = number[triples.head], number[triples.tail]
    one_new = (head < 0) != (tail < 0)
    lost = int(((head < 0) & (tail < 0)).sum())
    if lost:
        warnings.warn(f"transform: {lost:,} triples between two new entities are left out", stacklevel=6)
    # New entities stand after those of the fit.
    ends = torch.stack([triples.head, triples.tail])
    at = torch.where(number[ends] < 0, n + ends, number[ends])[:, one_new]
    kept = Triples(at[0], relation[one_new], at[1], n + data.num_nodes, fitted.triples.num_relations)
    rows = RelationRows.of(kept)
    mine = rows.entity >= n
    sizes = rows.sizes[mine]
    start = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
    held = mine.repeat_interleave(rows.sizes)
    rows = RelationRows(rows.entity[mine] - n, rows.relation[mine], start, rows.other[held])
    bare = (number < 0).index_fill(0, rows.entity, False).nonzero()[:, 0]
    if len(bare):
        listed = ", ".join(str(own[k]) for k in bare[:MOST_NAMED].tolist())
        more = f" and {len(bare) - MOST_NAMED:,} more" if len(bare) > MOST_NAMED else ""
        raise wrong(
            "transform", f"new entities without a triple with a fitted one: {listed}{more}", "at least one each"
        )
    return number, rows


def _placed(encoder: TripleEncoder, table: Tensor, rows: RelationRows, new: Tensor, model: FittedModel) -> Tensor:
    """Vectors [m, d] of the entities `new`, by gradient steps on their rows alone."""
    place = torch.searchsorted(new, rows.entity)
    relation = encoder.relations.detach().cpu()[rows.relation]
    row = torch.arange(len(rows)).repeat_interleave(rows.sizes)
    with seeded(model.seed):
        z = (START * randn((len(new), table.size(1)))).requires_grad_()
        optimizer = torch.optim.Adam([z], lr=STEP)
        was = encoder.training
        encoder.train()
        for _ in range(STEPS):
            scores = encoder.dropped(encoder.readout(z.index_select(0, place), relation)) @ table.t()
            own, total = scores[row, rows.other], rows.sizes * scores.logsumexp(1)
            optimizer.zero_grad()
            (total.sum() - own.sum()).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        encoder.train(was)
    return z.detach()
