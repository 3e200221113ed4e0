"""The same figures by PyKEEN's evaluator (extra `knowledge`): what others publish is counted by it."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor

from genurl_graph.evaluation.triples.answers import Answers
from genurl_graph.evaluation.triples.protocol import Figures, all_known
from genurl_graph.evaluation.triples.scorers import TripleScorer
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.triples import TripleSet

# Queries that are asked at a time.
_QUERIES = 256


def has_pykeen() -> bool:
    """Whether PyKEEN is installed."""
    return find_spec("pykeen") is not None


def judge_by_pykeen(scorer: TripleScorer, data: TripleSet, part: str = "test") -> Figures:
    """As `genurl_graph.evaluation.triples.protocol.judge_triples`, counted by PyKEEN's ``RankBasedEvaluator``.

    Raises
    ------
    ImportError
        PyKEEN is not installed.
    InputError
        There is no such part, or nothing in it.
    """
    from pykeen.evaluation import RankBasedEvaluator

    asked = {"valid": data.valid, "test": data.test}[part]
    if asked is None or not len(asked):
        raise wrong("protocol triples", f"no {part} triples", "a set with train, valid and test, or one that is split")
    evaluator = RankBasedEvaluator(filtered=True)
    for end in ("head", "tail"):
        answers = Answers(all_known(data), end)
        for rows in torch.split(asked.rows(), _QUERIES):
            scores, own = _without_others(scorer, rows, answers, end)
            evaluator.process_scores_(hrt_batch=rows, target=end, scores=scores, true_scores=own)
    found = evaluator.finalize()

    def figure(side: str, name: str) -> float:
        return float(found.get_metric(f"{side}.realistic.{name}"))

    hits = [figure("both", f"hits_at_{k}") for k in (1, 3, 10)]
    reciprocal = [figure(side, "inverse_harmonic_mean_rank") for side in ("both", "head", "tail")]
    return Figures(reciprocal[0], *hits, *reciprocal[1:])


def _without_others(scorer: TripleScorer, rows: Tensor, answers: Answers, end: str) -> tuple[Tensor, Tensor]:
    """Scores [B, n], other right answers as nan, which PyKEEN leaves out, and those of the triples, [B, 1]."""
    head, relation, tail = rows.unbind(1)
    with torch.no_grad():
        scores = scorer.tail_scores(head, relation) if end == "tail" else scorer.head_scores(relation, tail)
    asked, given = (tail, head) if end == "tail" else (head, tail)
    own = scores.gather(1, asked[:, None].to(scores.device))
    query, answer = (index.to(scores.device) for index in answers(given, relation))
    scores = scores.index_put((query, answer), scores.new_tensor(torch.nan))
    return scores.scatter(1, asked[:, None].to(scores.device), own), own
