"""Ablations: settings varied around a base, one at a time or all together, judged by the linear probe."""

import itertools
import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from genurl_graph.config.choices import ProtocolName
from genurl_graph.exceptions import DivergenceError, InputError, wrong
from genurl_graph.experiments.models import make_estimator, parse_names, resolved
from genurl_graph.experiments.results import Cell, Results, interval, mean_std, mean_text, percent
from genurl_graph.experiments.runs import progress_bar

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.config import Config

BASE = "preset"
FIXED: dict[str, Any] = {"merge.how": "mix", "merge.weighting": "given", "merge.propagation_weight": 0.0}
# Each name says where the edges of P, and of the graph that a GNN propagates over, come from.
MERGING: dict[str, dict[str, Any]] = {
    "adaptive": {"merge.how": "mix", "merge.weighting": "adaptive"},
    "given": FIXED,
    "adjacency": {**FIXED, "merge.feature_weight": 0.0, "merge.column_weight": 0.0},
    "features": {"merge.how": "mix", "merge.weighting": "none"},
    "columns": {"merge.column_weight": 30.0},
    "union": {"merge.how": "union"},
    "geodesic": {"merge.how": "geodesic"},
}
# The same of a graph of graphs, whose predefined edges join two views of one graph.
MERGING_OF_GRAPHS: dict[str, dict[str, Any]] = {
    "both": {},
    "views": {"merge.feature_weight": 0.0},
    "neighbors": {"views.self_weight": 0.0},
}
# The same of a supra-graph, each source of edges left out in turn; judged by this protocol instead of a probe.
MERGING_OF_EVENTS: dict[str, dict[str, Any]] = {
    "all": {},
    "no-interactions": {"temporal.interaction_weight": 0.0},
    "no-identity": {"merge.identity_weight": 0.0},
    "no-knn": {"merge.feature_weight": 0.0},
}
EVENTS = "temporal-links"
# What an ablation varies if it is not told otherwise.
GAMMA, NU, K = "0.5,1,2", "1,10,100", "5,15,30"

Settings = dict[str, Any]
Factors = dict[str, dict[str, Settings]]


class Row(NamedTuple):
    """One configuration.

    Attributes
    ----------
    name : str
        `BASE`, or its levels, "loss=kl, gamma=0.5".
    settings : dict
        Dotted keys in which it differs from the base: what ``--set`` takes.
    levels : dict
        Its level of each factor, as far as the grid names it.
    """

    name: str
    settings: Settings
    levels: dict[str, str]

    def options(self, model: dict[str, Any]) -> dict[str, Any]:
        """Options of the model with the row's settings, which win over --config and --set."""
        return {**model, "assignments": (*model["assignments"], *(f"{k}={v}" for k, v in self.settings.items()))}

    def resolved(self, model: dict[str, Any], data: "Data") -> dict[str, Any]:
        """All settings that the row runs with; those of a row that cannot are what was asked for."""
        try:
            return resolved(self.options(model), data)
        except InputError:
            return dict(self.settings)


class AblationTable(Results):
    """Validation and test accuracy and seconds of each finished (row, seed); the other arguments are `Results`'."""

    kind, group, noun, chooser = "an ablation", "rows", "row", "the grid"
    figures = ("probe_val", "probe_test", "seconds")

    def __init__(self, rows: list[Row], *arguments: Any) -> None:
        super().__init__(*arguments)
        self.settings = {row.name: row for row in rows}
        self.reasons: dict[str, str] = {}

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

    def columns(self) -> dict[str, Cell]:
        best = self.best()

        def of_run(cell: Cell, otherwise: str = "-") -> Cell:
            return lambda name, row: cell(name, row) if self.ran(name) else otherwise

        return {
            "row": lambda name, row: self.title(name) + (" *" if name == best else ""),
            "validation": of_run(lambda name, row: mean_text(row["probe_val"]), "cannot run"),
            "difference from preset [95 %]": of_run(lambda name, row: interval(row["difference"])),
            "test": of_run(lambda name, row: mean_text(row["probe_test"])),
            "seconds": of_run(lambda name, row: f"{mean_std(row['seconds'])[0]:.1f}"),
        }

    def title(self, name: str) -> str:
        """A row's name; the preset's with the levels that it stands for."""
        levels = ", ".join(f"{factor}={label}" for factor, label in self.settings[name].levels.items())
        return f"{name} ({levels})" if name == BASE and levels else name

    def best_line(self) -> str | None:
        """The best row with its accuracies, in words."""
        best = self.best()
        if best is None:
            return None
        val, test = (percent(mean_std(self.runs[best][key])[0]) for key in ("probe_val", "probe_test"))
        return f"* best by validation: {self.title(best)}, {val}; its test accuracy is {test}"

    def notes(self) -> list[str]:
        """Reasons of the rows that cannot run, and what varying gamma implies."""
        found = [f"{name}: {reason}" for name, reason in self.reasons.items()]
        if any("gamma" in row.levels and "loss.scale" in row.settings for row in self.settings.values()):
            found.append("Rows that vary gamma have loss.scale=1: the preset's profiled scale cancels gamma.")
        return found

    def caption(self) -> str:
        if self.header["protocol"] == EVENTS:
            return (
                f"Ablation on {self.header['dataset']}: pairs of the next window against random ones by the cosine of "
                "the embedding alone, AUC in per cent (*: best by validation), paired differences of validation areas"
            )
        return (
            f"Ablation on {self.header['dataset']}: linear probe, accuracy in per cent (*: best by validation), paired "
            f"differences of validation accuracies, protocol {self.header['protocol']}"
        )

    def _begun(self, name: str) -> bool:
        return name in self.reasons or super()._begun(name)

    def _row(self, name: str) -> dict[str, Any]:
        run, row = self.runs[name], self.settings[name]
        val, test = (mean_std(run[key]) if run[key] else (None, None) for key in ("probe_val", "probe_test"))
        return {
            "set": row.settings,
            "levels": row.levels,
            **{figure: run[figure] for figure in self.figures},
            "val_mean": val[0],
            "val_std": val[1],
            "test_mean": test[0],
            "test_std": test[1],
            "difference": self._difference_from(BASE, name, "probe_val"),
            "reason": self.reasons.get(name),
        }


def run_rows(rows: list[Row], results: AblationTable, data: "Data", model: dict[str, Any], quiet: bool) -> None:
    """Add the missing runs of all rows to the results; a row that cannot run is noted, the base's error is raised."""
    with progress_bar(sum(len(results.todo(row.name)) for row in rows), quiet) as shown:
        for row in rows:
            for seed in results.todo(row.name):
                try:
                    results.add(row.name, run_row(row, data, model, results.header["protocol"], seed))
                except (InputError, DivergenceError) as error:
                    if row.name == BASE:
                        raise
                    results.refuse(row.name, str(error))
                    break
                finally:
                    shown.update()


def run_row(row: Row, data: "Data", model: dict[str, Any], protocol: ProtocolName, seed: int) -> dict[str, float]:
    """Validation accuracy, test accuracy and seconds to the embedding; of events areas in place of accuracies."""
    from genurl_graph.evaluation.protocols import probe_embedding

    if protocol == EVENTS:
        from genurl_graph.experiments.temporal.links import cosine_areas

        return cosine_areas(row.options(model), data, seed)
    start = time.perf_counter()
    z = make_estimator(**row.options(model), seed=seed).fit(data).embedding_
    seconds = time.perf_counter() - start
    probe = probe_embedding(z, data, protocol, seed=seed)
    return {"probe_val": float(probe["val"]), "probe_test": float(probe["test"]), "seconds": seconds}


def parse_factors(
    base: "Config", losses: str | None, gamma: str | None, nu: str | None, k: str | None, merging: str | None
) -> Factors:
    """Levels of each factor that is varied, by label, with the settings in which they differ from `base`.

    All factors vary, at default levels, if none is named.

    Raises
    ------
    InputError
        An unknown loss or merging mode, or something that is not a number > 0.
    """
    from genurl_graph.losses.pairwise import LOSSES

    modes = {"graphs": MERGING_OF_GRAPHS, "temporal": MERGING_OF_EVENTS}.get(base.task, MERGING)
    if not any((losses, gamma, nu, k, merging)):
        losses, gamma, nu, k, merging = ",".join(LOSSES), GAMMA, NU, K, ",".join(modes)
    found: Factors = {}
    if losses:
        names = parse_names("--losses", "loss", losses, LOSSES)
        # Not all have a profiled form: each takes the scale that is its own.
        found["loss"] = {
            name: {} if name == base.loss.name else {"loss.name": name, "loss.scale": "auto"} for name in names
        }
    if gamma:
        # The profiled scale cancels gamma: it acts on the plain divergence alone.
        plain = {"loss.scale": 1.0} if isinstance(base.loss.scale, str) else {}
        found["gamma"] = {f"{value:g}": {"loss.gamma": value, **plain} for value in _numbers("--gamma", gamma, float)}
    if nu:
        found["nu"] = {f"{value:g}": {"loss.nu": value} for value in _numbers("--nu", nu, float)}
    if k:
        found["k"] = {str(value): {"neighbors.n_neighbors": value} for value in _numbers("--k", k, int)}
    if merging:
        names = parse_names("--merging", "mode", merging, modes)
        found["merging"] = {name: modes[name] for name in names}
    return {
        factor: {label: _changes(base, settings) for label, settings in levels.items()}
        for factor, levels in found.items()
    }


def one_at_a_time(factors: Factors) -> list[Row]:
    """The base, and every level of every factor that differs from it, all else as in the base."""
    same = {factor: label for factor, levels in factors.items() for label, settings in levels.items() if not settings}
    rows = [Row(BASE, {}, same)]
    for factor, levels in factors.items():
        rows += [Row(f"{factor}={label}", changes, {factor: label}) for label, changes in levels.items() if changes]
    return rows


def product(factors: Factors) -> list[Row]:
    """The base, and every combination of levels."""
    rows = [Row(BASE, {}, {})]
    for labels in itertools.product(*factors.values()):
        levels = dict(zip(factors, labels, strict=True))
        settings: Settings = {}
        for factor, label in levels.items():
            settings |= factors[factor][label]
        if settings:
            rows.append(Row(", ".join(f"{factor}={label}" for factor, label in levels.items()), settings, levels))
        else:
            rows[0] = Row(BASE, {}, levels)
    return rows


def _changes(base: "Config", settings: Settings) -> Settings:
    now = base.to_dict()
    wanted = {key: tuple(key.split(".")) for key in settings}
    return {key: settings[key] for key, (stage, name) in wanted.items() if settings[key] != now[stage][name]}


def _numbers(option: str, text: str, kind: Callable[[str], float]) -> Iterable[Any]:
    expected = "numbers > 0" if kind is float else "whole numbers > 0"
    try:
        values = [kind(word) for word in text.split(",")]
    except ValueError:
        values = []
    if not values or not all(0 < value < math.inf for value in values):
        raise wrong(option, repr(text), f"{expected}, separated by commas")
    return dict.fromkeys(values)
