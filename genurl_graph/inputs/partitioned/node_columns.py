"""What the columns of tables of nodes are: decided on the first rows, then the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns import FeaturePlan
from genurl_graph.inputs.partitioned.blocks import Blocks, check_columns_of
from genurl_graph.inputs.partitioned.manifest import Manifest
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.tables.features import as_columns
from genurl_graph.inputs.tables.label_columns import same_as_labels
from genurl_graph.inputs.tables.labels import is_unlabelled, read_label_column
from genurl_graph.inputs.tables.nodes import read_nodes
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids

# Files that the sample is of, and rows of it: they decide what becomes of columns.
_FILES, _SAMPLE = 8, 100_000
# Characters of an id.
MOST_CHARACTERS = 256


@dataclass(frozen=True)
class NodeColumns:
    """The columns of all tables of nodes.

    Attributes
    ----------
    first : str
        Name of the file that decided.
    id : str
    label : str or None
    features : tuple of str
    plan : FeaturePlan or None
        What x is made by; None: the numbers as they are.
    left_out : dict
        Reason by column.
    """

    first: str
    id: str
    label: str | None
    features: tuple[str, ...]
    plan: FeaturePlan | None
    left_out: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of x."""
        return self.features if self.plan is None else tuple(self.plan.names)

    def ids(self, block: Table) -> npt.NDArray[Any]:
        """Ids [m] of a block, int64 or object (str); InputError where one is missing or very long."""
        check_columns_of(block, [self.id, *([self.label] if self.label else []), *self.features], self.first)
        found = np.asarray(as_ids(block, [self.id])[0])
        if found.dtype == object:
            length = pd.Series(found, dtype=object).str.len().to_numpy()
            if length.max() > MOST_CHARACTERS:
                place = f"{block.name}: {block.where(int(length.argmax()))}, {block.title(self.id)}"
                raise wrong(place, f"an id of {int(length.max()):,} characters", f"at most {MOST_CHARACTERS}")
        return found

    def x(self, block: Table) -> npt.NDArray[np.float32]:
        """Features [m, f] of a block; InputError where a cell is empty and the plan does not say what stands in."""
        frame = as_columns(block, [*self.features])
        if self.plan is not None:
            made = to_scipy_or_numpy(self.plan.apply(frame, block.name))
            return np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=np.float32)
        words = [str(name) for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
        if words:
            found = f"text, such as {str(frame[words[0]].iloc[0])!r}"
            raise wrong(f"{block.name}: {block.title(words[0])}", found, f"numbers, as in {self.first}")
        values: npt.NDArray[np.float32] = frame.to_numpy(np.float32, na_value=np.nan)
        gaps = np.isnan(values)
        if gaps.any():
            row, column = (int(place) for place in np.argwhere(gaps)[0])
            place = f"{block.name}: {block.where(row)}, {block.title(self.features[column])}"
            raise wrong(place, "an empty cell", f"a number: the first rows of {self.first} have no gaps")
        return values

    def labels(self, block: Table) -> tuple[npt.NDArray[np.int64], list[str] | None]:
        """Labels [m] of a block, -1 where there is none, and their names, None for whole numbers from 0."""
        assert self.label is not None
        cells = block.frame[self.label]
        if is_unlabelled(cells).all():
            return np.full(len(cells), -1, dtype=np.int64), None
        y, names, _ = read_label_column(block, self.label)
        return y.numpy(), names


def decide_nodes(blocks: Blocks, options: ReadOptions, like: Manifest | None = None) -> NodeColumns:
    """Decide what the columns of all tables of nodes are, and what becomes of the features, on a sample of rows.

    Features that are to be `like` those of other partitions are the same columns, and made by the same plan.

    Raises
    ------
    InputError
        Without a column of ids, or of features; or where several columns can be the labels.
    """
    first = blocks.first()
    found = read_nodes(first, options, "features")
    said = dict(found.reading.record["features"])
    if said["id"] is None:
        raise wrong(blocks.name, "no column of ids", "one, named by --column id=NAME: rows have no order across files")
    assert found.frame is not None
    if like is not None:
        plan = None if like.plan is None else FeaturePlan.from_dict(like.plan)
        wanted = like.features if plan is None else tuple(column.name for column in plan.used)
        check_columns_of(first, [*wanted], "the partitions that these are to be like")
        others = {str(name): "no feature there" for name in found.frame.columns if name not in wanted}
        left_out = {name: why for name, why in said["left_out"].items() if name not in wanted}
        return NodeColumns(first.name, said["id"], found.label, wanted, plan, left_out | others)
    same = [] if found.y is None else same_as_labels(found.frame, found.y)
    same = [column for column in same if column not in options.names("feature") and len(same) < found.frame.shape[1]]
    chosen = [str(name) for name in found.frame.columns if name not in same]
    left_out = dict(said["left_out"]) | dict.fromkeys(same, "tells the labels in other words")
    # All of few files, some of many: parts may be sorted by anything.
    picked = np.unique(np.linspace(0, len(blocks.files) - 1, _FILES).astype(int))
    frames = []
    for number in picked:
        block = next(blocks.of(blocks.files[number]), None)
        if block is not None:
            check_columns_of(block, [said["id"], *chosen], first.name)
            frames.append(as_columns(block, chosen).head(_SAMPLE // len(picked)))
    sample = pd.concat(frames, ignore_index=True)
    asked = options.names("feature")
    plan = FeaturePlan.fit(sample, scale=options.scale, text=options.text, graph=True, wanted=asked)
    if plan is not None and not plan.names:
        raise wrong(blocks.name, f"no column that can be a feature ({plan.summary()})", "at least one")
    return NodeColumns(first.name, said["id"], found.label, tuple(chosen), plan, left_out)
