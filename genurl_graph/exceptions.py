"""The errors this package raises on purpose: each carries one message meant for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Names that a message lists beside the nearest one.
MOST_LISTED = 20


class InputError(ValueError):
    """Bad input: ``<what>: found <x>; expected <y>``.

    The command line prints the message and exits with code 2, without a traceback. `wrong` and `unknown` write it.
    """


class LostProcessError(RuntimeError):
    """One of several processes has ended; the others cannot continue."""


class DivergenceError(RuntimeError):
    """Training met a non-finite number; the message names the first quantity that became so."""


class ShortMemoryError(RuntimeError):
    """The machine or the GPU ran out of memory; the message names the stage and how to make it smaller."""


def wrong(what: object, found: object, expected: object) -> InputError:
    """The error for an input that is not what was expected.

    Parameters
    ----------
    what : str or path
        File, column or parameter.
    found, expected : str
        In words, or values as the user would write them.

    Returns
    -------
    InputError
        To be raised by the caller.

    Examples
    --------
    >>> str(wrong("training.lr", -1.0, "a finite number > 0"))
    'training.lr: found -1.0; expected a finite number > 0'
    """
    return InputError(f"{what}: found {found}; expected {expected}")


def unknown(what: object, name: object, known: Iterable[str]) -> InputError:
    """The error for an unknown name; it suggests the nearest known one.

    Parameters
    ----------
    what : str or path
        Option, parameter or kind of thing that is named.
    name : str
        As the user wrote it.
    known : iterable of str
        In the order in which they are listed.

    Returns
    -------
    InputError
        To be raised by the caller.

    Examples
    --------
    >>> str(unknown("encoder", "gnc", ["gcn", "mlp"]))
    "encoder: found 'gnc'; expected one of gcn, mlp (did you mean 'gcn'?)"
    """
    names = list(known)
    # The end of a dotted name is the commonest slip: "gamma" for "loss.gamma".
    near = [each for each in names if each.endswith(f".{name}")]
    if not near:
        lower = {each.lower(): each for each in names}
        near = [lower[each] for each in difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.5)]
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    listed = f"one of {', '.join(names)}" if len(names) <= MOST_LISTED or not near else f"one of {len(names)} names"
    return wrong(what, repr(name), f"{listed}{hint}")
