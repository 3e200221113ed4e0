"""Headers: found by names and by the kinds of the rows below, never at the price of a row."""

import pytest

from genurl_graph.datasets.readers.text.headers import decide_header
from genurl_graph.inputs.reading import ReadOptions

NAMES = ["ann,bob", "cyd,dan", "bob,eve"]
NUMBERS = ["1,2", "2,3", "3,4"]
CODED = [f"cust-{i:03},shop-{i % 3}" for i in range(8)]


def decide(first: str, below: list[str], **columns: str) -> bool | None:
    return decide_header([line.split(",") for line in [first, *below]], ReadOptions.of(columns=columns))


@pytest.mark.parametrize(
    ("first", "below"),
    [
        ("drug1,drug2", NUMBERS),
        ("id_1,id_2", NUMBERS),
        ("foo,bar", NUMBERS),
        ("source,target", NAMES),
        ("name,friend", NAMES),
        ("user_id,item_id", NAMES),
        ("FromNodeId,ToNodeId", NAMES),
        ("node_a,node_b", NAMES),
        ("buyer,seller", CODED),
        ("this,that", CODED),
        ("a,born", ["ann,2001-02-03", "bob,1999-12-31"]),
        (",a,b", ["0,0.5,1", "1,2,3"]),
        (",0", ["0,0.5", "1,2"]),
        ("id,a,b", ["a,1,2", "b,3,4"]),
        (",0,1,2", ["7,0.5,1,1", "8,2,3,1"]),
        ("id,0,1", ["7,0.5,1", "8,2,3"]),
        ("0,1,2", ["0.5,0.25,1.5", "2.5,3.5,1.25"]),
        ("name,size", ["ann,", "bob,3"]),
        ("w,x;y", ["0,0", "1,1"]),
        ("label", ["a", "b", "a"]),
    ],
)
def test_headers(first: str, below: list[str]):
    assert decide(first, below) is True


@pytest.mark.parametrize(
    ("first", "below"),
    [
        ("1,2", NUMBERS),
        ("0,1,2", ["1,2,3", "2,3,1"]),
        ("alice,bob", ["bob,carol"]),
        ("ann,bob", ["cyd,dan", "bob,eve"]),
        ("a,1", ["2,3", "4,5"]),
        ("user,5", ["item,3", "time,7"]),
        ("NA,1", ["0.5,2", "3,4"]),
        ("#a,#b", ["#c,#d", "#e,#f"]),
        ("a", ["b", "a", "b"]),
        ("c,d", ["d,e", "e,c"]),
        ("u,v", ["v,w"]),
    ],
)
def test_rows(first: str, below: list[str]):
    assert decide(first, below) is False


@pytest.mark.parametrize(
    ("first", "below"),
    [
        ("anna,rex", ["bob,tom", "cyd,max"]),
        ("source,target", ["source,a", "b,c"]),
        ("setosa", ["virginica", "versicolor"]),
        ("u,v", ["ann,bob", "cyd,dan"]),
        (",0", ["1,0", "2,0"]),
        ("id,2019,2020", ["7,0.5,1", "8,2,3"]),
        ("y,x", ["a,b", "c,d"]),
        (",bob", ["ann,cyd", "dan,eve"]),
        ("ann,bob,unknown", ["bob,cyd,5", "cyd,ann,7"]),
    ],
)
def test_in_doubt_the_roles_decide(first: str, below: list[str]):
    assert decide(first, below) is None
    if first[-1].isalpha():
        assert decide(first, below, label=first.split(",")[-1]) is True
    assert decide(first, below, label="1") is False
    assert decide(first, below, label="elsewhere") is None


def test_numbers_of_columns_make_no_row_of_a_header():
    assert decide("user,item", NUMBERS, source="1", target="2") is True
