"""Names in CSV files that spreadsheets would run as formulas.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tabulator or a line break is a formula to a spreadsheet, and a
formula can read other files or call programs. An apostrophe in front makes it text (OWASP, "CSV injection"). Numbers
are no formulas and stay as they are. What is written can be read back: `unshielded` undoes `shielded`.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def shielded(name: str) -> str:
    """`name` with an apostrophe in front if a spreadsheet would run it."""
    return f"'{name}" if _FORMULA.match(name) and not _NUMBER.fullmatch(name) else name


def unshielded(cell: str) -> str:
    """The name that `shielded` made `cell` of."""
    return cell[1:] if cell[:1] == "'" and shielded(cell[1:]) == cell else cell
