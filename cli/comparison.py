"""What comparisons share, whatever they judge by: their words, their interruption and what they leave behind."""

import difflib
import signal
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genurl_graph.cli.report import Report
from genurl_graph.cli.results import Results
from genurl_graph.exceptions import InputError
from genurl_graph.peers import peer_settings


def parse_methods(text: str, known: Sequence[str]) -> list[str]:
    """``"genurl,gae"`` to ``["genurl", "gae"]``, checked; each once, in the given order."""
    words = (word.strip().lower().replace("_", "-") for word in text.split(","))
    chosen = list(dict.fromkeys(word for word in words if word))
    unknown = [word for word in chosen if word not in known]
    if unknown or not chosen:
        found = f"unknown method {unknown[0]!r}" if unknown else "no method"
        near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.5) if unknown else []
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"--methods: {found}{hint}, expected some of {','.join(known)}")
    return chosen


def parse_peer_settings(
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
        peer_settings(method, None, found[method])
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


def bar(total: int, quiet: bool) -> Any:
    from tqdm import tqdm

    # disable=None: a bar on a terminal only.
    return tqdm(total=total, desc="runs", leave=False, disable=True if quiet else None)


def finish(results: Results, report: Report, markdown: Path | None, metrics: Path | None) -> None:
    """Print the table, and write it where that was asked for."""
    from genurl_graph.io import atomic_write

    results.write()
    rows, columns = results.table()
    report.table(rows, header=columns)
    if markdown:
        with atomic_write(markdown) as temporary:
            temporary.write_text(results.markdown(), encoding="utf-8")
        report.line(f"\nmarkdown  {markdown}")
    if metrics:
        report.line(f"\nmetrics   {metrics}")
