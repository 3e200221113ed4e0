"""Tables of events that are read in blocks: the same events as of the whole, and less memory."""

import gzip
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genurl_graph import datasets
from genurl_graph.datasets.inspection import inspect
from genurl_graph.datasets.readers import events, read_events
from genurl_graph.datasets.readers.columnar import read_parquet_blocks
from genurl_graph.datasets.readers.tables import read_blocks, read_table
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.temporal import EventSet

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "source": RANDOM.integers(1, 30, 400),
        "target": RANDOM.integers(1, 30, 400),
        "rating": RANDOM.integers(-5, 6, 400),
        "sent": 1_082_000_000 + RANDOM.integers(0, 10**6, 400),
        "length": RANDOM.random(400).round(3),
        "note": [f"said {number}, and more" for number in range(400)],
    }
)
NAMES = FRAME.assign(source="u" + FRAME.source.astype(str), target="u" + FRAME.target.astype(str))
WORDS = ReadOptions.of(columns={"time": "sent", "feature": "length"})


@pytest.fixture
def in_blocks(monkeypatch):
    """Every table is large, and its blocks are small."""

    def apply() -> None:
        monkeypatch.setattr(events, "LARGE_BYTES", 0)
        monkeypatch.setattr(events, "LARGE_ROWS", 0)
        monkeypatch.setattr(events, "read_blocks", partial(read_blocks, size=2_000))
        monkeypatch.setattr(events, "read_parquet_blocks", partial(read_parquet_blocks, rows=70))

    return apply


def both(path: Path, in_blocks, options: ReadOptions = WORDS) -> tuple[EventSet, EventSet]:
    whole = read_events(path, options=options)
    in_blocks()
    return whole, read_events(path, options=options)


def assert_same(one: EventSet, other: EventSet) -> None:
    for first, second in zip(one.edges, other.edges, strict=True):
        assert (first is None) == (second is None)
        assert first is None or (first == second if isinstance(first, int) else bool((first == second).all()))
    assert one.node_id == other.node_id
    assert one.unit == other.unit
    assert one.reading == other.reading


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet"])
@pytest.mark.parametrize("frame", [FRAME, NAMES], ids=["numbers", "names"])
def test_blocks_hold_the_same_events(suffix, frame, tmp_path, in_blocks) -> None:
    path = tmp_path / f"calls{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    whole, blocks = both(path, in_blocks)
    assert_same(whole, blocks)
    assert blocks.num_events > 300
    assert blocks.edges.attr is not None


def test_datasets_read_and_inspect_take_blocks_too(tmp_path, in_blocks, monkeypatch) -> None:
    path = tmp_path / "calls.csv"
    FRAME.to_csv(path, index=False)
    in_blocks()
    monkeypatch.setattr("genurl_graph.datasets.readers.read_any_table", None)
    found = datasets.read(path, columns={"time": "sent"})
    assert isinstance(found, EventSet)
    shown = inspect(path, options=WORDS)
    assert shown["events"]["events"] == found.num_events
    assert "by the first" in shown["lines"][-1]


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(sent=pd.to_datetime(frame.sent, unit="s").astype(str)),
        lambda frame: frame.assign(sent=pd.to_datetime(frame.sent, unit="s").dt.strftime("%Y%m%d").astype(int)),
        lambda frame: frame.assign(note='two\nlines, "quoted"'),
        lambda frame: frame.assign(source=["007", *frame.source.astype(str)[1:]]),
        lambda frame: frame.assign(source=[*frame.source.astype(str)[:-1], "zoe"]),
        lambda frame: frame.rename(columns={"source": "user_id", "target": "item_id"}),
    ],
    ids=["dates", "days", "lines", "zeros", "a name at last", "two kinds"],
)
def test_what_only_some_lines_show_counts_for_all(change, tmp_path, in_blocks) -> None:
    path = tmp_path / "calls.csv"
    change(FRAME).to_csv(path, index=False)
    whole, blocks = both(path, in_blocks)
    # Names come in the order in which they appear, where a block of numbers came before.
    assert sorted(map(str, whole.node_id or [])) == sorted(map(str, blocks.node_id or []))
    names = [np.array(found.node_id)[found.edges.source] for found in (whole, blocks)]
    assert np.array_equal(*names)
    assert whole.edges.time.equal(blocks.edges.time)
    assert whole.unit == blocks.unit


def test_names_keep_the_order_in_which_they_appear(tmp_path, in_blocks) -> None:
    path = tmp_path / "calls.csv"
    NAMES.to_csv(path, index=False)
    appear = [*dict.fromkeys(NAMES[["source", "target"]].to_numpy().ravel())]
    for found in both(path, in_blocks):
        assert found.node_id == appear


def test_a_list_without_a_header(tmp_path, in_blocks) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(
        b"# messages\n" + FRAME[["source", "target", "sent"]].to_csv(index=False, header=False, sep=" ").encode()
    )
    assert_same(*both(path, in_blocks, ReadOptions.of(columns={"time": "3"})))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3,,0.5,x", "line 402, column 4 .*|first of line 402"),
        ("1,2,3,soon,0.5,x", "line 402.*soon|times of one kind"),
        (",2,3,1082000000,0.5,x", "line 402.*an empty cell; expected the id"),
        ("1,2,heavy,1082000000,0.5,x", "line 402.*heavy"),
        ("1,2,3,1082000000", "line 402.*4 columns"),
    ],
)
def test_faults_are_named_with_their_line(line, message, tmp_path, in_blocks) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(FRAME.to_csv(index=False) + line + "\n")
    in_blocks()
    with pytest.raises(InputError, match=message):
        read_events(path, options=WORDS)


def test_blocks_of_text_are_whole_rows(tmp_path) -> None:
    path = tmp_path / "notes.csv.gz"
    path.write_bytes(gzip.compress(b"id,note\n" + b'1,"a\n""b""\n\nc"\n' * 50))
    blocks = [*read_blocks(path, size=40)]
    assert len(blocks) > 10
    whole = read_table(path).frame
    assert pd.concat([block.frame for block in blocks], ignore_index=True).equals(whole)


def test_of_parquet_only_columns_that_count_are_read(tmp_path) -> None:
    FRAME.to_parquet(tmp_path / "calls.parquet")
    blocks = [*read_parquet_blocks(tmp_path / "calls.parquet", ["sent", "source"], rows=150)]
    assert [len(block.frame) for block in blocks] == [150, 150, 100]
    assert {*blocks[0].frame.columns} == {"sent", "source"}
    assert blocks[2].where(3) == "row 303"
