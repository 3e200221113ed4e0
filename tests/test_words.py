"""The words of the field: README, documentation, docstrings, help texts and messages avoid our former own ones.

Public identifiers keep their names: text in backticks, blocks of code and ``name : type`` lines are not looked at.
"""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
# Word that is not used -> what is said instead.
AVOIDED = {
    r"feature edges?": "kNN edges",
    r"provenance|what the merge did": "edge source",
    r"(?:dis|mis)?trust(?:s|ed|ing)?|agreements?": "edge reliability",
    r"coherence|coherent|foretells?|features that make sense": "feature consistency",
    r"mass(?:es)?": "total weight",
    r"(?:words|columns) as nodes": "node-feature bipartite graph",
    r"free tables?|tables? of coordinates": "embedding table",
    r"pictures?|planes?": "2-d map",
    r"places|anchors?": "prototypes",
    r"slow cop(?:y|ies)|key queue": "EMA encoder, memory bank",
    r"settled?|doubtful|doubted": "re-ranking",
    r"peers?": "baselines",
    r"made definite|definite": "resolved",
    r"what was not seen": "held-out samples",
}
# What is no prose: code, and the extra of pyproject.toml that has kept its name.
CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`|\]\([^)]*\)|<!--.*?-->|\[peers\]|extra:? peers", re.DOTALL)
# "cells" are a word of biology and of tables; those of the search are inverted lists.
WORD = re.compile(rf"(?<![\w-])(?:{'|'.join(AVOIDED)})(?![\w-])", re.IGNORECASE)
PARAMETER = re.compile(r"^\s*[\w*, ]+ : .*$", re.MULTILINE)


def documents() -> list[Path]:
    return [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def sources() -> list[Path]:
    return [file for top in ("genurl_graph", "datasets", "cli") for file in sorted((REPOSITORY / top).rglob("*.py"))]


def found_in(text: str) -> list[str]:
    """Avoided words of `text`, each with what stands around it."""
    prose = PARAMETER.sub("", CODE.sub("", text))
    return [prose[max(0, m.start() - 30) : m.end() + 30].replace("\n", " ") for m in WORD.finditer(prose)]


def texts(source: str) -> list[str]:
    """Docstrings, and strings that are sentences: messages and help texts."""
    tree = ast.parse(source)
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in strings if " " in text.strip()]


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_documents_use_the_words_of_the_field(page):
    assert found_in(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_docstrings_and_messages_use_the_words_of_the_field(file):
    assert [word for text in texts(file.read_text(encoding="utf-8")) for word in found_in(text)] == []


def test_words_are_found_in_prose_and_not_in_code():
    assert found_in("The picture of `mass_` and\n```\nanchors\n```") == ["The picture of  and "]
    assert found_in("trustworthiness\n\n    anchors : Tensor\n        Rows.") == []
