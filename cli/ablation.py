"""Results of ``ablate``: kept after every run, taken up again, and written as JSON and Markdown."""

from pathlib import Path
from typing import Any

from genurl_graph.cli.grid import BASE, Row
from genurl_graph.cli.report import mean_std, mean_std_percent
from genurl_graph.cli.stored import StoredRuns, Table, difference_from, interval


class Ablation(StoredRuns):
    """Validation and test accuracy and seconds of each finished (row, seed); see `StoredRuns`.

    Parameters
    ----------
    rows : list of Row
    header, environment, configuration, path
        As there; ``configuration`` holds those of `rows`.
    """

    kind, group, noun, chooser = "an ablation", "rows", "row", "the grid"
    figures = ("probe_val", "probe_test", "seconds")

    def __init__(
        self,
        rows: list[Row],
        header: dict[str, Any],
        environment: dict[str, Any],
        configuration: dict[str, Any],
        path: Path | None,
    ) -> None:
        super().__init__(header, environment, configuration, path)
        self.rows = {row.name: row for row in rows}
        self.reasons: dict[str, str] = {}

    def add(self, name: str, probe_val: float, probe_test: float, seconds: float) -> None:
        """Keep the next seed's run of a row."""
        for figure, value in zip(self.figures, (probe_val, probe_test, seconds), strict=True):
            self.runs[name][figure].append(value)
        self.write()

    def refuse(self, name: str, reason: str) -> None:
        """Note why a row cannot run. A resumed ablation tries it again."""
        self.reasons[name] = reason
        self.write()

    def todo(self, name: str) -> tuple[int, ...]:
        """Seeds of a row that are not finished; none where it cannot run."""
        return () if name in self.reasons else super().todo(name)

    def best(self) -> str | None:
        """The row of highest mean validation accuracy; test accuracies have no say."""
        means = {name: mean_std(run["probe_val"])[0] for name, run in self.runs.items() if self.ran(name)}
        return max(means, key=lambda name: means[name]) if means else None

    def ran(self, name: str) -> bool:
        """Whether a row has figures that count: it began, and no seed of it failed."""
        return bool(self.runs[name]["probe_val"]) and name not in self.reasons

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON."""
        return {**super().to_dict(), "best_by_validation": self.best()}

    def table(self) -> tuple[Table, tuple[str, ...]]:
        """Rows and header for people, accuracies in per cent; the best by validation is marked with a star."""
        best = self.best()
        rows: Table = []
        for name, row in self.to_dict()["rows"].items():
            title = self.title(name) + (" *" if name == best else "")
            if not self.ran(name):
                rows.append((title, "cannot run", "-", "-", "-"))
                continue
            accuracies = mean_std_percent(row["probe_val"]), mean_std_percent(row["probe_test"])
            seconds = f"{mean_std(row['seconds'])[0]:.1f}"
            rows.append((title, accuracies[0], interval(row["difference"]), accuracies[1], seconds))
        return rows, ("row", "validation", "difference from preset [95 %]", "test", "seconds")

    def title(self, name: str) -> str:
        """A row's name; the preset's with the levels that it stands for."""
        levels = ", ".join(f"{factor}={label}" for factor, label in self.rows[name].levels.items())
        return f"{name} ({levels})" if name == BASE and levels else name

    def notes(self) -> list[str]:
        """What the table alone does not say."""
        found = [f"{name}: {reason}" for name, reason in self.reasons.items()]
        if any("gamma" in row.levels and "loss.scale" in row.settings for row in self.rows.values()):
            found.append("Rows that vary gamma have loss.scale=1: the preset's profiled scale cancels gamma.")
        return found

    def caption(self) -> str:
        return (
            f"Ablation on {self.header['dataset']}: linear probe, accuracy in per cent (*: best by validation), paired "
            f"differences of validation accuracies, protocol {self.header['protocol']}"
        )

    def _begun(self, name: str) -> bool:
        return name in self.reasons or super()._begun(name)

    def _row(self, name: str) -> dict[str, Any]:
        run, row = self.runs[name], self.rows[name]
        val, test = ((None, None) if not run[key] else mean_std(run[key]) for key in ("probe_val", "probe_test"))
        reference = self.runs[BASE]["probe_val"]
        return {
            "set": row.settings,
            "levels": row.levels,
            **{figure: run[figure] for figure in self.figures},
            "val_mean": val[0],
            "val_std": val[1],
            "test_mean": test[0],
            "test_std": test[1],
            "difference": None if name == BASE else difference_from(reference, run["probe_val"]),
            "reason": self.reasons.get(name),
        }
