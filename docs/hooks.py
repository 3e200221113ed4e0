"""What mkdocs asks while it builds: where the package is, and that no page loads anything from another machine."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority

REPOSITORY = Path(__file__).resolve().parent.parent
# Stand at the top of the repository, are installed inside the package (pyproject.toml): nothing is imported to write
# the reference, so the sources have to lie as they are installed.
INSIDE = ("datasets", "cli")

# Scripts, style sheets, pictures, fonts and frames. Links that a reader follows are not loaded.
LOADED = re.compile(
    r"<(?:script|img|iframe|source|link(?=[^>]*rel=\"?(?:stylesheet|preconnect|preload|icon)))[^>]*"
    r"(?:src|href)=\"?((?:https?:)?//[^\s\">]+)"
)

_scratch = Path(tempfile.gettempdir())


@event_priority(100)  # before mkdocstrings reads its own
def on_config(config: Any) -> Any:
    """`config`, with the sources as they are installed for mkdocstrings to read."""
    global _scratch
    _scratch = Path(tempfile.mkdtemp(prefix="genurl-graph-docs-"))
    package = shutil.copytree(REPOSITORY / "genurl_graph", _scratch / "genurl_graph")
    for name in INSIDE:
        shutil.copytree(REPOSITORY / name, package / name)
    config.plugins["mkdocstrings"].config["handlers"]["python"]["paths"] = [str(_scratch)]
    return config


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """`output` unchanged, or an error that names what it would load."""
    found = LOADED.findall(output)
    if found:
        raise PluginError(f"{page.file.src_path}: loads {', '.join(found)}; expected files of this site alone")
    return output


def on_post_build(**_: Any) -> None:
    """The copy of the sources goes."""
    shutil.rmtree(_scratch, ignore_errors=True)


def on_build_error(**_: Any) -> None:
    """As after a build that succeeded."""
    on_post_build()
