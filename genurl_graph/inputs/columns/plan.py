"""What becomes of every feature column: decided once, on the fitted rows, and kept in the model.

Numbers are standardised, or left as they are; yes/no becomes 1/0, words become one-hot categories, dates become days
and their place in the year and the week; missing cells are imputed, with an indicator. Ids, constants and text are left
out. The encoded columns of one raw column have variance 1 all together: a variable of fifty categories outweighs no
number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.config.choices import ScaleName, TextName, words
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.columns.column import Column, How
from genurl_graph.inputs.columns.encode import hashed_counts, make_transformer, typed_cells
from genurl_graph.inputs.columns.kinds import BAG_COLUMNS, is_far, matrix_kind
from genurl_graph.inputs.columns.learn import is_id, is_id_name, learn_column
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix

SCALES, TEXTS = words(ScaleName), words(TextName)
# Columns of hashed text.
TEXT_COLUMNS = 256
# Columns that the summary names; the others are counted.
MOST_NAMED = 8
# Entries up to which a sparse matrix is made dense to be standardised.
MOST_DENSE = 50_000_000


@dataclasses.dataclass(frozen=True)
class FeaturePlan:
    """The columns of a table in order, each with what becomes of it.

    Attributes
    ----------
    columns : tuple of Column
    named : bool
        Whether the names are the user's, of a DataFrame or file; a matrix has numbers.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [20.0, 45.0, 31.0], "country": ["DE", "FR", "DE"], "one": [1, 1, 1]})
    >>> plan = FeaturePlan.fit(table)
    >>> plan.lines()[1:]
    ['country: 2 categories, one-hot', 'one: left out, constant']
    >>> plan.apply(table, "table").shape
    torch.Size([3, 3])
    """

    columns: tuple[Column, ...]
    named: bool = True

    @classmethod
    def fit(
        cls,
        source: Any,
        *,
        scale: str = "auto",
        text: str = "drop",
        names: Sequence[str] | None = None,
        ids: Collection[str] | None = None,
        wanted: Collection[str] = (),
        graph: bool = False,
    ) -> FeaturePlan | None:
        """Decide what becomes of the columns of `source`.

        Parameters
        ----------
        source : DataFrame, array, SciPy matrix or Tensor, [n, f]
            Raw columns, of which cells may be missing; or numbers.
        scale : "auto", "columns" or "none"
            Numbers are standardised where some columns are none, or where they are in different units
            (`genurl_graph.inputs.columns.kinds`); always; or never, but numbers that are many deviations from zero are
            centred all the same.
        text : "drop" or "tfidf"
            Text is left out, or hashed to 256 columns.
        names : sequence of str, optional
            Of the columns of a matrix.
        ids : collection of str, optional
            Columns that are known to hold ids.
        wanted : collection of str
            Columns that the user has named as features: they hold no ids, whatever they look like.
        graph : bool
            Whether the rows are nodes with edges: fewer than 16 columns are then standardised.

        Returns
        -------
        FeaturePlan or None
            None where the numbers are to be read as they are.

        Raises
        ------
        InputError
            No matrix, or infinite numbers.
        """
        if not isinstance(source, pd.DataFrame):
            matrix = check_matrix(source, "x", empty=True)
            how = _matrix_fate(matrix, scale, graph)
            if how is None or not all(matrix.shape):
                return None
            return cls._of_matrix(_frame(matrix, names), how, names is not None)
        frame = _named(source)
        plain = [name for name in frame if _is_plain(frame[name])]
        free = [name for name in plain if name not in wanted]
        known = [name for name in free if name in (ids or ()) or is_id(name, frame[name].to_numpy(dtype=np.float64))]
        if 1 < len(known) == frame.shape[1] and not any(map(is_id_name, known)) and not ids:
            known, wanted = [], known  # columns that count alike are measured, or nothing would be left
        if len(plain) < frame.shape[1]:
            how = "as it is" if scale == "none" else "standardised"
        else:
            kept = frame.drop(columns=known).to_numpy(dtype=np.float64)
            check_matrix(kept, "x", empty=True)
            fate = _matrix_fate(kept, scale, graph)
            if fate is None and not known:
                return None
            how = fate or "as it is"
        learned = [learn_column(n, frame[n], how, None if n in wanted else n in (ids or ())) for n in frame]
        if len(plain) == frame.shape[1] and how != "standardised":
            learned = [_as_number(c, frame[c.name], how) for c in learned]
        return cls._weighed(learned, frame, text)

    @classmethod
    def _of_matrix(cls, frame: pd.DataFrame, how: How, named: bool) -> FeaturePlan:
        learned = [learn_column(name, frame[name], how) for name in frame]
        # Nothing says that a column of a matrix is an id, and 0 and 1 are numbers as others are.
        return cls._weighed([_as_number(c, frame[c.name], how) for c in learned], frame, "drop", named)

    @classmethod
    def _weighed(cls, columns: list[Column], frame: pd.DataFrame, text: str, named: bool = True) -> FeaturePlan:
        if text == "tfidf":
            columns = [_with_idf(c, frame[c.name]) if c.kind == "text" else c for c in columns]
        bare = cls(tuple(columns), named)
        encoded, found, start = bare._encode(frame, "features"), [], 0
        for column in columns:
            own = encoded[:, start : start + len(column.names)]
            start += len(column.names)
            weigh = column.is_used and (column.kind != "number" or column.how == "standardised")
            found.append(dataclasses.replace(column, weights=_weights(own)) if weigh else column)
        return cls(tuple(found), named)

    @property
    def used(self) -> list[Column]:
        """The columns that features are made of."""
        return [column for column in self.columns if column.is_used]

    @property
    def names(self) -> list[str]:
        """Names of the encoded columns."""
        return [name for column in self.columns for name in column.names]

    @property
    def groups(self) -> list[str]:
        """Of each encoded column, the raw one that it was made of."""
        return [column.name for column in self.columns for _ in column.names]

    @property
    def is_scaled(self) -> bool:
        """Whether the encoded columns have comparable scales already."""
        return any(column.kind != "number" or column.how == "standardised" for column in self.used)

    def lines(self) -> list[str]:
        """What becomes of each raw column, one line each."""
        return [column.line() for column in self.columns]

    def summary(self) -> str:
        """The same in one line: ``features: age, income (standardised); left out: const (constant)``."""
        used = _listed([(c.name, c.brief()) for c in self.used]) or "none"
        rest = _listed([(c.name, c.brief()) for c in self.columns if not c.is_used])
        return f"features: {used}" + (f"; left out: {rest}" if rest else "")

    def apply(self, source: Any, what: str = "x") -> Tensor:
        """The encoded columns of raw rows: of those of the fit, or of others.

        Parameters
        ----------
        source : DataFrame, array, SciPy matrix or Tensor, [n, f]
            The columns of a DataFrame may be in another order, beside others; those that were left out may be absent.
        what : str
            Name of the argument or file, for messages.

        Returns
        -------
        Tensor, float32, shape [n, len(names)]
            Strided, or CSR where few entries are not zero. The same bits for a row whatever comes with it.

        Raises
        ------
        InputError
            A column that is missing, or that holds other cells than in the fit.
        """
        frame = self._frame(source, what)
        return as_features(self._encode(frame, what), what)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: names, decisions and learned constants."""
        return {"named": self.named, "columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> FeaturePlan:
        """The plan that `to_dict` wrote; InputError where it is none."""
        try:
            columns, named = tuple(map(Column.from_dict, found["columns"])), bool(found["named"])
        except (KeyError, TypeError) as error:
            raise wrong("plan of the features", f"no {error}", "what FeaturePlan.to_dict wrote") from error
        return cls(columns, named)

    @cached_property
    def _transformer(self) -> Any:
        return make_transformer(self.used)

    def _encode(self, frame: pd.DataFrame, what: str) -> Any:
        """Array or SciPy matrix, float64 [n, len(names)]."""
        if not self.used or not len(frame):
            return np.zeros((len(frame), len(self.names)))
        typed = pd.DataFrame({c.name: typed_cells(c, frame[c.name], what) for c in self.used})
        encoded = self._transformer.transform(typed)
        return encoded.tocsc() if hasattr(encoded, "tocsc") else np.asarray(encoded)

    def _frame(self, source: Any, what: str) -> pd.DataFrame:
        """`source` with the columns that are used, each once."""
        wanted = [column.name for column in self.used]
        if isinstance(source, pd.DataFrame):
            frame = _named(source)
            if not self.named and frame.shape[1] == len(self.columns):
                return frame.set_axis([column.name for column in self.columns], axis=1)
            lacking = [name for name in wanted if name not in frame]
            if lacking:
                raise wrong(f"{what}: columns", f"no {', '.join(map(repr, lacking))}", ", ".join(map(repr, wanted)))
            return frame
        if not hasattr(source, "layout") and not hasattr(source, "tocsr"):
            source = np.asarray(source)
        if source.ndim != 2 or source.shape[1] != len(self.columns):
            found = f"{source.shape[1]} features" if source.ndim == 2 else f"shape {list(source.shape)}"
            raise InputError(f"{what}: found {found}; the model was fitted on {len(self.columns)}")
        if getattr(source.dtype, "kind", "") == "O":
            return pd.DataFrame(source, columns=[column.name for column in self.columns])
        return _frame(check_matrix(source, what, empty=True), [column.name for column in self.columns])


def _matrix_fate(matrix: Any, scale: str, graph: bool) -> How | None:
    """What is to be done with a matrix of numbers; None: nothing."""
    if not all(matrix.shape):
        return None
    sparse = hasattr(matrix, "tocsr") or (isinstance(matrix, Tensor) and matrix.layout != torch.strided)
    if sparse and matrix.shape[0] * matrix.shape[1] > MOST_DENSE:
        return None
    if scale == "columns" or (scale == "auto" and graph and matrix.shape[1] < BAG_COLUMNS):
        return "standardised"
    kind = matrix_kind(matrix)
    if kind == "units" and scale == "auto":
        return "standardised"
    # Not a matter of scales: float32 would lose their differences.
    return "centred" if kind != "bag" and not sparse and is_far(matrix) else None


def _frame(matrix: Any, names: Sequence[str] | None) -> pd.DataFrame:
    """A matrix as a table of float64 columns."""
    found = to_scipy_or_numpy(matrix)
    dense = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
    titles = [str(i + 1) for i in range(dense.shape[1])] if names is None else [*map(str, names)]
    return pd.DataFrame(dense.astype(np.float64, copy=False), columns=titles)


def _named(source: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns are named by str, each name once."""
    names = [*map(str, source.columns)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise wrong("table", f"two columns named {twice!r}", "each name once")
    return source.set_axis(names, axis=1).reset_index(drop=True)


def _is_plain(cells: pd.Series[Any]) -> bool:
    """Whether a column holds nothing but numbers."""
    return cells.dtype.kind in "iufb" and not bool(cells.isna().any())


def _as_number(column: Column, cells: pd.Series[Any], how: How) -> Column:
    """A column among numbers alone: 0 and 1 are no flags there, and where nothing is standardised constants stay."""
    if column.kind == "number" or (column.kind == "out" and "id" in column.why):
        return column
    if column.kind == "out" and how == "standardised":
        return column
    values = cells.to_numpy(dtype=np.float64)
    return Column(column.name, "number", how=how, centre=float(np.median(values)))


def _with_idf(column: Column, cells: pd.Series[Any]) -> Column:
    """A column of text with the inverse document frequencies of its hashed words."""
    counts = hashed_counts(typed_cells(column, cells, "features"), TEXT_COLUMNS)
    found = np.log((1 + counts.shape[0]) / (1 + counts.getnnz(axis=0))) + 1
    return dataclasses.replace(column, idf=tuple(found.tolist()))


def _weights(encoded: Any) -> tuple[float, ...]:
    """One weight for the encoded columns [n, c] of a raw one: their variance is 1 all together."""
    dense = encoded.toarray() if hasattr(encoded, "toarray") else np.asarray(encoded)
    # Sorted: sums that do not depend on the order of the rows.
    total = float(np.sort(dense, axis=0).var(axis=0).sum()) if len(dense) else 0.0
    return (1 / total**0.5 if total > 0 else 1.0,)


def _listed(columns: list[tuple[str, str]]) -> str:
    """Columns with what becomes of them, those alike together: "age, income (standardised), joined (date)"."""
    alike: dict[str, list[str]] = {}
    for name, brief in columns:
        alike.setdefault(brief, []).append(name)
    parts = []
    for brief, names in alike.items():
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED + 1 else ""
        parts.append(f"{', '.join(names[: MOST_NAMED if more else None])}{more} ({brief})")
    return ", ".join(parts)
