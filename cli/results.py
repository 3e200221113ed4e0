"""Results of ``compare``: kept after every run, taken up again, and written as JSON and Markdown."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli.report import mean_std, mean_std_percent
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from genurl_graph.cli.runs import Run

REFERENCE = "genurl"
Table = list[tuple[str, ...]]


class Results:
    """Scores, seconds and memory of each finished (method, seed); subclasses name the scores and lay out the table.

    Parameters
    ----------
    header : dict
        ``dataset``, ``protocol`` and ``seeds`` of the comparison.
    environment : dict
        What numbers depend on besides the settings: data, device, threads.
    configuration : dict
        Settings of each method, in the table's order.
    path : Path or None
        File that is replaced after each run.
    """

    # What each run adds one value of, None where a score does not apply.
    scores: tuple[str, ...] = ()
    # Further lists with a value a run, and values of the method, under the names they have in the file.
    lists: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def __init__(
        self, header: dict[str, Any], environment: dict[str, Any], configuration: dict[str, Any], path: Path | None
    ) -> None:
        self.header, self.environment, self.path = header, environment, path
        # As JSON gives them back, so that they can be compared with those of a file.
        self.configuration: dict[str, Any] = json.loads(json.dumps(configuration))
        self.runs: dict[str, dict[str, Any]] = {
            method: {
                **{name: [] for name in (*self.scores, "seconds", *self.lists)},
                **dict.fromkeys(self.values),
                "peak_memory_mb": 0.0,
            }
            for method in configuration
        }

    def resume(self) -> None:
        """Take over the runs of the file, if there is one.

        Raises
        ------
        InputError
            No file was named, it is damaged, or it is of another comparison; the message names the difference.
        """
        if self.path is None:
            raise InputError("--resume: needs --metrics FILE.json, the file to go on with")
        if not self.path.exists():
            return
        try:
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            keys = [key for key in self.header if key != "seeds"]
            stored = {key: found[key] for key in keys} | found["environment"]
            configuration, rows = found["configuration"], found["methods"]
            runs = {method: self._stored(row) for method, row in rows.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"--resume: {self.path} does not hold a comparison that can be continued ({error!r}); start without "
                "--resume to replace it"
            ) from error
        now = {key: self.header[key] for key in keys} | json.loads(json.dumps(self.environment))
        difference = _difference(stored, now)
        for method, row in runs.items():
            if difference:
                break
            if method not in self.runs:
                difference = f"it has the method {method!r}, which --methods leaves out"
            elif len(row["seconds"]) > len(self.header["seeds"]):
                difference = f"it has {len(row['seconds'])} seeds of {method} and --seeds asks for fewer"
            else:
                difference = _difference(configuration[method], self.configuration[method], method)
        if difference:
            raise InputError(
                f"--resume: {self.path} is of another configuration: {difference}; name another file, or start without "
                "--resume to replace it"
            )
        self.runs |= runs

    def todo(self, method: str) -> tuple[int, ...]:
        """Seeds of a method that are not finished."""
        seeds: Sequence[int] = self.header["seeds"]
        return tuple(seeds[len(self.runs[method]["seconds"]) :])

    def add(self, method: str, scores: Mapping[str, float | None], run: "Run") -> None:
        """Keep the next seed's run of a method."""
        row = self.runs[method]
        for name in self.scores:
            row[name].append(scores[name])
        row["seconds"].append(run.seconds)
        row["peak_memory_mb"] = max(row["peak_memory_mb"], run.peak_memory_mb)
        self.write()

    def write(self) -> None:
        """Replace the file, if one was named."""
        if self.path is not None:
            from genurl_graph.io import write_json

            write_json(self.path, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON."""
        done = [method for method in self.runs if self.runs[method]["seconds"]]
        return {
            **self.header,
            "methods": {method: self._row(method) for method in done},
            "complete": not any(self.todo(method) for method in self.runs),
            "environment": self.environment,
            "configuration": self.configuration,
        }

    def table(self) -> tuple[Table, tuple[str, ...]]:
        """Rows and header for people."""
        raise NotImplementedError

    def caption(self) -> str:
        """What the table shows, without its circumstances."""
        raise NotImplementedError

    def markdown(self) -> str:
        """The table in Markdown, below a line that says what it shows."""
        rows, header = self.table()
        seeds = len(self.header["seeds"])
        lines = [
            f"{self.caption()}, {seeds} seed{'s' if seeds > 1 else ''}; {self.environment['device']}, threads: "
            f"{self.environment['threads']}.",
            "",
            *(f"| {' | '.join(cells)} |" for cells in (header, ("---", *["---:"] * (len(header) - 1)), *rows)),
        ]
        return "\n".join(lines) + "\n"

    def _row(self, method: str) -> dict[str, Any]:
        raise NotImplementedError

    def _difference(self, method: str, score: str) -> dict[str, float | None] | None:
        """Against the reference over the seeds that both have; None for itself, without it, or without the score."""
        if method == REFERENCE or REFERENCE not in self.runs:
            return None
        from genurl_graph.evaluation.paired import paired_difference

        own, other = (self.runs[name][score] for name in (method, REFERENCE))
        both = min(len(own), len(other))
        if not both or None in (*own[:both], *other[:both]):
            return None
        return paired_difference(own[:both], other[:both])

    def _stored(self, row: dict[str, Any]) -> dict[str, Any]:
        """A method's runs out of its row of a file."""
        found: dict[str, Any] = {
            name: [None if value is None else float(value) for value in row[name]] for name in (*self.scores, "seconds")
        }
        if len({len(found[name]) for name in found}) != 1:
            raise ValueError("as many seconds as scores expected")
        found |= {name: row[name] for name in (*self.lists, *self.values)}
        return {**found, "peak_memory_mb": float(row["peak_memory_mb"])}


class ProbeResults(Results):
    """Results judged by the linear probe."""

    scores = ("probe_test",)

    def table(self) -> tuple[Table, tuple[str, ...]]:
        """Rows and header for people, accuracies in per cent."""
        rows: Table = []
        for method, row in self.to_dict()["methods"].items():
            rows.append(
                (
                    method,
                    mean_std_percent(row["probe_test"]),
                    interval(row["difference"]),
                    f"{row['seconds_mean']:.1f}",
                    f"{row['peak_memory_mb']:.0f}",
                )
            )
        return rows, ("method", "mean ± std", f"difference from {REFERENCE} [95 %]", "seconds", "peak MB")

    def caption(self) -> str:
        return (
            f"Linear probe on {self.header['dataset']}, test accuracy in per cent, protocol {self.header['protocol']}"
        )

    def _row(self, method: str) -> dict[str, Any]:
        row = self.runs[method]
        mean, std = mean_std(row["probe_test"])
        return {
            "probe_test": row["probe_test"],
            "mean": mean,
            "std": std,
            "seconds_mean": mean_std(row["seconds"])[0],
            "seconds": row["seconds"],
            "peak_memory_mb": row["peak_memory_mb"],
            "difference": self._difference(method, "probe_test"),
        }


def interval(difference: dict[str, float | None] | None) -> str:
    """A paired difference in per cent."""
    if difference is None:
        return "-"
    mean, low, high = (None if value is None else 100 * value for value in difference.values())
    return f"{mean:+.1f}" + ("" if low is None else f" [{low:+.1f}, {high:+.1f}]")


def _difference(stored: Any, now: Any, name: str = "") -> str | None:
    """The first key in which two nested dictionaries differ, with both values."""
    if isinstance(stored, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*stored, *now]):
            found = _difference(stored.get(key), now.get(key), f"{name}.{key}" if name else str(key))
            if found:
                return found
        return None
    return None if stored == now else f"{name} is {stored!r} there and {now!r} here"
