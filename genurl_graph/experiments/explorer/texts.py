"""Which words name the clusters of a page: those of a text column, of the features or of the ids."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import unknown

if TYPE_CHECKING:
    from genurl_graph.plotting.explorer.colours import Categories, Column

# Words a cell, on average, of a column of text that names clusters without being asked, and the share of its cells that
# differ.
TEXT_WORDS, DISTINCT = 3.0, 0.5
IDS = "ids"


def name_clusters(
    clusters: "Categories", columns: "Sequence[Column]", names: Sequence[str], data: Any, wanted: str | None
) -> "Categories":
    """The clusters with names of frequent words, where there are words; with numbers, where there are none.

    Parameters
    ----------
    clusters : Categories
        Of the n points.
    columns : sequence of Column
        Whose texts may be used, those of the user.
    names : sequence of str, length n
        Ids of the points.
    data
        Whose `feature_names` are words, where it has any.
    wanted : str, optional
        The column whose words are taken, or "ids". Without it: a column of text, else the features, else the ids.

    Raises
    ------
    InputError
        A column of text that there is not.
    """
    from genurl_graph.plotting.explorer.colours import Categories
    from genurl_graph.plotting.explorer.words import count_words, named_by_words

    texts = {one.name: one for one in columns if isinstance(one, Categories)}
    if wanted is not None and wanted != IDS and wanted not in texts:
        raise unknown("--words", wanted, [*texts, IDS])
    chosen = texts.get(wanted) if wanted is not None else _of_text(list(texts.values()))
    if chosen is not None:
        cells = [*chosen.names, ""]
        has, words = count_words([cells[code] for code in chosen.codes])
        return named_by_words(clusters, has, words, chosen.name)
    called = getattr(data, "feature_names", None)
    if wanted is None and called is not None:
        from genurl_graph.inputs.sparse import to_scipy_or_numpy

        return named_by_words(clusters, to_scipy_or_numpy(data.x), list(called), "the features")
    has, words = count_words(names)
    return named_by_words(clusters, has, words, "the ids")


def _of_text(texts: "Sequence[Categories]") -> "Categories | None":
    """The column with the longest texts, if these are sentences of which most differ."""

    def length(one: "Categories") -> float:
        return sum(len(name.split()) for name in one.names) / max(len(one.names), 1)

    found = [one for one in texts if len(one.names) > DISTINCT * len(one.codes) and length(one) >= TEXT_WORDS]
    return max(found, key=length, default=None)
