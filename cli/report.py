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
    from genurl_graph.estimator import GenURL
    from genurl_graph.experiments.results import Results


class Report:
    """Lines and tables on standard output, or (`err`) on standard error, or silence; details if they are asked for."""

    def __init__(self, quiet: bool = False, err: bool = False, verbose: bool = False) -> None:
        self.quiet, self.err, self.verbose = quiet, err, verbose

    def line(self, text: str = "") -> None:
        """Print one line."""
        if not self.quiet:
            click.echo(text, err=self.err)

    def detail(self, text: str) -> None:
        """Print one line for those who asked for more."""
        if self.verbose:
            self.line(text)

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


def merged_line(merged: Mapping[str, Any]) -> str:
    """How many edges the merged graph has, each counted once, and where they are from."""
    both = merged["n_both"]
    counts = {"predefined": merged["n_predefined"] + both, "kNN": merged["n_feature"] + both}
    parts = [f"{count:,} {name} edge{'' if count == 1 else 's'}" for name, count in counts.items() if count]
    told = " and ".join(parts) or "no edges"
    told += " by the cosine" if counts["kNN"] and merged.get("metric_by_edges") else ""
    return f"merged graph: {told}, {both:,} of them both" if both else f"merged graph: {told}"


def evidence_line(merged: Mapping[str, Any]) -> str:
    """How far features count, and what the encoder reads."""
    reads = {
        "structure": "the encoder reads the structure alone",
        "both": "the encoder reads the structure beside them",
        "apart": "undecided; the encoder reads the structure alone, and they stand beside the result",
        "features": "the encoder reads them alone",
    }[merged["reads"]]
    found = f"{merged['evidence_by']} {merged['evidence_figure']:.2f}"
    if merged.get("metric_by_edges"):
        reads += "; the cosine predicts the edges better than the Euclidean distance"
    return f"features: evidence {merged['evidence']:.2f} of 1 ({found}): {reads}"


def describe_training(report: Report, estimator: "GenURL", what: str, stage: str) -> None:
    """Print how `what` was trained; `stage` names what came before the training."""
    epochs = estimator.n_iter_
    report.line(
        f"{what}, {epochs} epoch{'' if epochs == 1 else 's'} in {estimator.seconds_['train']:.1f} s on "
        f"{estimator.device_}, seed {estimator.seed_}"
    )
    columns = describe_columns(estimator)
    parts = f"columns: {columns}; " if columns else ""
    report.detail(f"{parts}{stage} {estimator.seconds_['graph']:.1f} s, final loss {estimator.loss_history_[-1]:.4g}")


def describe_columns(estimator: "GenURL") -> str:
    """Which kinds of columns the embedding has, and how many of each; "" where there is one kind."""
    from genurl_graph.nn.build import skip_blocks, trained_columns

    config, width = estimator.config_, estimator.embedding_.shape[1]
    c = config.encoder
    if estimator.task_ == "graphs":
        # Small collections have fewer descriptors than the configuration allows.
        trained: Any = estimator.model_.encoder.width
        return f"{trained} trained, {width - trained} components of the descriptors"
    if estimator.task_ != "graph" or not (c.skip or c.structure_columns):
        return ""
    parts = [f"{trained_columns(config)} trained"]
    if c.skip:
        of = "role features" if c.structure == "both" and c.beside != "always" else "features"
        parts.append(f"{c.skip * skip_blocks(config)} components of {of}")
    if c.structure_columns:
        parts.append(f"{c.structure_columns} positions")
    return ", ".join(parts)


def encoder_name(estimator: "GenURL") -> str:
    """The encoder, and how it was trained where that was chosen for the size of the graph."""
    from genurl_graph.nn.gnn import GNNS

    if estimator.encoder_name_ == "free":
        return "an embedding table"
    name, sampling = f"encoder {estimator.encoder_name_}", estimator.config_.sampling
    batches = estimator.task_ == "graph" and estimator.encoder_name_ in GNNS and sampling.negatives == "batch"
    return f"{name} in batches of {sampling.batch_size:,} with {sampling.fanout} neighbours" if batches else name


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
    if scores["reduce"]:
        report.line()
        describe_map(report, scores["reduce"], columns, "teacher" in titles)
    if scores["left_out"] and not (scores["reduce"] and scores["left_out"]["probe"].startswith("no labels")):
        report.line(scores["left_out"]["probe"])
    if scores["probe"]:
        describe_probe(report, {"genurl": scores["probe"]["test"], **(scores["reference"] or {})}, titles)
        splits = scores["probe"]["splits"]
        mean = f", mean of {splits} splits" if splits > 1 else ""
        report.detail(f"labels of the probe: protocol {scores['probe']['protocol']}{mean}")
    knn, cluster = scores["knn"], scores["cluster"]
    if knn:
        report.detail(f"{knn.get('neighbors', 20)}-nearest-neighbour vote: {percent(knn['test'])} % test accuracy")
    if cluster:
        found = ", ".join(f"{key.upper()} {percent(cluster[key])}" for key in ("acc", "nmi", "ari"))
        told = f"k-means against the classes: {found}"
        report.detail(told) if scores["probe"] else report.line(told)
    describe_evaluation(report, scores, seconds)


def describe_probe(report: Report, rows: Mapping[str, float], titles: Mapping[str, str]) -> None:
    """Print the accuracy of the linear probe, in one line beside what it is to be compared with."""
    own, *others = [(title, percent(rows[name])) for name, title in titles.items() if rows.get(name) is not None]
    beside = f" ({', '.join(f'{title} {figure}' for title, figure in others)})" if others else ""
    report.line(f"linear probe: {own[1]} % test accuracy{beside}")


def describe_evaluation(report: Report, scores: Mapping[str, Any], seconds: float) -> None:
    """Print what the evaluation cost, and always if it looked at a part of the rows or splits only."""
    cuts = scores["evaluation"]["left_out"]
    if cuts:
        # That rows for comparison were projected is a detail: the figures of the embedding are whole.
        minor = all(cut.endswith("principal components") for cut in cuts)
        (report.detail if minor else report.line)(f"evaluated in part: {'; '.join(cuts)}; --full uses all")
    report.detail(f"evaluation {seconds:.1f} s")


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
    if cut:
        report.line(f"evaluated in part: {cut}; --full uses all")
    if seconds is not None:
        report.detail(f"evaluation {seconds:.1f} s")


def describe_event_scores(report: Report, scores: Mapping[str, Any], seconds: float, columns: int) -> None:
    """Print the figures of events: against the truth where it is known, else by the labels of the nodes."""
    if scores.get("temporal_nodes") is None:
        describe_scores(report, scores, seconds, (columns, 0))
        if scores["evaluation"] is not None and scores["left_out"]:
            report.line("how well it predicts who meets next: genurl-graph evaluate --protocol temporal-links")
        return
    report.line("\nstates of the nodes: groups in windows, changes found within one window, groups of nodes")
    report.table(node_table(scores["temporal_nodes"]))
    report.detail(f"evaluation {seconds:.1f} s")


def describe_triple_scores(report: Report, scores: Mapping[str, Any], seconds: float) -> None:
    """Print how held-out triples rank: a line for each row, a column for each figure."""
    found = scores.get("triples")
    if found is None:
        return
    what = "test" if found["part"] == "test" else "validation"
    report.line(f"\nboth ends of the {what} triples, ranked among all entities (filtered, realistic ranks)")
    report.table(score_table(found))
    report.detail(f"evaluation {seconds:.1f} s")


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
