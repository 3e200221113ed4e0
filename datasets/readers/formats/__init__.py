"""Graph and matrix files of every common format, each read as its own library reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genurl_graph.datasets.readers.compressed import COMPRESSED, plain_suffix, unpacked
from genurl_graph.datasets.readers.formats import (
    anndata_files,
    arrays,
    konect,
    lists,
    matrix_files,
    networkx_files,
    pajek,
    pyg,
)
from genurl_graph.datasets.readers.formats.file_graph import FileGraph
from genurl_graph.datasets.readers.formats.graph_data import to_data
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions

_GRAPHS: dict[str, Callable[[bytes, str], FileGraph]] = {
    ".graphml": networkx_files.read_graphml,
    ".gexf": networkx_files.read_gexf,
    ".gml": networkx_files.read_gml,
    ".net": pajek.read_pajek,
    ".paj": pajek.read_pajek,
    ".graph": lists.read_metis,
    ".metis": lists.read_metis,
    ".adjlist": lists.read_adjlist,
    ".edgelist": lists.read_edgelist,
    ".konect": konect.read_konect,
}
_MATRICES: dict[str, Callable[[bytes, Path, ReadOptions], Any]] = {
    ".mtx": matrix_files.read_matrix_market,
    ".mat": matrix_files.read_mat,
    ".libsvm": matrix_files.read_svmlight,
    ".svmlight": matrix_files.read_svmlight,
    ".svm": matrix_files.read_svmlight,
}
# Formats with guards and compression of their own.
_WHOLE: dict[str, Callable[[Path, ReadOptions], Any]] = {
    ".npz": arrays.read_npz,
    ".pt": pyg.read_pt,
    ".h5ad": anndata_files.read_h5ad,
}
NETWORK_SUFFIXES = tuple(_GRAPHS)
GRAPH_SUFFIXES = (*_WHOLE, *_GRAPHS, *_MATRICES)

# What only one format begins with.
_SIGNS = (
    (re.compile(rb"%%MatrixMarket", re.IGNORECASE), ".mtx"),
    (re.compile(rb"MATLAB \d"), ".mat"),
    (re.compile(rb"\*(vertices|network)\b", re.IGNORECASE), ".net"),
    (re.compile(rb"%[ \t]*(sym|asym|bip)[ \t]+\w+", re.IGNORECASE), ".konect"),
    (re.compile(rb"(Creator\s+\"[^\n]*\s+)?(#[^\n]*\s+)*graph\s*\[", re.IGNORECASE), ".gml"),
    (re.compile(rb"(<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<(\w+:)?graphml\b", re.DOTALL), ".graphml"),
    (re.compile(rb"(<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<(\w+:)?gexf\b", re.DOTALL), ".gexf"),
    (re.compile(rb"[-+]?\d+(\.\d+)?([ \t]+\d+:[-+\d.eE]+)+[ \t]*(#[^\n]*)?\r?\n"), ".libsvm"),
)
_BINARY = (".npz", ".pt", ".h5ad", ".npy", ".parquet", ".feather", ".arrow")


def read_graph_file(path: Path, options: ReadOptions = ReadOptions(), suffix: str | None = None) -> Any:  # noqa: B008
    """Read a file of one of `GRAPH_SUFFIXES`, which may be compressed.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        ``--column`` names attributes that become weights, labels or features; ``--as`` decides what a matrix is.
    suffix : str, optional
        The format; by default what `find_format` says.

    Returns
    -------
    Data
        With `reading`; a ``HeteroData`` where a ``.pt`` holds one.

    Raises
    ------
    InputError
        For any file that cannot be read in full.
    """
    suffix = suffix or find_format(path) or ""
    if suffix in _WHOLE:
        if path.suffix.lower() in COMPRESSED:
            raise InputError(f"{path}: {suffix} files are read as they are; unpack it first")
        return _WHOLE[suffix](path, options)
    if suffix in _MATRICES:
        with unpacked(path) as stream:
            return _MATRICES[suffix](stream.read(), path, options)
    return to_data(read_file_graph(path, suffix), path, options)


def read_file_graph(path: Path, suffix: str) -> FileGraph:
    """The graph of a file whose format is one of `NETWORK_SUFFIXES`, before anybody decides what its attributes are."""
    if suffix == ".konect":
        return konect.read_konect(konect.read_bytes(path), str(path))
    with unpacked(path) as stream:
        return _GRAPHS[suffix](stream.read(), str(path))


def find_format(path: Path) -> str | None:
    """The one of `GRAPH_SUFFIXES` whose format a file has, by what it begins with, else by its name; None: another.

    An edge list that is named ``.edgelist`` but has no dictionaries is a table as any other.

    Examples
    --------
    >>> find_format(Path("football.gml.gz"))
    '.gml'
    """
    if path.is_dir():
        return ".konect" if konect.is_folder(path) else None
    name = path.name.lower()
    if konect.is_archive(path):
        return ".konect"
    suffix = plain_suffix(path)
    if suffix in _BINARY or name.endswith(("-ubyte", "-ubyte.gz")) or not path.is_file():
        return suffix if suffix in GRAPH_SUFFIXES else None
    with unpacked(path) as stream:
        head = stream.read(1 << 14)
    found = next((kind for sign, kind in _SIGNS if sign.match(head.removeprefix(b"\xef\xbb\xbf").lstrip())), None)
    if found is not None:
        return found
    if suffix == ".edgelist" and b"{" not in head:
        return None
    return suffix if suffix in GRAPH_SUFFIXES else None


def holds_table(path: Path) -> bool:
    """Whether a file of an unknown name is text, with two cells in its first line that is no comment."""
    if not path.is_file() or path.suffix.lower() in COMPRESSED[-1:]:
        return False
    with unpacked(path) as stream:
        head = stream.read(1 << 14)
    try:
        text = head.decode("utf-8-sig") if len(head) < 1 << 14 else head.rpartition(b"\n")[0].decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    lines = (line for line in text.splitlines() if line.strip() and line.lstrip()[0] not in "#%")
    first = next(lines, "").strip()
    return "\0" not in text and not first.startswith(("<", "{", "[")) and len(re.split(r"[\s,;|]+", first)) > 1
