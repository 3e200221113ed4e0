"""Draws the gallery's pictures while the documentation is built, by the Python that the page shows.

They are drawn again when that Python or the package has changed; else they come from .cache/gallery, or from the
folder that the environment variable GENURL_DOCS_CACHE names.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = "gallery.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def on_files(files: Any, config: Any) -> Any:
    """`files`, with those that the gallery draws."""
    code = BLOCK.findall((Path(config.docs_dir) / PAGE).read_text(encoding="utf-8"))
    cache = Path(os.environ.get("GENURL_DOCS_CACHE") or REPOSITORY / ".cache" / "gallery")
    folder = cache / fingerprint(code)
    if not folder.exists():
        draw(code, folder)
    for picture in sorted(folder.glob("*.png")):
        files.append(File.generated(config, f"gallery/{picture.name}", abs_src_path=str(picture)))
    return files


def fingerprint(code: list[str]) -> str:
    """A name for what `code` draws: it changes with the code and with the sources of the package."""
    found = hashlib.sha256("\0".join(code).encode())
    for top in ("genurl_graph", "datasets"):
        for file in sorted((REPOSITORY / top).rglob("*")):
            if file.suffix in {".py", ".toml"}:
                found.update(file.read_bytes())
    return found.hexdigest()[:16]


def draw(code: list[str], folder: Path) -> None:
    """Run the blocks in one namespace, and keep the pictures that they save in `folder`, all or none."""
    import matplotlib

    matplotlib.use("Agg")
    folder.parent.mkdir(parents=True, exist_ok=True)
    names: dict[str, Any] = {"__name__": "gallery"}
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        with contextlib.chdir(work):
            for number, block in enumerate(code, 1):
                try:
                    exec(compile(block, f"{PAGE}, block {number}", "exec"), names)
                except Exception as error:
                    raise PluginError(f"{PAGE}, block {number}: {type(error).__name__}: {error}") from error
        kept = Path(work, "pictures")
        kept.mkdir()
        for picture in Path(work).glob("*.png"):
            picture.rename(kept / picture.name)
        kept.rename(folder)
