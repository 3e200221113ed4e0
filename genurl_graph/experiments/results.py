"""Tables of runs over seeds: figures kept in a JSON file after each run, taken up again, and written as Markdown."""

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from genurl_graph.exceptions import InputError

Cell = Callable[[str, dict[str, Any]], str]


class Results:
    """Figures of each finished (row, seed).

    A subclass says what its file is called (`kind`), where its rows stand in it (`group`), what a row is (`noun`) and
    which option chooses the rows (`chooser`). It turns the runs of a row into what is written (`_row`) and names the
    table's columns (`caption`, `columns`).

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

    def add(self, name: str, run: Mapping[str, Any]) -> None:
        """Keep the next seed's run of a row: figures and lists get longer, peaks are the largest of all runs."""
        row = self.runs[name]
        for key in (*self.figures, *self.lists):
            row[key].append(run[key])
        for key in self.values.keys() & run.keys():
            peak = key.startswith("peak") and run[key] is not None
            row[key] = max(run[key], row[key] or 0.0) if peak else run[key]
        self.write()

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
            self.group: self.rows(),
            "complete": not any(self.todo(name) for name in self.runs),
            "environment": self.environment,
            "configuration": self.configuration,
        }

    def rows(self) -> dict[str, dict[str, Any]]:
        """What is written of each row that has begun."""
        return {name: self._row(name) for name in self.runs if self._begun(name)}

    def table(self) -> list[tuple[str, ...]]:
        """Header and rows for people."""
        columns, rows = self.columns(), self.rows()
        return [tuple(columns), *(tuple(cell(name, row) for cell in columns.values()) for name, row in rows.items())]

    def columns(self) -> dict[str, Cell]:
        """Title of each column -> its cell, of a row's name and what is written of the row."""
        raise NotImplementedError

    def caption(self) -> str:
        """What the table shows, without its circumstances."""
        raise NotImplementedError

    def notes(self) -> list[str]:
        """What the table alone does not say."""
        return []

    def markdown(self) -> str:
        """The table in Markdown, below a line that says what it shows, above the notes."""
        around = f"{self.environment['device']}, threads: {self.environment['threads']}"
        lines = [f"{self.caption()}, {n_seeds(self.header['seeds'])}; {around}.", "", *markdown_table(*self.table())]
        if self.notes():
            lines += ["", *(f"* {note}" for note in self.notes())]
        return "\n".join(lines) + "\n"

    def _begun(self, name: str) -> bool:
        """Whether there is anything to write about a row."""
        return bool(self.runs[name][self.figures[0]])

    def _row(self, name: str) -> dict[str, Any]:
        raise NotImplementedError

    def _difference_from(self, reference: str, name: str, figure: str) -> dict[str, float | None] | None:
        """Paired difference from another row over the seeds that both have.

        None for the row itself, without a common seed, or where a number is missing.
        """
        from genurl_graph.evaluation.statistics import paired_difference

        if name == reference or reference not in self.runs:
            return None
        both = min(len(self.runs[name][figure]), len(self.runs[reference][figure]))
        own, other = (self.runs[row][figure][:both] for row in (name, reference))
        return paired_difference(own, other) if both and None not in (*own, *other) else None

    def _stored(self, row: dict[str, Any]) -> dict[str, Any]:
        """The runs of a row out of a file."""
        found: dict[str, Any] = {
            figure: [None if value is None and figure in self.optional else float(value) for value in row[figure]]
            for figure in self.figures
            if figure in row or figure not in self.optional
        }
        # Files of earlier versions lack some.
        found |= {figure: [None] * len(row[self.figures[0]]) for figure in self.figures if figure not in found}
        found |= {name: list(row[name]) for name in self.lists}
        if len({len(entries) for entries in found.values()}) > 1:
            raise ValueError(f"as many {' as '.join(found)} expected")
        return found | {name: row[name] for name in self.values}


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and unbiased standard deviation; None for the latter where one value has no spread."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def percent(value: float | None) -> str:
    """A share in per cent, "-" for None."""
    return "-" if value is None else f"{100 * value:.1f}"


def mean_text(values: Sequence[float], digits: int = 1, scale: float = 100) -> str:
    """Mean and deviation for people, "84.3 ± 0.6": shares in per cent, unless `scale` is 1."""
    return " ± ".join(f"{scale * value:.{digits}f}" for value in mean_std(values) if value is not None)


def interval(difference: dict[str, float | None] | None) -> str:
    """A paired difference for people, in points of a per cent."""
    if difference is None:
        return "-"
    mean, low, high = (None if value is None else 100 * value for value in difference.values())
    return f"{mean:+.1f}" + ("" if low is None else f" [{low:+.1f}, {high:+.1f}]")


def n_seeds(seeds: Sequence[int]) -> str:
    """Number of seeds in words."""
    return f"{len(seeds)} seed{'' if len(seeds) == 1 else 's'}"


def markdown_table(*rows: Iterable[str], right: bool = True) -> list[str]:
    """Lines of a Markdown table, the first row its header; all columns but the first to the right."""
    header, *others = [tuple(row) for row in rows]
    rule = ("---", *["---:" if right else "---"] * (len(header) - 1))
    # A pipe in a command must not end the cell.
    escaped = ((cell.replace("|", r"\|") for cell in line) for line in (header, rule, *others))
    return [f"| {' | '.join(line)} |" for line in escaped]


def _difference(stored: Any, now: Any, name: str = "") -> str | None:
    """The first key in which two nested dictionaries differ, with both values."""
    if isinstance(stored, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*stored, *now]):
            found = _difference(stored.get(key), now.get(key), f"{name}.{key}" if name else str(key))
            if found:
                return found
        return None
    return None if stored == now else f"{name} is {stored!r} there and {now!r} here"
