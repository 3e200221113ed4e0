"""A folder that holds arrays by partition of their rows, on storage that all workers see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genurl_graph.exceptions import wrong
from genurl_graph.runtime.files import atomic_write


@dataclass(frozen=True)
class Store:
    """Arrays whose partitions have the same bounds, a NumPy file for each array and partition.

    Files are read, never mapped: what a worker holds is what it has asked for, and counts as its own memory. A file is
    there completely or not at all, so that a partition whose file is there need not be computed again.

    Parameters
    ----------
    path : Path
        Of the folder, which `save` creates where it is missing.
    bounds : tuple of int
        Partition p holds the rows ``bounds[p] <= i < bounds[p + 1]``; the first is 0, the last the number of rows.

    Examples
    --------
    >>> store = Store.of(folder, num_rows=5, count=2)
    >>> store.bounds
    (0, 2, 5)
    >>> for part in range(store.count):
    ...     store.save("square", part, np.arange(*store.bounds[part : part + 2]) ** 2)
    >>> store.take("square", np.array([4, 0]))
    array([16,  0])
    """

    path: Path
    bounds: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, num_rows: int, count: int) -> Store:
        """A store of `count` partitions of about as many rows each."""
        count = max(1, min(count, num_rows))
        return cls(path, tuple(num_rows * part // count for part in range(count + 1)))

    @property
    def count(self) -> int:
        """Number of partitions."""
        return len(self.bounds) - 1

    @property
    def num_rows(self) -> int:
        """Rows of all partitions."""
        return self.bounds[-1]

    def span(self, part: int) -> tuple[int, int]:
        """First row of a partition, and the first beyond it."""
        return self.bounds[part], self.bounds[part + 1]

    def size(self, part: int) -> int:
        """Rows of a partition."""
        return self.bounds[part + 1] - self.bounds[part]

    def owner(self, rows: Any) -> Any:
        """The partition that holds each of `rows`, int64 of the same shape."""
        return np.searchsorted(self.bounds, rows, side="right") - 1

    def beside(self, name: str) -> Store:
        """A store of the same partitions in a folder of this one."""
        return Store(self.path / name, self.bounds)

    def file(self, name: str, part: int) -> Path:
        """Where a partition of an array lies."""
        return self.path / name / f"{part:05d}.npy"

    def has(self, names: Sequence[str], part: int) -> bool:
        """Whether a partition of all these arrays is there."""
        return all(self.file(name, part).is_file() for name in names)

    def save(self, name: str, part: int, array: Any) -> None:
        """Write a partition of an array, completely or not at all; InputError where the disk is full."""
        path, array = self.file(name, part), np.ascontiguousarray(array)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)

    def load(self, name: str, part: int, start: int = 0, stop: int | None = None) -> Any:
        """The entries ``start <= i < stop`` of a partition's file, counted from its own first; all by default."""
        with self._open(name, part) as file:
            shape, dtype = _header(file)
            stop = shape[0] if stop is None else min(stop, shape[0])
            width = int(np.prod(shape[1:], dtype=np.int64))
            file.seek(start * width * dtype.itemsize, 1)
            found = np.fromfile(file, dtype, max(0, stop - start) * width)
        if found.size != max(0, stop - start) * width:
            raise wrong(self.file(name, part), "a file that ends too early", f"{shape[0]:,} rows of {width} numbers")
        return found.reshape(-1, *shape[1:])

    def shape(self, name: str, part: int) -> tuple[int, ...]:
        """Shape of a partition's file, of which only the head is read."""
        with self._open(name, part) as file:
            return _header(file)[0]

    def take(self, name: str, rows: Any) -> Any:
        """Some rows of an array, int64 [m], in any order, of whatever partitions: [m, ...].

        Each partition that has some of them is read once, and dropped.
        """
        rows = np.asarray(rows, dtype=np.int64)
        owner = self.owner(rows)
        order = owner.argsort(kind="stable")
        found = None
        ends = np.searchsorted(owner[order], np.arange(self.count + 1))
        for part in np.unique(owner):
            places = order[ends[part] : ends[part + 1]]
            values = self.load(name, int(part))[rows[places] - self.bounds[part]]
            if found is None:
                found = np.empty((len(rows), *values.shape[1:]), values.dtype)
            found[places] = values
        if found is None:
            found = self.load(name, 0, 0, 0)
        return found

    def parts(self, name: str) -> Iterator[Any]:
        """An array, partition by partition."""
        return (self.load(name, part) for part in range(self.count))

    def _open(self, name: str, part: int) -> Any:
        try:
            # Without a buffer: `numpy.fromfile` reads past the one that Python keeps.
            return self.file(name, part).open("rb", buffering=0)
        except FileNotFoundError:
            raise wrong(
                self.path, f"no partition {part} of {name!r}", f"the file {self.file(name, part).name}"
            ) from None


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype
