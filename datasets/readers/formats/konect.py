"""KONECT's networks: ``out.*`` files, the folder they come in, or its ``.tar.bz2``."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genurl_graph.datasets.readers.compressed import unpacked
from genurl_graph.datasets.readers.formats.file_graph import FileGraph
from genurl_graph.datasets.readers.formats.lists import listed
from genurl_graph.datasets.readers.formats.text import Lines, decoded, number_block
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.safe_load import physical_memory, readable

# Weights that can be negative. Ratings can be so as well; then they are refused as any signed weight is.
_SIGNED = ("signed", "multisigned", "dynamic")
_ARCHIVES = (".tar", ".tar.bz2", ".tar.gz", ".tgz", ".tar.xz")


def is_archive(path: Path) -> bool:
    """Whether a file is named as an archive of a folder."""
    return path.name.lower().endswith(_ARCHIVES) and path.is_file()


def is_folder(path: Path) -> bool:
    """Whether a folder holds an ``out.*`` file."""
    return any(each.is_file() for each in path.glob("out.*"))


def read_bytes(path: Path) -> bytes:
    """The ``out.*`` file of a folder or archive, or the file itself.

    Raises
    ------
    InputError
        Not exactly one ``out.*`` in it, or more than half of this machine's memory; nothing is unpacked to the disk.
    """
    if path.is_dir():
        found = sorted(each for each in path.glob("out.*") if each.is_file())
        _one([each.name for each in found], path)
        path = found[0]
    if not is_archive(path):
        with unpacked(path) as stream:
            return stream.read()
    with readable(path, "an archive"), tarfile.open(path, "r:*") as archive:
        members = [each for each in archive if each.isfile() and Path(each.name).name.startswith("out.")]
        _one([each.name for each in members], path)
        if members[0].size > physical_memory() // 2:
            raise wrong(path, f"a file of {members[0].size:,} bytes in it", "at most half of this machine's memory")
        member = archive.extractfile(members[0])
        assert member is not None
        return member.read()


def _one(names: list[str], path: Path) -> None:
    if len(names) != 1:
        raise wrong(path, f"{', '.join(names[:5]) or 'no file'} named out.*", "one, as KONECT's folders have it")


def read_konect(content: bytes, name: str) -> FileGraph:
    """Read KONECT's ``out.*``: the header ``% sym positive``, then source, target[, weight[, time]].

    The header says whether edges have a direction (sym, asym), or join two kinds of nodes (bip: nodes a1, a2, ... and
    b1, b2, ...), and what the third column is. Signed networks are refused. The time is left out.
    """
    lines = Lines(decoded(content, name), name, "\0")
    head = [text for text in lines.text if text.lstrip().startswith("%")]
    words = head[0].lstrip("% ").lower().split() if head else []
    if len(words) < 2 or words[0] not in ("sym", "asym", "bip"):
        raise wrong(name, repr(head[0]) if head else "no header", "KONECT's: % sym, asym or bip, and the weights")
    kind, weights = words[0], words[1]
    if weights in _SIGNED:
        raise wrong(
            name,
            f"a {weights} network, whose edges can be negative",
            "weights >= 0; keep only the positive edges, as an edge list",
        )
    lines = Lines("\n".join(lines.text), name, "%")
    found = number_block(lines, 0, len(lines.text), 4, "source, target[, weight[, time]]")
    bad = ~((found[:, :2] >= 1) & (found[:, :2] < 2**62) & (found[:, :2] == np.floor(found[:, :2])))
    if bad.any():
        raise wrong(name, f"node {found[:, :2][bad][0]:g}", "numbers from 1")
    ends = found[:, :2].astype(np.int64)
    if kind == "bip":
        sides = [pd.factorize(column, sort=True) for column in ends.T]
        ids = [f"{side}{number}" for side, (_, numbers) in zip("ab", sides, strict=True) for number in numbers]
        source, target = sides[0][0], sides[1][0] + len(sides[0][1])
    else:
        codes, numbers = pd.factorize(ends.ravel(), sort=True)
        ids, (source, target) = [*map(str, numbers)], codes.reshape(-1, 2).T
    columns: dict[str, Any] = {}
    if weights != "unweighted" and np.isfinite(found[:, 2]).any():
        columns["weight"] = found[:, 2]
    if np.isfinite(found[:, 3]).any():
        columns["time"] = found[:, 3]
    graph = listed("KONECT", source.astype(np.int64), target.astype(np.int64), ids, columns)
    graph.directed = kind == "asym"
    if weights == "weighted" or weights == "multiweighted":
        graph.notes.append("the weights are ratings")
    if kind == "bip":
        graph.notes.append(f"two kinds of nodes: {len(sides[0][1]):,} a..., {len(sides[1][1]):,} b...")
    return graph
