"""Embeddings by partition: written, found again, replaced."""

from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError
from genurl_graph.inference.partitioned.output import (
    Output,
    check_output_folder,
    is_output,
    named_labels,
    part_file,
    write_part,
)
from genurl_graph.inference.partitioned.sampled import sampled_data
from genurl_graph.inputs.embeddings import read_embedding
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import Prepared, write_prepared


def prepare(folder: Path, partitions: int = 3, classes: list[str] | None = None) -> Prepared:
    graph = planted_graph(40, 100, num_features=3, num_classes=2, seed=0)
    graph.node_id = [f"n{i}" for i in range(40)]
    labels = graph.y.numpy().copy()
    labels[::7] = -1
    return write_prepared(as_input(graph), folder, partitions=partitions, labels=labels, classes=classes)


def write(folder: Path, prepared: Prepared, z: torch.Tensor) -> Output:
    for part in range(prepared.store.count):
        write_part(folder, part, prepared, z[slice(*prepared.store.span(part))])
    return Output.write(folder, prepared, z.size(1), {"seed": 4})


def test_rows_come_back_with_names_and_labels(tmp_path: Path) -> None:
    prepared, z = prepare(tmp_path / "prepared", classes=["left", "right"]), torch.randn(40, 5)
    write(tmp_path / "out", prepared, z)
    found = Output.open(tmp_path / "out")
    assert found.record["seed"] == 4
    assert found.num_nodes == 40
    rows = found.rows()
    assert np.array_equal(rows["embedding"], z.numpy())
    ids = [name for part in range(3) for name in prepared.ids(part)]
    assert rows["node_id"].tolist() == ids
    named = {f"n{i}": i for i in range(40)}
    y = planted_graph(40, 100, num_features=3, num_classes=2, seed=0).y
    expected = ["" if named[name] % 7 == 0 else ["left", "right"][y[named[name]]] for name in ids]
    assert rows["label"].tolist() == expected
    assert all(np.array_equal(found.rows(15)[key], rows[key][:15]) for key in rows)
    # Each partition is a table that others read as well.
    table = pandas.read_parquet(part_file(tmp_path / "out", 1))
    assert list(table.columns) == ["node_id", "label", *(f"e{i}" for i in range(5))]
    one = read_embedding(part_file(tmp_path / "out", 1))["embedding"]
    assert np.array_equal(one, z[slice(*prepared.store.span(1))].numpy())


def test_rows_of_the_evaluation_are_the_first(tmp_path: Path) -> None:
    prepared = prepare(tmp_path / "prepared")
    whole, data = prepared.whole(), sampled_data(prepared, 17)
    assert whole.x is not None
    assert torch.equal(data.x, whole.x[:17])
    labels = np.concatenate([named_labels(prepared, part) for part in range(3)])
    assert data.y.tolist() == labels[:17].tolist()
    assert sampled_data(prepared, None).num_nodes == 40
    assert -1 in labels


def test_fewer_partitions_leave_none_of_the_earlier_ones(tmp_path: Path) -> None:
    write(tmp_path / "out", prepare(tmp_path / "a", 5), torch.randn(40, 5))
    check_output_folder(tmp_path / "out")
    z = torch.randn(40, 2)
    write(tmp_path / "out", prepare(tmp_path / "b", 2), z)
    assert sorted(file.name for file in (tmp_path / "out").glob("*.parquet")) == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    assert np.array_equal(Output.open(tmp_path / "out").rows()["embedding"], z.numpy())


def test_what_a_killed_worker_has_left_of_a_file_stops_nobody_and_goes(tmp_path: Path) -> None:
    prepared = prepare(tmp_path / "prepared")
    write(tmp_path / "out", prepared, torch.randn(40, 5))
    for name in (".part-00001.0a1b2c3d.parquet", ".manifest.0a1b2c3d.json"):
        (tmp_path / "out" / name).write_bytes(b"half")
    check_output_folder(tmp_path / "out")
    write(tmp_path / "out", prepared, torch.randn(40, 5))
    assert not [file.name for file in (tmp_path / "out").iterdir() if file.name.startswith(".")]


def test_what_is_no_output_is_named(tmp_path: Path) -> None:
    prepared = prepare(tmp_path / "prepared")
    with pytest.raises(InputError, match=r"a folder that holds .*; expected a new folder"):
        check_output_folder(prepared.store.path)
    assert not is_output(prepared.store.path)
    with pytest.raises(InputError, match="found the format 'genurl-graph partitions'"):
        Output.open(prepared.store.path)
    with pytest.raises(InputError, match=r"found no manifest.json; expected a folder that embed"):
        Output.open(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="a file; expected the name of a folder"):
        check_output_folder(tmp_path / "file")
    check_output_folder(tmp_path / "new")
    write(tmp_path / "out", prepared, torch.randn(40, 5))
    assert is_output(tmp_path / "out")
    part_file(tmp_path / "out", 1).unlink()
    with pytest.raises(InputError, match=r"found no part-00001.parquet; expected 3 partitions"):
        Output.open(tmp_path / "out")
