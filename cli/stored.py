"""Figures of runs over seeds, kept in a JSON file after each run and taken up again: what comparisons share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from genurl_graph.cli.machine import hardware
from genurl_graph.cli.report import versions
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data

Table = list[tuple[str, ...]]


class StoredRuns:
    """Figures of each finished (row, seed).

    A subclass says what its file is called (`kind`), where its rows stand in it (`group`), what a row is (`noun`) and
    which option chooses the rows (`chooser`). It turns the runs of a row into what is written (`_row`) and lays out
    the table (`caption`, `table`).

    Parameters
    ----------
    header : dict
        ``dataset``, ``protocol`` and ``seeds``, and whatever else stands at the top of the file.
    environment : dict
        What numbers depend on besides the settings: data, device, threads.
    configuration : dict
        Settings of each row, in the table's order.
    path : Path or None
        File that is replaced after each run.
    """

    kind = group = noun = chooser = ""
    # Keys of the header that are the same in all calls that go on with one file.
    same: tuple[str, ...] = ("dataset", "protocol")
    # Lists with one number a seed; in the optional ones a number may be missing (None).
    figures: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    # Lists of anything else with one entry a seed, and values of a row, with what they are before its first run.
    lists: tuple[str, ...] = ()
    values: ClassVar[dict[str, Any]] = {}

    def __init__(
        self, header: dict[str, Any], environment: dict[str, Any], configuration: dict[str, Any], path: Path | None
    ) -> None:
        self.header, self.environment, self.path = header, environment, path
        # As JSON gives them back, so that they can be compared with those of a file.
        self.configuration: dict[str, Any] = json.loads(json.dumps(configuration))
        self.runs: dict[str, dict[str, Any]] = {
            row: {name: [] for name in (*self.figures, *self.lists)} | self.values for row in self.configuration
        }

    def resume(self) -> None:
        """Take over the runs of the file, if there is one.

        Raises
        ------
        InputError
            No file was named, it is damaged, or it is of other settings; the message names the difference.
        """
        if self.path is None:
            raise InputError("--resume: needs --metrics FILE.json, the file to go on with")
        if not self.path.exists():
            return
        try:
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            stored = {key: found[key] for key in self.same} | found["environment"]
            configuration, rows = found["configuration"], found[self.group]
            runs = {name: self._stored(row) for name, row in rows.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"--resume: {self.path} does not hold {self.kind} that can be continued ({error!r}); start without "
                "--resume to replace it"
            ) from error
        now = {key: self.header[key] for key in self.same} | json.loads(json.dumps(self.environment))
        difference = _difference(stored, now)
        for name, row in runs.items():
            if difference:
                break
            if name not in self.runs:
                difference = f"it has the {self.noun} {name!r}, which {self.chooser} leaves out"
            elif (count := len(row[self.figures[0]])) > len(self.header["seeds"]):
                difference = f"it has {count} seeds of {name} and --seeds asks for fewer"
            else:
                difference = _difference(configuration[name], self.configuration[name], name)
        if difference:
            raise InputError(
                f"--resume: {self.path} is of another configuration: {difference}; name another file, or start without "
                "--resume to replace it"
            )
        self.runs |= runs

    def todo(self, name: str) -> tuple[int, ...]:
        """Seeds of a row that are not finished."""
        seeds: Sequence[int] = self.header["seeds"]
        return tuple(seeds[len(self.runs[name][self.figures[0]]) :])

    def write(self) -> None:
        """Replace the file, if one was named."""
        if self.path is not None:
            from genurl_graph.runtime.files import write_json

            write_json(self.path, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON."""
        return {
            **self.header,
            self.group: {name: self._row(name) for name in self.runs if self._begun(name)},
            "complete": not any(self.todo(name) for name in self.runs),
            "environment": self.environment,
            "configuration": self.configuration,
        }

    def table(self) -> tuple[Table, tuple[str, ...]]:
        """Rows and header for people."""
        raise NotImplementedError

    def caption(self) -> str:
        """What the table shows, without its circumstances."""
        raise NotImplementedError

    def notes(self) -> list[str]:
        """What the table alone does not say."""
        return []

    def markdown(self) -> str:
        """The table in Markdown, below a line that says what it shows, above the notes."""
        rows, header = self.table()
        seeds = len(self.header["seeds"])
        lines = [
            f"{self.caption()}, {seeds} seed{'s' if seeds > 1 else ''}; {self.environment['device']}, threads: "
            f"{self.environment['threads']}.",
            "",
            # The first column to the left, the others to the right.
            *(f"| {' | '.join(cells)} |" for cells in (header, ("---", *["---:"] * (len(header) - 1)), *rows)),
        ]
        if self.notes():
            lines += ["", *(f"* {note}" for note in self.notes())]
        return "\n".join(lines) + "\n"

    def _begun(self, name: str) -> bool:
        """Whether there is anything to write about a row."""
        return bool(self.runs[name][self.figures[0]])

    def _row(self, name: str) -> dict[str, Any]:
        raise NotImplementedError

    def _stored(self, row: dict[str, Any]) -> dict[str, Any]:
        """The runs of a row out of a file."""
        found: dict[str, Any] = {
            figure: [None if value is None and figure in self.optional else float(value) for value in row[figure]]
            for figure in self.figures
        }
        found |= {name: list(row[name]) for name in self.lists}
        if len({len(entries) for entries in found.values()}) > 1:
            raise ValueError(f"as many {' as '.join(found)} expected")
        return found | {name: row[name] for name in self.values}


def difference_from(
    reference: Sequence[float | None], values: Sequence[float | None]
) -> dict[str, float | None] | None:
    """Paired difference over the seeds that both have; None where they have none in common, or a number is missing."""
    from genurl_graph.evaluation.statistics import paired_difference

    both = min(len(values), len(reference))
    own, other = ([number for number in column[:both] if number is not None] for column in (values, reference))
    return paired_difference(own, other) if both and len(own) == len(other) == both else None


def interval(difference: dict[str, float | None] | None) -> str:
    """A paired difference for people, in points of a per cent."""
    if difference is None:
        return "-"
    mean, low, high = (None if value is None else 100 * value for value in difference.values())
    return f"{mean:+.1f}" + ("" if low is None else f" [{low:+.1f}, {high:+.1f}]")


def environment(data: "Data", device: str) -> dict[str, Any]:
    """What results and times depend on besides the settings."""
    import torch

    from genurl_graph.runtime.devices import choose_device
    from genurl_graph.training.checkpoint import checksum

    parts = [getattr(data, key, None) for key in ("x", "edge_index", "y", "train_mask", "val_mask", "test_mask")]
    return {"data": checksum(*parts), "device": choose_device(device).type, "threads": torch.get_num_threads()}


def machine(device: str) -> dict[str, Any]:
    """What a repetition on another machine has to tell apart: hardware and versions."""
    from genurl_graph.runtime.devices import choose_device

    return {"hardware": hardware(choose_device(device).type), "versions": versions()}


def _difference(stored: Any, now: Any, name: str = "") -> str | None:
    """The first key in which two nested dictionaries differ, with both values."""
    if isinstance(stored, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*stored, *now]):
            found = _difference(stored.get(key), now.get(key), f"{name}.{key}" if name else str(key))
            if found:
                return found
        return None
    return None if stored == now else f"{name} is {stored!r} there and {now!r} here"
