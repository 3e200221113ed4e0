"""What the page carries: arrays that decode to what went in, and text that stays text."""

import base64
import json
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import FEATURE, PREDEFINED, MergedGraph, merge_graphs
from genurl_graph.plotting.explorer.colours import column
from genurl_graph.plotting.explorer.payload import encode, merged_rows, script_json
from genurl_graph.plotting.explorer.scene import Scene

EVIL = ["</script><script>alert(1)</script>", "<!-- <script>", "a\u2028b\u2029c", "&lt;", "\ud800", '"\\', "日本"]


def decode(stored: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(stored["data"]), dtype=np.dtype(f"<{stored['type']}"))


@pytest.fixture
def merged() -> MergedGraph:
    """The path 0-1-2-3 given, 0-2 and 2-3 near in the features."""
    given, near = torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([[0, 2], [2, 3]])
    return merge_graphs(given, None, near, torch.tensor([0.25, 0.5]), num_nodes=5, how="mix")


def test_json_survives_a_script_tag() -> None:
    text = script_json({"names": EVIL})
    assert json.loads(text) == {"names": EVIL}
    assert text.isascii()
    assert not set(text) & set("<>&")

    class Scripts(HTMLParser):
        found: list[str]

        def handle_data(self, data: str) -> None:
            self.found.append(data)

    parser = Scripts()
    parser.found = []
    parser.feed(f'<script type="application/json">{text}</script>')
    assert parser.found == [text]


def test_neighbours_are_listed_by_node_with_bits_and_weights(merged: MergedGraph) -> None:
    rows = merged_rows(merged, 5)
    start, node, bits = (decode(rows[key]) for key in ("start", "node", "bits"))
    weight = decode(rows["weight"]) * rows["largest"]
    assert start.tolist() == [0, 2, 4, 7, 8, 8]
    # The most similar first: 3 is both given and near.
    assert node[4:7].tolist() == [3, 1, 0]
    assert bits[4:7].tolist() == [PREDEFINED | FEATURE, PREDEFINED, FEATURE]
    np.testing.assert_allclose(weight[4:7], [1.5, 1.0, 0.25], atol=2e-5)


def test_a_scene_without_extras_is_encoded() -> None:
    points = np.array([[0, 1], [2, 3]], dtype=np.float32)
    found = encode(Scene("t", points))
    assert decode(found["x"]).tolist() == [0, 2]
    assert decode(found["y"]).tolist() == [1, 3]
    assert (found["ids"], found["nearest"], found["merged"], found["columns"]) == (None, None, None, [])


def test_columns_and_large_indices_decode() -> None:
    n = 70_000
    points = np.zeros((n, 2), dtype=np.float32)
    nearest = torch.arange(n).flip(0)[:, None]
    values = np.where(np.arange(n) % 2, "b", "")
    found = encode(Scene("t", points, columns=[column("c", "", values)], nearest=nearest))
    np.testing.assert_array_equal(decode(found["nearest"]["node"]), nearest[:, 0].numpy())
    assert found["nearest"]["node"]["type"] == "u4"
    assert found["columns"][0]["names"] == ["b"]
    assert found["columns"][0]["values"]["type"] == "u1"
    # Unknown values come after the last name.
    np.testing.assert_array_equal(decode(found["columns"][0]["values"]), 1 - np.arange(n) % 2)


def test_dates_travel_exactly_and_columns_are_chosen_by_name() -> None:
    seen = column("Seen", "", np.array(["2024-05-31T23:59:59", "NaT"], dtype="datetime64[s]"))
    kind, age = column("Kind", "", ["a", "b"]), column("Age", "", [0.5, 1.5])
    found = encode(Scene("t", np.eye(2), columns=[kind, seen, age], color_by="Seen", size_by="Age"))
    assert found["columns"][1]["dates"] is True
    np.testing.assert_array_equal(decode(found["columns"][1]["values"]), [19874 + 86399 / 86400, np.nan])
    assert "dates" not in found["columns"][2]
    assert (found["colour"], found["size"]) == (1, 2)
    found = encode(Scene("t", np.eye(2), columns=[kind]))
    assert (found["colour"], found["size"]) == (None, None)
    with pytest.raises(InputError, match=r"size_by: found 'Kind'; expected one of Age"):
        Scene("t", np.eye(2), columns=[kind, age], size_by="Kind")
