"""Tables of any size: many files, each read in blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.tables.table import NoRowsError, Table


@dataclass(frozen=True)
class Blocks:
    """Files of one kind, and how their blocks are read.

    Attributes
    ----------
    files : list of Path
    read : callable
        The blocks of a file, such as `genurl_graph.datasets.readers.node_tables.read_any_blocks`.
    """

    files: list[Path]
    read: Callable[[Path], Iterator[Table]]

    @property
    def name(self) -> str:
        """How the files are called in what the user reads: one by its name, several as ``folder/*.csv``."""
        if len(self.files) == 1:
            return self.files[0].name
        suffixes = {"".join(file.suffixes[-2:]) if file.suffix == ".gz" else file.suffix for file in self.files}
        folder = self.files[0].parent.name
        return f"{folder}{'/' if folder else ''}*{suffixes.pop() if len(suffixes) == 1 else ''}"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self.files)

    def __iter__(self) -> Iterator[Table]:
        """All blocks that have rows, file by file."""
        return (block for file in self.files for block in self.of(file))

    def of(self, file: Path) -> Iterator[Table]:
        """The blocks of a file that have rows: of a header alone there are none."""
        with suppress(NoRowsError):
            yield from (block for block in self.read(file) if len(block.frame))

    def first(self) -> Table:
        """The first block of all; InputError where no file has rows."""
        found = next(iter(self), None)
        if found is None:
            raise wrong(self.name, "no rows", "at least one (zero nodes)")
        return found


def check_columns_of(block: Table, wanted: list[str], first: str) -> None:
    """InputError where a block lacks a column that the first file has."""
    lacking = [name for name in wanted if name not in block.frame]
    if lacking:
        had = ", ".join(map(repr, [*block.frame.columns][:10]))
        raise wrong(block.name, f"no column {lacking[0]!r} among {had}", f"the columns of {first}, in any order")
