"""What a command replaces: it is said before the work, so that Ctrl-C still keeps it; an input is never replaced.

Experiments are run again and again under the same names, as other tools of the field let them, so that no option is
needed for it. Whoever gives --quiet has asked for silence.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from genurl_graph.exceptions import wrong

# Parameters of commands that name what is read.
READ = ("own", "features", "labels", "embedding", "teacher", "edges", "config", "result")
# The same, of files whose names stand in the place of words. The folder of a model may be that of the new one.
WORDS_OR_FILES = ("previous", "init")


def announce(*paths: Path | None) -> None:
    """Say which of the files and folders that the command is about to write are there already.

    Nothing is said of a run that goes on (--resume), or that another process of the same command has said.

    Raises
    ------
    InputError
        One of them is a file that the command reads.
    """
    context = click.get_current_context()
    read = {os.path.realpath(path) for path in _inputs(context)}
    for path in dict.fromkeys(path for path in paths if path):
        if os.path.realpath(path) in read:
            raise wrong(path, "a file that this command reads", "another name for what it writes")
        there = any(path.iterdir()) if path.is_dir() else path.exists()
        if there and not (context.params.get("quiet") or context.params.get("resume") or "RANK" in os.environ):
            click.echo(f"{path} exists and will be replaced", err=True)


def _inputs(context: click.Context) -> Iterator[Path]:
    for name in READ:
        value = context.params.get(name)
        yield from (each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, Path))
    for name in WORDS_OR_FILES:
        value = context.params.get(name)
        if value is not None and Path(value).is_file():
            yield Path(value)
