"""The data sets known by name: size, origin, licence, citation and raw files of each, out of ``registry.toml``.

Nothing heavy is imported here, so that listing the data sets needs no torch.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genurl_graph.exceptions import unknown, wrong


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before it is loaded.

    Attributes
    ----------
    name, aliases
        Canonical name, and other names it answers to.
    task
        What its labels are for.
    n_nodes, n_edges, n_features, n_classes
        Size as loaded; `n_edges` counts the columns of `edge_index`, each direction apart.
    n_graphs
        Graphs that these are in; 0 where the data set is one graph, or vectors.
    n_events
        Edges with a time; 0 where they have none. `n_edges` then counts distinct pairs of source and target.
    n_triples, n_relations
        Typed edges, of all parts of their split together, and their types; 0 where they have none. `n_edges` then
        counts distinct pairs of head and tail of those to train on.
    directed
        Whether edges between nodes have a direction; those of events and triples have one in any case.
    origin, licence, citation
        Where the files come from, on what terms, and what to cite.
    loader
        Key of `genurl_graph.datasets.loaders.LOADERS`.
    folder
        Folder of the raw files, relative to the data root ("" when no files are needed).
    files
        Raw files, relative to the data root.
    urls
        Where each of `files` can be had, in the same order; a single URL of an archive holds them all.
    hashes
        Of the downloads, ``ALGORITHM:HEX``, in the order of `urls`; empty where none are published.
    pyg
        Arguments of the PyG class, or the prefixes, split name or columns that the loader needs.
    download_mb
        Size of the download where it is too large to be started unasked, else 0.
    by_hand
        How to make the file where nobody offers it (no `urls`).
    classes
        Names of the labels 0, 1, ..., where it is beyond doubt which number is which; else empty
        (``class_names.toml``).
    """

    name: str
    aliases: tuple[str, ...]
    task: str
    n_nodes: int
    n_edges: int
    n_features: int
    n_classes: int
    origin: str
    licence: str
    citation: str
    loader: str
    folder: str = ""
    files: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    pyg: tuple[str, ...] = ()
    download_mb: int = 0
    by_hand: str = ""
    classes: tuple[str, ...] = ()
    n_graphs: int = 0
    n_events: int = 0
    n_triples: int = 0
    n_relations: int = 0
    directed: bool = False

    @property
    def n_distinct_edges(self) -> int:
        """Edges, an undirected one counted once; of events and triples distinct pairs."""
        one_way = self.directed or self.n_events or self.n_triples or self.task == "edge classification"
        return self.n_edges if one_way else self.n_edges // 2


# Every name and alias, without case and separators, -> entry.
_BY_KEY: dict[str, DatasetInfo] = {}


def register(entry: DatasetInfo) -> None:
    """Make a data set known under its name and aliases; its loader belongs in `loaders.LOADERS`."""
    _BY_KEY.update({_key(name): entry for name in (entry.name, *entry.aliases)})


def names() -> list[str]:
    """Canonical names of all data sets, in the order of the registry."""
    return list(dict.fromkeys(entry.name for entry in _BY_KEY.values()))


def info(name: str) -> DatasetInfo:
    """Entry of a data set; case, ``-``, ``_`` and spaces in `name` do not matter.

    Raises
    ------
    InputError
        If no data set has this name; the message offers the nearest one.
    """
    if not isinstance(name, str):
        raise wrong("data set", repr(name), "a name")
    if _key(name) not in _BY_KEY:
        raise unknown("data set", name, names())
    return _BY_KEY[_key(name)]


def data_root(root: str | os.PathLike[str] | None = None) -> Path:
    """Folder of the raw files: `root`, else ``$GENURL_DATA``, else the user's cache/genurl-graph."""
    named = root if root is not None else os.environ.get("GENURL_DATA")
    if named:
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "genurl-graph"


def stored(root: Path, file: str) -> Path | None:
    """A raw file of a data set under `root`, unpacked or as it was downloaded; None where it is missing.

    Of ``x.gz`` also ``x`` will do: images are often kept unpacked.
    """
    return next((found for found in (root / file, root / file.removesuffix(".gz")) if found.is_file()), None)


def _key(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _entry(values: dict[str, Any]) -> DatasetInfo:
    """An entry of ``registry.toml``, with the values of its family."""

    def filled(text: str) -> str:
        return text.format(name=values["name"], stem=values.get("stem", ""))

    found: dict[str, Any] = {}
    for key, value in values.items():
        found[key] = filled(value) if isinstance(value, str) else value
        if isinstance(value, list) and key not in ("size", "triples"):
            found[key] = tuple(map(filled, value))
    base, files = found.pop("base", None), found.pop("files", ())
    found.pop("stem", None)
    found["n_graphs"], found["n_events"] = found.pop("graphs", 0), found.pop("events", 0)
    found["n_triples"], found["n_relations"] = found.pop("triples", (0, 0))
    found["n_nodes"], found["n_edges"], found["n_features"], found["n_classes"] = found.pop("size")
    if base is not None:
        found["urls"] = tuple(base + file for file in files)
    found["files"] = tuple(f"{found['folder']}/{file}" for file in files)
    return DatasetInfo(**{"aliases": (), **found})


def _read() -> None:
    stored, classes = (
        tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
        for name in ("registry.toml", "class_names.toml")
    )
    for values in stored["dataset"]:
        values["classes"] = classes.get(values["name"], [])
        register(_entry(stored["family"].get(values.pop("family", None), {}) | values))


_read()
