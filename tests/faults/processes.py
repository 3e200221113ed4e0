"""Commands in processes that can be killed at any moment: forked, so that a moment is not spent on imports."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Ended(NamedTuple):
    """Exit code (minus the signal's number where one ended it), and what the command printed on both streams."""

    code: int
    printed: str


class Child:
    """``genurl-graph words`` in a process of its own, in `folder`, which is made; `before` is called in it first."""

    def __init__(self, words: Sequence[object], folder: Path, before: Callable[[], object] | None = None) -> None:
        self.words, self.log = [str(word) for word in words], folder.with_name(f"{folder.name}.log")
        folder.mkdir(exist_ok=True)
        self.started = time.monotonic()
        self.log.write_text("")  # a kill may come before the process has made it
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(self._run(folder, before))

    def _run(self, folder: Path, before: Callable[[], object] | None) -> int:
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = 99
        try:
            os.setpgid(0, 0)
            os.chdir(folder)
            if before:
                before()
            from genurl_graph.cli import main

            main(self.words, prog_name="genurl-graph")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    def kill(self) -> Ended:
        os.kill(self.pid, signal.SIGKILL)
        ended = self.wait()
        # Forked processes of its own hold both ends of their pipe and would wait for ever; new ones end by themselves.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return ended

    def wait(self) -> Ended:
        _, status = os.waitpid(self.pid, 0)
        return Ended(os.waitstatus_to_exitcode(status), self.log.read_text(errors="replace"))

    def running(self) -> bool:
        """Without reaping it, so that `wait` still finds it."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def finish(words: Sequence[object], folder: Path, before: Callable[[], object] | None = None, code: int = 0) -> str:
    """Run a command to its end, which must be `code`; what it printed."""
    ended = Child(words, folder, before).wait()
    assert ended.code == code, f"exit code {ended.code} instead of {code} of {words}:\n{ended.printed}"
    assert "Traceback" not in ended.printed, ended.printed
    return ended.printed
