"""One grammar for bad input: ``<what>: found <x>; expected <y>``."""

import doctest

import genurl_graph.exceptions
from genurl_graph.exceptions import InputError, unknown, wrong


def test_examples():
    assert doctest.testmod(genurl_graph.exceptions).failed == 0


def test_nearest_name_is_offered_only_where_one_is_near():
    assert str(unknown("task", "grahp", ["graph", "reduce"])).endswith("(did you mean 'graph'?)")
    assert str(unknown("task", "xyz", ["graph", "reduce"])) == "task: found 'xyz'; expected one of graph, reduce"


def test_errors_are_value_errors():
    assert isinstance(wrong("x", 1, 2), InputError)
    assert issubclass(InputError, ValueError)
