"""Classification of whole graphs by labels, on frozen embeddings: the protocol `graphs`.

Stratified 10 folds. A support vector machine, with an RBF kernel and a linear one apart, reads columns that are
standardised over all graphs, without labels; C out of 1e-3 to 1e3 is chosen for each fold by the other folds alone. A
logistic regression with 10 % of the labels is the semi-supervised figure.
"""

from genurl_graph.evaluation.graph_classification.judgement import (
    FIGURES,
    GraphPlan,
    graph_figures,
    judge_graphs,
    mean_ranks,
    plan_graphs,
)
from genurl_graph.evaluation.graph_classification.references import REFERENCES, as_row, reference
from genurl_graph.evaluation.graph_classification.rows import Row

__all__ = [
    "FIGURES",
    "REFERENCES",
    "GraphPlan",
    "Row",
    "as_row",
    "graph_figures",
    "judge_graphs",
    "mean_ranks",
    "plan_graphs",
    "reference",
]
