"""Pages of edges and of entities."""

import base64
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.experiments.explorer.rows import read_rows, row_names, triple_graph
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.files import write_edge_embedding
from genurl_graph.inputs.triples import Triples, TripleSet


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_edges_are_called_by_their_ends_and_their_key(tmp_path: Path, suffix: str) -> None:
    edges = EdgeEnds(torch.tensor([[0, 0, 1], [1, 1, 2]]), 3, node_id=["a", "b", "c"], key=[0, 1, 0])
    path = tmp_path / f"z.{suffix}"
    write_edge_embedding(path, np.eye(3, dtype=np.float32), edges)
    stored = read_rows(path).columns
    assert row_names(stored) == row_names(stored, EdgeSet(edges)) == ["a - b, 0", "a - b, 1", "b - c, 0"]
    bare = EdgeSet(dataclasses.replace(edges, key=None, node_id=None))
    assert row_names(stored, bare) == ["0 - 1", "0 - 1", "1 - 2"]


def test_entities_are_neighbours_by_any_relation() -> None:
    found = triple_graph(TripleSet(Triples.of([(0, 0, 1), (1, 1, 0), (1, 0, 2), (2, 0, 2)])))
    assert found.edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert found.edge_weight.tolist() == [2, 2, 1, 1]
    assert found.summary() == {"n_predefined": 2, "n_feature": 0, "n_both": 0}


def page(path: Path) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("kind", ["edges", "triples"])
def test_pages_of_a_data_set(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from genurl_graph.cli import main
    from genurl_graph.inputs.embeddings import write_embedding

    node = torch.arange(30)
    ring = torch.stack([node, (node + 1) % 30])
    y = node % 2
    z = np.random.default_rng(0).standard_normal((30, 2)).astype(np.float32)
    path, order = tmp_path / "z.npz", node.flip(0)
    if kind == "edges":
        data: Any = EdgeSet(EdgeEnds(ring, 30), x=torch.rand(30, 3), y=y, label_names=["street", "way"])
        write_edge_embedding(path, z[order], EdgeEnds(ring[:, order], 30))
        name, asked = "linkoping", "0 - 1"
    else:
        rows = torch.stack([ring[0], y, ring[1]], 1)
        data = TripleSet(Triples.of(rows), entity_id=[f"e{one}" for one in range(30)], y=y, label_names=["p", "q"])
        write_embedding(path, z[order], node_id=[f"e{one}" for one in order.tolist()])
        name, asked = "umls", "e0"
    monkeypatch.setattr(datasets, "load", lambda *_: data)
    output = tmp_path / "page.html"
    told = ["explore", str(path), "--dataset", name, "--output", str(output)]
    result = CliRunner().invoke(main, told, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = page(output)
    assert found["ids"][0] == asked
    # Rows of the file stand in the order of the data.
    x = np.frombuffer(base64.b64decode(found["x"]["data"]), dtype="<f4")
    np.testing.assert_allclose(x, z[:, 0], rtol=1e-6)
    assert [one["name"] for one in found["columns"]][:2] == ["Label", "Degree"]
    assert found["merged"] is not None
    assert ("30 edges" if kind == "edges" else "30 entities") in result.output
