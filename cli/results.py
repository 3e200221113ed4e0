"""Results of ``compare``: kept after every run, taken up again, and written as JSON and Markdown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from genurl_graph.cli.report import mean_std, mean_std_percent
from genurl_graph.cli.stored import StoredRuns, Table, difference_from, interval

if TYPE_CHECKING:
    from genurl_graph.cli.runs import Run

REFERENCE = "genurl"


class Results(StoredRuns):
    """Scores, seconds and memory of each finished (method, seed); subclasses name the scores. See `StoredRuns`."""

    kind, group, noun, chooser = "a comparison", "methods", "method", "--methods"
    values: ClassVar[dict[str, Any]] = {"peak_memory_mb": 0.0}

    def add(self, method: str, scores: Mapping[str, Any], run: "Run") -> None:
        """Keep the next seed's run of a method."""
        row, found = self.runs[method], {**scores, "seconds": run.seconds}
        for figure in self.figures:
            row[figure].append(found[figure])
        row["peak_memory_mb"] = max(row["peak_memory_mb"], run.peak_memory_mb)
        self.write()

    def _difference(self, method: str, score: str) -> dict[str, float | None] | None:
        """Against the reference; None for itself, without it, or without the score."""
        if method == REFERENCE or REFERENCE not in self.runs:
            return None
        return difference_from(self.runs[REFERENCE][score], self.runs[method][score])


class ProbeResults(Results):
    """Results judged by the linear probe."""

    figures = ("probe_test", "seconds")

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
