"""What the partitions of a folder hold, as its manifest.json says it."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from genurl_graph.exceptions import wrong
from genurl_graph.runtime.files import write_json

FORMAT, VERSION = "genurl-graph partitions", 1
FILE = "manifest.json"


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What there is to know of prepared partitions without reading them.

    Attributes
    ----------
    bounds : tuple of int
        Partition p holds the rows ``bounds[p] <= i < bounds[p + 1]``.
    num_edges : int
        Entries: every edge in both directions.
    features : tuple of str
        Names of the columns of x.
    weighted : bool
        Whether there is an array of weights; without it every edge weighs 1.
    labelled : bool
        Whether there is an array y.
    classes : tuple of str, or None
        Names of the labels 0, 1, ...; None: the labels are numbers that came as such, or there are none.
    seed : int
        Of the order of the rows.
    plan : dict or None
        What x was made by of raw columns (`genurl_graph.inputs.columns.FeaturePlan.to_dict`).
    reading : dict
        What was read of which files, and what was left out: ``lines`` for the user, and the same for a program.
    """

    bounds: tuple[int, ...]
    num_edges: int
    features: tuple[str, ...] = ()
    weighted: bool = False
    labelled: bool = False
    classes: tuple[str, ...] | None = None
    seed: int = 0
    plan: dict[str, Any] | None = None
    reading: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def num_nodes(self) -> int:
        """Rows of all partitions."""
        return self.bounds[-1]

    @property
    def num_features(self) -> int:
        """Columns of x; 0 where there is none."""
        return len(self.features)

    def write(self, folder: Path) -> None:
        """Write it into the folder, which is then complete."""
        said = {"format": FORMAT, "version": VERSION, "num_nodes": self.num_nodes, "num_features": self.num_features}
        write_json(folder / FILE, said | dataclasses.asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a folder; InputError where it is no folder of prepared partitions."""
        file = folder / FILE
        expected = "a folder that genurl-graph prepare wrote"
        if not folder.is_dir():
            raise wrong(folder, "a file" if folder.exists() else "nothing", expected)
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            good = found["format"] == FORMAT
            version = int(found["version"]) if good else 0
        except FileNotFoundError:
            raise wrong(folder, f"no {FILE}", expected) from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise wrong(file, f"no manifest of partitions ({error})", expected) from error
        if not good or version > VERSION:
            what = f"version {version}" if good else f"the format {found['format']!r}"
            raise wrong(file, what, f"the format {FORMAT!r} up to version {VERSION}")
        try:
            held = {field.name: found[field.name] for field in dataclasses.fields(cls)}
            for name in ("bounds", "features", "classes"):
                held[name] = None if held[name] is None else tuple(held[name])
            bounds = held["bounds"]
            if not bounds or bounds[0] != 0 or any(low >= high for low, high in pairwise(bounds)):
                raise wrong(file, f"bounds {found['bounds']}", "numbers of rows from 0 on, each above the one before")
        except (KeyError, TypeError) as error:
            raise wrong(file, f"no {error}", expected) from error
        return cls(**held)


def is_prepared(folder: Path) -> bool:
    """Whether a folder holds prepared partitions, to tell it from other inputs; of whatever version."""
    file = folder / FILE
    return file.is_file() and f'"{FORMAT}"' in file.read_text(encoding="utf-8", errors="replace")
