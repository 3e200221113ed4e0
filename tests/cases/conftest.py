"""Files of users, from `../shared/cases` (`$GENURL_CASES`) or written by a test, read as a user reads them."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from torch_geometric.data import Data

from tests.cli.conftest import run  # noqa: F401 - a fixture

Edges = dict[tuple[str, str], float]
REPOSITORY = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder of the files that were misread; skips the test where it is absent."""
    named = os.environ.get("GENURL_CASES")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "cases"
    if not (folder / "README.md").is_file():
        pytest.skip("files of users absent: set GENURL_CASES or put them at ../shared/cases")
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """`write(name, text)`: the path of a new file."""

    def call(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return call


def names(data: Data) -> list[str]:
    """Names of the nodes."""
    found = data.get("node_id")
    return [str(node) for node in (range(data.num_nodes) if found is None else found)]


def edges(data: Data) -> Edges:
    """Weights of undirected edges by the sorted names of their ends; asserts that both directions are there."""
    directed = arcs(data)
    for (a, b), weight in directed.items():
        assert directed[b, a] == weight
    return {(a, b): weight for (a, b), weight in directed.items() if a <= b}


def arcs(data: Data) -> Edges:
    """Weights of edges by the names of source and target; asserts that each pair stands once."""
    name, count = names(data), data.edge_index.size(1)
    weight = [1.0] * count if data.get("edge_weight") is None else data.edge_weight.tolist()
    pairs = [(name[a], name[b]) for a, b in data.edge_index.T.tolist()]
    assert len(set(pairs)) == count
    return {pair: round(value, 5) for pair, value in zip(pairs, weight, strict=True)}


def said(data: Data) -> str:
    """All that is said of what was read."""
    return "\n".join(data.reading.lines)


def blocks(
    n: int = 120, groups: int = 3, within: float = 0.25, between: float = 0.01, seed: int = 0
) -> list[list[int]]:
    """Edges of a planted graph; node i is in group i % groups."""
    chance = random.Random(seed)
    return [
        [a, b]
        for a in range(n)
        for b in range(a + 1, n)
        if chance.random() < (within if a % groups == b % groups else between)
    ]


def table(rows: list[list[object]], header: str = "", separator: str = ",") -> str:
    """Rows as the text of a table."""
    lines = [separator.join(map(str, row)) for row in rows]
    return "\n".join([header, *lines] if header else lines) + "\n"
