"""A scene as one HTML file: markup, style, scripts and data, and nothing that is fetched when it is viewed."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib import resources

from genurl_graph.plotting.explorer.payload import encode, script_json
from genurl_graph.plotting.explorer.scene import Scene
from genurl_graph.runtime.files import StrPath, atomic_write, check_output

PAGE_SUFFIXES = (".html",)

# In this order, inside one function: each uses what those before it define.
_SCRIPTS = (
    "data",
    "time",
    "colour",
    "view",
    "raster",
    "points",
    "frame",
    "overlay",
    "motion",
    "lasso",
    "names",
    "images",
    "edges",
    "graphs",
    "card",
    "search",
    "filters",
    "sizes",
    "legend",
    "selection",
    "export",
    "panel",
    "main",
)


def write_page(path: StrPath, scene: Scene) -> None:
    """Write the explorer of a scene, completely or not at all.

    The page allows itself no connection: its content security policy names the checksums of its own script and style,
    and nothing else runs or loads.

    Parameters
    ----------
    path
        Output file, ``.html``.
    scene : Scene

    Raises
    ------
    InputError
        An unwritable place.
    """
    target = check_output(path, PAGE_SUFFIXES)
    script, style = _inline(_script()), _read("page.css")
    parts = {
        "script": script,
        "style": style,
        "policy": "default-src 'none'; img-src data: blob:; "
        f"style-src 'sha256-{_sha256(style)}'; script-src 'sha256-{_sha256(script)}'",
        "title": html.escape(scene.title),
        "data": script_json(encode(scene)),
    }
    # In one pass: what is put in may hold such marks, too.
    page = re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark[1]], _read("page.html"))
    with atomic_write(target) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def _script() -> str:
    return "(() => {\n'use strict';\n" + "\n".join(_read(f"{name}.js") for name in _SCRIPTS) + "})();\n"


def _read(name: str) -> str:
    return (resources.files("genurl_graph.plotting.explorer") / name).read_text(encoding="utf-8")


def _inline(script: str) -> str:
    """A script as a browser sees it inside a tag: line ends made one, and no end of the tag in it."""
    return script.replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
