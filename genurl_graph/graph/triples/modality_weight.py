"""How far near features tell which triples an entity has: measured on the training triples, without labels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.runtime.random import randint, seeded

# Pairs that are compared, and standard errors of the difference from chance that do not count.
PAIRS, DOUBT = 100_000, 2.0


def modality_weight(rows: RelationRows, edge_index: Tensor, num_entities: int, seed: int) -> float:
    r"""Share of the likeness of near entities that is not chance.

    The likeness of two entities is the cosine of their lists of relations and of (relation, other end), each entry
    weighed by the logarithm of the inverse share of entities that have it, so that what all have counts nothing. With
    the mean likeness ``s`` of near entities, ``c`` of pairs among the same entities at random and the standard error
    ``e`` of their difference, the weight is ``(s - c - 2 e) / s``, at least 0: noise has 0, and features that join
    entities with the same triples have nearly 1.

    Parameters
    ----------
    rows : RelationRows
        Of the training triples.
    edge_index : Tensor, int64, shape [2, E]
        Near entities by one modality.
    num_entities : int
    seed : int
        Of the pairs that chance, and the edges where there are many, are measured on.

    Returns
    -------
    float in [0, 1]
        0 where no two entities share anything.

    Examples
    --------
    >>> from genurl_graph.inputs.triples import Triples
    >>> rows = RelationRows.of(Triples.of([(k, 0, 50 + k // 5) for k in range(50)]))
    >>> alike = torch.tensor([(k, k + 1) for k in range(0, 50, 5)]).T
    >>> modality_weight(rows, alike, 60, seed=0) > 0.5
    True
    """
    import numpy as np

    profile = _profiles(rows, num_entities)
    has = np.diff(profile.indptr) > 0
    # Of an entity without triples nothing is known.
    edges = edge_index[:, torch.from_numpy(has)[edge_index].all(0)].cpu()
    if not edges.numel():
        return 0.0
    with seeded(seed):
        if edges.size(1) > PAIRS:
            edges = edges[:, randint(edges.size(1), (PAIRS,))]
        # Ends are drawn from those of the edges: an entity that is near to many, or has many triples, stays so.
        first, second = edges[0], edges[1][randint(edges.size(1), (max(edges.size(1), 1),))]
    near, chance = _likeness(profile, edges), _likeness(profile, torch.stack([first, second])[:, first != second])
    if not near.mean() > 0 or not len(chance):
        return 0.0
    error = math.sqrt(near.var() / len(near) + chance.var() / len(chance))
    return float(max(near.mean() - chance.mean() - DOUBT * error, 0.0) / near.mean())


def _profiles(rows: RelationRows, num_entities: int):  # type: ignore[no-untyped-def]
    """What each entity has, rows of unit length: SciPy CSR float64 [n, columns]."""
    import numpy as np
    import scipy.sparse as sp

    row = torch.cat([rows.entity.repeat_interleave(rows.sizes), rows.entity])
    kind = (rows.relation * (num_entities + 1)).repeat_interleave(rows.sizes) + rows.other
    # A relation alone is that with an end that no entity is.
    kind = torch.cat([kind, rows.relation * (num_entities + 1) + num_entities])
    columns, column, count = torch.unique(kind, return_inverse=True, return_counts=True)
    weight = (num_entities / count.double()).log()[column]
    place = (row.cpu().numpy(), column.cpu().numpy())
    found = sp.csr_array((weight.cpu().numpy(), place), shape=(num_entities, len(columns)))
    length = np.sqrt(np.asarray(found.multiply(found).sum(1)).ravel())
    found = sp.diags_array(1 / np.where(length > 0, length, 1)) @ found
    found.eliminate_zeros()
    return sp.csr_array(found)


def _likeness(profile, pairs: Tensor):  # type: ignore[no-untyped-def]
    """Cosine of the profiles of pairs [2, k]: array float64 [k]."""
    import numpy as np

    first, second = pairs.numpy()
    return np.asarray(profile[first].multiply(profile[second]).sum(1)).ravel()
