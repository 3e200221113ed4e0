"""`GraphDescriptors`: one row a graph without any training, with the same columns for later graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.graph.descriptors.statistics import degree_histogram, label_histogram, size_and_degree
from genurl_graph.graph.descriptors.weisfeiler_lehman import WLVocabulary
from genurl_graph.graph.projection import equal_variance_axes, principal_axes
from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.sparse import from_scipy

# Rounds, components of each block, and labels that become columns: a label of one graph is near to no other graph.
ITERATIONS, COMPONENTS, FEWEST_GRAPHS, MOST_LABELS = 4, 128, 2, 1 << 16
# A property of the data, no run's.
SEED = 0
BLOCKS = ("wl", "statistics")


class Block(NamedTuple):
    """A matrix to coordinates: ``scale * (matrix @ axes - mean)``.

    Attributes
    ----------
    axes : Tensor, float32, shape [v, p]
    mean : Tensor, float32, shape [p]
    """

    axes: Tensor
    mean: Tensor

    @classmethod
    def of(cls, matrix: sp.csr_array, components: int) -> Block:
        """Leading principal components, turned to one variance, whose mean squared row length is 1."""
        count = min(components, *matrix.shape)
        if not matrix.nnz:
            return cls(torch.zeros(matrix.shape[1], 0), torch.zeros(0))
        axes = principal_axes(from_scipy(matrix), count, SEED).axes
        turned, mean = equal_variance_axes(torch.from_numpy(matrix @ axes.numpy()), axes.size(1))
        scale = axes.size(1) ** -0.5
        return cls((axes @ turned * scale).float(), (mean * scale).float())

    def rows(self, matrix: sp.csr_array) -> Tensor:
        """Coordinates, float32 [n, p]; in float64 and row by row, so that none depends on the others."""
        return (torch.from_numpy(matrix @ self.axes.double().numpy()) - self.mean.double()).float()


class GraphDescriptors(NamedTuple):
    """Rows for the search of near graphs, and columns beside trained ones.

    Two blocks, each of mean squared row length 1:

    * ``wl``: principal components of log(1 + count) of Weisfeiler-Lehman labels (`WLVocabulary`), rows of unit length
      before, so that a distance is one of cosines. Kinds of edges do not enter: they make labels rare, and the encoder
      reads them (the kernel alone, with them: MUTAG 87.1 becomes 84.8, PTC_MR 63.7 becomes 61.6);
    * ``statistics``: principal components of the standardised logarithms of the histograms of labels and degrees, of
      shares of labels, and of `size_and_degree`.

    No label of a graph enters, and no seed. The row of a graph has the same bits whatever comes with it.

    Attributes
    ----------
    vocabulary : WLVocabulary
    wl, statistics : Block
    deviation : Tensor, float32, shape [s]
        One over the deviation of each statistic; 0 where there is none.

    Examples
    --------
    >>> fitted = GraphDescriptors.fit(collection)
    >>> fitted.rows(new).shape[1] == fitted.rows(collection).shape[1]
    True
    """

    vocabulary: WLVocabulary
    wl: Block
    statistics: Block
    deviation: Tensor

    @classmethod
    def fit(
        cls, collection: GraphCollection, iterations: int = ITERATIONS, components: int = COMPONENTS
    ) -> GraphDescriptors:
        """Find the columns of a collection.

        Parameters
        ----------
        collection : GraphCollection
        iterations : int
            Rounds of the refinement, at least 0.
        components : int
            Columns of each block at most.
        """
        bare = collection._replace(edge_attr=None)
        vocabulary = WLVocabulary.of(bare, iterations, FEWEST_GRAPHS, MOST_LABELS)
        found = statistics_of(collection)
        spread = found.std(0, correction=0)
        deviation = torch.where(spread > 1e-9 * found.abs().amax(0), 1 / spread, 0.0).float()
        return cls(
            vocabulary,
            Block.of(unit_histogram(vocabulary, collection), components),
            Block.of(_scaled(found, deviation), components),
            deviation,
        )

    @property
    def blocks(self) -> dict[str, slice]:
        """Columns of each block."""
        middle = len(self.wl.mean)
        return {"wl": slice(0, middle), "statistics": slice(middle, middle + len(self.statistics.mean))}

    def rows(self, collection: GraphCollection) -> Tensor:
        """One row a graph, float32 [G, D], of the fitted collection or of new graphs."""
        wl = self.wl.rows(unit_histogram(self.vocabulary, collection))
        return torch.cat([wl, self.statistics.rows(_scaled(statistics_of(collection), self.deviation))], 1)

    def unknown(self, collection: GraphCollection) -> Tensor:
        """Share of the labels of each graph, over all rounds, that the vocabulary lacks, float64 [G]."""
        nodes = collection.sizes() * (self.vocabulary.iterations + 1)
        return self.vocabulary.histogram(collection).unknown / nodes.clamp_min(1)

    def tensors(self) -> dict[str, Tensor]:
        """What `restored` takes, for safetensors."""
        found = {f"vocabulary.{name}": tensor for name, tensor in self.vocabulary.tensors().items()}
        for name in BLOCKS:
            found |= {f"{name}.{part}": tensor for part, tensor in getattr(self, name)._asdict().items()}
        return {name: tensor.contiguous() for name, tensor in (found | {"deviation": self.deviation}).items()}

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor]) -> GraphDescriptors:
        """The descriptors out of `tensors`."""
        parts = {name: tensors[f"vocabulary.{name}"] for name in ("nodes", "edges", "labels", "ptr")}
        wl, statistics = (Block(tensors[f"{name}.axes"], tensors[f"{name}.mean"]) for name in BLOCKS)
        return cls(WLVocabulary.restored(parts), wl, statistics, tensors["deviation"])


def unit_histogram(vocabulary: WLVocabulary, collection: GraphCollection) -> sp.csr_array:
    """Logarithms of the counts of labels, rows of unit length; labels that the vocabulary lacks count in the length."""
    found = vocabulary.histogram(collection, logarithms=True)
    lengths = found.squares.clamp_min(torch.finfo(torch.float64).tiny).rsqrt()
    return sp.csr_array(found.counts.multiply(lengths.numpy()[:, None]))


def statistics_of(collection: GraphCollection) -> Tensor:
    """All statistics of each graph, float64 [G, s]: logarithms, so that large graphs do not stand alone, and shares."""
    labels, sizes = label_histogram(collection), size_and_degree(collection)
    counts = torch.cat([labels, degree_histogram(collection), sizes], 1)
    return torch.cat([counts.sign() * counts.abs().log1p(), labels / sizes[:, :1].clamp_min(1)], 1)


def _scaled(statistics: Tensor, deviation: Tensor) -> sp.csr_array:
    return sp.csr_array((statistics * deviation.double()).numpy())
