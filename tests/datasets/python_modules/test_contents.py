"""Words and imports of one module."""

from pathlib import Path

import pytest

from genurl_graph.datasets.python_modules.contents import read_module
from genurl_graph.exceptions import InputError

KNOWN = {"http", "http.client", "http.server", "http.cookies", "email", "email.parser", "socket", "os"}


def read(folder: Path, text: str, name: str = "http.server", file: str = "server.py"):
    (folder / file).write_text(text, encoding="utf-8")
    return read_module(name, folder / file, KNOWN)


@pytest.mark.parametrize(
    ("line", "imported"),
    [
        ("import socket, os", {"socket", "os"}),
        ("import os.path", {"os"}),
        ("import email.parser as p", {"email.parser"}),
        ("from email import parser", {"email.parser"}),
        ("from email import message_from_file", {"email"}),
        ("from email.parser import Parser", {"email.parser"}),
        ("from . import client", {"http.client"}),
        ("from . import HTTPStatus", {"http"}),
        ("from .client import HTTPMessage", {"http.client"}),
        ("import sys, numpy", set()),
        ("from http.server import main", set()),
        ("def f():\n    import socket", {"socket"}),
        ("text = 'import socket'", set()),
    ],
)
def test_imports(tmp_path: Path, line: str, imported: set[str]):
    assert read(tmp_path, line).imports == imported


def test_a_package_is_above_itself_no_further_than_its_own_file(tmp_path: Path):
    assert read(tmp_path, "from . import client", "http", "__init__.py").imports == {"http.client"}


def test_two_dots_are_the_package_above(tmp_path: Path):
    (tmp_path / "text.py").write_text("from ..parser import Parser")
    assert read_module("email.mime.text", tmp_path / "text.py", KNOWN).imports == {"email.parser"}


def test_words_of_docstrings_and_of_names_alone(tmp_path: Path):
    text = '''"""Serve files."""
import socket
secret = "not a docstring"  # nor a comment
class HTTPServer:
    """A server of 2 kinds."""
    def handle_oneRequest(self, argument): "Answer it."
'''
    assert read(tmp_path, text).words == [
        "serve",
        "files",
        "server",
        "kinds",
        "http",
        "server",
        "answer",
        "handle",
        "one",
        "request",
    ]


@pytest.mark.parametrize("content", [b"def (", b"x = '\xff'", b"x\x00"])
def test_a_damaged_source_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "ast.py").write_bytes(content)
    with pytest.raises(InputError, match=r"ast.py: cannot be read as Python"):
        read_module("ast", tmp_path / "ast.py", KNOWN)


def test_no_code_runs(tmp_path: Path):
    read(tmp_path, f"open({str(tmp_path / 'made')!r}, 'w')")
    assert not (tmp_path / "made").exists()
