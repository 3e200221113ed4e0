"""What a model of typed edges is asked for: scores of triples, and the missing end of one."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inference.triples.fitted_triples import FittedTriples
from genurl_graph.inputs.triples.columns import find_named
from genurl_graph.nn.triples import TripleEncoder

# Scores that are held at a time.
ENTRIES = 1 << 24


class Completion:
    """`score_triples` and `complete` of `genurl_graph.estimator.GenURL`, and the vectors of the relations."""

    model_: FittedModel

    @property
    def relation_embedding_(self) -> Tensor:
        """Of typed edges: float32 [2 R, d], of the relations and then of their inverses, on the CPU."""
        encoder, _ = self._typed("relation_embedding_")
        return encoder.relations.detach().cpu().clone()

    @property
    def relation_id_(self) -> list[str]:
        """Of typed edges: names of the rows of ``relation_embedding_``; those of inverses end in " (inverse)"."""
        return self._typed("relation_id_")[1].relation_names

    def score_triples(self, triples: Any) -> npt.NDArray[np.float32]:
        """How likely triples are.

        Parameters
        ----------
        triples : DataFrame, list or array [m, 3]
            Head, relation and tail, by their names in the fit; in this order, unless the columns of a DataFrame are
            called so.

        Returns
        -------
        array, float32, shape [m]
            Mean of ``log Q`` of the tail among all entities, given head and relation, and of the head, given the rest.
            It is 0 at most. Scores order triples of one relation; relations with many ends have smaller ones.

        Raises
        ------
        InputError
            No model of typed edges; names that the fit did not have; other columns.

        Examples
        --------
        >>> model = GenURL(task="triples").fit(facts)
        >>> model.score_triples([("aspirin", "treats", "headache")])
        """
        encoder, fitted = self._typed("score_triples")
        columns = _three_columns(triples)
        head, tail = (torch.from_numpy(fitted.entity_numbers(columns[k])) for k in (0, 2))
        relation = torch.from_numpy(fitted.relation_numbers(columns[1]))
        found = np.empty(len(relation), dtype=np.float32)
        rows = max(ENTRIES // fitted.triples.num_entities, 1)
        for part in torch.split(torch.arange(len(relation)), rows):
            given = head[part], relation[part], tail[part]
            with torch.no_grad():
                to_tail = encoder.tail_scores(given[0], given[1]).log_softmax(1).cpu()
                to_head = encoder.head_scores(given[1], given[2]).log_softmax(1).cpu()
            own = [side.gather(1, end[:, None])[:, 0] for side, end in ((to_tail, given[2]), (to_head, given[0]))]
            found[part.numpy()] = ((own[0] + own[1]) / 2).numpy()
        return found

    def complete(
        self, head: Any = None, relation: Any = None, tail: Any = None, *, k: int = 10, known: bool = False
    ) -> pd.DataFrame:
        """The likeliest entities at the missing end of a triple.

        Parameters
        ----------
        head, tail : name of an entity
            One of the two: the other is asked for.
        relation : name of a relation
        k : int
            Entities at most.
        known : bool
            Whether entities come along that complete a triple of the fit.

        Returns
        -------
        DataFrame
            Columns ``tail`` or ``head``, the entity; ``share``, its Q among all entities, in (0, 1); and ``known``.

        Raises
        ------
        InputError
            No model of typed edges; both ends or none; names that the fit did not have.

        Examples
        --------
        >>> model = GenURL(task="triples").fit(facts)
        >>> model.complete(head="aspirin", relation="treats", k=5)
        """
        encoder, fitted = self._typed("complete")
        if relation is None or (head is None) == (tail is None):
            raise wrong("complete", "other arguments", "a relation and either a head or a tail")
        if k < 1:
            raise wrong("k", k, "1 or more")
        forward, triples = tail is None, fitted.triples
        entity = torch.from_numpy(fitted.entity_numbers([head if forward else tail]))
        kind = torch.from_numpy(fitted.relation_numbers([relation]))
        with torch.no_grad():
            scores = encoder.tail_scores(entity, kind) if forward else encoder.head_scores(kind, entity)
            share = scores.softmax(1)[0].cpu()
        given, asked = (triples.head, triples.tail) if forward else (triples.tail, triples.head)
        ends = asked[(given == entity) & (triples.relation == kind)]
        is_known = torch.zeros(len(share), dtype=torch.bool)
        is_known[ends] = True
        order = share.argsort(descending=True, stable=True)
        order = (order if known else order[~is_known[order]])[:k]
        column = "tail" if forward else "head"
        names = fitted.entity_names[order.numpy()]
        return pd.DataFrame({column: names, "share": share[order].numpy(), "known": is_known[order].numpy()})

    def _typed(self, what: str) -> tuple[TripleEncoder, FittedTriples]:
        model = getattr(self, "model_", None)
        if model is None:
            raise AttributeError(f"{what}: {type(self).__name__} is not fitted yet; call fit first")
        if model.facts is None:
            # An attribute that is asked for by `hasattr` is not there.
            error = wrong(what, f"a model of the task {model.config.task}", "one of typed edges (task triples)")
            raise AttributeError(str(error)) if what.endswith("_") else error
        return cast(TripleEncoder, model.encoder), model.facts


def _three_columns(triples: Any) -> list[list[Any]]:
    """Heads, relations and tails."""
    if isinstance(triples, pd.DataFrame):
        columns = [*map(str, triples.columns)]
        named = find_named(columns) if len(columns) == 3 else None
        order = range(len(columns)) if named is None else map(columns.index, named)
        found = [triples.iloc[:, k].tolist() for k in order]
    else:
        rows = [*triples]
        if any(isinstance(row, str) or not hasattr(row, "__len__") for row in rows):
            raise wrong("score_triples", "no rows of three", "a list of triples: [(head, relation, tail)]")
        widths = {*map(len, rows)} or {3}
        if len(widths) > 1:
            raise wrong("score_triples", f"rows of {' and '.join(map(str, sorted(widths)))} values", "3 each")
        found = [[row[k] for row in rows] for k in range(widths.pop())]
    if len(found) != 3:
        raise wrong("score_triples", f"{len(found)} columns", "3: head, relation and tail")
    return found
