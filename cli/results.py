"""Results of ``compare``: kept after every run, taken up again, and written as JSON and Markdown."""

from typing import Any

from genurl_graph.cli.report import mean_std, mean_std_percent
from genurl_graph.cli.stored import StoredRuns, Table, difference_from, interval, markdown_table

REFERENCE = "genurl"


class Results(StoredRuns):
    """Accuracy, seconds and memory of each finished (method, seed); see `StoredRuns`."""

    kind, group, noun, chooser = "a comparison", "methods", "method", "--methods"
    figures = ("probe_test", "seconds")

    def add(self, method: str, probe_test: float, seconds: float, peak_memory_mb: float) -> None:
        """Keep the next seed's run of a method."""
        row = self.runs[method]
        row["probe_test"].append(probe_test)
        row["seconds"].append(seconds)
        row["peak_memory_mb"] = max(row.get("peak_memory_mb", 0.0), peak_memory_mb)
        self.write()

    def table(self) -> tuple[Table, tuple[str, ...]]:
        """Rows and header for people, accuracies in per cent."""
        rows = []
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

    def markdown(self) -> str:
        """The table in Markdown, below a line that says what it shows."""
        rows, header = self.table()
        seeds = len(self.header["seeds"])
        lines = [
            f"Linear probe on {self.header['dataset']}, test accuracy in per cent, protocol {self.header['protocol']}, "
            f"{seeds} seed{'s' if seeds > 1 else ''}; {self.environment['device']}, threads: "
            f"{self.environment['threads']}.",
            "",
            *markdown_table(header, rows),
        ]
        return "\n".join(lines) + "\n"

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
            "difference": self._difference(method),
        }

    def _stored(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**super()._stored(row), "peak_memory_mb": float(row["peak_memory_mb"])}

    def _difference(self, method: str) -> dict[str, float | None] | None:
        """Against the reference; None for itself or without it."""
        if method == REFERENCE or REFERENCE not in self.runs:
            return None
        return difference_from(self.runs[REFERENCE]["probe_test"], self.runs[method]["probe_test"])
