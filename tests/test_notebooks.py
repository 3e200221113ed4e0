"""The code of the notebooks runs, cell after cell."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.data
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run(path, data_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENURL_DATA", str(data_root))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            assert not cell["outputs"], f"cell {number} was committed with its output"
            exec(compile("".join(cell["source"]), f"{path.name}[{number}]", "exec"), names)
    assert (tmp_path / "cora.png").stat().st_size > 10_000
    accuracy = names["accuracy"]
    assert accuracy["GenURL"] > accuracy["same encoder, untrained"] + 0.05
