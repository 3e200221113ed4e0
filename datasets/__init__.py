"""Data sets by name, and the user's own files, as PyG `Data`, or of several graphs as one data set of PyG.

`names`, `info` and `data_root` cost nothing to import; `load` (a data set of the registry) and `read` (a
user's file) bring in torch and PyG at their first use.
"""

import os
from typing import TYPE_CHECKING, Any

from genurl_graph.datasets.registry import DatasetInfo, data_root, info, names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genurl_graph.config.choices import InputKind, ScaleName, TextName

__all__ = ["DatasetInfo", "data_root", "info", "load", "names", "read"]


def load(name: str, root: str | os.PathLike[str] | None = None, *, large_download: bool = False) -> Any:
    """Load a data set of the registry: see `genurl_graph.datasets.loaders.load`."""
    from genurl_graph.datasets import loaders

    return loaders.load(name, root, large_download=large_download)


def read(
    path: str | os.PathLike[str],
    features: str | os.PathLike[str] | None = None,
    labels: str | os.PathLike[str] | None = None,
    *,
    as_: "InputKind | None" = None,
    columns: "Mapping[str, str | Sequence[str]] | None" = None,
    separator: str | None = None,
    decimal: str | None = None,
    directed: bool | None = None,
    scale: "ScaleName" = "auto",
    text: "TextName" = "drop",
) -> Any:
    """Read a user's file or files: see `genurl_graph.datasets.readers.read`."""
    from genurl_graph.datasets import readers as user_files
    from genurl_graph.inputs.reading import ReadOptions

    options = ReadOptions.of(as_, columns, separator, decimal, directed, scale, text)
    return user_files.read(path, features, labels, options)
