"""Distances of features by name, and a function of the user's as the value of a parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

MetricName = Literal["euclidean", "cosine", "manhattan", "correlation", "chebyshev", "hamming", "jaccard"]
METRICS: tuple[str, ...] = get_args(MetricName)
# Those whose nearest neighbours principal components, inverted lists and image batches keep.
EUCLIDEAN_METRICS = ("euclidean", "cosine")
# Those of categories and sets, which components, averages and weighed columns are no longer.
OF_CODES = ("hamming", "jaccard")

Distance = Callable[[Any, Any], float]


class OwnMetric(str):
    """A distance that the user has written, ``f(a, b)`` of two rows as arrays.

    As text it is what files say of it, ``"function NAME"``: read from a file it has no `function`.

    Examples
    --------
    >>> def gap(a, b):
    ...     return abs(a - b).max()
    >>> own = OwnMetric(gap)
    >>> own, own.function is gap, OwnMetric("function gap").function
    ('function gap', True, None)
    """

    PREFIX = "function "

    function: Distance | None

    def __new__(cls, given: Distance | str) -> OwnMetric:
        text = given if isinstance(given, str) else f"{cls.PREFIX}{getattr(given, '__name__', type(given).__name__)}"
        made = super().__new__(cls, text)
        made.function = getattr(given, "function", None) if isinstance(given, str) else given
        return made

    def __deepcopy__(self, known: dict[int, Any]) -> OwnMetric:
        return self

    @classmethod
    def reads(cls, value: Any) -> bool:
        """Whether `value` is one, a function, or the text of one."""
        return callable(value) or (isinstance(value, str) and value.startswith(cls.PREFIX))
