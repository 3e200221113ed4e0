"""Reports on a data set of the Open Graph Benchmark: frozen embeddings judged by two probes, seed by seed."""

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from genurl_graph.exceptions import wrong
from genurl_graph.experiments.environment import machine, peak_gpu_mb, peak_mb, reset_peak, version_of
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.ogb_report import PARTS, PROBES, report_lines
from genurl_graph.experiments.probe_table import FIXED
from genurl_graph.experiments.results import Cell, Results, mean_std, mean_text
from genurl_graph.experiments.runs import progress_bar, terminable
from genurl_graph.experiments.scores import TITLES, fixed_embedding

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.datasets import DatasetInfo


class OgbTable(Results):
    """Scores of each finished (row, seed); every row but GenURL's has one run."""

    kind, group, noun, chooser = "a report on OGB", "methods", "method", "this version"
    # A report that names one machine and one set of versions must not hold seeds of others.
    same = ("dataset", "protocol", "versions", "hardware")
    figures = ("linear_val", "linear_test", "mlp_val", "mlp_test")
    lists = ("linear_penalty", "mlp_epoch", "seconds")
    values: ClassVar[dict[str, Any]] = {"parameters": None, "peak_memory_mb": 0.0, "peak_gpu_memory_mb": None}

    # Markdown file that is replaced along with that of the figures.
    report: Path | None = None

    def todo(self, name: str) -> tuple[int, ...]:
        left = super().todo(name)
        return left if name == "genurl" else left[: 0 if self._begun(name) else 1]

    def write(self) -> None:
        """Replace both files."""
        from genurl_graph.runtime.files import atomic_write

        self.header["date"] = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        super().write()
        if self.report:
            with atomic_write(self.report) as temporary:
                temporary.write_text(self.markdown(), encoding="utf-8")

    def columns(self) -> dict[str, Cell]:
        def score(figure: str) -> Cell:
            return lambda name, row: mean_text(row[figure], 4, 1)

        probes = {
            f"{title}, {part_title}": score(f"{probe}_{part}")
            for probe, title in PROBES.items()
            for part, part_title in PARTS.items()
        }
        return {"": lambda name, row: TITLES[name], **probes}

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
        """The whole report, the table in its middle."""
        return "\n".join(report_lines(self.to_dict(), super().markdown()))

    def _row(self, name: str) -> dict[str, Any]:
        row = self.runs[name]
        summary = {
            probe: {part: dict(zip(("mean", "std"), mean_std(row[f"{probe}_{part}"]), strict=True)) for part in PARTS}
            for probe in PROBES
        }
        total = {probe: row["parameters"]["encoder"] + row["parameters"][probe] for probe in PROBES}
        return {"summary": summary, "parameters_total": total, **row}


class OgbRuns:
    """The runs of a report: embed, freeze, judge by both probes."""

    def __init__(self, results: OgbTable, data: "Data", model: dict[str, Any]) -> None:
        from genurl_graph.evaluation.ogb import official_accuracy
        from genurl_graph.evaluation.splits import splits

        self.data, self.model = data, model
        (self.split,) = splits("public", data)
        self.metric = official_accuracy(results.header["dataset"])
        self.probe_epochs = results.environment["probe"]["epochs"]

    def fixed(self, row: str) -> dict[str, Any]:
        """The run of features that nothing trains."""
        reset_peak()
        start = time.perf_counter()
        z = fixed_embedding(row, self.data)
        return self.judge(z, 0, 0, {"embed": time.perf_counter() - start})

    def trained(self, seed: int, *, untrained: bool) -> dict[str, dict[str, Any]]:
        """The run of a seed, after that of its encoder as it was before the training if that is wanted."""
        reset_peak()
        estimator = make_estimator(**self.model, seed=seed).fit(self.data)
        size, found = estimator.n_parameters_, {}
        run = self.judge(estimator.embedding_, seed, size, dict(estimator.seconds_))
        if untrained:
            start = time.perf_counter()
            z = estimator.untrained_embedding()
            found["untrained"] = self.judge(z, seed, size, {"embed": time.perf_counter() - start})
        # A run of GenURL is the last one that is kept of a seed: an interruption before it repeats the seed.
        return {**found, "genurl": run}

    def judge(self, z: Any, seed: int, encoder: int, seconds: dict[str, float]) -> dict[str, Any]:
        """What the table keeps of a frozen embedding: scores of both probes, parameters, seconds, peaks of memory."""
        from genurl_graph.evaluation.minibatch_probe import linear_classifier, mlp_classifier

        found: dict[str, Any] = {"parameters": {"encoder": encoder}}
        around = {"seed": seed, "device": self.model["device"], "epochs": self.probe_epochs}
        for name, classifier in (("linear", linear_classifier), ("mlp", mlp_classifier)):
            start = time.perf_counter()
            probe = classifier(z, self.data.y, self.split, self.metric, **around)
            seconds[name] = time.perf_counter() - start
            found |= {f"{name}_val": probe.val, f"{name}_test": probe.test}
            found["parameters"][name] = probe.parameters
            found["linear_penalty" if name == "linear" else "mlp_epoch"] = probe.chosen
        found["mlp_epoch"] = int(found["mlp_epoch"])
        gpu = peak_gpu_mb()
        found |= {"peak_memory_mb": round(peak_mb(), 1), "peak_gpu_memory_mb": None if gpu is None else round(gpu, 1)}
        return found | {"seconds": {stage: round(value, 2) for stage, value in seconds.items()}}


def run_rows(results: OgbTable, data: "Data", model: dict[str, Any], quiet: bool) -> None:
    """Add the missing runs of all rows to the results."""
    runs = OgbRuns(results, data, model)
    with terminable(), progress_bar(sum(len(results.todo(row)) for row in results.runs), quiet) as shown:
        for row in FIXED:
            for _ in results.todo(row):
                results.add(row, runs.fixed(row))
                shown.update()
        for seed in results.todo("genurl"):
            for row, run in runs.trained(seed, untrained=bool(results.todo("untrained"))).items():
                results.add(row, run)
                shown.update()


def ogb_dataset(name: str) -> "DatasetInfo":
    """A node-property data set of OGB; InputError for any other."""
    from genurl_graph import datasets

    fitting = [name for name in datasets.names() if datasets.info(name).loader == "ogb-node"]
    entry = datasets.info(name)
    if entry.name not in fitting:
        raise wrong("--dataset", f"{entry.name}, which is not of OGB", f"one of {', '.join(fitting)}")
    return entry


def ogb_machine(device: str) -> dict[str, Any]:
    """Hardware and versions, that of OGB's package too."""
    found = machine(device)
    return {**found, "versions": {**found["versions"], "ogb": version_of("ogb")}}


def data_sizes(entry: "DatasetInfo", data: "Data") -> dict[str, Any]:
    """What was read, and whether it can be the official data set: a folder of the same layout may hold another."""
    found = {"n_nodes": data.num_nodes, "n_edges": data.num_edges, "n_features": data.num_features}
    official = (found["n_nodes"], found["n_features"]) == (entry.n_nodes, entry.n_features)
    masks = {f"n_{name}": int(data[f"{name}_mask"].sum()) for name in ("train", "val", "test")}
    return {**found, **masks, "official_size": official, "official_nodes": entry.n_nodes}
