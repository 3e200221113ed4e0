"""A folder of partitions, written completely or not at all."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.partitioned.manifest import is_prepared
from genurl_graph.runtime.files import check_folder, exclusive


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a folder beside `path` which takes its name on success; what is in its folder ``work`` goes.

    On any failure it is removed, and what stood at `path` before stays untouched. What a killed process has left is
    removed by the next one.

    Raises
    ------
    InputError
        Where `path` cannot be written, holds anything but prepared partitions, or another process writes it.
    """
    final = check_new_folder(path)
    with exclusive(final):
        # Of a process that was killed; `exclusive` looks inside a folder.
        for left in final.parent.glob(f".{glob.escape(final.name)}.{'[0-9a-f]' * 8}"):
            shutil.rmtree(left, ignore_errors=True)
        temporary, old = (final.with_name(f".{final.name}.{secrets.token_hex(4)}") for _ in range(2))
        temporary.mkdir()
        try:
            yield temporary
            shutil.rmtree(temporary / "work", ignore_errors=True)
            if final.exists():
                os.replace(final, old)
            try:
                os.replace(temporary, final)
            except OSError:
                if old.exists():
                    os.replace(old, final)
                raise
        finally:
            for folder in (temporary, old):
                shutil.rmtree(folder, ignore_errors=True)


def check_new_folder(path: str | os.PathLike[str]) -> Path:
    """Check, before any work, that a folder of partitions can be written at `path`."""
    final = Path(os.path.realpath(check_folder(path)))
    if final.is_dir() and any(final.iterdir()) and not is_prepared(final):
        raise wrong(path, "a folder that holds other files", "a new or empty folder, or one of prepared partitions")
    return final
