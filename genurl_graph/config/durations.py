"""How time is cut, as a user writes it: into 12 windows, or into windows of 7d."""

from __future__ import annotations

import re
from typing import NamedTuple

from genurl_graph.exceptions import wrong

# Seconds of each unit, by its names.
SECONDS = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604_800.0),
}
# The unit of the times themselves, whatever that is.
OWN = ("u", "unit", "units")
EXPECTED = "a number of windows, such as 12, or how long each is: 7d, 36h, 30min, 2w (ms, s, min, h, d, w)"
_PARTS = re.compile(r"\+?(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]*)")


class WindowSize(NamedTuple):
    """What is wanted: one of the three is given.

    Attributes
    ----------
    number : int or None
        Windows of about equally many events.
    seconds : float or None
        The length of each.
    units : float or None
        The length of each in the unit of the times.
    """

    number: int | None = None
    seconds: float | None = None
    units: float | None = None


def parse_windows(text: str | int) -> WindowSize:
    """Read a number of windows, or the length of one.

    Parameters
    ----------
    text : str or int
        "12": so many windows. "7d", "36h", "30min", "2w", "90 s", "500ms": how long each is. "5u": five of the unit in
        which the times are, where these are plain numbers.

    Raises
    ------
    InputError
        Neither; a length of 0; "m" and calendar units, which are no fixed length.

    Examples
    --------
    >>> parse_windows("12").number, parse_windows("36h").seconds
    (12, 129600.0)
    """
    found = _PARTS.fullmatch(str(text).strip())
    if found is None:
        raise wrong("windows", repr(text), EXPECTED)
    number, unit = float(found[1]), found[2]
    named = unit if unit in ("M",) else unit.lower()
    if not number > 0:
        raise wrong("windows", repr(text), f"more than 0: {EXPECTED}")
    if not named:
        if not number.is_integer():
            raise wrong("windows", repr(text), f"a whole {EXPECTED[2:]}")
        return WindowSize(number=int(number))
    if named in ("m", "M", "mo", "mon"):
        raise wrong("windows", f"{text!r}, minutes or months", f"{found[1]}min, or days in place of months: 30d")
    if named in ("month", "months", "y", "year", "years", "q", "quarter"):
        raise wrong("windows", f"{text!r}, which is not of one length", "days in its place: 30d, 365d")
    if named in OWN:
        return WindowSize(units=number)
    if named not in SECONDS:
        raise wrong("windows", repr(text), EXPECTED)
    return WindowSize(seconds=number * SECONDS[named])
