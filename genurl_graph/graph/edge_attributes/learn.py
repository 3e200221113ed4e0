"""Whether edge attributes tell something, judged by held-out edges: no label is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.graph.edge_attributes.closeness import held_out_closeness
from genurl_graph.graph.edge_attributes.weights import AttributeWeights

Array = npt.NDArray[Any]

# Parts of the held-out edges, each predicted by a model of the others.
FOLDS = 5
# Undirected edges below which nothing can be said.
FEWEST = 100
# Standard errors by which attributes must predict, and weights must help.
SURE = 3.0
# Times that the weighted graph is asked again, as it knows better which nodes are close.
ROUNDS = 2
# Other edges that each edge is compared with.
AGAINST = 32


class AttributeEvidence(NamedTuple):
    """What edge attributes tell.

    Attributes
    ----------
    weights : AttributeWeights or None
        None where they tell nothing that helps.
    auc, error : float
        Of two held-out edges, how often the attributes pick the one whose ends are closer; 0.5 is chance.
    before, after : float
        How close the graph without and with weights finds held-out edges that count by their attributes; 0.5 is chance.
    """

    weights: AttributeWeights | None
    auc: float = 0.5
    error: float = 0.5
    before: float = 0.5
    after: float = 0.5

    @property
    def share(self) -> float:
        """How far weights by attributes are heeded, in [0, 1]."""
        return 0.0 if self.weights is None else round(float(self.weights.share), 6)

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name, for a file."""
        return {} if self.weights is None else self.weights.tensors()


def attributes_line(found: Mapping[str, Any]) -> str:
    """One sentence for the user of `AttributeEvidence`, as the summary of a graph holds it."""
    columns = f"edge attributes: {found['columns']:,} column{'' if found['columns'] == 1 else 's'}"
    if found["error"] >= 0.5:
        return f"{columns}; nothing was measured" + ("" if found["share"] else ", as edges are few: they do not count")
    told = f"{columns} tell which edges join closer nodes with AUC {found['auc']:.2f} ± {found['error']:.3f}"
    seen = f"held-out edges are found with AUC {found['after']:.2f}, {found['before']:.2f} without"
    if found["share"] == 0:
        return f"{told} (0.5 is chance): edges are not weighted by them, as that would not make the graph clearer"
    half = " by half" if found["share"] == 0.5 else ""
    return f"{told} (0.5 is chance): edges are weighted by them{half} ({seen})"


def judge_attributes(
    ends: Array, weight: Array, attributes: Tensor, num_nodes: int, x: Tensor | None, asked: float | None = None
) -> AttributeEvidence:
    """Learn weights of edges by their attributes, and whether they help.

    The target of an edge is how close its ends are without it (`held_out_closeness`). A ridge regression predicts it
    from the attributes, and its predictions become weights (`AttributeWeights`). They are kept if two things hold for
    held-out edges, each by `SURE` standard errors: the attributes predict the closeness of edges that the regression
    has not seen, and the weighted graph finds such edges closer than the plain graph does. The second is what keeps
    noise, and attributes that tell too little, from thinning the graph. Then the weighted graph is asked again.

    Parameters
    ----------
    ends : int64 array, shape [2, m]
        Undirected edges, each once, without self loops.
    weight : float array, shape [m]
        Their own weights > 0.
    attributes : Tensor, float32, shape [m, a]
    num_nodes : int
    x : Tensor, float32, shape [n, f], or None
        Features, which are one more witness of closeness.
    asked : float, optional
        The share that the user wants, whatever the attributes tell; 0: none.

    Returns
    -------
    AttributeEvidence
        The same for every seed of a run. Time O(E) for each of at most ten folds, one for a large graph.
    """
    if ends.shape[1] < FEWEST or attributes.size(1) == 0 or asked == 0:
        return AttributeEvidence(None)
    drawn, kept = np.random.default_rng(0), AttributeEvidence(None)
    edges, value = held_out_closeness(ends, weight, num_nodes, x)
    for number in range(ROUNDS):
        held = attributes[torch.from_numpy(edges)]
        predicted, counted = _cross_fitted(held, value)
        auc, error = _concordance(predicted, value, drawn)
        found = AttributeEvidence(None, auc, error)
        # The first judgement is reported: the second is by a graph that attributes have weighted.
        kept = kept if number else found
        if asked is None and auc - 0.5 <= SURE * error:
            break
        model = AttributeWeights.fit(held, torch.from_numpy(value))
        for share in (1.0, 0.5) if asked is None else (asked,):
            tried = model._replace(share=torch.tensor([share]))
            after = held_out_closeness(ends, weight * tried.of(attributes).numpy(), num_nodes, x).value
            gain = (after - value) * counted
            sure = gain.mean() > SURE * gain.std(ddof=1) / len(gain) ** 0.5
            if sure or asked is not None:
                break
        if not sure and (asked is None or number):
            break
        before = kept.before if number else float(np.average(value, weights=counted))
        kept = kept._replace(weights=tried, before=before, after=float(np.average(after, weights=counted)))
        value = after
    return kept


def _cross_fitted(attributes: Tensor, value: Array) -> tuple[Array, Array]:
    """Closeness as predicted by models of other edges, and how far each edge counts by it (mean 1)."""
    fold = np.arange(len(value)) % FOLDS
    predicted, counted = np.zeros(len(value)), np.ones(len(value))
    for part in range(FOLDS):
        out = torch.from_numpy(fold == part)
        model = AttributeWeights.fit(attributes[~out], torch.from_numpy(value)[~out])
        predicted[out.numpy()] = model.predicted(attributes[out]).numpy()
        counted[out.numpy()] = model.of(attributes[out]).numpy()
    return predicted, counted / counted.mean()


def _concordance(predicted: Array, value: Array, drawn: np.random.Generator) -> tuple[float, float]:
    """Share of the pairs of edges that both numbers put in one order, ties of the first one half, and its error."""
    won, count = np.zeros(len(value)), np.zeros(len(value))
    for _ in range(AGAINST):
        other = drawn.permutation(len(value))
        ahead = np.sign(value - value[other])
        won += np.where(ahead != 0, 0.5 + 0.5 * np.sign(predicted - predicted[other]) * ahead, 0.0)
        count += ahead != 0
    share = np.where(count > 0, won / np.maximum(count, 1), 0.5)
    # An edge enters pairs on both sides.
    return float(share.mean()), float(2 * share.std(ddof=1) / len(share) ** 0.5)
