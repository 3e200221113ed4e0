"""What comparisons share, whatever they judge by: their words, their interruption and what they leave behind."""

import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.cli import options
from genurl_graph.cli.report import Report
from genurl_graph.cli.stored import StoredRuns
from genurl_graph.exceptions import InputError


@dataclass(frozen=True)
class Outputs:
    """Files that a comparison was asked to write, and what was left there by an interrupted one."""

    metrics: Path | None
    markdown: Path | None
    plot: Path | None
    embeddings: Path | None
    resume: bool

    def check(self, reduce: bool) -> None:
        """Find out before any run whether its results can be written."""
        from genurl_graph.runtime.files import check_folder

        for flag, path in (("--plot", self.plot), ("--embeddings", self.embeddings)):
            if path and not reduce:
                raise click.UsageError(f"{flag} goes with --task reduce.")
        options.check_files(self.metrics, self.markdown, self.plot)
        if self.embeddings:
            check_folder(self.embeddings)


def parse_baseline_settings(
    assignments: tuple[str, ...], chosen: list[str], known: Collection[str]
) -> dict[str, dict[str, Any]]:
    """``("grace.epochs=5",)`` to ``{"grace": {"epochs": "5"}}``, checked; `known` are the peers."""
    found: dict[str, dict[str, Any]] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        method, dot, setting = key.strip().partition(".")
        if not (equals and dot):
            raise InputError(f"--peer-set: found {text!r}; expected METHOD.KEY=VALUE, such as grace.epochs=100")
        if method not in known or method not in chosen:
            peers = ", ".join(name for name in chosen if name in known) or "none"
            raise InputError(f"--peer-set: found {method!r}; expected a peer of --methods ({peers})")
        found.setdefault(method, {})[setting] = value.strip()
        baseline_settings(method, None, found[method])
    return found


@contextmanager
def terminable() -> Iterator[None]:
    """Context in which SIGTERM is what Ctrl-C is: the process of a method must not outlive this one."""
    if threading.current_thread() is not threading.main_thread():  # where Python handles no signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def show(results: StoredRuns, report: Report) -> None:
    """Print the table, and what it alone does not say."""
    rows, columns = results.table()
    report.table(rows, header=columns)
    for note in results.notes():
        report.line(note)


def save(results: StoredRuns, report: Report, metrics: Path | None, markdown: Path | None) -> None:
    """Write the figures and the table where that was asked for."""
    from genurl_graph.runtime.files import atomic_write

    results.write()
    if markdown:
        with atomic_write(markdown) as temporary:
            temporary.write_text(results.markdown(), encoding="utf-8")
    if metrics or markdown:
        report.line()
    for what, path in (("metrics", metrics), ("markdown", markdown)):
        if path:
            report.line(f"{what:<9} {path}")
