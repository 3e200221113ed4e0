"""The protocol temporal-links of GenURL and of what needs no training, in one process: of the user's own data, too."""

import time
from typing import TYPE_CHECKING, Any

from genurl_graph.experiments.environment import peak_mb
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.probe_table import REFERENCE, ComparedMethods
from genurl_graph.experiments.results import Cell
from genurl_graph.experiments.runs import progress_bar
from genurl_graph.experiments.temporal.methods import HISTORY, UNTRAINED, genurl_positions
from genurl_graph.experiments.temporal.table import TemporalComparison, TemporalTable, by_key, split_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genurl_graph.evaluation.temporal_links.history import Scorer
    from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
    from genurl_graph.inputs.temporal.event_set import EventSet

ROWS = (REFERENCE, HISTORY, *UNTRAINED)


class LinkTable(TemporalTable):
    """The table of one process, whose memory is that of all rows."""

    def columns(self) -> dict[str, Cell]:
        return {title: cell for title, cell in super().columns().items() if title != "peak MB"}


class LinkComparison(TemporalComparison):
    """GenURL, its score without the embedding, and the rows without training."""

    table = LinkTable
    methods = ROWS


def run_links(data: "EventSet", results: ComparedMethods, model: dict[str, Any], quiet: bool) -> None:
    """Add the runs of all seeds to a table; `model` are the options of the model."""
    windows, seeds = results.header["windows"], results.header["seeds"]
    split = split_of(data, windows)
    with progress_bar(len(seeds), quiet) as shown:
        for seed in seeds:
            found = judge_rows(data, split, {**model, "task": "temporal", "windows": windows}, seed)
            for name, figures in found.items():
                results.add(name, figures)
            shown.update()


def cosine_areas(model: dict[str, Any], data: "EventSet", seed: int) -> dict[str, float]:
    """AUC against random pairs by the cosine of the embedding alone, on validation and test windows, and seconds.

    The model sees the windows before validation; nothing is fitted to those of validation. Keys are those of an
    ablation.
    """
    import torch

    from genurl_graph.evaluation.temporal_links.protocol import judge

    start = time.perf_counter()
    windows = make_estimator(**model, seed=seed).resolve(data).temporal.windows
    split = split_of(data, windows)
    positions = genurl_positions({**model, "task": "temporal", "windows": windows}, data, split, seed)
    seconds = time.perf_counter() - start

    def scorers(_: "TemporalSplit", window: int) -> "Mapping[str, Scorer]":
        z = torch.nn.functional.normalize(positions(window)[0], dim=1)
        return {"": lambda source, target: (z[source] * z[target]).sum(-1).double()}

    val, test = (judge(split, scorers, part, seed)[""].auc["random"] for part in ("val", "test"))
    return {"probe_val": val, "probe_test": test, "seconds": seconds}


def judge_rows(
    data: "EventSet", split: "TemporalSplit", model: dict[str, Any], seed: int
) -> dict[str, dict[str, float | None]]:
    """Figures of all rows with one seed, as `TemporalTable` keeps them."""
    from genurl_graph.evaluation.temporal_links.fitted_score import FittedScore
    from genurl_graph.evaluation.temporal_links.protocol import judge, references

    fitted, spent = {}, {}
    for name in (REFERENCE, HISTORY):
        wall, cpu = time.perf_counter(), time.process_time()
        positions = genurl_positions(model, data, split, seed) if name == REFERENCE else None
        fitted[name] = FittedScore.fit(split, positions, seed)
        spent[name] = time.perf_counter() - wall, time.process_time() - cpu

    def scorers(_: "TemporalSplit", window: int) -> "Mapping[str, Scorer]":
        untrained = references(split, window)
        own = {name: score.scorer(window) for name, score in fitted.items()}
        return own | {name: untrained[title] for name, title in UNTRAINED.items()}

    rows = {}
    for name, figures in judge(split, scorers, seed=seed).items():
        seconds, cpu_seconds = spent.get(name, (0.0, 0.0))
        took = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_memory_mb": peak_mb()}
        rows[name] = {**by_key(figures), **took}
    return rows
