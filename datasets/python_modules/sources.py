"""Which modules of the standard library are in the graph, and where their sources are."""

import sys
import sysconfig
from pathlib import Path

from genurl_graph.exceptions import wrong

# Names of the standard library that are no modules of a reader's: tests, programs, and what starts `python -m`.
NO_MODULES = frozenset({"test", "tests", "idle_test", "__main__"})
# Left out with all below them. Some distributions package these apart, or not for every platform, so that the graph
# would depend on who packaged Python; `lib2to3` holds a grammar, and `encodings` a table for each of a hundred codecs.
LEFT_OUT = frozenset(
    {"distutils", "ensurepip", "idlelib", "lib2to3", "msilib", "pydoc_data", "tkinter", "turtle", "turtledemo", "venv"}
)
ONLY_ITSELF = frozenset({"encodings"})


def find_modules(folder: Path | None = None) -> dict[str, Path]:
    """Public modules with a source in Python, in the order of their names.

    Left out are modules in C, private ones (a name that begins with an underscore), tests, and `LEFT_OUT`. Nothing is
    imported.

    Parameters
    ----------
    folder
        Of the standard library; that of the running Python by default.

    Returns
    -------
    dict
        Full name, such as ``email.mime.text``, -> file.

    Raises
    ------
    InputError
        If there is no source, as in a Python that was packed into one file.

    Examples
    --------
    >>> from genurl_graph.datasets.python_modules.sources import find_modules
    >>> "json.decoder" in find_modules()
    True
    """
    folder = Path(sysconfig.get_path("stdlib")) if folder is None else folder
    found: dict[str, Path] = {}
    for top in sys.stdlib_module_names - LEFT_OUT:
        below = () if top in ONLY_ITSELF else (folder / top).rglob("*.py")
        for file in (folder / f"{top}.py", folder / top / "__init__.py", *below):
            name = file.relative_to(folder).with_suffix("").parts
            name = name[:-1] if name[-1] == "__init__" else name
            if file.is_file() and NO_MODULES.isdisjoint(name) and not any(map(_is_private, name)):
                found[".".join(name)] = file
    if not found:
        raise wrong(f"{folder}: Python's standard library", "no sources", "files such as argparse.py")
    return dict(sorted(found.items()))


def _is_private(part: str) -> bool:
    return part.startswith("_") and part != "__future__"
