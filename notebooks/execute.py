"""Run notebooks and keep what their cells show: ``make notebooks``, or ``python notebooks/execute.py NAME ...``.

Each runs in a new kernel and in an empty folder. A notebook whose packages or data are missing is left as it is, and
said so. Data sets are found in ``GENURL_DATA``.
"""

import base64
import hashlib
import io
import os
import re
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import nbformat
from PIL import Image

FOLDER = Path(__file__).resolve().parent
# What notebooks need beyond the package: a module, or a file under GENURL_DATA.
MODULES = {"single_cells": "scanpy"}
FILES = {"roads_as_a_map": "roads/linkoping.npz", "typed_edges_explored": "knowledge/UMLS"}
# Of a picture: a map needs no more, and takes a fraction of the room.
COLOURS, PIXELS = 128, 1000
# A bar of tqdm.
PROGRESS = re.compile(r"\d+%\|")
# Fixed for the kernel, so that a second run shows the same.
KERNEL = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """Of the code of a notebook: outputs whose notebook has another one are out of date."""
    code = "\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def what_is_missing(name: str) -> str | None:
    """What the notebook `name` needs and does not find."""
    module, file = MODULES.get(name), FILES.get(name)
    if module is not None and find_spec(module) is None:
        return f"the package {module}"
    if file is not None and not (Path(os.environ.get("GENURL_DATA", "../shared/data")) / file).exists():
        return f"{file} in GENURL_DATA"
    return None


def shrink(notebook: nbformat.NotebookNode) -> None:
    """Give each picture of a notebook a palette, and no more pixels than a page shows."""
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        if "image/png" in output.get("data", {}):
            picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")
            picture.thumbnail((PIXELS, PIXELS))
            small = io.BytesIO()
            # The other methods mix black text with the colours of points.
            palette = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            palette.save(small, "PNG", optimize=True)
            output.data["image/png"] = base64.b64encode(small.getvalue()).decode()


def drop_progress(notebook: nbformat.NotebookNode) -> None:
    """Leave out progress bars, which tell how fast this machine was."""
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr" or not (PROGRESS.search(output.text) or output.text.isspace())
            ]


def join_streams(notebook: nbformat.NotebookNode) -> None:
    """Make one output of the lines that a cell has printed one after the other."""
    for cell in notebook.cells:
        joined: list[nbformat.NotebookNode] = []
        for output in cell.get("outputs", ()):
            if joined and output.output_type == "stream" == joined[-1].output_type and output.name == joined[-1].name:
                joined[-1].text += output.text
            else:
                joined.append(output)
        if "outputs" in cell:
            cell.outputs = joined


def execute(path: Path) -> float:
    """Run a notebook and write it with its outputs; seconds."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}, record_timing=False
        )
        client.execute(env=os.environ | KERNEL)
    drop_progress(notebook)
    for cell in notebook.cells:
        said = [output.text for output in cell.get("outputs", ()) if output.get("name") == "stderr"]
        if said:
            raise SystemExit(f"{path.name}: a cell wrote to stderr: {said[0][:300]}")
    join_streams(notebook)
    shrink(notebook)
    notebook.metadata = METADATA | {"genurl_graph": {"code": fingerprint(notebook)}}
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return time.perf_counter() - started


def main(names: list[str]) -> None:
    """Run the notebooks called `names`, or all."""
    if "GENURL_DATA" in os.environ:
        os.environ["GENURL_DATA"] = str(Path(os.environ["GENURL_DATA"]).resolve())
    for path in [FOLDER / f"{name}.ipynb" for name in names] or sorted(FOLDER.glob("*.ipynb")):
        missing = what_is_missing(path.stem)
        if missing:
            print(f"{path.stem}: left as it is, needs {missing}", flush=True)
        else:
            print(f"{path.stem}: {execute(path):.0f} s, {path.stat().st_size / 1e3:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
