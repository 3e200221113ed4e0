"""The protocol triples of GenURL and of what needs no training, in one process: of the user's own data, too."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.experiments.environment import peak_mb
from genurl_graph.experiments.probe_table import REFERENCE, ComparedMethods
from genurl_graph.experiments.results import Cell
from genurl_graph.experiments.runs import Order, progress_bar
from genurl_graph.experiments.triples.methods import ABLATED, PROTOCOL, UNTRAINED, judge_method
from genurl_graph.experiments.triples.source import parts_of
from genurl_graph.experiments.triples.table import TripleComparison, TripleTable

if TYPE_CHECKING:
    from genurl_graph.experiments.sources import Source
    from genurl_graph.inputs.triples import TripleSet


class TripleLinkTable(TripleTable):
    """The table of one process, whose memory is that of all rows."""

    def columns(self) -> dict[str, Cell]:
        return {title: cell for title, cell in super().columns().items() if title != "peak MB"}


class TripleLinkComparison(TripleComparison):
    """GenURL, the same without features of the entities where there are any, and what needs no training."""

    table = TripleLinkTable


def rows_of(data: "TripleSet") -> list[str]:
    """Rows of the table."""
    return [REFERENCE, *([ABLATED] if data.modalities else []), *UNTRAINED]


def triple_results(
    source: "Source", data: "TripleSet", seeds: int, model: dict[str, Any], path: Path | None
) -> ComparedMethods:
    """The table to fill."""
    header = {"protocol": PROTOCOL, "source": source.record()}
    comparison = TripleLinkComparison(source, data, **header)
    chosen = rows_of(data)
    comparison.check(chosen)
    return comparison.results(chosen, seeds, model, {}, path)


def run_triples(
    data: "TripleSet", results: ComparedMethods, model: dict[str, Any], quiet: bool, checked: bool = False
) -> float | None:
    """Add the runs of all seeds to a table; `model` are the options of the model.

    Where they are to be `checked`, and PyKEEN is installed, GenURL's figures of the first seed are counted by its
    evaluator as well: the largest difference.
    """
    from genurl_graph.evaluation.triples.pykeen import has_pykeen

    seeds, apart = results.header["seeds"], None
    with progress_bar(len(seeds) * len(results.runs), quiet) as shown:
        for seed in seeds:
            parts = parts_of(data, seed)
            for name in results.runs:
                order = Order(name, (seed,), {**model, "task": "triples"}, {})
                twice = checked and name == REFERENCE and seed == seeds[0] and has_pykeen()
                found = judge_method(order, parts, seed, twice)
                apart = found.pop("pykeen", apart)
                results.add(name, {**found, "peak_memory_mb": peak_mb()})
                shown.update()
    return apart


def repeat_triples(stored: dict[str, Any], data: "TripleSet", model: dict[str, Any], quiet: bool) -> dict[str, Any]:
    """The runs that a file holds, once more."""
    done = len(stored["methods"][REFERENCE]["mrr"])
    header = {**stored, "seeds": stored["seeds"][:done]}
    results = TripleLinkTable(header, stored["environment"], stored["configuration"], None)
    run_triples(data, results, model, quiet)
    return results.runs
