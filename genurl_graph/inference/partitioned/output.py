"""An embedding on disk by partition: a folder of Parquet files, each a table that other commands read by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.embeddings import EMBEDDING_SUFFIXES, import_parquet, read_embedding, write_embedding
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.runtime.files import check_folder, remove_leftovers, write_json

FORMAT, VERSION, FILE = "genurl-graph embedding by partition", 1, "manifest.json"
# With what killed workers have left of writing one of them.
_OWN = re.compile(r"\.?(part-\d{5,}|manifest)(\.[0-9a-f]{8})?\.(parquet|json)")


def part_file(folder: Path, part: int) -> Path:
    """Where the rows of a partition lie."""
    return folder / f"part-{part:05d}.parquet"


def check_output_folder(folder: Path) -> None:
    """Check, before any long work, that an embedding can be written by partition.

    InputError as of `check_folder`; the name of a file of an embedding; a folder that holds other files; or no pyarrow.
    """
    if folder.suffix in EMBEDDING_SUFFIXES:
        raise wrong(folder, "the name of a file", "that of a folder: it gets a table for each partition")
    check_folder(folder)
    import_parquet(folder)
    others = [file.name for file in folder.iterdir() if not _OWN.fullmatch(file.name)] if folder.is_dir() else []
    if others or ((folder / FILE).is_file() and not is_output(folder)):
        found = f"a folder that holds {(others or [FILE])[0]}"
        raise wrong(folder, found, "a new folder, an empty one, or an earlier embedding to replace")


def write_part(folder: Path, part: int, prepared: Prepared, z: Tensor) -> None:
    """Write the embedding [m, d] of a partition: columns ``node_id``, ``label`` where there are any, and ``e0`` on."""
    folder.mkdir(parents=True, exist_ok=True)
    write_embedding(part_file(folder, part), z, prepared.ids(part), named_labels(prepared, part))


def named_labels(prepared: Prepared, part: int) -> Any:
    """Labels [m] of a partition under the names that they came with ("" for none), or as numbers; None without any."""
    manifest = prepared.manifest
    if not manifest.labelled:
        return None
    y = prepared.store.load("y", part)
    if manifest.classes is None:
        return y
    # The last name is that of the label -1.
    return np.array([*manifest.classes, ""])[y]


class Output(NamedTuple):
    """A finished embedding by partition, and the record of the run."""

    folder: Path
    record: dict[str, Any]

    @classmethod
    def write(cls, folder: Path, prepared: Prepared, dim: int, record: dict[str, Any]) -> Output:
        """Write the manifest, by which the folder is complete.

        Partitions of an earlier embedding, and what killed workers have left, are removed: nobody else may be writing.
        """
        bounds = prepared.store.bounds
        head = {"format": FORMAT, "version": VERSION, "num_nodes": bounds[-1], "dim": dim, "bounds": [*bounds]}
        write_json(folder / FILE, {**head, "prepared": str(prepared.store.path.resolve()), **record})
        wanted = {part_file(folder, part).name for part in range(len(bounds) - 1)}
        for file in folder.glob("part-*.parquet"):
            if file.name not in wanted:
                file.unlink()
        remove_leftovers(folder)
        return cls(folder, {**head, **record})

    @classmethod
    def open(cls, folder: Path) -> Output:
        """The embedding in a folder; InputError where it is none, or is not complete."""
        expected = "a folder that embed or transform wrote of a prepared folder"
        try:
            found = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if found["format"] != FORMAT or found["version"] > VERSION:
                raise wrong(
                    folder / FILE, f"the format {found['format']!r} {found['version']}", f"{FORMAT!r} {VERSION}"
                )
            count = len(found["bounds"]) - 1
        except FileNotFoundError:
            raise wrong(folder, f"no {FILE}", expected) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise wrong(folder / FILE, f"no manifest of an embedding ({error})", expected) from error
        missing = [part for part in range(count) if not part_file(folder, part).is_file()]
        if missing:
            raise wrong(folder, f"no {part_file(folder, missing[0]).name}", f"{count:,} partitions")
        return cls(folder, found)

    @property
    def num_nodes(self) -> int:
        """Rows of all partitions."""
        return int(self.record["num_nodes"])

    def rows(self, most: int | None = None) -> dict[str, Any]:
        """The first `most` rows (all by default), as `read_embedding` has them: a random sample, as rows are shuffled.

        Returns
        -------
        dict
            ``embedding`` float32 [m, d], ``node_id`` [m] and ``label`` [m], if there are labels.
        """
        return embedded_rows(self.folder, self.record["bounds"], most)


def embedded_rows(folder: Path, bounds: Sequence[int], most: int | None = None) -> dict[str, Any]:
    """`Output.rows` of partitions that cover the rows from one bound to the next."""
    wanted = bounds[-1] if most is None else min(most, bounds[-1])
    parts = [read_embedding(part_file(folder, part)) for part in range(int(np.searchsorted(bounds, wanted)))]
    return {key: np.concatenate([part[key] for part in parts])[:wanted] for key in parts[0]}


def is_output(folder: Path) -> bool:
    """Whether a folder holds an embedding by partition, to tell it from other inputs; of whatever version."""
    file = folder / FILE
    return file.is_file() and f'"{FORMAT}"' in file.read_text(encoding="utf-8", errors="replace")
