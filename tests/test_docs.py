"""Examples of the README and the documentation run, their commands exist, and quoted messages are in the code.

Blocks of ``python`` and of ``sh`` are run, those of one page one after the other in one folder and one namespace;
blocks of ``bash`` need data that is not bundled. Options of commands are looked at on every page.
"""

import ast
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from genurl_graph.cli import main
from genurl_graph.datasets import registry
from genurl_graph.datasets.loaders import LOADERS
from genurl_graph.evaluation import splits
from genurl_graph.experiments import runs
from genurl_graph.losses.pairwise import LOSSES
from tests.lighter import lighten_presets

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|sh|bash)[^\n]*\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and code of each block of a page."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def commands(code: str) -> list[list[str]]:
    """The words after ``genurl-graph`` of each such line of a block, up to the file that its output goes to."""
    lines = code.replace("\\\n", " ").splitlines()
    lines = [line.partition(" > ")[0] for line in lines if line.startswith("genurl-graph ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


# How large what examples make up is here.
SMALLER = {
    "--epochs 10": "--epochs 3",
    "--epochs 5": "--epochs 3",
    "num_nodes=2000": "num_nodes=500",
    "planted_graph(2000, 14_000": "planted_graph(500, 3_500",
    "range(20):": "range(6):",
}
# Pages that count no images: a third of the digits does as well.
FEW_IMAGES = ("commands", "distillation")


def smaller(code: str) -> str:
    """The same code, on less data."""
    for large, small in SMALLER.items():
        code = code.replace(large, small)
    return code


# The page on the explorer goes on with files that the reader has; test_site.py runs the gallery.
RUN = [
    page
    for page in PAGES
    if page.stem not in ("explorer", "gallery") and {"python", "sh"} & {kind for kind, _ in blocks(page)}
]
COMMANDS = [
    words for page in PAGES for language, code in blocks(page) if language != "python" for words in commands(code)
]


@pytest.fixture
def registers():
    """What the page on extending adds to is as before afterwards."""
    found = (LOADERS, LOSSES, registry._BY_KEY)
    before = [dict(register) for register in found]
    yield
    for register, content in zip(found, before, strict=True):
        register.clear()
        register.update(content)


@pytest.fixture
def light_presets(monkeypatch):
    lighten_presets(monkeypatch)


@pytest.fixture
def own_files(tmp_path):
    """What the README calls the reader's own: a table of edges, a table of nodes, a matrix."""
    rng = np.random.default_rng(0)
    club = np.arange(60) % 3
    near = [(i, j) for i in range(60) for j in rng.permutation(60)[:20] if i < j and club[i] == club[j]]
    lines = [f"{i:02}-smith,{j:02}-smith" for i, j in near]
    (tmp_path / "friends.csv").write_text("\n".join(["one,other", *lines]))
    people = [f"{i:02}-smith,{rng.integers(20, 70)},{'abc'[club[i]]}" for i in range(60)]
    (tmp_path / "people.csv").write_text("\n".join(["name,age,club", *people]))
    np.save(tmp_path / "vectors.npy", rng.standard_normal((80, 12)) + 4 * np.eye(12)[np.arange(80) % 4])


@pytest.mark.parametrize(
    "page", RUN, ids=lambda page: "-".join(page.relative_to(REPOSITORY).with_suffix("").parts).removeprefix("docs-")
)
@pytest.mark.usefixtures("registers", "light_presets", "own_files")
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENURL_DATA", str(tmp_path / "no-data"))
    # The protocol's 20 repeats would take most of the time, and show nothing more than one.
    monkeypatch.setitem(splits.REPEATS, "random-10-10-80", 1)
    if page.stem in FEW_IMAGES:
        load = LOADERS["digits"]
        monkeypatch.setitem(LOADERS, "digits", lambda *words: load(*words).subgraph(torch.arange(0, 1797, 3)))
    # New processes would import torch once more for each method.
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())
    names: dict[str, object] = {"__name__": page.stem}
    for language, code in ((language, smaller(code)) for language, code in blocks(page)):
        if language == "python":
            exec(compile(code, page.name, "exec"), names)
        for words in commands(code) if language == "sh" else ():
            result = CliRunner().invoke(main, words)
            assert result.exit_code == 0, f"{page.name}: {shlex.join(words)}\n{result.output}{result.exception!r}"


def test_there_are_examples():
    assert len(RUN) >= 11
    assert len(COMMANDS) >= 20
    code = "".join(code for page in RUN for _, code in blocks(page))
    assert [large for large in SMALLER if large not in code] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_options_of_commands_exist(words):
    text = CliRunner().invoke(main, [words[0], "--help"]).output
    assert "Usage" in text
    assert [word for word in words[1:] if word.startswith("--") and word not in text] == []


def text(node: ast.AST) -> str:
    """A string of the sources, with … in the place of what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text, node.values))
    return str(node.value) if isinstance(node, ast.Constant) else "…"


def messages() -> str:
    """Every string of the sources, and every message that `wrong` and `unknown` write, a line each."""
    found = set()
    for folder in ("genurl_graph", "datasets", "cli"):
        for file in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("wrong", "unknown"):
                    what, first, second = map(text, node.args)
                    named = node.func.id == "unknown"  # type: ignore[attr-defined]
                    found.add(f"{what}: found {'…' if named else first}; expected {'one of …' if named else second}")
                elif isinstance(node, ast.JoinedStr | ast.Constant):
                    found.add(text(node))
    return "\n".join(found)


def test_messages_are_those_of_the_code():
    page = (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^### `(.*)`$", page, flags=re.MULTILINE)
    assert len(quoted) >= 20
    sources = messages()
    assert [quote for quote in quoted if not re.search(".*".join(map(re.escape, quote.split("…"))), sources)] == []


def test_the_table_of_formats_names_every_suffix_once():
    from genurl_graph.datasets.readers import SUFFIXES
    from genurl_graph.datasets.readers.compressed import COMPRESSED

    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    page = next((text for text in pages if "| Format | Suffixes |" in text), None)
    assert page is not None
    rows = page.partition("| Format | Suffixes |")[2].partition("\n\n")[0].splitlines()[2:]
    named = [suffix for row in rows for suffix in re.findall(r"`(\.[a-z0-9]+)`", row.split("|")[2])]
    assert sorted({*named} - {".txt.gz", ".tar.bz2"}) == sorted(SUFFIXES)
    assert [suffix for suffix in SUFFIXES if named.count(suffix) > 1 and suffix != ".txt"] == []
    assert [suffix for suffix in COMPRESSED if f"`{suffix}`" not in page] == []
    assert max(len(cell.strip()) for row in rows for cell in row.split("|")) <= 60


def test_no_file_holds_both_sides_of_a_conflict():
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    files = [file for kind in ("*.md", "*.py", "*.toml", "*.ipynb") for file in REPOSITORY.rglob(kind)]
    own = [file for file in files if not {".venv", "site", ".mypy_cache"} & {*file.relative_to(REPOSITORY).parts}]
    assert len(own) > 100
    assert [file for file in own if any(line.startswith(marks) for line in file.read_text("utf-8").splitlines())] == []
