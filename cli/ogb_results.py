"""Results of ``ogb``: kept after every seed, taken up again, and written as JSON and as the leaderboard's fields."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from genurl_graph.cli.ogb_report import PARTS, PROBES, sections, shares
from genurl_graph.cli.report import mean_std
from genurl_graph.cli.stored import StoredRuns, Table

if TYPE_CHECKING:
    from genurl_graph.evaluation.minibatch_probe import ProbeResult

TITLES = {
    "genurl": "GenURL",
    "untrained": "same encoder, untrained",
    "propagated": "propagated features",
    "raw": "raw features",
}


class OgbRun(NamedTuple):
    """One embedding, judged: both probes, parameters of the encoder, seconds by stage, peaks of memory."""

    linear: "ProbeResult"
    mlp: "ProbeResult"
    encoder: int
    seconds: dict[str, float]
    peak_memory_mb: float
    peak_gpu_memory_mb: float | None


class OgbResults(StoredRuns):
    """Scores of each finished (row, seed); every row but GenURL's has one run. See `StoredRuns`."""

    kind, group, noun, chooser = "a report on OGB", "methods", "method", "this version"
    # A report that names one machine and one set of versions must not hold seeds of others.
    same = ("dataset", "protocol", "versions", "hardware")
    figures = ("linear_val", "linear_test", "mlp_val", "mlp_test")
    lists = ("linear_penalty", "mlp_epoch", "seconds")
    values: ClassVar[dict[str, Any]] = {"parameters": None, "peak_memory_mb": 0.0, "peak_gpu_memory_mb": None}

    def __init__(
        self,
        header: dict[str, Any],
        environment: dict[str, Any],
        configuration: dict[str, Any],
        path: Path | None,
        report: Path,
    ) -> None:
        super().__init__(header, environment, configuration, path)
        self.report = report

    def todo(self, name: str) -> tuple[int, ...]:
        left = super().todo(name)
        return left if name == "genurl" else left[: 0 if self._begun(name) else 1]

    def add(self, name: str, run: OgbRun) -> None:
        """Keep the next run of a row; `write` afterwards."""
        row = self.runs[name]
        for probe in PROBES:
            found: ProbeResult = getattr(run, probe)
            row[f"{probe}_val"].append(found.val)
            row[f"{probe}_test"].append(found.test)
        row["linear_penalty"].append(run.linear.chosen)
        row["mlp_epoch"].append(int(run.mlp.chosen))
        row["seconds"].append({stage: round(value, 2) for stage, value in run.seconds.items()})
        row["parameters"] = {"encoder": run.encoder} | {probe: getattr(run, probe).parameters for probe in PROBES}
        for key in ("peak_memory_mb", "peak_gpu_memory_mb"):
            peak: float | None = getattr(run, key)
            row[key] = None if peak is None else max(round(peak, 1), row[key] or 0.0)

    def write(self) -> None:
        """Replace both files."""
        from genurl_graph.runtime.files import atomic_write

        self.header["date"] = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        super().write()
        with atomic_write(self.report) as temporary:
            temporary.write_text(self.markdown(), encoding="utf-8")

    def table(self) -> tuple[Table, tuple[str, ...]]:
        rows: Table = [
            (TITLES[name], *(shares(row[f"{probe}_{part}"]) for probe in PROBES for part in PARTS))
            for name, row in self.runs.items()
            if self._begun(name)
        ]
        return rows, ("", *(f"{title}, {part}" for title in PROBES.values() for part in PARTS.values()))

    def caption(self) -> str:
        return (
            f"Accuracy on {self.header['dataset']} by OGB's Evaluator, frozen embeddings; mean ± unbiased deviation "
            "for GenURL, one run for the rows below it"
        )

    def notes(self) -> list[str]:
        data, notes = self.header["data"], []
        if not data["official_size"]:
            notes.append(
                f"NOT the official data: {data['n_nodes']:,} nodes with {data['n_features']} features were read; "
                f"{self.header['dataset']} has {data['official_nodes']:,} nodes."
            )
        if self.todo("genurl"):
            done, all_seeds = len(self.runs["genurl"]["linear_test"]), len(self.header["seeds"])
            notes.append(f"Not complete: {done} of {all_seeds} seeds are finished.")
        return notes

    def markdown(self) -> str:
        return "\n".join(sections(self.to_dict(), super().markdown()))

    def _row(self, name: str) -> dict[str, Any]:
        row = self.runs[name]
        summary = {probe: {part: spread(row[f"{probe}_{part}"]) for part in PARTS} for probe in PROBES}
        total = {probe: row["parameters"]["encoder"] + row["parameters"][probe] for probe in PROBES}
        return {"summary": summary, "parameters_total": total, **row}


def spread(values: list[float]) -> dict[str, float | None]:
    mean, std = mean_std(values)
    return {"mean": mean, "std": std}
