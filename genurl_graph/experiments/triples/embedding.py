"""An embedding of typed edges: what is written and said of it, and what a metrics file holds of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.triples.scorers import TripleScorer
    from genurl_graph.inputs.triples import TripleSet

# Figures of held-out triples.
FIGURES = {"mrr": "MRR", "hits1": "Hits@1", "hits3": "Hits@3", "hits10": "Hits@10"}
ROWS = {"genurl": "GenURL", "frequency": "frequency of entities"}


def write_triples(path: Path, estimator: "GenURL", data: "TripleSet", label: Any) -> dict[str, Path]:
    """Write entities and relations; the file of the relations by what it holds."""
    from genurl_graph.inputs.triples.relation_files import relation_path, write_relations

    z, relations = estimator.embedding_, estimator.relation_embedding_
    write_relations(path, z, relations, data.entity_id, data.relation_id, label)
    return {f"relations {relations.size(0):,} x {relations.size(1)}": relation_path(path)}


def scorer_of(estimator: "GenURL") -> "TripleScorer":
    """What scores triples, by the numbers of entities and relations of the fit."""
    return cast("TripleScorer", estimator.model_.encoder)


def triple_scores(estimator: "GenURL", data: "TripleSet") -> dict[str, Any]:
    """Figures of the test triples, or of those for validation where there are no others: row > figure; None without."""
    from genurl_graph.evaluation.budget.judgement import KEYS
    from genurl_graph.evaluation.triples.protocol import judge_triples
    from genurl_graph.evaluation.triples.scorers import Frequency

    scores: dict[str, Any] = dict.fromkeys((*KEYS, "triples"))
    part = "test" if data.test else "valid" if data.valid else None
    if part is None:
        return scores
    rows = {"genurl": scorer_of(estimator), "frequency": Frequency(data.triples)}
    found = {row: judge_triples(scorer, data, part)._asdict() for row, scorer in rows.items()}
    return scores | {"triples": {"part": part, "rows": found}}


def score_table(scores: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Rows of text of `triple_scores`, heads first."""
    yield ("", *FIGURES.values())
    for row, figures in scores["rows"].items():
        yield (ROWS[row], *(f"{figures[key]:.3f}" for key in FIGURES))


def modality_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """What a model of typed edges was trained on, in words."""
    triples, relations = summary["n_triples"], summary["n_relations"]
    yield f"typed edges: {triples:,} triples and their inverses, {relations:,} relations"
    weights = summary["modality_weights"]
    if weights:
        yield "kNN edges by features: " + ", ".join(f"{name} weight {weight:.2f}" for name, weight in weights.items())
