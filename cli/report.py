"""What the commands print for people."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.experiments.results import percent
from genurl_graph.experiments.scores import TITLES
from genurl_graph.experiments.temporal.embedding import node_table
from genurl_graph.experiments.triples.embedding import score_table

if TYPE_CHECKING:
    from genurl_graph.cli.options import TableFiles
    from genurl_graph.experiments.results import Results


class Report:
    """Lines and tables on standard output, or (`err`) on standard error, or silence."""

    def __init__(self, quiet: bool = False, err: bool = False) -> None:
        self.quiet, self.err = quiet, err

    def line(self, text: str = "") -> None:
        """Print one line."""
        if not self.quiet:
            click.echo(text, err=self.err)

    def lines(self, texts: Iterable[str]) -> None:
        """Print some lines."""
        for text in texts:
            self.line(text)

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Print aligned columns: the first to the left, the others to the right."""
        lines = [tuple(row) for row in rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for first, *rest in lines:
            cells = [first.ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
            self.line("  " + "   ".join(cells).rstrip())

    def results(self, results: "Results") -> None:
        """Print a table of runs, and what it alone does not say."""
        self.table(results.table())
        for note in results.notes():
            self.line(note)

    def files(self, width: int, **paths: Path | None) -> None:
        """Print where each file lies that was written."""
        for what, path in paths.items():
            if path:
                self.line(f"{what:<{width}} {path}")


def save_table(results: "Results", files: "TableFiles", report: Report) -> None:
    """Write the figures and the table where that was asked for."""
    from genurl_graph.runtime.files import atomic_write

    results.write()
    if files.markdown:
        with atomic_write(files.markdown) as temporary:
            temporary.write_text(results.markdown(), encoding="utf-8")
    if files.metrics or files.markdown:
        report.line()
    report.files(9, metrics=files.metrics, markdown=files.markdown)


def describe_scores(
    report: Report,
    scores: Mapping[str, Any],
    seconds: float,
    columns: tuple[int, int],
    titles: Mapping[str, str] = TITLES,
) -> None:
    """Print the figures of an embedding, and what they cost.

    `columns` are those of the embedding and of what it was made from; `titles` name the embedding
    ("genurl") and the rows beside it.
    """
    if scores["evaluation"] is None:
        return
    report.line()
    if scores["reduce"]:
        describe_map(report, scores["reduce"], columns, "teacher" in titles)
    if scores["left_out"] and not (scores["reduce"] and scores["left_out"]["probe"].startswith("no labels")):
        report.line(scores["left_out"]["probe"])
    if scores["probe"]:
        protocol, splits = scores["probe"]["protocol"], scores["probe"]["splits"]
        mean = f", mean of {splits} splits" if splits > 1 else ""
        report.line(f"linear probe, test accuracy in per cent (protocol {protocol}{mean})")
        rows = {"genurl": scores["probe"]["test"], **(scores["reference"] or {})}
        report.table((title, percent(rows[name])) for name, title in titles.items() if rows.get(name) is not None)
    knn, cluster = scores["knn"], scores["cluster"]
    told = [f"{knn.get('neighbors', 20)}-nearest-neighbour vote {percent(knn['test'])}"] if knn else []
    if cluster:
        told.append(
            f"k-means ACC {percent(cluster['acc'])}, NMI {percent(cluster['nmi'])}, ARI {percent(cluster['ari'])}"
        )
    if told:
        report.line("; ".join(told))
    cut = "; ".join(scores["evaluation"]["left_out"])
    report.line(f"evaluation {seconds:.1f} s" + (f", in part: {cut}; --full looks at all" if cut else ""))


def describe_graph_scores(report: Report, scores: Mapping[str, Any], seconds: float | None = None) -> None:
    """Print the figures of whole graphs: a line for each row, a column for each classifier."""
    from genurl_graph.evaluation.graph_classification.figures import FIGURES, REFERENCES

    if scores["evaluation"] is None:
        return
    report.line()
    report.lines((scores["left_out"] or {}).values())
    if found := scores["graphs"]:
        report.line("classes of whole graphs, accuracy in per cent (10 folds, C chosen inside the training folds)")
        kinds = [figure for figure in FIGURES if figure in found["genurl"]]
        rows = [
            (title, *(percent(found[name][figure]) for figure in kinds))
            for name, title in {"genurl": "embedding", **REFERENCES}.items()
            if name in found
        ]
        report.table([("", *(FIGURES[figure] for figure in kinds)), *rows])
    cut = "; ".join(scores["evaluation"]["left_out"])
    told = [] if seconds is None else [f"evaluation {seconds:.1f} s"]
    told += [f"in part: {cut}; --full looks at all"] if cut else []
    if told:
        report.line(", ".join(told))


def describe_event_scores(report: Report, scores: Mapping[str, Any], seconds: float, columns: int) -> None:
    """Print the figures of events: against the truth where it is known, else by the labels of the nodes."""
    if scores.get("temporal_nodes") is None:
        describe_scores(report, scores, seconds, (columns, 0))
        if scores["evaluation"] is not None and scores["left_out"]:
            report.line("how well it predicts who meets next: genurl-graph evaluate --protocol temporal-links")
        return
    report.line("\nstates of the nodes: groups in windows, changes found within one window, groups of nodes")
    report.table(node_table(scores["temporal_nodes"]))
    report.line(f"evaluation {seconds:.1f} s")


def describe_triple_scores(report: Report, scores: Mapping[str, Any], seconds: float) -> None:
    """Print how held-out triples rank: a line for each row, a column for each figure."""
    found = scores.get("triples")
    if found is None:
        return
    what = "test" if found["part"] == "test" else "validation"
    report.line(f"\nboth ends of the {what} triples, ranked among all entities (filtered, realistic ranks)")
    report.table(score_table(found))
    report.line(f"evaluation {seconds:.1f} s")


def describe_map(report: Report, scores: Mapping[str, Any], columns: tuple[int, int], taught: bool) -> None:
    """Print in words that need no paper how well a map, or a student, keeps what it was made from."""
    what = "student" if taught else "map" if columns[0] <= 3 else "embedding"
    here, given = "on the map" if what == "map" else f"of the {what}", "of the teacher" if taught else "in the data"
    report.line(f"the {what} against {'its teacher' * taught}{'the data' * (not taught)} of {columns[1]:,} columns")
    found = {
        "trustworthiness": ("trustworthiness", 3, f"neighbours {here} are neighbours {given} (1: all)"),
        "continuity": ("continuity", 3, f"neighbours {given} are neighbours {here} (1: all)"),
        "triplets": ("random triplets", 3, "of three points the same two are nearer (1: always; 0.5: chance)"),
        "knn_accuracy": ("10-NN accuracy", 3, f"a point's class, by its 10 nearest {here}"),
        "pieces": ("pieces a class", 2, f"islands of a class {here} (1: none is torn)"),
    }
    raw, largest = scores.get("raw_knn_accuracy"), scores["largest_piece"]
    more = {
        "knn_accuracy": "" if raw is None else f" (raw features: {raw:.3f})",
        "pieces": "" if largest is None else f"; the largest has {percent(largest)} % of it",
    }
    for key, (title, digits, meaning) in found.items():
        if scores[key] is not None:
            report.line(f"  {title:<17}{scores[key]:.{digits}f}".ljust(26) + f"{meaning}{more.get(key, '')}")
