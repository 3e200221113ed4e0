"""What mkdocs asks while it builds: each executed notebook as a page, with its outputs as they were committed."""

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.structure.files import File

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
# A table of pandas brings a style of its own, which would hide the theme's.
STYLE = re.compile(r"<style scoped>.*?</style>\n?| border=\"1\" class=\"dataframe\"", re.DOTALL)
# Of the repository's files that a notebook names, those that are pages here.
PAGES = re.compile(r"`(?:docs/)?([\w-]+)\.(?:md|ipynb)`")


def linked(text: str) -> str:
    """`text` with links in place of the names of notebooks and of pages."""
    known = {file.stem: f"{file.stem}.md" for file in NOTEBOOKS.glob("*.ipynb")}
    known |= {file.stem: f"../{file.name}" for file in Path(__file__).parent.glob("*.md")}
    return PAGES.sub(
        lambda found: f"[{found[1].replace('_', ' ')}]({known[found[1]]})" if found[1] in known else found[0], text
    )


def as_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and its pictures by their names."""
    first, *cells = nbformat.read(path, as_version=4).cells
    title, _, rest = first.source.partition("\n")
    parts, pictures = [title, f"[Download this notebook]({path.name})", linked(rest.strip())], {}
    for cell in cells:
        parts.append(linked(cell.source) if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```")
        for output in cell.get("outputs", ()):
            data = output.get("data", {"text/plain": output.get("text", "")})
            if "image/png" in data:
                name = f"{path.stem}-{len(pictures) + 1}.png"
                pictures[name] = base64.b64decode(data["image/png"])
                parts.append(f"![output of the cell above]({name})")
            elif "text/html" in data:
                parts.append(STYLE.sub("", data["text/html"]))
            else:
                parts.append(f"```text\n{data['text/plain'].rstrip()}\n```")
    return "\n\n".join(parts) + "\n", pictures


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """`files` with a page for each notebook, its pictures, and the notebook itself."""
    overview = linked((NOTEBOOKS / "README.md").read_text(encoding="utf-8"))
    files.append(File.generated(config, "notebooks/index.md", content=overview))
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        page, pictures = as_page(path)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page))
        files.append(File.generated(config, f"notebooks/{path.name}", content=path.read_bytes()))
        for name, picture in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=picture))
    return files
