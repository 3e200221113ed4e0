"""Feature evidence: how far features are shown, without labels, to tell something that the edges confirm.

Uninformative features must not hurt, so they have to earn their say. Columns of a table do so by their autocorrelation
over the edges (`genurl_graph.graph.evidence.autocorrelation`); bags of words, all together, by what
`genurl_graph.graph.edge_reliability` measures: feature consistency, and the AUC of the features for the edges.

Everything here is a function of features and edges alone: no seed of a run enters it, so that all seeds agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.graph.edge_reliability import edge_auc, feature_confidence, measure_consistency, weighed_features
from genurl_graph.graph.evidence.autocorrelation import (
    Autocorrelation,
    autocorrelation,
    centred_ranks,
    degree_columns,
    most_by_chance,
    tells_something,
)
from genurl_graph.graph.evidence.communities import has_communities
from genurl_graph.graph.evidence.dependence import dependence
from genurl_graph.graph.evidence.held_out import HeldOut, predict_held_out
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.projection import scale_for_axes
from genurl_graph.inputs.columns.kinds import matrix_kind
from genurl_graph.inputs.hashing import hash_columns, resolve_hashing
from genurl_graph.inputs.input import Input

# A table counts in full from so many times what chance explains, and from this autocorrelation of all columns together.
CLEARLY, FULL = 1.5, 0.1
# Columns up to which all of them together are compared with chance, too, and which are a table even if they look like
# a bag of words: halves of one-hot columns predict each other.
FEW = 64
# Columns of a table are fewer; so many comparable ones tell nodes apart by themselves.
WIDE = 16
# How far a few undecided columns count where edges show communities.
DOUBTFUL = 0.5
# Edge AUC beyond chance, and feature consistency, from which a bag of words counts in full, and where it begins to.
AUC_FROM, AUC_FULL = 0.03, 0.13
CONSISTENT_FROM = 0.52


class Evidence(NamedTuple):
    """What was found out about the features of a graph.

    Attributes
    ----------
    overall : float
        In [0, 1]: 0 where nothing shows that features tell anything, 1 where they count in full.
    columns : Tensor, float32, shape [f]
        The same of each column; all 1 for a bag of words, which is judged as a whole.
    by : str
        What shows it: "graph autocorrelation", "feature consistency" or "edge AUC".
    figure : float
        The number behind `by`: Moran's I of the strongest column, the consistency, or the AUC.
    degrees : tuple of int
        Columns that are nothing but the degree.
    undecided : float
        In [0, 1]: how far features count that depend on each other, but not on the edges (`dependence`). They may be
        noise for the graph, or tell what its edges do not.
    """

    overall: float
    columns: Tensor
    by: str
    figure: float
    degrees: tuple[int, ...] = ()
    undecided: float = 0.0

    @property
    def weights(self) -> Tensor | None:
        """Weights of the columns; None where all count in full."""
        return None if bool((self.columns == 1).all()) else self.columns


def measure_evidence(data: Input, metric: str) -> Evidence:
    """Evidence of an input's features beside its edges, measured once (it is kept in ``data.measured``).

    Parameters
    ----------
    data : Input
        With features and edges.
    metric : str
        Similarity of features.

    Returns
    -------
    Evidence
        Of a bag of words the larger of two shares: of feature consistency between `CONSISTENT_FROM` and 0.6, and of the
        edge AUC between 0.53 and 0.63. Of a table, how far the autocorrelation of its best column, or of all together,
        exceeds chance; each column counts by its own. Consistency speaks for `WIDE` or more columns of a table, too, if
        they are related to the edges, or if the edges have no communities (`has_communities`) to contradict them.
        Columns that depend on each other alone are undecided, unless they are categories beside communities.
    """
    known = data.known
    key = f"evidence.{metric}"
    if key not in known:
        known[key] = _measure(data, metric)
    found: Evidence = known[key]
    return found


def measure_held_out(data: Input, metric: str) -> HeldOut:
    """`predict_held_out` of an input with features and edges, measured once (it is kept in ``data.measured``)."""
    known = data.known
    key = f"held out.{metric}" if data.column_weight is None else f"held out.{metric}, weighed"
    if key not in known:
        x = weighed_features(data, metric)
        x = scale_for_axes(hash_columns(x, resolve_hashing(x, "auto")), metric)
        known[key] = predict_held_out(predefined_graph(data).edge_index, data.num_nodes, x)
    found: HeldOut = known[key]
    return found


def measure_structure(data: Input) -> float:
    """AUC of held-out edges by the structure alone, of an input with or without features, measured once."""
    known = data.known
    if "held out" not in known:
        given = predefined_graph(data)
        known["held out"] = predict_held_out(given.edge_index, data.num_nodes, torch.zeros(data.num_nodes, 0)).structure
    found: float = known["held out"]
    return found


def _measure(data: Input, metric: str) -> Evidence:
    assert data.x is not None
    x, given = data.x, predefined_graph(data)
    f, consistency = int(x.size(1)), measure_consistency(data, metric).value
    if f > FEW and matrix_kind(x) == "bag":
        share = min(max((consistency - CONSISTENT_FROM) / 0.08, 0.0), feature_confidence(consistency))
        if share == 1:
            return Evidence(1.0, torch.ones(f), "feature consistency", consistency)
        auc = edge_auc(x, given.edge_index, metric).mean
        by_auc = min(max((auc - 0.5 - AUC_FROM) / (AUC_FULL - AUC_FROM), 0.0), 1.0)
        by, figure = ("edge AUC", auc) if by_auc >= share else ("feature consistency", consistency)
        return Evidence(max(share, by_auc), torch.ones(f), by, figure)
    found = autocorrelation(x, given.edge_index, given.edge_weight)
    degrees = torch.zeros(f, dtype=torch.bool)
    if x.layout == torch.strided:
        # A sample knows the degrees that its nodes have in the whole graph.
        counted = data.known.get("degree")
        counted = torch.bincount(given.edge_index[0], minlength=data.num_nodes) if counted is None else counted
        degrees = degree_columns(x, counted)
    live = torch.isfinite(found.limit) & ~degrees
    shares, excess = _shares(x, found, live)
    size = float(((found.value - found.expected).square() * shares).sum().sqrt())
    relation = min(max((excess - 1) / (CLEARLY - 1), 0.0), 1.0)
    overall = relation * min(size / FULL, 1.0)
    best = int((found.value - found.expected).abs().where(live, torch.zeros(())).argmax()) if f else 0
    by, figure = "graph autocorrelation", float(found.value[best]) if f else 0.0
    confidence, undecided = feature_confidence(consistency), 0.0
    by_themselves = f >= WIDE or relation == 0
    depends = dependence(x, live, consistency) if relation == 0 else 0.0
    if depends > 0 and not has_communities(given.edge_index, data.num_nodes):
        # No edge speaks against them.
        relation, undecided = 1.0, depends if confidence < 1 else 0.0
    elif depends > 0 and matrix_kind(x) != "bag":
        undecided = depends if f >= WIDE else DOUBTFUL * depends
    if by_themselves and 0 < confidence * relation >= overall:
        overall, by, figure = confidence * relation, "feature consistency", consistency
        shares = torch.where(live, shares + (1 - shares) * confidence, 0.0)
    columns = overall * shares / shares.max().clamp_min(1e-9) if f else shares
    return Evidence(overall, columns.float(), by, figure, tuple(degrees.nonzero()[:, 0].tolist()), undecided)


def _shares(x: Tensor, found: Autocorrelation, live: Tensor) -> tuple[Tensor, float]:
    """How far each column counts beside the others, in [0, 1], and how many times all exceed what chance explains.

    The deviations of columns from their means have covariances ``C_jk^2 V``, C their correlations: of independent
    columns the sum and the sum of squares are much less than those of one column that is repeated.
    """
    away = (found.value - found.expected).where(live, torch.zeros((), dtype=torch.float64))
    z = away / found.deviation.clamp_min(1e-12)
    shares = torch.zeros_like(z)
    shares[live] = tells_something(z[live])
    excess = float((away.abs() / found.limit)[live].max()) if bool(live.any()) else 0.0
    if 1 < int(live.sum()) <= FEW:
        dense = x.to_dense() if x.layout == torch.sparse_csr else x
        correlation = np.corrcoef(centred_ranks(dense[:, live].numpy()), rowvar=False)
        deviation = float(found.deviation[live].max()) * float(np.linalg.norm(correlation))
        chance = deviation * float((found.limit / found.deviation)[live].max())
        excess = max(excess, abs(float(away.sum())) / chance)
        chance = most_by_chance(correlation**2)
        excess = max(excess, (float(z[live].square().sum()) - int(live.sum())) / chance)
    return shares, excess
