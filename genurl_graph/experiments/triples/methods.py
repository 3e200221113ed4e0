"""Scorers of the protocol `triples` by the names of methods, each trained on the training triples alone."""

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.triples import TRIPLE_BASELINES, get_triple_baseline
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.probe_table import REFERENCE
from genurl_graph.experiments.runs import Order
from genurl_graph.experiments.triples.embedding import scorer_of
from genurl_graph.experiments.triples.source import training_part

if TYPE_CHECKING:
    from genurl_graph.evaluation.triples.scorers import TripleScorer
    from genurl_graph.inputs.triples import TripleSet

PROTOCOL = "triples"
# GenURL without the features of the entities: what these add is told by the difference.
ABLATED = "triples-only"
OWN, TRAINED, UNTRAINED = (REFERENCE, ABLATED), tuple(TRIPLE_BASELINES), ("frequency",)
# As `genurl_graph.evaluation.triples.protocol.Figures` has them, which imports torch.
FIGURES = {
    "mrr": "MRR",
    "hits1": "Hits@1",
    "hits3": "Hits@3",
    "hits10": "Hits@10",
    "mrr_head": "MRR of heads",
    "mrr_tail": "MRR of tails",
}


def fit_scorer(order: Order, data: "TripleSet", seed: int) -> "TripleScorer":
    """The scores of a method; validation triples are seen by baselines alone, which choose their epoch by them."""
    if order.method in UNTRAINED:
        from genurl_graph.evaluation.triples.scorers import Frequency

        return Frequency(data.triples)
    if order.method in TRAINED:
        seen = dataclasses.replace(data, test=None)
        return get_triple_baseline(order.method, order.changes)(seen, seed, order.model["device"])
    return genurl_scorer(order.model, data, seed, features=order.method == REFERENCE)


def genurl_scorer(model: dict[str, Any], data: "TripleSet", seed: int, features: bool = True) -> "TripleScorer":
    """GenURL, fitted to the training triples and, where asked for, to the features of the entities."""
    seen = training_part(data) if features else dataclasses.replace(training_part(data), modalities=())
    return scorer_of(make_estimator(**{**model, "task": "triples"}, seed=seed).fit(seen))


def judge_method(order: Order, data: "TripleSet", seed: int, twice: bool = False) -> dict[str, float]:
    """Figures of a method on the test triples, and what its training took: the clocks stand still while it is judged.

    `twice`: by PyKEEN's evaluator as well; "pykeen" is the largest difference.
    """
    from genurl_graph.evaluation.triples.protocol import judge_triples

    wall, cpu = time.perf_counter(), time.process_time()
    scorer = fit_scorer(order, data, seed)
    spent = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    found = judge_triples(scorer, data)
    if twice:
        from genurl_graph.evaluation.triples.pykeen import judge_by_pykeen

        spent["pykeen"] = max(abs(a - b) for a, b in zip(found, judge_by_pykeen(scorer, data), strict=True))
    return found._asdict() | spent
