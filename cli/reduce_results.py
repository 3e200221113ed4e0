"""Results of ``compare`` by the protocol reduce: scores of each run, seconds warm and cold, memory."""

import statistics
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from genurl_graph.cli.report import mean_std, mean_std_percent
from genurl_graph.cli.results import REFERENCE, Results
from genurl_graph.cli.stored import Table

if TYPE_CHECKING:
    from genurl_graph.cli.runs import Run

SCORES = ("knn_accuracy", "trustworthiness", "continuity", "spearman")


class ReduceResults(Results):
    """Results judged by `genurl_graph.evaluation.preservation.reduce_scores`."""

    same = (*Results.same, "dim")
    figures, optional = (*SCORES, "seconds"), SCORES
    lists = ("stages",)
    values: ClassVar[dict[str, Any]] = {**Results.values, "cold": None, "how": None}

    def add_cold(self, method: str, run: "Run") -> None:
        """Keep the seconds of the first run in a new process; those of a resumed comparison do not replace them."""
        row = self.runs[method]
        if row["cold"] is None:
            imports = run.import_seconds or 0.0
            total = imports + run.seconds
            row["cold"] = {"import_seconds": imports, "first_run_seconds": run.seconds, "seconds": total}

    def add(self, method: str, scores: Mapping[str, Any], run: "Run") -> None:
        """Keep the next seed's run of a method, and in what way its scores were computed."""
        row = self.runs[method]
        row["stages"].append(run.stages)
        row["how"] = scores["how"]
        super().add(method, scores, run)

    def table(self) -> tuple[Table, tuple[str, ...]]:
        """Rows and header for people; seconds are medians of the warm runs, accuracies in per cent."""
        rows = []
        for method, row in self.to_dict()["methods"].items():
            cold = row["cold"]
            rows.append(
                (
                    method,
                    "-" if None in row["knn_accuracy"] else mean_std_percent(row["knn_accuracy"]),
                    *(rounded(row["mean"][score]) for score in SCORES[1:]),
                    f"{row['seconds_median']:.1f}",
                    "-" if row["seconds_ratio"] is None else f"{row['seconds_ratio']:.2f}",
                    "-" if cold is None else f"{cold['seconds']:.1f} ({cold['import_seconds']:.1f})",
                    f"{row['peak_memory_mb']:.0f}",
                )
            )
        header = ("method", "10-NN %", "trust", "continuity", "Spearman", "seconds", f"x {REFERENCE}")
        return rows, (*header, "cold (import)", "peak MB")

    def caption(self) -> str:
        return (
            f"Reduction of {self.header['dataset']} to {self.header['dim']} dimensions, protocol reduce; seconds with "
            "neighbour search, median of warm runs, and of a first run in a new process with its imports (cold)"
        )

    def notes(self) -> list[str]:
        """How the scores were computed, in words: folds, neighbours, samples."""
        hows = [row["how"] for row in self.runs.values() if row["how"]]
        return [f"{score}: {hows[0][score]}" for score in SCORES] if hows else []

    def _row(self, method: str) -> dict[str, Any]:
        row = self.runs[method]
        found = {score: spread(row[score]) for score in SCORES}
        median = statistics.median(row["seconds"])
        reference = self.runs.get(REFERENCE, {"seconds": []})["seconds"]
        return {
            **{score: row[score] for score in SCORES},
            "mean": {score: mean for score, (mean, _) in found.items()},
            "std": {score: std for score, (_, std) in found.items()},
            "seconds_median": median,
            "seconds_ratio": median / statistics.median(reference) if reference else None,
            "seconds": row["seconds"],
            "stages": row["stages"],
            "cold": row["cold"],
            "peak_memory_mb": row["peak_memory_mb"],
            "difference": {score: self._difference(method, score) for score in SCORES},
            "how": row["how"],
        }


def spread(values: list[float | None]) -> tuple[float | None, float | None]:
    """Mean and unbiased deviation; None where a run has no value."""
    known = [value for value in values if value is not None]
    return mean_std(known) if len(known) == len(values) else (None, None)


def rounded(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
