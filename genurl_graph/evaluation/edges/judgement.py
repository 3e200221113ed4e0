"""The protocol `edges`: F1 of a logistic regression on the rows of edges, and of the rows beside it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.evaluation.edges.blocks import block_split, edge_split, first_split, space_blocks
from genurl_graph.evaluation.edges.figures import BLOCKS, FIGURES, GIVEN, LABEL_READERS
from genurl_graph.evaluation.edges.references import label_propagation, line_means, majority
from genurl_graph.evaluation.probe import probe_predictions
from genurl_graph.evaluation.splits import Split, labels_of
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows import EdgeSet
from genurl_graph.inputs.validation import check_matrix

Figures = dict[str, float | None]


class EdgeJudge:
    """Judges any number of rows of the same edges, each seed by splits that all rows share.

    Parameters
    ----------
    data : EdgeSet
        With labels; with `middle` for the splits by blocks.
    blocks : int, optional
        How many blocks of space; by default `BLOCKS`, or none where it is not known where the edges lie.

    Raises
    ------
    InputError
        No labels, too few of them, more blocks than positions, or `blocks` of edges that lie nobody knows where.

    Examples
    --------
    >>> judge = EdgeJudge(data)  # doctest: +SKIP
    >>> judge.embedding(estimator.embedding_, seed=0)  # doctest: +SKIP
    {'micro': 0.85, 'macro': 0.83, 'blocks_micro': 0.7, 'blocks_macro': 0.6}
    """

    def __init__(self, data: EdgeSet, blocks: int | None = None) -> None:
        if blocks is not None and data.middle is None:
            raise wrong("blocks of space", "edges without coordinates", "edges with coordinates")
        self.data, self.y = data, labels_of(data)
        self.blocks = None if data.middle is None else blocks or BLOCKS
        self.block = None if self.blocks is None else space_blocks(data.middle, self.blocks)
        self.splits(0)  # before any long work: labels that are too few

    @property
    def first(self) -> str:
        """Which split the first figures are of: "given" or "random"."""
        return first_split(self.data)

    @property
    def left_out(self) -> list[str]:
        """What there are no figures of, in words."""
        return [] if self.block is not None else ["no blocks of space: it is not known where the edges lie"]

    def splits(self, seed: int) -> tuple[Split, Split | None]:
        """The split that came with the edges, or a random one, and the one by blocks."""
        blocks = None if self.block is None else block_split(self.block, self.y, seed)
        return edge_split(self.data, seed), blocks

    def embedding(self, z: Any, seed: int, earlier: Figures | None = None) -> Figures:
        """Figures of an embedding [m, d]; with `earlier` ones of the same rows, only those that a seed changes."""
        features = np.asarray(check_matrix(z, "embedding", rows=len(self.y)))
        known = earlier if self.first == "given" else None
        return self._figures(seed, lambda split: probe_predictions(features, self.y, split, "public"), known)

    def reader(self, name: str, seed: int) -> Figures:
        """Figures of one of `LABEL_READERS`, which are told labels of training edges."""
        assert name in LABEL_READERS
        if name == "majority":
            return self._figures(seed, lambda split: majority(self.y, split))
        return self._figures(seed, lambda split: label_propagation(self.means, self.y, split))

    @cached_property
    def means(self) -> Any:
        """The line graph, rows that sum to 1."""
        return line_means(self.data)

    def _figures(self, seed: int, predict: Any, earlier: Figures | None = None) -> Figures:
        first, blocks = self.splits(seed)
        found: Figures = dict.fromkeys(FIGURES)
        if earlier is None:
            found |= f1_scores(self.y, predict(first), first)
        else:
            found |= {key: earlier[key] for key in GIVEN}
        if blocks is not None:
            found |= {f"blocks_{key}": value for key, value in f1_scores(self.y, predict(blocks), blocks).items()}
        return found


def f1_scores(y: npt.NDArray[Any], predicted: npt.NDArray[Any], split: Split) -> dict[str, float | None]:
    """Micro F1, which of one label an edge is the accuracy, and macro F1, on the test edges of a split.

    Examples
    --------
    >>> y, test = np.array([0, 0, 0, 1]), np.arange(4)
    >>> f1_scores(y, np.zeros(4, int), Split(test, test, test))
    {'micro': 0.75, 'macro': 0.42857142857142855}
    """
    from sklearn.metrics import f1_score

    own, guess = y[split.test], predicted[split.test]
    return {each: float(f1_score(own, guess, average=each, zero_division=0)) for each in GIVEN}
