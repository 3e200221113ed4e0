"""The rank of the right entity among all that might stand in its place."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genurl_graph.evaluation.triples.answers import Answers
from genurl_graph.evaluation.triples.scorers import TripleScorer
from genurl_graph.exceptions import DivergenceError, wrong
from genurl_graph.inputs.triples import Triples

# Scores that are held at a time, and queries that are asked at a time.
_ENTRIES, _QUERIES = 1 << 22, 1 << 10


def realistic_ranks(scorer: TripleScorer, triples: Triples, known: Sequence[Triples], end: str) -> Tensor:
    """Filtered, realistic rank of each triple's head or tail among all entities.

    Other right answers, those of `known`, are no rivals (Bordes et al., NeurIPS 2013). Ties are counted neither for nor
    against: the rank is the mean of the optimistic and the pessimistic one (Berrendorf et al., arXiv 2002.06914), so
    that scores which are all the same give the rank in the middle.

    Parameters
    ----------
    scorer : TripleScorer
    triples : Triples
        M of them.
    known : sequence of Triples
        All that are right, those that are ranked among them or not.
    end : "head" or "tail"

    Returns
    -------
    Tensor, float64, shape [M]
        ``1 + number of larger scores + half of the number of equal ones``.

    Raises
    ------
    InputError
        Scores of another shape.
    DivergenceError
        Scores that are not finite.

    Examples
    --------
    >>> triples = Triples.of([(0, 0, 1), (2, 0, 1), (0, 0, 2)])
    >>> realistic_ranks(Frequency(triples), triples, [triples], "tail").tolist()
    [1.0, 1.0, 1.0]
    """
    answers = Answers([*known, triples], end)
    rows = max(min(_ENTRIES // max(triples.num_entities, 1), _QUERIES), 1)
    found = torch.empty(len(triples), dtype=torch.float64)
    given, asked = (triples.head, triples.tail) if end == "tail" else (triples.tail, triples.head)
    for part in torch.split(torch.arange(len(triples)), rows):
        entity, relation = given[part], triples.relation[part]
        with torch.no_grad():
            scores = scorer.tail_scores(entity, relation) if end == "tail" else scorer.head_scores(relation, entity)
        _check(scores, (len(part), triples.num_entities))
        own = scores.gather(1, asked[part, None].to(scores.device))
        query, answer = (index.to(scores.device) for index in answers(entity, relation))
        # A copy: the scorer may have given what it keeps. The triple itself is among the answers.
        rivals = scores.index_put((query, answer), scores.new_tensor(-torch.inf))
        larger, equal = ((rivals > own).sum(1), (rivals == own).sum(1))
        found[part] = (1 + larger + 0.5 * equal).double().cpu()
    return found


def _check(scores: Tensor, shape: tuple[int, int]) -> None:
    if tuple(scores.shape) != shape:
        raise wrong("scores of entities", f"shape {tuple(scores.shape)}", f"{shape}, queries by entities")
    if not bool(scores.isfinite().all()):
        raise DivergenceError("scores of entities: found a number that is not finite; try a smaller learning rate")
