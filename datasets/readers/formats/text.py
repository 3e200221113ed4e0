"""Blocks of numbers between lines of other kinds, read at the speed of pandas."""

from __future__ import annotations

import io
import re
import warnings
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.exceptions import wrong


def decoded(content: bytes, name: str) -> str:
    """Text in UTF-8; old files with other letters are read as Windows' Latin ones."""
    if b"\0" in content:
        raise wrong(name, "a NUL byte", "text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def is_count(word: str) -> bool:
    """Whether a word is a whole number >= 0 in plain digits."""
    return re.fullmatch(r"[0-9]{1,18}", word) is not None


class Lines:
    """Lines of a text file.

    Parameters
    ----------
    text : str
    name : str
        Of the file, for messages.
    comment : str
        What a comment begins with; such lines, and blank ones if `blank` is False, are gone.
    """

    def __init__(self, text: str, name: str, comment: str, blank: bool = False) -> None:
        self.name = name
        every = text.splitlines()
        kept = [
            number
            for number, line in enumerate(every)
            if not line.lstrip().startswith(comment) and (blank or (line and not line.isspace()))
        ]
        self.text = every if len(kept) == len(every) else [every[number] for number in kept]
        self.numbers = kept

    def at(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.name}: line {self.numbers[row] + 1}"


def number_block(lines: Lines, start: int, stop: int, width: int, expected: str) -> npt.NDArray[np.float64]:
    """The first `width` numbers of each line, float64 [rows, width]; NaN where a line is shorter, but two at least."""
    block = lines.text[start:stop]
    if not block:
        return np.empty((0, width))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The first line says how many columns there can be, and is dropped.
            frame = pd.read_csv(
                io.StringIO("\n".join(["0 " * width, *block])),
                sep=r"\s+",
                header=None,
                names=range(width),
                usecols=range(width),
                index_col=False,
                dtype=np.float64,
                keep_default_na=False,
                na_values=[""],
                skip_blank_lines=False,
                float_precision="round_trip",
                on_bad_lines="error",
            )
    except (ValueError, pd.errors.ParserError):
        _explain(lines, start, stop, expected)
    found: npt.NDArray[np.float64] = frame.to_numpy(np.float64)[1:]
    if np.isnan(found[:, :2]).any():
        _explain(lines, start, stop, expected)
    return found


def words_block(lines: Lines, start: int, stop: int) -> npt.NDArray[np.float64]:
    """Lines "a b c ..." of numbers as pairs (a, b), (a, c), ...: float64 [pairs, 2]."""
    block = lines.text[start:stop]
    counts = np.array([len(text.split()) for text in block], dtype=np.int64)
    try:
        numbers = np.array(" ".join(block).split(), dtype=np.float64)
    except ValueError:
        _explain(lines, start, stop, "numbers of nodes", every=True)
    first = np.cumsum(counts) - counts
    is_first = np.zeros(len(numbers), dtype=bool)
    is_first[first] = True
    found: npt.NDArray[np.float64] = np.column_stack([np.repeat(numbers[first], counts)[~is_first], numbers[~is_first]])
    return found


def _explain(lines: Lines, start: int, stop: int, expected: str, every: bool = False) -> NoReturn:
    """Raise an `InputError` for the first line that does not begin with two numbers."""
    for row in range(start, stop):
        words = lines.text[row].split()
        try:
            good = len([float(word) for word in (words if every else words[:3])]) >= (1 if every else 2)
        except ValueError:
            good = False
        if not good:
            raise wrong(lines.at(row), repr(lines.text[row][:60]), expected)
    raise wrong(f"{lines.name}: lines {start + 1} to {stop}", "lines that cannot be told apart", expected)
