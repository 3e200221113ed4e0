"""What the commands print for people."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
