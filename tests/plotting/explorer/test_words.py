"""Names of clusters by their words."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from genurl_graph.exceptions import InputError
from genurl_graph.plotting.explorer.colours import Categories
from genurl_graph.plotting.explorer.words import count_words, named_by_words

TITLES = ["Kernels of graphs", "Graph kernels", "A graph and its kernel", "Deep images", "Images of the deep", "Images"]


def clusters(*codes: int, names: int = 2) -> Categories:
    return Categories("Cluster", "k-means", np.array(codes), [str(i + 1) for i in range(names)])


def test_words_of_names_in_programs_are_apart_and_function_words_are_out() -> None:
    has, words = count_words(["parseHTTPHeader of_file", "http_parse", "the header file", "über alles", "über 12 ab"])
    assert words == ["file", "header", "http", "parse", "über"]
    assert has.toarray()[0].tolist() == [1, 1, 1, 1, 0]
    nothing, words = count_words(["0", "1", "2"])
    assert (nothing.shape, words) == ((3, 0), [])


def test_clusters_get_the_words_that_are_frequent_there_and_rare_elsewhere() -> None:
    has, words = count_words(TITLES)
    found = named_by_words(clusters(0, 0, 0, 1, 1, 1), has, words, "title")
    assert found.names == ["graph, kernels", "images, deep"]  # of singular and plural one
    assert found.about == "k-means; named by frequent words of title"
    np.testing.assert_array_equal(found.codes, [0, 0, 0, 1, 1, 1])


def test_a_cluster_without_words_of_its_own_keeps_its_number() -> None:
    # "all" is everywhere, "once" in one point of eleven, "low" in both clusters alike.
    has = np.zeros((22, 3))
    has[:, 0], has[0, 1], has[::2, 2] = 1, 1, 1
    given = clusters(*[0] * 11, *[1] * 11)
    assert named_by_words(given, has, ["all", "once", "low"], "ids") is given
    has[:5, 1] = 0.3  # any weight counts as a word
    assert named_by_words(given, csr_array(has), ["all", "once", "low"], "ids").names == ["once", "2"]


def test_names_differ_and_points_without_a_cluster_do_not_count() -> None:
    has = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    found = named_by_words(clusters(0, 1, -1, -1, -1, names=3), has, ["one", "other"], "ids")
    assert found.names == ["1", "2", "3"]  # all that count have the word
    has = np.array([[1], [1], [0], [0], [0], [0]])
    found = named_by_words(clusters(0, 1, 2, 2, 2, 2, names=3), has, ["one"], "ids")
    assert found.names == ["one", "one (2)", "3"]
    with pytest.raises(InputError, match=r"words: found shape \(6, 1\); expected \[6, 2\]"):
        named_by_words(clusters(0, 1, 2, 2, 2, 2, names=3), has, ["one", "other"], "ids")
