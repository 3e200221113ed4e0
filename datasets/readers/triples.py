"""Files of triples: a table with head, relation and tail, or a folder of three, one for each part of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from genurl_graph.datasets.readers.columnar import COLUMNAR_SUFFIXES
from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.node_tables import TEXT_SUFFIXES, read_any_table
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import NOTHING_SAID, ReadOptions
from genurl_graph.inputs.tables.cells import is_whole
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.triples.columns import ROLES, is_triple_header
from genurl_graph.inputs.triples.tables import read_triple_tables
from genurl_graph.inputs.triples.triple_set import TripleSet

# Names of the files of a split, without their suffix.
SPLIT = {
    "train": ("train", "training"),
    "valid": ("valid", "val", "validation", "dev"),
    "test": ("test", "testing"),
}
TABLES = (*TEXT_SUFFIXES, *COLUMNAR_SUFFIXES)
PLACES = {role: (str(place),) for place, role in enumerate(ROLES, start=1)}


def read_triple_files(path: Path, options: ReadOptions = NOTHING_SAID) -> TripleSet:
    """Triples of a table, or of a folder with ``train.txt``, ``valid.txt`` and ``test.txt``.

    Parameters
    ----------
    path : Path
        Text, compressed or not, Parquet or Arrow. Text needs no header: the first three columns are then head,
        relation and tail. Validation and test may be missing.
    options : ReadOptions
        Columns by role: source, type and target.

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


def _given(columns: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [name for names in columns.values() for name in names]
