"""What a trajectory says of nodes, where the truth is known: which group they are in, when that changes, who they are.

Every function takes a `genurl_graph.inputs.temporal.Trajectory`, be it of a model or of what needs no training
(`genurl_graph.evaluation.temporal_nodes.references`). No labels are used to find anything, only to judge it.
"""

from genurl_graph.evaluation.temporal_nodes.changes import Changes, find_changes, judge_changes
from genurl_graph.evaluation.temporal_nodes.clusters import window_clusters
from genurl_graph.evaluation.temporal_nodes.protocol import NodeFigures, judge_nodes
from genurl_graph.evaluation.temporal_nodes.references import references
from genurl_graph.evaluation.temporal_nodes.truth import row_labels, true_changes

__all__ = [
    "Changes",
    "NodeFigures",
    "find_changes",
    "judge_changes",
    "judge_nodes",
    "references",
    "row_labels",
    "true_changes",
    "window_clusters",
]
