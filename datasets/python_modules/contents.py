"""What a module says and imports, by its syntax tree; no code runs."""

import ast
import re
import warnings
from collections import deque
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

from genurl_graph.exceptions import InputError

# Parts of names and words of docstrings: "HTTPServer", "parse_known_args" -> http, server, parse, known, args.
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
SHORTEST = 3

# Where a statement holds others.
PARTS = ("body", "handlers", "cases", "orelse", "finalbody")
DEFINITION = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Contents(NamedTuple):
    """Words in the order of the file, repeated as they are; names of the modules that are imported."""

    words: list[str]
    imports: set[str]


def read_module(name: str, file: Path, known: Container[str]) -> Contents:
    """Read the words and imports of one module.

    Words are those of the docstrings of the module and of its classes and functions, and the parts of the names of
    these classes and functions, in lower case. Imports inside functions count as well.

    Parameters
    ----------
    name, file
        Full name and source.
    known
        Modules that may be imported. Of ``from a import b``, `b` is imported if it is among them, else `a`, and of a
        module that isn't known the nearest package above it that is.

    Raises
    ------
    InputError
        If the source cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in strings of others
            tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{file}: cannot be read as Python ({error})") from error
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    texts: list[str] = []
    imports: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, (ast.Module, *DEFINITION)):
            texts += [ast.get_docstring(node, clean=False) or "", getattr(node, "name", "")]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports |= {found for target in _targets(node, package) if (found := _nearest(target, known))}
    words = [word.lower() for text in texts for word in WORD.findall(text) if len(word) >= SHORTEST]
    return Contents(words, imports - {name})


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """The module and its statements, level by level; definitions and imports are in no expression."""
    ahead: deque[ast.AST] = deque([tree])
    while ahead:
        node = ahead.popleft()
        yield node
        for field in PARTS:
            ahead.extend(getattr(node, field, ()))


def _targets(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """Full names that an import asks for, as long as they can be."""
    base = ""
    if isinstance(node, ast.ImportFrom):
        # One dot is the package itself, each further one a package above.
        above = package.split(".")
        parts = above[: len(above) - node.level + 1] if node.level else []
        base = ".".join([*parts, *filter(None, [node.module])]) + "."
    for alias in node.names:
        yield base + alias.name


def _nearest(target: str, known: Container[str]) -> str:
    while target and target not in known:
        target = target.rpartition(".")[0]
    return target
