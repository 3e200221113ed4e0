"""Link prediction: a split of the edges, and how well an embedding of the training edges ranks the held-out ones.

The protocol "links" is `RandomLinkSplit` of PyG, 85 / 5 / 10 per cent of the undirected edges, with as many random
non-edges as edges for validation and for test. Whatever is scored must have seen `LinkSplit.graph` only.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_geometric.utils import coalesce, remove_self_loops

from genurl_graph.evaluation.link_decoder import decoder_scores, hadamard
from genurl_graph.evaluation.splits import Pairs
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix
from genurl_graph.runtime.random import seeded_globally

if TYPE_CHECKING:
    from torch_geometric.data import Data

VAL_SHARE, TEST_SHARE = 0.05, 0.10
# Fewer edges leave none for validation: int(0.05 * 19) = 0.
FEWEST_EDGES = 20
HITS_AT = 50
SCORERS = ("cosine", "inner", "decoder")

# Entries of the Hadamard products that are held at a time.
_ENTRIES = 1 << 24


class LinkSplit(NamedTuple):
    """One split of the edges of a graph.

    Attributes
    ----------
    graph : Data
        All nodes, their features ``x`` (if any), and the training edges with their weights (if any): everything that
        an embedding may see. No labels, masks or other attributes are in it.
    train : Tensor, int64, shape [2, m]
        Training edges, each once, the smaller node first, sorted.
    val, test : Pairs
        Held-out edges and as many random pairs that are no edge of the whole graph.
    """

    graph: Data
    train: Tensor
    val: Pairs
    test: Pairs

    @property
    def held_out(self) -> Tensor:
        """Validation and test edges, int64 [2, h]."""
        return torch.cat([part.edge_index[:, part.label] for part in (self.val, self.test)], 1)


def link_split(data: Data, seed: int = 0) -> LinkSplit:
    """Hold out 5 % of the edges for validation and 10 % for test.

    The graph counts as undirected: an edge, its inverse and its repetitions are one edge, and go to one side together.
    Self loops are left out.

    Parameters
    ----------
    data : Data
        With ``edge_index``; features ``x`` and weights as in `genurl_graph.inputs.input.as_input`. It is not changed.
    seed : int
        One seed gives one split, whatever was drawn before.

    Raises
    ------
    InputError
        No edges, fewer than 20 of them, or too few pairs without an edge to serve as negatives.
    """
    from torch_geometric.data import Data
    from torch_geometric.transforms import RandomLinkSplit

    given = _graph(data)
    edges = _undirected(given.edge_index, given.num_nodes)
    if edges.size(1) < FEWEST_EDGES:
        expected = f"at least {FEWEST_EDGES}, so that {VAL_SHARE:.0%} of them are one at least"
        raise wrong("protocol links", f"{edges.size(1)} undirected edges without self loops", expected)
    split = RandomLinkSplit(VAL_SHARE, TEST_SHARE, is_undirected=True, add_negative_train_samples=False)
    both = torch.cat([edges, edges.flip(0)], 1)
    with _seeded(seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There are not enough negative edges")  # an error, below
        parts = split(Data(edge_index=both, num_nodes=given.num_nodes))
    val, test = (Pairs(part.edge_label_index, part.edge_label > 0) for part in parts[1:])
    for name, pairs in (("validation", val), ("test", test)):
        n_edges = int(pairs.label.sum())
        if n_edges * 2 != pairs.label.numel():
            found = f"{pairs.label.numel() - n_edges} pairs without an edge for {n_edges} {name} edges"
            raise wrong("protocol links", found, "as many (the graph is nearly complete)")
    graph = training_graph(data, torch.cat([pairs.edge_index[:, pairs.label] for pairs in (val, test)], 1))
    return LinkSplit(graph, _undirected(graph.edge_index, given.num_nodes), val, test)


def official_split(data: Data) -> LinkSplit | None:
    """Return the split that a data set brings (ogbl-collab), or None.

    Its graph is the data set's: training edges alone. Pairs that repeat in later years are edges of both sides, as OGB
    has it.

    Parameters
    ----------
    data : Data
        With ``val_edge``, ``val_edge_neg``, ``test_edge`` and ``test_edge_neg``, int64 [2, m], if it brings one.
    """
    if getattr(data, "test_edge", None) is None:
        return None
    parts = []
    for name in ("val", "test"):
        edges, others = data[f"{name}_edge"], data[f"{name}_edge_neg"]
        pairs = torch.cat([edges, others], 1)
        parts.append(Pairs(pairs, torch.arange(pairs.size(1)) < edges.size(1)))
    graph = training_graph(data, torch.empty(2, 0, dtype=torch.int64))
    return LinkSplit(graph, _undirected(graph.edge_index, data.num_nodes), *parts)


def training_graph(data: Data, held_out: Tensor) -> Data:
    """Take the held-out pairs out of a graph: what is left is what an embedding may see.

    Parameters
    ----------
    data : Data
    held_out : Tensor, int64, shape [2, h]
        Pairs whose edges are left out, in both directions and as often as they are repeated.

    Returns
    -------
    Data
        Of ``x`` (and what made it), ``edge_index`` and ``edge_weight`` alone, where `data` has them; the order of edges
        is kept.

    Notes
    -----
    Edges of held-out pairs have no influence on the result, whether `data` has them or not.
    """
    from torch_geometric.data import Data

    found = _graph(data)
    kept = ~torch.isin(pair_keys(found.edge_index, found.num_nodes), pair_keys(held_out, found.num_nodes))
    graph = Data(edge_index=found.edge_index[:, kept], num_nodes=found.num_nodes)
    if found.x is not None:
        graph.x = data.x  # as it came: what is sparse stays sparse, what is dense stays dense
    for key in ("feature_table", "feature_plan"):
        if getattr(data, key, None) is not None:
            graph[key] = data[key]
    if found.edge_weight is not None:
        graph.edge_weight = found.edge_weight[kept]
    return graph


def link_scores(z: Any, split: LinkSplit, *, seed: int = 0) -> dict[str, dict[str, dict[str, float | None]]]:
    """Score how well an embedding ranks held-out edges before non-edges.

    Parameters
    ----------
    z : Tensor, array or sparse matrix, float, shape [n, d]
        Embedding made from ``split.graph`` alone. That it was cannot be seen from here.
    split : LinkSplit
    seed : int
        Of the trained decoder.

    Returns
    -------
    dict
        For each scorer, "cosine" and "inner" (product) of the end points, without training, and "decoder"
        (`genurl_graph.evaluation.link_decoder`), the figures (`ranking`) of ``val`` and ``test``. The decoder's epoch
        is chosen by the validation AUC, so that its ``val`` figures are flattering; ``test`` is not.

    Raises
    ------
    InputError
        Rows that do not match the nodes, or values that are not finite.
    """
    from sklearn.preprocessing import normalize

    rows = to_scipy_or_numpy(check_matrix(z, "embedding", rows=split.graph.num_nodes)).astype(np.float32)
    unit = normalize(rows)  # a zero row stays one
    parts = {"val": split.val, "test": split.test}
    found = {
        "cosine": {name: inner_products(unit, pairs.edge_index) for name, pairs in parts.items()},
        "inner": {name: inner_products(rows, pairs.edge_index) for name, pairs in parts.items()},
        "decoder": dict(zip(parts, decoder_scores(unit, split.train, split.val, split.test, seed), strict=True)),
    }
    return {
        scorer: {name: ranking(scores[name], pairs.label.numpy()) for name, pairs in parts.items()}
        for scorer, scores in found.items()
    }


def ranking(scores: Any, label: Any) -> dict[str, float | None]:
    """Compute the figures of a ranking of edges and non-edges.

    Parameters
    ----------
    scores : array, float, shape [m]
        Higher means: rather an edge.
    label : array, bool, shape [m]

    Returns
    -------
    dict
        ``auc`` and ``ap`` (scikit-learn's ROC AUC and average precision) and ``hits50``: the share of edges whose score
        is above that of the 50th best non-edge (OGB, arXiv 2005.00687); None where there are fewer than 50 of them.
        OGB's evaluator says 1 there, which would be no result. Shares in [0, 1].
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    edges, others = scores[label], scores[~label]
    hits = None
    if len(others) >= HITS_AT:
        hits = float(np.mean(edges > np.partition(others, -HITS_AT)[-HITS_AT]))
    return {
        "auc": float(roc_auc_score(label, scores)),
        "ap": float(average_precision_score(label, scores)),
        "hits50": hits,
    }


def inner_products(rows: Any, edge_index: Tensor) -> Any:
    """``z_u . z_v`` of pairs, a float32 array [m], a bounded number of products at a time."""
    step = max(1, _ENTRIES // max(rows.shape[1], 1))
    return np.concatenate([hadamard(rows, part).sum(1) for part in torch.split(edge_index, step, 1)])


def pair_keys(edge_index: Tensor, num_nodes: int) -> Tensor:
    """One number, int64 [m], for each unordered pair."""
    return edge_index.min(0).values * num_nodes + edge_index.max(0).values


def _graph(data: Data) -> Any:
    """The data set as `as_input` reads it; InputError where it has no edges."""
    found = as_input(data)
    if found.edge_index is None:
        raise wrong("protocol links", "a data set with no edges", "a graph")
    return found


def _undirected(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Every pair that an edge joins once, the smaller node first, sorted, without self loops."""
    edges: Tensor = coalesce(remove_self_loops(edge_index.sort(0).values)[0], num_nodes=num_nodes)
    return edges


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """As `seeded_globally`, and Python's own generator too, which PyG's negative sampling draws from."""
    state = random.getstate()
    random.seed(seed)
    try:
        with seeded_globally(seed):
            yield
    finally:
        random.setstate(state)
