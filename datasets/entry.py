"""What the registry knows of a data set, and where its raw files stand."""

from dataclasses import dataclass
from pathlib import Path

Size = tuple[int, int, int, int]


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
    pyg
        Arguments of the PyG class, or the prefixes or split name that the loader needs.
    download_mb
        Size of the download where it is too large to be started unasked, else 0.
    by_hand
        How to make the file where nobody offers it (no `urls`).
    classes
        Names of the labels 0, 1, ..., where those who made the data set, or the sizes of its classes, leave no doubt
        which number is which; else empty.
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
    pyg: tuple[str, ...] = ()
    download_mb: int = 0
    by_hand: str = ""
    classes: tuple[str, ...] = ()


def stored(root: Path, file: str) -> Path | None:
    """A raw file of a data set under `root`, unpacked or as it was downloaded; None where it is missing.

    Of ``x.gz`` also ``x`` will do: images are often kept unpacked.
    """
    for found in (root / file, root / file.removesuffix(".gz")):
        if found.is_file():
            return found
    return None
