"""Files of triples: a table with head, relation and tail, or a folder of a split; and those of features of entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genurl_graph.datasets.readers.checks import as_features
from genurl_graph.datasets.readers.columnar import COLUMNAR_SUFFIXES
from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.events import first_block
from genurl_graph.datasets.readers.formats import find_format
from genurl_graph.datasets.readers.formats.pyg import load_pt, read_pt
from genurl_graph.datasets.readers.node_tables import (
    FEATURE_SUFFIXES,
    TEXT_SUFFIXES,
    read_any_table,
    read_features,
    read_labels,
)
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.safe_load import load_archive
from genurl_graph.inputs.tables.assemble import check_columns as check_table_columns
from genurl_graph.inputs.tables.cells import is_whole
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.nodes import NodeTable
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import kind_of
from genurl_graph.inputs.triples.columns import ROLES, find_triple_columns, holds_triples, is_triple_header
from genurl_graph.inputs.triples.modalities import TableLike, as_node_table, attach_modalities
from genurl_graph.inputs.triples.objects import from_data, from_hetero
from genurl_graph.inputs.triples.tables import read_triple_tables
from genurl_graph.inputs.triples.triple_set import TripleSet

# Names of the files of a split, without their suffix.
SPLIT = {
    "train": ("train", "training"),
    "valid": ("valid", "val", "validation", "dev"),
    "test": ("test", "testing"),
}
TABLES = (*TEXT_SUFFIXES, *COLUMNAR_SUFFIXES)
# Names and features in an archive, as `embed` writes them or as others do.
NAMED = (("node_id", "embedding"), ("node_id", "x"), ("id", "x"), ("ids", "x"))
PLACES = {role: (str(place),) for place, role in enumerate(ROLES, start=1)}


def read_triple_data(
    path: Path,
    features: Path | None = None,
    labels: Path | None = None,
    options: ReadOptions = NOTHING_SAID,
) -> TripleSet:
    """Triples of files, with the features of their entities.

    Parameters
    ----------
    path : Path
        As of `read_triple_files`; or PyG's ``.pt`` with a ``HeteroData``, or with a ``Data`` that has ``edge_type``.
    features : Path, optional
        A table or matrix of features with the names of entities, or a folder of such, one for each modality, which is
        called as its file.
    labels : Path, optional
        A table with the names and labels of entities.
    options : ReadOptions
        Columns by role, of all these files.

    Raises
    ------
    InputError
        For a file that cannot be read in full, or a column that no file has.
    """
    beside = replace(options, columns={role: held for role, held in options.columns.items() if role not in ROLES})
    tables = {} if features is None else read_modalities(features, beside)
    known = None if labels is None else read_labels(labels, beside)
    if path.is_file() and find_format(path) == ".pt":
        triples = _of_pt(path, options)
        check_columns(replace(beside, reading=None), [*tables.values(), known])
    else:
        triples = read_triple_files(path, options, [*tables.values(), known])
    return attach_modalities(triples, tables, known, beside)


def read_modalities(path: Path, options: ReadOptions = NOTHING_SAID) -> dict[str, TableLike]:
    """Features of entities by the name of their file: one, or those of a folder.

    Raises
    ------
    InputError
        A folder without such files, or with two of one name.
    """
    if not path.is_dir():
        return {path.name.partition(".")[0]: _modality(path, options)}
    files = [file for file in sorted(path.iterdir()) if file.is_file() and plain_suffix(file) in FEATURE_SUFFIXES]
    if not files:
        raise wrong(f"features: {path}", "a folder without tables", f"files of {', '.join(FEATURE_SUFFIXES)}")
    found: dict[str, TableLike] = {}
    for file in files:
        name = file.name.partition(".")[0]
        if name in found:
            raise wrong(f"features: {path}", f"two files named {name}", "one for each modality")
        found[name] = _modality(file, options)
    return found


def holds_split(folder: Path) -> bool:
    """Whether a folder holds ``train.txt`` or the like, of three columns of words: it can be nothing else."""
    try:
        train = find_split(folder).get("train")
        if train is None:
            return False
        table = first_block(train, ReadOptions(columns=PLACES))
        find_triple_columns(table, NOTHING_SAID)
    except InputError:
        return False
    frame = table.frame
    return frame.shape[1] == 3 and all(kind_of(frame[name]) == "text" for name in frame)


def refuse_split(folder: Path) -> None:
    """InputError for a folder of tables, one of them ``train.txt`` or the like, which nobody has called triples."""
    files = [file for file in folder.iterdir() if not file.name.startswith(".")]
    if all(file.is_file() and plain_suffix(file) in TABLES for file in files) and "train" in (
        parts := find_split(folder)
    ):
        raise wrong(
            folder, f"{parts['train'].name} and no three columns of words in it", "--as triples, if it has them"
        )


def say_of_triples(data: Any, table: Table, options: ReadOptions) -> Any:
    """Edges that were read of a table; where they look like triples, it is said how these are read."""
    if options.reading is None and not options.columns and holds_triples(table):
        relation = table.called(find_triple_columns(table, options).relation)
        data.reading += Reading((f"{relation} may hold relations: --as triples reads typed edges",))
    return data


def _modality(path: Path, options: ReadOptions) -> TableLike:
    if path.suffix.lower() == ".npz":
        arrays = load_archive(path)
        for ids, matrix in NAMED:
            if {ids, matrix} <= {*arrays}:
                found = as_node_table((arrays[ids], as_features(arrays[matrix], f"{path}: {matrix}")), str(path))
                assert isinstance(found, NodeTable)
                line = f"read {path.name} as features: {count(found.rows, 'row')}, names in {ids}"
                return replace(found, reading=Reading((line,)))
    return read_features(path, options)


def _of_pt(path: Path, options: ReadOptions) -> TripleSet:
    content, how = load_pt(path), FeatureOptions(options.scale, options.text)
    if hasattr(content, "node_types"):
        return from_hetero(read_pt(path, replace(options, reading=None, columns={})), how)
    if hasattr(content, "num_node_features"):
        return from_data(content, replace(options, reading=None), how)
    raise wrong(path, f"PyG {type(content).__name__}", "a HeteroData, or a Data with edge_type")


def read_triple_files(
    path: Path, options: ReadOptions = NOTHING_SAID, beside: Sequence[TableLike | None] = ()
) -> TripleSet:
    """Triples of a table, or of a folder with ``train.txt``, ``valid.txt`` and ``test.txt``.

    Parameters
    ----------
    path : Path
        Text, compressed or not, Parquet or Arrow. Text needs no header: the first three columns are then head,
        relation and tail. Validation and test may be missing.
    options : ReadOptions
        Columns by role: source, type and target.
    beside : sequence of Table, NodeTable or None
        Other tables, which may have the columns that no file of triples has.

    Returns
    -------
    TripleSet

    Raises
    ------
    InputError
        A file that cannot be read in full, with the place of its first fault; a folder without a training part, or with
        two files of one part.
    """
    if not path.exists():
        raise wrong(path, "no such file or folder", "triples: a table, or a folder with train.txt, valid.txt, test.txt")
    files = find_split(path) if path.is_dir() else {"train": path}
    if "train" not in files:
        raise wrong(path, "a folder without train.txt", "train.txt, and valid.txt and test.txt if there are any")
    tables = {part: read_triple_table(file, options) for part, file in files.items()}
    check_columns(options, [tables["train"], *beside])
    return read_triple_tables(tables.pop("train"), tables, options)


def find_split(folder: Path) -> dict[str, Path]:
    """The files of a folder that are parts of a split, by part.

    Raises
    ------
    InputError
        Two files of one part.
    """
    tables = [file for file in sorted(folder.iterdir()) if file.is_file() and plain_suffix(file) in TABLES]
    found: dict[str, Path] = {}
    for part, stems in SPLIT.items():
        own = [file for file in tables if file.name.partition(".")[0].lower() in stems]
        if len(own) > 1:
            raise wrong(folder, f"{own[0].name} and {own[1].name}", "one of them")
        found |= {part: own[0]} if own else {}
    return found


def read_triple_table(path: Path, options: ReadOptions = NOTHING_SAID) -> Table:
    """The table of a file, whose first row is a header only if it names head, relation and tail."""
    said = {role: names for role, names in options.columns.items() if role in ROLES}
    if plain_suffix(path) in COLUMNAR_SUFFIXES or any(not is_whole(name) for name in _given(said)):
        return read_any_table(path, options, main=True)
    table = read_any_table(path, replace(options, columns={**PLACES, **said}), main=True)
    first = [str(cell) for cell in table.frame.iloc[0]]
    if said or not is_triple_header(first):
        return table
    named = dict(zip(ROLES, ((name,) for name in first), strict=False))
    return read_any_table(path, replace(options, columns=named), main=True)


def check_columns(options: ReadOptions, tables: Sequence[TableLike | None]) -> None:
    """Refuse a role that names a column which none of the tables has; those without columns do not count."""
    check_table_columns(options, [table for table in tables if isinstance(table, Table)])


def _given(columns: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [name for names in columns.values() for name in names]
