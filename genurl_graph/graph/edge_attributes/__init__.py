"""Edge attributes: do they tell, without labels, which edges hold close nodes together, and how edges then weigh."""

from __future__ import annotations

from genurl_graph.graph.edge_attributes.learn import AttributeEvidence, attributes_line, judge_attributes
from genurl_graph.graph.edge_attributes.weights import AttributeWeights

__all__ = ["AttributeEvidence", "AttributeWeights", "attributes_line", "judge_attributes"]
