"""Data of tables: which protocol they are judged by, and what is said of their split."""

from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph.exceptions import InputError
from genurl_graph.experiments.sources import Source
from genurl_graph.experiments.tables import source
from genurl_graph.inputs.reading import ReadOptions


@pytest.mark.parametrize(
    ("named", "task", "expected"),
    [
        ("cora", "auto", None),
        ("cora", "reduce", "reduce"),
        ("mutag", "auto", "graphs"),
        ("collegemsg", "auto", "temporal-links"),
        ("linkoping", "auto", "edges"),
        ("umls", "auto", "triples"),
        ("umls", "graph", None),
    ],
)
def test_protocol_of_a_data_set(named: str, task: str, expected: str | None) -> None:
    assert source.named_protocol(Source(named, None), task) == expected


def test_protocol_of_own_files() -> None:
    def own(*said: object) -> Source:
        return Source(None, Path("e.csv"), options=ReadOptions.of(*said))

    assert source.named_protocol(own(), "auto") is None
    assert source.named_protocol(own("triples"), "auto") == "triples"
    assert source.named_protocol(own("edge-rows"), "auto") == "edges"
    assert source.named_protocol(own(None, {"time": "sent"}), "auto") == "temporal-links"
    assert source.own_protocol(Data(x=torch.zeros(3, 2))) == "reduce"
    assert source.own_protocol(Data(edge_index=torch.zeros(2, 1, dtype=torch.long))) is None


def test_split_in_words() -> None:
    data = Data(y=torch.zeros(30, dtype=torch.long))
    assert "10 % training, 90 % test (protocol random-10)" in source.describe_split("random-10", data)
    assert "random, 7 times for each seed" in source.describe_split("random-10-10-80", data, 7)
    assert "random, 13.5 times for each seed" in source.describe_split("random-10-10-80", data, 13.5)
    with pytest.raises(InputError, match="protocol public: found a data set without train"):
        source.describe_split("public", data)
    for part, count in (("train", 5), ("val", 10), ("test", 15)):
        data[f"{part}_mask"] = torch.arange(30) < count
    assert "comes with the data: 5 / 10 / 15 training / validation / test" in source.describe_split("public", data)
    data.train_mask = torch.ones(30, 10, dtype=torch.bool)
    assert source.describe_split("public", data) == "split: the 10 that come with the data (protocol public)"


def test_lacking_labels_are_told_with_what_to_do_of_own_files_only() -> None:
    for given, told in ((Source("digits", None), "against$"), (Source(None, Path("e.csv")), "--column label=NAME")):
        with pytest.raises(InputError, match=told):
            source.check_labelled(given, Data())
