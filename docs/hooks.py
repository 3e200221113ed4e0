"""What mkdocs asks while it builds: where the sources are, and that no page loads anything from another machine."""

import dataclasses
import inspect
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority

from genurl_graph.config import Config

REPOSITORY = Path(__file__).resolve().parent.parent
# Stand at the top of the repository, are installed inside the package (pyproject.toml): nothing is imported to write
# the reference, so the sources have to lie as they are installed.
INSIDE = ("datasets", "cli")
# Of NumPy's docstrings, ``a, b : type`` and the lines that explain both: griffe would give b the default of a.
GROUP = re.compile(r"^( +)((?!Tensor|KeyError)\w+(?:, \*{0,2}\w+)+)( : .*)?\n((?:\1 +\S.*\n)*)", re.MULTILINE)
# Scripts, style sheets, pictures, fonts and frames. Links that a reader follows are not loaded.
LOADED = re.compile(
    r"<(?:script|img|iframe|source|link(?=[^>]*rel=\"?(?:stylesheet|preconnect|preload|icon)))[^>]*"
    r"(?:src|href)=\"?((?:https?:)?//[^\s\">]+)"
)

# Where the copies of the sources lie while a site is built.
_copies: list[Path] = []


def for_mkdocstrings(source: str) -> str:
    """`source` with parameters one by one, and without the second colon that announces a block of code."""
    apart = GROUP.sub(
        lambda group: "".join(f"{group[1]}{name}{group[3] or ''}\n{group[4]}" for name in group[2].split(", ")), source
    )
    return re.sub(r"(?<=[^:\s])::\n\n", ":\n\n", apart)


@event_priority(100)  # before mkdocstrings reads its own
def on_config(config: Any) -> Any:
    """`config`, with the sources as they are installed for mkdocstrings to read."""
    _copies.append(Path(tempfile.mkdtemp(prefix="genurl-graph-docs-")))
    package = shutil.copytree(REPOSITORY / "genurl_graph", _copies[-1] / "genurl_graph")
    for name in INSIDE:
        shutil.copytree(REPOSITORY / name, package / name)
    for source in package.rglob("*.py"):
        source.write_text(for_mkdocstrings(source.read_text(encoding="utf-8")), encoding="utf-8")
    config.plugins["mkdocstrings"].config["handlers"]["python"]["paths"] = [str(_copies[-1])]
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """`markdown` with all parameters, as the code declares them, where the page asks for them."""
    names = (field.name for field in dataclasses.fields(Config) if field.name != "task")
    stages = ((name, type(getattr(Config(), name))) for name in names)
    shown = [f"### {name}\n\n```python\n{inspect.getsource(stage)}```\n" for name, stage in stages]
    return markdown.replace("<!-- parameters -->", "\n".join(shown))


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """`output` unchanged, or an error that names what it would load."""
    found = LOADED.findall(output)
    if found:
        raise PluginError(f"{page.file.src_path}: loads {', '.join(found)}; expected files of this site alone")
    return output


def on_post_build(**_: Any) -> None:
    """The copies of the sources go."""
    while _copies:
        shutil.rmtree(_copies.pop())


def on_build_error(**_: Any) -> None:
    """As after a build that succeeded."""
    on_post_build()
