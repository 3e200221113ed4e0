"""Rows of nodes on their way to partitions: by the hash of their ids to buckets, and by its rank from there.

Buckets are ranges of the hash, so that the nodes of all buckets, each sorted, are the nodes by rank.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.partitioned.blocks import Blocks
from genurl_graph.inputs.partitioned.node_columns import NodeColumns
from genurl_graph.inputs.partitioned.numbering import check_keys, id_keys
from genurl_graph.inputs.partitioned.prepared import write_ids
from genurl_graph.runtime.partitions import Store
from genurl_graph.runtime.partitions.shuffle import gather, scatter

# Bytes of files, which may be packed, for a bucket.
_BUCKET = 1 << 24
_NODES = "nodes"


class Classes:
    """Labels of blocks, some of which are numbers and some names, under codes of all blocks."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.numbers = True

    def code(self, y: npt.NDArray[np.int64], names: list[str] | None) -> npt.NDArray[np.int64]:
        """Codes [m] of the labels of a block, -1 where there is none."""
        distinct, place = np.unique(y, return_inverse=True)
        self.numbers &= names is None
        called = [str(label) if names is None else names[label] for label in distinct.tolist()]
        own = [
            -1 if label < 0 else self.codes.setdefault(name, len(self.codes))
            for label, name in zip(distinct, called, strict=True)
        ]
        return np.array(own, dtype=np.int64)[place]

    def final(self) -> tuple[npt.NDArray[np.int64], tuple[str, ...] | None]:
        """The label of each code, and the names of labels: None where they are whole numbers from 0."""
        if self.numbers:
            return np.array([*map(int, self.codes)], dtype=np.int64), None
        names = sorted(self.codes)
        whole = all(name.removeprefix("-").isdigit() for name in names)
        names = sorted(names, key=int) if whole else names
        rank = {name: label for label, name in enumerate(names)}
        return np.array([rank[name] for name in self.codes], dtype=np.int64), tuple(names)


class SentNodes(NamedTuple):
    """Nodes in their buckets.

    Attributes
    ----------
    buckets : Store
        A row a bucket.
    counts : array, int64, shape [buckets]
        Nodes of each.
    chunks : int
        Sources of the shuffle.
    text : bool
        Whether some ids are no whole numbers.
    classes : Classes
    unlabelled : int
    """

    buckets: Store
    counts: npt.NDArray[np.int64]
    chunks: int
    text: bool
    classes: Classes
    unlabelled: int


def send_nodes(blocks: Blocks, columns: NodeColumns, work: Store, seed: int) -> SentNodes:
    """Send all rows of the tables to buckets by the hash of their ids.

    Raises
    ------
    InputError
        For a block that is not as the first was.
    """
    count = max(1, min(4096, -(-blocks.size // _BUCKET)))
    buckets = Store(work.path / _NODES, tuple(range(count + 1)))
    counts, classes = np.zeros(count, dtype=np.int64), Classes()
    chunks, text, unlabelled = 0, False, 0
    for chunks, block in enumerate(blocks, start=1):
        ids = columns.ids(block)
        keys = id_keys(ids, seed)
        # Multiplied, not divided: a range of the hash for each bucket, for any number of them.
        bucket = ((keys >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)).astype(np.int64)
        sent: dict[str, Any] = {
            "key": keys,
            "id": ids.astype(np.str_) if ids.dtype == object else ids,
            "x": columns.x(block),
        }
        text |= ids.dtype == object
        if columns.label is not None:
            sent["y"] = classes.code(*columns.labels(block))
            unlabelled += int((sent["y"] < 0).sum())
        scatter(buckets, _NODES, chunks - 1, bucket, sent)
        counts += np.bincount(bucket, minlength=count)
    return SentNodes(buckets, counts, chunks, text, classes, unlabelled)


def place_nodes(
    part: int, store: Store, work: Store, sent: SentNodes, labels: npt.NDArray[np.int64] | None, name: str
) -> None:
    """Write the arrays and ids of a partition, the nodes of its ranks; a stage.

    Parameters
    ----------
    labels : array, int64, or None
        The label of each code; None: there are none.
    name : str
        Of the files, for messages.
    """
    low, high = store.span(part)
    ends = sent.counts.cumsum()
    names = ["key", "id", "x", *(["y"] if labels is not None else [])]
    found: dict[str, list[Any]] = {column: [] for column in names}
    for bucket in range(int(np.searchsorted(ends, low, side="right")), int(np.searchsorted(ends, high)) + 1):
        own = gather(sent.buckets, _NODES, bucket, names, sent.chunks)
        order = own["key"].argsort(kind="stable")
        check_keys(f"ids of {name}", own["key"][order], own["id"][order])
        start = int(ends[bucket] - sent.counts[bucket])
        order = order[max(0, low - start) : high - start]
        for column in names:
            found[column].append(own[column][order])
    arrays = {column: np.concatenate(each) for column, each in found.items()}
    ids = arrays["id"].astype(np.str_).astype(object) if sent.text else arrays["id"]
    write_ids(store.path, part, ids)
    store.save("x", part, arrays["x"])
    if labels is not None:
        store.save("y", part, np.append(labels, -1)[arrays["y"]])
    # Last: where they are, all of the partition is.
    work.save("keys", part, arrays["key"])


def check_count(sent: SentNodes, name: str) -> int:
    """Number of nodes; InputError for fewer than two."""
    n = int(sent.counts.sum())
    if n < 2:
        raise wrong(name, f"{n} nodes (n_samples={n})", "at least 2")
    return n
