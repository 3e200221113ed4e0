"""Which columns of a table are head, relation and tail, and what is made of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.triples.columns import find_named, find_triple_columns, holds_triples, is_triple_header
from genurl_graph.inputs.triples.tables import read_triple_tables

TRIPLE = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["r", "s", "t-u"]), st.sampled_from("abcdef"))


def table(rows: list[tuple[object, ...]], columns: list[str] | None = None) -> Table:
    names = columns or [str(i + 1) for i in range(len(rows[0]))]
    return Table("facts", pd.DataFrame(rows, columns=names), header=columns is not None)


@given(st.lists(TRIPLE, min_size=1), st.lists(TRIPLE))
def test_names_come_back_and_each_triple_once(rows, held) -> None:
    columns = {"source": "1", "type": "2", "target": "3"}
    apart = {"test": table(held)} if held else {}
    found = read_triple_tables(table(rows), apart, ReadOptions.of(columns=columns))
    for triples, given_rows in ((found.triples, rows), (found.test, held)):
        if triples is None:
            continue
        assert triples.num_entities == len(found)
        back = [
            (found.entity_id[head], found.relation_id[relation], found.entity_id[tail])
            for head, relation, tail in triples.rows().tolist()
        ]
        known = {relation for _, relation, _ in rows}
        assert back == list(dict.fromkeys(row for row in given_rows if row[1] in known))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["head", "relation", "tail"], "head relation tail"),
        (["h", "r", "t"], "h r t"),
        (["h", "t", "r"], "h r t"),
        (["subject", "object", "predicate"], "subject predicate object"),
        (["s", "p", "o"], "s p o"),
        (["head_id", "rel_type", "tail_id"], "head_id rel_type tail_id"),
        (["source", "target", "edge_type"], "source edge_type target"),
        (["drug1", "relation", "drug2"], "drug1 relation drug2"),
    ],
)
def test_names_tell(columns, expected) -> None:
    found = find_named(columns)
    assert found is not None
    assert [*found] == expected.split()


@pytest.mark.parametrize("cells", [["a", "likes", "b"], ["type", "is_a", "kind"], ["x", "y", "z"]])
def test_a_triple_is_no_header(cells) -> None:
    assert not is_triple_header(cells)


def test_whole_numbers_are_ids_in_ascending_order() -> None:
    found = read_triple_tables(table([(7, 1, 3), (3, 0, 9)]))
    assert found.entity_id == ["3", "7", "9"]
    assert found.relation_id is None
    assert found.triples.rows().tolist() == [[1, 1, 0], [0, 0, 2]]


def test_numbers_of_openke_in_another_order_are_refused() -> None:
    drawn = np.random.default_rng(0)
    ends = drawn.integers(0, 100, (400, 2))
    rows = np.concatenate([ends, drawn.integers(0, 5, (400, 1))], 1)
    with pytest.raises(InputError, match="--column source=1 --column type=3 --column target=2 if 3 is the relation"):
        find_triple_columns(table(rows.tolist()), ReadOptions())
    assert find_triple_columns(table(rows[:, [0, 2, 1]].tolist()), ReadOptions()).relation == "2"


def test_a_table_of_two_kinds_of_ends_is_read_in_order() -> None:
    rows = [(f"drug{i % 30}", ("binds", "blocks")[i % 2], f"gene{i % 17}") for i in range(100)]
    assert [*find_triple_columns(table(rows), ReadOptions())] == ["1", "2", "3"]
    turned = [(head, tail, relation) for head, relation, tail in rows]
    assert [*find_triple_columns(table(rows, ["one", "two", "three"]), ReadOptions())] == ["one", "two", "three"]
    with pytest.raises(InputError, match="type=3"):
        find_triple_columns(
            table([(f"{head}", f"{tail}{i % 33}", relation) for i, (head, tail, relation) in enumerate(turned)]),
            ReadOptions(),
        )


def test_what_else_there_is_is_left_out_and_named() -> None:
    found = read_triple_tables(table([("a", "r", "b", 2010)], ["head", "relation", "tail", "year"]))
    assert "left out of facts: year" in found.reading.lines


def test_two_columns_are_no_triples() -> None:
    with pytest.raises(InputError, match="2 columns; expected three"):
        read_triple_tables(table([("a", "b")]))


def test_weighted_edges_do_not_look_like_triples() -> None:
    facts = [("a", "r", "b"), ("b", "r", "c"), ("c", "s", "a"), ("a", "s", "c")]
    assert holds_triples(table(facts))
    assert not holds_triples(table([(head, tail, relation) for head, relation, tail in facts]))
    assert not holds_triples(table([("a", "b", 0.5), ("b", "c", 0.25)]))
    assert not holds_triples(table([("Ann", "Smith", "London"), ("Bob", "Jones", "Paris")]))
