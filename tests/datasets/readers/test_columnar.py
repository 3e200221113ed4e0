"""Parquet, Arrow and Feather: every kind of column comes as what it is."""

import datetime
import decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genurl_graph.datasets.readers import columnar
from genurl_graph.datasets.readers.columnar import read_columnar
from genurl_graph.exceptions import InputError

pa = pytest.importorskip("pyarrow")
SUFFIXES = [".parquet", ".arrow", ".feather", ".ipc", ".stream.arrow"]


def write(path: Path, table) -> Path:
    import pyarrow.feather
    import pyarrow.parquet

    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    elif path.suffix == ".feather":
        pyarrow.feather.write_feather(table, path, compression="zstd")
    else:
        make = pa.ipc.new_stream if ".stream" in path.name else pa.ipc.new_file
        with make(path, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_kinds_of_columns(tmp_path: Path, suffix: str):
    day = datetime.datetime(2024, 5, 7, 12)
    table = pa.table(
        {
            "source": pa.array([1, 2, 2**60 + 1], pa.int64()),
            "gap": pa.array([1, None, 2**60 + 1], pa.int64()),
            "small": pa.array([1, None, 3], pa.int8()),
            "number": pa.array([0.5, None, 2.0]),
            "flag": pa.array([True, None, False]),
            "text": pa.array(["a", "", None]),
            "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
            "when": pa.array([day, None, day], pa.timestamp("ms", "Europe/Berlin")),
            "day": pa.array([day.date()] * 3, pa.date32()),
            "money": pa.array([decimal.Decimal("1.25")] * 3),
            "key": pa.array([decimal.Decimal(7)] * 3, pa.decimal128(20, 0)),
            "bytes": pa.array([b"u", b"v", b"w"]),
            "vector": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
            "nested": pa.array([{"a": 1}] * 3),
        }
    )
    read = read_columnar(write(tmp_path / f"t{suffix}", table))
    frame = read.frame
    assert frame["source"].tolist() == [1, 2, 2**60 + 1]
    assert frame["gap"].dtype == pd.Int64Dtype()
    assert frame["gap"][2] == 2**60 + 1
    assert frame["small"].isna().tolist() == [False, True, False]
    assert frame["number"].dtype == np.float64
    assert frame["flag"].dtype == pd.BooleanDtype()
    assert frame["text"].isna().tolist() == [False, False, True]
    assert frame["text"][1] == ""
    assert frame["kind"].astype(str).tolist() == ["x", "y", "x"]
    assert str(frame["when"][0]) == "2024-05-07 14:00:00+02:00"
    assert pd.api.types.is_datetime64_any_dtype(frame["day"])
    assert frame["money"].tolist() == [1.25] * 3
    assert frame["key"].dtype == np.int64
    assert frame["bytes"].tolist() == ["u", "v", "w"]
    assert frame["vector_1"].tolist() == [2.0, 4.0, 6.0]
    assert "nested" not in frame
    assert read.notes == ("column 'nested' left out (struct<a: int64>)",)


def test_pandas_own_index_is_a_column(tmp_path: Path):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=["u", "v"])
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_columnar(tmp_path / "t.parquet").frame["index"].tolist() == ["u", "v"]


def test_names_that_come_twice(tmp_path: Path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    read = read_columnar(write(tmp_path / "t.arrow", table))
    assert read.frame.columns.tolist() == ["a", "a.2"]
    assert "'a' again" in read.notes[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage(tmp_path: Path, suffix: str):
    path = write(tmp_path / f"t{suffix}", pa.table({"a": list(range(1000))}))
    whole = path.read_bytes()
    for damaged in (b"", b"junk", whole[: len(whole) // 2], b"ARROW1" + b"\xff" * 100):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"t\."):
            read_columnar(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_runs_that_unpack_to_more_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str):
    path = write(tmp_path / f"t{suffix}", pa.table({"a": np.zeros(100_000), "b": np.zeros(100_000)}))
    monkeypatch.setattr(columnar, "physical_memory", lambda: 1_000_000)
    monkeypatch.setattr("genurl_graph.inputs.embeddings.physical_memory", lambda: 1_000_000)
    with pytest.raises(InputError, match="at most half of this machine's memory"):
        read_columnar(path)


def test_no_rows(tmp_path: Path):
    with pytest.raises(InputError, match="no rows"):
        read_columnar(write(tmp_path / "t.arrow", pa.table({"a": pa.array([], pa.int64())})))
