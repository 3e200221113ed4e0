"""Which row a node gets: the rank of its id's hash among all, whatever the order of files and the partitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.hashing import mix

# Numbers in their usual form: "007" is a name. Those of 19 digits are compared as text.
_SHORT, _LONG, _NEGATIVE = r"^(0|-?[1-9][0-9]{0,17})$", r"^[1-9][0-9]{18}$", r"^-[1-9][0-9]{18}$"


def id_keys(ids: npt.NDArray[Any], seed: int) -> npt.NDArray[np.uint64]:
    """Hash ids; the number 7 and the text "7" are the same id.

    Partitions of rows by rank of the hash are random samples of the nodes, and the same ids have the same rows whatever
    file they come from. Of whole numbers no two have the same hash. Of names two may (1e8 of them: 3 in 10,000
    times); `check_keys` finds it out.

    Parameters
    ----------
    ids : array, int64 or object (str), shape [m]
    seed : int
        >= 0.

    Returns
    -------
    array, uint64, shape [m]

    Examples
    --------
    >>> first, second = id_keys(np.array([7, 8]), 0), id_keys(np.array(["7", "x"], dtype=object), 0)
    >>> bool(first[0] == second[0])
    True
    """
    if ids.dtype != object:
        return _of_numbers(ids.astype(np.int64, copy=False), seed)
    import pyarrow

    text = pyarrow.array(ids, type=pyarrow.large_string(), from_pandas=False)
    whole = _is_whole(text)
    # Names repeat among the ends of edges: each is hashed once.
    keys: npt.NDArray[np.uint64] = pd.util.hash_array(ids, hash_key=f"{seed % 10**16:016d}")
    if whole.any():
        numbers = text.filter(pyarrow.array(whole)).cast(pyarrow.int64())
        keys[whole] = _of_numbers(numbers.to_numpy(zero_copy_only=False), seed)
    return keys


def as_plain_ids(ids: Any) -> npt.NDArray[Any]:
    """Ids [m] of anything as int64, or as text (object)."""
    found = np.asarray(ids) if isinstance(ids, np.ndarray) else np.asarray(pd.Index(ids))
    if found.dtype.kind in "iu":
        return found.astype(np.int64)
    text = pd.Series(found, dtype=object).astype(str).to_numpy(dtype=object)
    return np.array(text, dtype=object)


def as_numbers(ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Ids [m] that are text as int64, if all of them are whole numbers in their usual form."""
    import pyarrow

    if ids.dtype != object or not len(ids):
        return ids
    text = pyarrow.array(ids, type=pyarrow.large_string(), from_pandas=False)
    if not _is_whole(text).all():
        return ids
    return np.asarray(text.cast(pyarrow.int64()).to_numpy(zero_copy_only=False))


def check_keys(where: object, keys: npt.NDArray[np.uint64], ids: npt.NDArray[Any]) -> None:
    """InputError where a sorted array of hashes has one twice: an id that repeats, or two names of one hash."""
    same = np.flatnonzero(keys[1:] == keys[:-1])
    if not len(same):
        return
    first, second = str(ids[same[0]]), str(ids[same[0] + 1])
    if first == second:
        raise wrong(where, f"node id {first!r} more than once", "each id once")
    raise wrong(where, f"ids {first!r} and {second!r}, whose hashes are the same", "another --seed")


def _is_whole(text: Any) -> npt.NDArray[np.bool_]:
    """Whether each of an Arrow array of texts is a whole number in its usual form that int64 holds."""
    from pyarrow import compute

    found = compute.match_substring_regex(text, _SHORT)
    for form, last in ((_LONG, str(2**63 - 1)), (_NEGATIVE, str(-(2**63)))):
        fits = compute.and_(compute.match_substring_regex(text, form), compute.less_equal(text, last))
        found = compute.or_(found, fits)
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _of_numbers(numbers: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.uint64]:
    return mix(numbers.view(np.uint64) ^ mix(np.array([seed], dtype=np.uint64)))
