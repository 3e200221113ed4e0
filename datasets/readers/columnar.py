"""Tables in columns: Parquet, and Arrow's files, which Feather's are too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genurl_graph.datasets.readers.text.frames import name_columns
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.embeddings import check_parquet, import_parquet
from genurl_graph.inputs.safe_load import physical_memory
from genurl_graph.inputs.tables.table import Table

ARROW_SUFFIXES = (".arrow", ".feather", ".ipc")
COLUMNAR_SUFFIXES = (".parquet", *ARROW_SUFFIXES)

# Rows that are read together.
BLOCK = 500_000

# What pandas calls an index without a name.
_INDEX = "__index_level_0__"


def read_columnar(path: Path) -> Table:
    """Read a Parquet, Arrow or Feather file.

    Parameters
    ----------
    path : Path
        ``.parquet``, ``.arrow``, ``.feather`` or ``.ipc``.

    Returns
    -------
    Table
        Numbers, booleans, text, categories and times keep their kinds; whole numbers with gaps are Int64, decimals
        float64; lists of numbers of one length become a column for each place. What holds no cells, such as
        dictionaries, is left out, with a note.

    Raises
    ------
    InputError
        If the file cannot be read, takes more than half of this machine's memory, or pyarrow is not installed.

    Examples
    --------
    >>> read_columnar(Path("edges.parquet")).frame.dtypes  # doctest: +SKIP
    source    int64
    target    int64
    """
    parquet = import_parquet(path)
    import pyarrow

    try:
        if path.suffix.lower() == ".parquet":
            check_parquet(path)
            content = parquet.read_table(path)
        else:
            content = _read_arrow(path)
        columns, notes = _columns(path, content)
    except (OSError, ValueError, TypeError, NotImplementedError, pyarrow.ArrowException) as error:
        if isinstance(error, InputError):
            raise
        raise wrong(path, f"damage, or what pyarrow cannot read ({error})", f"a {path.suffix.lower()} file") from error
    if not columns:
        raise wrong(path, "no columns", "at least one")
    if not len(content):
        raise wrong(path, "no rows", "at least one (zero nodes)")
    names = [name for name, _ in columns]
    frame = pd.DataFrame(dict(enumerate(column for _, column in columns)), copy=False)
    frame, more = name_columns(path, frame, names)
    return Table(str(path), frame, notes=(*more, *notes))


def read_parquet_blocks(
    path: Path, columns: list[str] | None = None, rows: int = BLOCK, cells: int | None = None
) -> Iterator[Table]:
    """`read_columnar` of a Parquet file in blocks of `rows`, of which only those columns are read that count.

    With `cells`, blocks have about as many, and no more rows than `rows`.

    Raises
    ------
    InputError
        As of `read_columnar`.
    """
    parquet = import_parquet(path)
    import pyarrow

    try:
        with parquet.ParquetFile(path) as file:
            if cells is not None:
                rows = max(1, min(rows, cells // max(1, len(file.schema_arrow if columns is None else columns))))
            yield from _tables(path, file.iter_batches(batch_size=rows, columns=columns))
    except (OSError, TypeError, NotImplementedError, pyarrow.ArrowException) as error:
        raise wrong(path, f"damage, or what pyarrow cannot read ({error})", "a Parquet file") from error


def read_arrow_blocks(path: Path, rows: int = BLOCK) -> Iterator[Table]:
    """`read_columnar` of an Arrow or Feather file in blocks of at most `rows`, of the batches that it holds."""
    import_parquet(path)
    import pyarrow

    try:
        with open(path, "rb") as file:
            batches = (part for batch in _arrow_batches(file) for part in _cut(batch, rows))
            yield from _tables(path, batches)
    except (OSError, TypeError, NotImplementedError, pyarrow.ArrowException) as error:
        raise wrong(path, f"damage, or what pyarrow cannot read ({error})", f"a {path.suffix.lower()} file") from error


def _arrow_batches(file: Any) -> Iterator[Any]:
    from pyarrow import feather, ipc

    magic = file.read(6)
    file.seek(0)
    if magic[:4] == b"FEA1":  # Feather's first version has no batches
        yield from feather.read_table(file).to_batches()
    elif magic == b"ARROW1":
        whole = ipc.open_file(file)
        yield from map(whole.get_batch, range(whole.num_record_batches))
    else:
        yield from ipc.open_stream(file)


def _cut(batch: Any, rows: int) -> Iterator[Any]:
    return (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))


def _tables(path: Path, batches: Iterable[Any]) -> Iterator[Table]:
    import pyarrow

    begin = 0
    for batch in batches:
        found, notes = _columns(path, pyarrow.Table.from_batches([batch]))
        frame = pd.DataFrame(dict(enumerate(column for _, column in found)), copy=False)
        frame, more = name_columns(path, frame, [name for name, _ in found])
        yield Table(str(path), frame, where=_counted(begin), notes=(*more, *notes))
        begin += len(frame)


def _counted(begin: int) -> Callable[[int], str]:
    return lambda row: f"row {begin + row}"


def _read_arrow(path: Path) -> Any:
    from pyarrow import feather, ipc

    with open(path, "rb") as file:
        magic = file.read(6)
        file.seek(0)
        if magic[:4] == b"FEA1":  # Feather's first version, which packs nothing
            return feather.read_table(file)
        if magic != b"ARROW1":
            stream = ipc.open_stream(file)
            return _limited(path, stream, stream.schema)
        # The first column alone tells how many rows there are.
        thin = ipc.open_file(file, options=ipc.IpcReadOptions(included_fields=[0]))
        whole = ipc.open_file(file)
        rows = 0
        for i in range(thin.num_record_batches):
            rows += thin.get_batch(i).num_rows
            _check_size(path, rows * len(whole.schema) * 8)
        return _limited(path, map(whole.get_batch, range(whole.num_record_batches)), whole.schema)


def _limited(path: Path, batches: Any, schema: Any) -> Any:
    import pyarrow

    kept, size = [], 0
    for batch in batches:
        kept.append(batch)
        size += batch.nbytes
        _check_size(path, size)
    return pyarrow.Table.from_batches(kept, schema)


def _check_size(path: Path, size: int) -> None:
    if size > physical_memory() // 2:
        raise wrong(path, f"{size:,} bytes or more", "a table that takes at most half of this machine's memory")


def _columns(path: Path, content: Any) -> tuple[list[tuple[str, pd.Series]], list[str]]:
    """Columns by name; the same name may come twice."""
    columns: list[tuple[str, pd.Series]] = []
    notes = []
    for name, column in zip(content.column_names, content.columns, strict=True):
        name = "index" if name == _INDEX and "index" not in content.column_names else name
        parts = _split_lists(column)
        if parts is not None:
            columns += [(f"{name}_{i}", part) for i, part in enumerate(parts)]
            continue
        found = _convert(column)
        if found is None:
            notes.append(f"column {name!r} left out ({column.type})")
        else:
            columns.append((name, found))
    return columns, notes


def _convert(column: Any) -> pd.Series | None:
    """A column of Arrow as one of pandas; None where it holds no plain cells."""
    import pyarrow
    from pyarrow import types

    kind = column.type
    if types.is_nested(kind):
        return None
    if types.is_decimal(kind):
        column = _from_decimals(column)
    elif types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        column = column.cast("large_binary").cast("large_string")
    elif types.is_float16(kind):
        column = column.cast("float32")
    mapper = None
    if column.null_count:
        # Otherwise whole numbers become floats, which are exact up to 2**53 only, and booleans objects.
        if types.is_integer(kind) and not types.is_uint64(kind):
            column = column.cast("int64")
        nullable = {pyarrow.int64(): pd.Int64Dtype(), pyarrow.uint64(): pd.UInt64Dtype()}
        mapper = {**nullable, pyarrow.bool_(): pd.BooleanDtype()}.get
    found = column.to_pandas(types_mapper=mapper, date_as_object=False, deduplicate_objects=True)
    return pd.Series(found.array)


def _from_decimals(column: Any) -> Any:
    """Whole numbers stay whole: int64, or text where int64 does not hold them."""
    import pyarrow

    if column.type.scale > 0:
        return column.cast("float64")
    try:
        return column.cast("int64")
    except pyarrow.ArrowInvalid:
        return column.cast("string")


def _split_lists(column: Any) -> list[pd.Series] | None:
    """The columns that a column of lists of numbers, all of one length, stands for."""
    import pyarrow
    from pyarrow import compute, types

    kind = column.type
    if not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return None
    inner = kind.value_type
    if not (types.is_integer(inner) or types.is_floating(inner)) or column.null_count:
        return None
    lengths = compute.unique(compute.list_value_length(column)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:
        return None
    flat = compute.list_flatten(column)
    if isinstance(flat, pyarrow.ChunkedArray):
        flat = flat.combine_chunks()
    values = np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(-1, lengths[0])
    return [pd.Series(values[:, i]) for i in range(lengths[0])]
