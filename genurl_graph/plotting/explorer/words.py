"""Names of clusters: the words that are frequent in one and rarer in the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from genurl_graph.exceptions import wrong
from genurl_graph.plotting.explorer.colours import Categories

# Words in a name; share of a cluster's points that have each, and how many times more often than all points.
MOST_WORDS, LEAST_SHARE, LEAST_LIFT = 3, 0.1, 1.5
# Letters of any script, three at least: numbers and initials name nothing.
WORD = r"(?u)\b[^\W\d_]{3,}\b"
# Between the words of fileName, HTTPServer, file_name and net.http.
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")


def count_words(texts: Sequence[str]) -> tuple[Any, list[str]]:
    """Which words each text has: a CSR matrix [n, w] of ones, and the w words in lower case.

    Names in programs count as their words (fileName, file_name); English function words and words of a single text are
    left out.

    Examples
    --------
    >>> found, words = count_words(["the graphKernel", "graph_layout of a kernel"])
    >>> words, found.toarray().tolist()
    (['graph', 'kernel'], [[1, 1], [1, 1]])
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(token_pattern=WORD, stop_words="english", min_df=2, binary=True)
    try:
        found = counter.fit_transform([_JOINT.sub(" ", text) for text in texts])
    except ValueError:  # scikit-learn's for texts without any such word
        from scipy.sparse import csr_array

        return csr_array((len(texts), 0), dtype=np.int64), []
    return found, counter.get_feature_names_out().tolist()


def named_by_words(clusters: Categories, has: Any, words: Sequence[str], of: str) -> Categories:
    """The clusters, each named by its words; one that has none keeps its number.

    A word belongs to a name if at least 10 % of the cluster's points, and two, have it, 1.5 times as often as all
    points; three of the largest share x log(how many times as often) are taken.

    Parameters
    ----------
    clusters : Categories
    has : array or sparse matrix, shape [n, w]
        Not 0 where a point has a word.
    words : sequence of str
    of : str
        Where the words are from, for the line about the column.

    Raises
    ------
    InputError
        A matrix of other points or words.

    Examples
    --------
    >>> clusters = Categories("Cluster", "k-means", np.array([0, 0, 1, 1]), ["1", "2"])
    >>> has = np.array([[1, 0], [1, 0], [0, 1], [0, 0]])
    >>> named_by_words(clusters, has, ["graph", "image"], "titles").names
    ['graph', 'image']
    """
    from scipy.sparse import csr_array

    matrix = csr_array(has)
    if matrix.shape != (len(clusters.codes), len(words)):
        raise wrong("words", f"shape {matrix.shape}", f"[{len(clusters.codes)}, {len(words)}]")
    known = np.flatnonzero(clusters.codes >= 0)
    codes = clusters.codes[known]
    present = csr_array(matrix[known] != 0, dtype=np.float64)
    member = csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), (len(clusters.names), len(codes)))
    size, times = member.sum(axis=1), (member @ present).toarray()
    share = times / np.maximum(size, 1).reshape(-1, 1)
    lift = share / np.maximum(np.asarray(present.mean(axis=0)).reshape(1, -1), 1e-12)
    # One point among many says little.
    frequent = (share >= LEAST_SHARE) & (lift >= LEAST_LIFT) & (times >= np.minimum(size, 2).reshape(-1, 1))
    score = np.where(frequent, share * np.log(np.maximum(lift, 1)), 0.0)
    names = []
    for number, row in zip(clusters.names, score, strict=True):
        name = ", ".join(_best_words(words, row)) or number
        names.append(f"{name} ({number})" if name in names else name)
    if names == list(clusters.names):
        return clusters
    return clusters._replace(about=f"{clusters.about}; named by frequent words of {of}", names=names)


def _best_words(words: Sequence[str], score: Any) -> list[str]:
    """The words of the largest scores above 0, of singular and plural one."""
    found: list[str] = []
    for at in np.argsort(-score, kind="stable"):
        word = words[at]
        if score[at] <= 0 or len(found) == MOST_WORDS:
            break
        if not {word, f"{word}s", word.removesuffix("s")} & {form for one in found for form in (one, f"{one}s")}:
            found.append(word)
    return found
