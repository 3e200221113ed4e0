"""Text tables: every row and cell as it stands, or a refusal that names the option."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest

from genurl_graph.datasets.readers.tables import read_table
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import Table


def read(tmp_path: Path, content: str | bytes, name: str = "e.csv", **options) -> Table:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, ReadOptions.of(**options))


def rows(table: Table) -> list[list]:
    return table.frame.to_numpy(object).tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.csv", "source,target,w\nann,bob,0.5\nbob,cyd,2\n"),
        ("e.csv", "source;target;w\nann;bob;0.5\nbob;cyd;2\n"),
        ("e.csv", "source\ttarget\tw\nann\tbob\t0.5\nbob\tcyd\t2\n"),
        ("e.csv", "source|target|w\nann|bob|0.5\nbob|cyd|2\n"),
        ("e.csv", "source, target, w\r\nann, bob, 0.5\r\n\r\nbob, cyd, 2\r\n"),
        ("e.csv", "source,target,w\rann,bob,0.5\rbob,cyd,2"),
        ("e.csv", '"source","target","w"\n"ann","bob","0.5"\n"bob","cyd","2"\n'),
        ("e.csv", "source,target,w,\nann,bob,0.5,\nbob,cyd,2,\n"),
        ("e.csv", "source,target,w\nann,bob,0.5,\nbob,cyd,2,\n"),
        ("e.csv", "# made by hand\n\n% twice\nsource,target,w\nann,bob,0.5\nbob,cyd,2\n"),
        ("e.csv", "source,target,w\n# the rows\nann,bob,0.5\nbob,cyd,2\n"),
        ("e.csv", "\ufeffsource,target,w\nann,bob,0.5\nbob,cyd,2\n"),
        ("e.csv", "source,target,w\nann,bob,0.5\nbob,cyd,2\n".encode("utf-16")),
        ("e.csv", "source;target;w\nann;bob;0,5\nbob;cyd;2\n"),
        ("e.tsv", "source\ttarget\tw\nann\tbob\t0.5\nbob\tcyd\t2\n"),
        ("e.txt", "source target w\nann  bob\t0.5\n bob cyd 2 \n"),
        ("e.edges", "source target w\nann bob 0,5\nbob cyd 2\n"),
        ("e.txt", "source,target,w\nann,bob,0.5\nbob,cyd,2\n"),
        ("e.csv.gz", gzip.compress(b"source,target,w\nann,bob,0.5\nbob,cyd,2\n", mtime=0)),
        ("e.tsv.bz2", bz2.compress(b"source\ttarget\tw\nann\tbob\t0.5\nbob\tcyd\t2\n")),
    ],
)
def test_the_same_table(tmp_path: Path, name: str, content: str | bytes):
    table = read(tmp_path, content, name)
    assert rows(table) == [["ann", "bob", 0.5], ["bob", "cyd", 2.0]]
    assert [*table.frame.columns] == ["source", "target", "w"]
    assert table.frame.dtypes.tolist() == [object, object, np.float64]
    assert table.header


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("#python,#code\n#python,data\ndata,#ml\n", [["#python", "#code"], ["#python", "data"], ["data", "#ml"]]),
        ("source,target\n#python,#code\n%x,b\n", [["#python", "#code"], ["%x", "b"]]),
        ("#python,code\njava,code\n", [["#python", "code"], ["java", "code"]]),
        ("# from,to\na,b\nb,c\n", [["a", "b"], ["b", "c"]]),
        ("#from,to\na,b\nb,c\n", [["a", "b"], ["b", "c"]]),
        ('"# a",b\nb,c\n', [["# a", "b"], ["b", "c"]]),
    ],
)
def test_marks_are_comments_before_the_first_row_alone(tmp_path: Path, content: str, expected: list):
    assert rows(read(tmp_path, content)) == expected


def test_comments_are_counted(tmp_path: Path):
    table = read(tmp_path, "# Directed graph\n# FromNodeId\tToNodeId\n0\t1\n1\t2\n", "e.txt")
    assert table.notes == ("2 lines of comments skipped",)
    assert table.where(0) == "line 3"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("007,1\n+5,2\n", ["007", "+5"]),
        ("1_000,1\n2,2\n", ["1_000", "2"]),
        ("99999999999999999999,1\n2,2\n", ["99999999999999999999", "2"]),
        ("-0,1\n2,2\n", ["-0", "2"]),
        ("True,1\nFalse,2\n", ["True", "False"]),
        ("nan,1\n1.5,2\n", ["nan", "1.5"]),
        ("inf,1\n1.5,2\n", ["inf", "1.5"]),
        ("1e400,1\n1.5,2\n", ["1e400", "1.5"]),
        ("1,1\n,2\n", ["1", ""]),
        ("1,1\nNA,2\n", ["1", "NA"]),
        ('"1\n2",1\n3,2\n', ["1\n2", "3"]),
    ],
)
def test_cells_that_a_number_would_change_stay_text(tmp_path: Path, content: str, expected: list[str]):
    table = read(tmp_path, content)
    assert table.frame["1"].tolist() == expected
    assert table.frame["2"].tolist() == [1, 2]


@pytest.mark.parametrize("late", ["007", "+5", "x", "1.5", "", "99999999999999999999", "True", '"1"'])
def test_a_cell_far_below_the_sample(tmp_path: Path, late: str):
    content = "".join(f"{i},{i}\n" for i in range(5000)) + f"{late},1\n"
    column = read(tmp_path, content).frame["1"]
    if late == '"1"':
        assert column.dtype == np.int64
    elif late == "1.5":
        assert column.dtype == np.float64
    else:
        assert column.tolist() == [*map(str, range(5000)), late]


def test_decimals_of_ids_stay_text(tmp_path: Path):
    assert read(tmp_path, "id,x\n1.10,2.50\n1.1,3.0\n").frame["id"].tolist() == ["1.10", "1.1"]
    assert read(tmp_path, "1.10,2\n1.1,3\n", columns={"source": "1"}).frame["1"].tolist() == ["1.10", "1.1"]


def test_decimal_commas(tmp_path: Path):
    table = read(tmp_path, "1;2;0,5\n2;3;1,25\n")
    assert rows(table) == [[1, 2, 0.5], [2, 3, 1.25]]
    assert table.notes == ("decimal comma in column 3",)
    with_gap = read(tmp_path, "id;w\n1;0,5\n2;\n")
    assert with_gap.frame["w"].tolist() == ["0.5", ""]
    assert read(tmp_path, "id;w\n1;1,234\n2;2,345\n", decimal=",").frame["w"].tolist() == [1.234, 2.345]
    assert read(tmp_path, "id;w\n1;1,234\n2;2,345\n", decimal=".").frame["w"].tolist() == ["1,234", "2,345"]
    assert read(tmp_path, "id;name\n1;Smith, Jo\n2;Bo\n").frame["name"].tolist() == ["Smith, Jo", "Bo"]
    assert read(tmp_path, "1,5;2,5\n3,5;4,5\n", separator=";").frame["2"].tolist() == [2.5, 4.5]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.csv", "1,5;2,5\n3,5;4,5\n", "cut by ',' .* and by ';' .*; expected one of them: give --separator"),
        ("e.csv", "id;w\n1;1,234\n2;2,345\n", "found '1,234'; expected --decimal"),
        ("e.csv", "id;w\n1;1.234,5\n2;2.345,5\n", "found '1.234,5'; expected --decimal"),
        ("e.csv", "1 2\n2 3\n", "2 words a line .* expected --separator"),
        ("e.csv", "a,b\n1,2\n3\n", "line 3: found 1 columns; expected 2 .*--separator"),
        ("e.csv", "1,2\n2,3\n# no\n", "line 3: found 1 columns; expected 2; # begins a comment only before"),
        ("e.txt", "1 2\n2 3\n# no\n3 4\n", "line 3: found '#' at its start"),
        ("e.csv", "1,2\n#2,3\n3,4\n", "line 2: found '#2' at its start"),
        ("e.csv", "anna,rex\nbob,tom\n", "line 1: .*--column source=anna --column target=rex .*source=1 --column"),
        ("e.csv", "source,target\na,b\nsource,target\n", "line 1: .* names of columns, or a row"),
        ("e.csv", "source,target\n" + "a,b\n" * 400 + "source,target\n", "line 402: found the header again"),
        ("e.csv", "#python,code\njava,perl\n", "line 1: found '#python' .*'# ' with a space for a comment"),
        ("e.csv", "a\n\nb\na\n", "line 2: found a blank line in a table of one column"),
        ("e.csv", '"a\n1,2\n3,4\n', "line 1: found quotation marks that do not fit a table"),
        ("e.csv", 'a,b\n"1"2,3\n', "line 2: found quotation marks that do not fit a table"),
        ("e.txt", 'a "b c\nd e\n', "line 1: found quotation marks that do not fit a table"),
        ("e.txt", "a\xa0b c\nd\xa0e f\n", "the character"),
        ("e.csv", "x;1\ny;2\n".encode("latin-1") + b"\xfc;3\n", "no text in UTF-8 in line 3"),
        ("e.csv", gzip.compress(b"1,2\n", mtime=0), r"compressed bytes \(.gz\)"),
        ("e.csv.gz", b"1,2\n", "cannot be read as a .gz file"),
    ],
)
def test_refusals(tmp_path: Path, name: str, content: str | bytes, message: str):
    with pytest.raises(InputError, match=message):
        read(tmp_path, content, name)


def test_options_decide(tmp_path: Path):
    assert rows(read(tmp_path, "1 2\n2 3\n", separator=" ")) == [[1, 2], [2, 3]]
    assert rows(read(tmp_path, "1,5;2,5\n", separator=",")) == [[1, "5;2", 5]]
    assert rows(read(tmp_path, "1~007\n2~8\n", separator="~")) == [[1, "007"], [2, "8"]]
    assert rows(read(tmp_path, "anna,rex\nbob,tom\n", columns={"source": "1"})) == [["anna", "rex"], ["bob", "tom"]]
    assert rows(read(tmp_path, "anna,rex\nbob,tom\n", columns={"source": "rex"})) == [["bob", "tom"]]
    for options, message in (({"separator": "a"}, "separator"), ({"separator": ",", "decimal": ","}, "decimal")):
        with pytest.raises(InputError, match=message):
            read(tmp_path, "1,2\n", **options)


def test_names_that_come_twice(tmp_path: Path):
    table = read(tmp_path, "id,x,x\n1,2,3\n2,3,4\n")
    assert [*table.frame.columns] == ["id", "x", "x.3"]
    assert table.notes == ("column 3, 'x' again, is called 'x.3'",)


def test_lines_of_rows(tmp_path: Path):
    plain = read(tmp_path, "# c\nsource,target\n1,2\n\n3,4\n")
    assert [plain.where(0), plain.where(1)] == ["line 3", "line 5"]
    quoted = read(tmp_path, 'name,size\n"a\nb",2\n\nc,3\n')
    assert [quoted.where(0), quoted.where(1)] == ["line 2", "line 5"]


def test_a_wide_matrix(tmp_path: Path):
    matrix = np.random.default_rng(0).normal(size=(40, 3000)).round(3)
    path = tmp_path / "m.csv"
    np.savetxt(path, matrix, fmt="%.3f", delimiter=",")
    frame = read_table(path).frame
    assert set(frame.dtypes) == {np.dtype(np.float64)}
    np.testing.assert_array_equal(frame.to_numpy(), matrix)


def test_a_separator_at_the_end_of_every_line_keeps_the_header(tmp_path: Path):
    table = read(tmp_path, "source,target,\nann,bob,\nbob,cid,\n")
    assert table.header
    assert len(table.frame) == 2
