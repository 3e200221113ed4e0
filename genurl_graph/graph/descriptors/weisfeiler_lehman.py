"""Weisfeiler-Lehman labels of a whole collection of graphs, and their histograms.

A round gives each node a new label, by its own one and the multiset of those of its neighbours (Weisfeiler & Lehman
1968; Shervashidze et al., JMLR 12, 2011: the subtree kernel is the inner product of the histograms of all rounds).
Labels are 64-bit hashes of what they stand for. The multiset enters as the sum of random-like numbers, so that no order
of nodes matters, and a label is the same number in every collection. Of m different labels, two get the same number
with a probability of about m² / 2^65: 3e-10 for 100,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.descriptors.content import Content, Numbers
from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.hashing import mix

_OWN, _ROUND = np.uint64(0x2545F4914F6CDD1D), np.uint64(0x9E3779B97F4A7C15)


class WLVocabulary(NamedTuple):
    """The labels that are columns of a histogram.

    Attributes
    ----------
    content : Content
        What a node's first label is made of, and whether edges have kinds.
    labels : Tensor, int64, shape [v]
        Of round 0, then of round 1, ..., each ascending.
    round_ptr : Tensor, int64, shape [iterations + 2]
        Labels of round t are ``labels[round_ptr[t]:round_ptr[t + 1]]``.
    """

    content: Content
    labels: Tensor
    round_ptr: Tensor

    @property
    def iterations(self) -> int:
        """Rounds after the first labels."""
        return len(self.round_ptr) - 2

    @classmethod
    def of(cls, collection: GraphCollection, iterations: int, fewest: int = 1, most: int | None = None) -> WLVocabulary:
        """Labels of a collection.

        Parameters
        ----------
        collection : GraphCollection
        iterations : int
            Rounds, at least 0.
        fewest : int
            Graphs that a label is in at least.
        most : int, optional
            Labels that are kept at most, those in the most graphs; of the last number of graphs all or none.

        Raises
        ------
        InputError
            Fewer than 0 rounds.
        """
        if iterations < 0:
            raise wrong("iterations", iterations, "an integer >= 0")
        content = Content.of(collection)
        kept = []
        for counts in label_counts(collection, content, iterations):
            labels, graphs = torch.unique(counts.label, return_counts=True)
            kept.append((labels[graphs >= fewest], graphs[graphs >= fewest]))
        everywhere = torch.cat([graphs for _, graphs in kept])
        if most is not None and len(everywhere) > most:
            bound = everywhere.sort(descending=True).values[most]
            kept = [(labels[graphs > bound], graphs) for labels, graphs in kept]
        ptr = torch.tensor([0, *(len(labels) for labels, _ in kept)]).cumsum(0)
        return cls(content, torch.cat([labels for labels, _ in kept]), ptr)

    def histogram(self, collection: GraphCollection, logarithms: bool = False) -> WLHistogram:
        """Counts of the labels in each graph, of this or of another collection, with the same columns.

        `logarithms`: log(1 + count) in place of each count.
        """
        length = collection.num_graphs
        squares, unknown = (torch.zeros(length, dtype=torch.float64) for _ in range(2))
        rows, columns, values = [], [], []
        for t, counts in enumerate(label_counts(collection, self.content, self.iterations)):
            first, last = self.round_ptr[t : t + 2].tolist()
            at = torch.searchsorted(self.labels[first:last], counts.label)
            known = at < last - first
            known[known.clone()] = self.labels[first + at[known]] == counts.label[known]
            value = counts.times.double()
            value = value.log1p() if logarithms else value
            rows.append(counts.graph[known])
            columns.append(at[known] + first)
            values.append(value[known])
            squares.index_add_(0, counts.graph, value.square())
            unknown.index_add_(0, counts.graph[~known], counts.times[~known].double())
        place = torch.cat(rows).numpy(), torch.cat(columns).numpy()
        matrix = sp.csr_array((torch.cat(values).numpy(), place), shape=(length, len(self.labels)))
        matrix.sort_indices()
        return WLHistogram(matrix, squares, unknown)

    def tensors(self) -> dict[str, Tensor]:
        """What `restored` takes, for safetensors."""
        return {"nodes": self.content.nodes, "edges": self.content.edges, "labels": self.labels, "ptr": self.round_ptr}

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor]) -> WLVocabulary:
        """The vocabulary out of `tensors`."""
        return cls(Content(tensors["nodes"], tensors["edges"]), tensors["labels"], tensors["ptr"])


class WLHistogram(NamedTuple):
    """Labels of each graph.

    Attributes
    ----------
    counts : SciPy CSR, float64, shape [G, v]
        How often a graph has each label of the vocabulary.
    squares : Tensor, float64, shape [G]
        Sum of the squares of a graph's counts, also of labels that the vocabulary lacks: the kernel of the graph with
        itself.
    unknown : Tensor, float64, shape [G]
        Nodes, of all rounds, whose label the vocabulary lacks.
    """

    counts: sp.csr_array
    squares: Tensor
    unknown: Tensor


class LabelCounts(NamedTuple):
    """Labels of one round, each once for each graph that has it, by graph and label; all int64 [m]."""

    graph: Tensor
    label: Tensor
    times: Tensor


def wl_histogram(collection: GraphCollection, iterations: int = 4) -> tuple[sp.csr_array, WLVocabulary]:
    """Counts of the Weisfeiler-Lehman labels of all rounds, and which label each column is.

    Parameters
    ----------
    collection : GraphCollection
        Features of whole numbers are the first labels; where there are none, degrees. Edge attributes of whole numbers
        and at most `MOST_EDGE_KINDS` kinds enter the refinement.
    iterations : int
        Rounds, at least 0.

    Returns
    -------
    SciPy CSR, float64, shape [G, v]
        ``H @ H.T`` is the subtree kernel.
    WLVocabulary
        ``vocabulary.histogram(new).counts`` has the same columns.

    Examples
    --------
    >>> counts, vocabulary = wl_histogram(as_collection([path, triangle]).graphs, iterations=1)
    """
    vocabulary = WLVocabulary.of(collection, iterations)
    return vocabulary.histogram(collection).counts, vocabulary


def refined(collection: GraphCollection, content: Content, iterations: int) -> Iterator[Numbers]:
    """Label of each node in each round, uint64 [N], from round 0 on. Time O(iterations (N + E)), memory O(N + E)."""
    source, target = collection.edge_index
    edges = content.edge_hashes(collection)
    label = content.node_hashes(collection)
    yield label
    for t in range(iterations):
        sent = mix(label)[source.numpy()] if edges is None else mix(label[source.numpy()] ^ edges)
        received = torch.zeros(len(label), dtype=torch.int64)
        received.index_add_(0, target, torch.from_numpy(sent.view(np.int64)))
        with np.errstate(over="ignore"):
            label = mix(mix(label ^ _OWN) + received.numpy().view(np.uint64) + np.uint64(t) * _ROUND)
        yield label


def label_counts(collection: GraphCollection, content: Content, iterations: int) -> Iterator[LabelCounts]:
    """How often each graph has each label, round by round."""
    graph = collection.graph_of_node().numpy()
    for hashes in refined(collection, content, iterations):
        label = hashes.view(np.int64)
        order = np.lexsort((label, graph))
        label, of = label[order], graph[order]
        begins = np.ones(len(label), dtype=bool)
        begins[1:] = (label[1:] != label[:-1]) | (of[1:] != of[:-1])
        first = np.flatnonzero(begins)
        count = np.diff(first, append=len(label))
        yield LabelCounts(*(torch.from_numpy(found) for found in (of[first], label[first], count)))
