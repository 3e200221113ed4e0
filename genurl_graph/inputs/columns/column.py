"""What becomes of one raw column: the constants that a plan holds, and the line that says it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from genurl_graph.exceptions import wrong

Kind = Literal["number", "flag", "category", "date", "text", "out"]
How = Literal["standardised", "centred", "as it is"]

# Cyclic parts of a date: pandas' name, and the period.
CYCLES = {"month": ("month", 12.0), "weekday": ("day_of_week", 7.0)}
RARE, GAP = "(rare)", "(missing)"
TUPLES = ("values", "parts", "blank", "idf", "weights")


@dataclass(frozen=True)
class Column:
    """One raw column and its learned constants; JSON by `to_dict`.

    Attributes
    ----------
    name : str
    kind : "number", "flag", "category", "date", "text" or "out"
        "out": left out, for the reason `why`; "text" is left out as well where `idf` is empty.
    why : str
    how : "standardised", "centred" or "as it is"
        Of a number: in deviations from its median, clipped at 5; or less its median; or neither.
    centre, scale : float
        Of a number, a flag or the days of a date; for the first also said in the line.
    gaps : int
        Cells that were missing in the fit. Where there were some, a further column indicates them (`gap_scale`).
    values : tuple of str
        Of a category, in the order of their columns; (rare) and (missing) come last where they are.
    num_rare : int
        Values that share the column (rare).
    style : str or None
        Format of the dates.
    parts : tuple of str
        Of a date: "days", and "month" and "weekday" as sine and cosine each.
    blank : tuple of str
        Words among numbers that count as missing cells.
    idf : tuple of float
        Of hashed text, one a column.
    weights : tuple of float
        Of the encoded columns: all together have variance 1. One for all, or one each.
    """

    name: str
    kind: Kind
    why: str = ""
    how: How = "standardised"
    centre: float = 0.0
    scale: float = 1.0
    gaps: int = 0
    values: tuple[str, ...] = ()
    num_rare: int = 0
    style: str | None = None
    parts: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    idf: tuple[float, ...] = ()
    weights: tuple[float, ...] = (1.0,)

    @property
    def is_used(self) -> bool:
        """Whether features are made of it."""
        return self.kind != "out" and not (self.kind == "text" and not self.idf)

    @property
    def names(self) -> list[str]:
        """Names of the encoded columns."""
        if not self.is_used:
            return []
        if self.kind == "category":
            return [f"{self.name}={value}" for value in self.values]
        if self.kind == "text":
            return [f"{self.name} #{i}" for i in range(len(self.idf))]
        own = [self.name]
        if self.kind == "date":
            cyclic = [f"{self.name} ({part} {wave})" for part in self.parts[1:] for wave in ("sine", "cosine")]
            own = [f"{self.name} (days)", *cyclic]
        return [*own, f"{self.name} {GAP}"] if self.gaps else own

    def line(self) -> str:
        """What becomes of it, for the user."""
        return f"{self.name}: {self._fate()}"

    def brief(self) -> str:
        """The same in a few words, for a line about all columns, in brackets there; numbers by `how`."""
        if not self.is_used:
            return self._reason().replace(" (", ": ").removesuffix(")")
        if self.kind == "category":
            return self._count()
        return {"number": self.how, "flag": "yes/no", "date": "date", "text": "text"}[self.kind]

    def _fate(self) -> str:
        if not self.is_used:
            return f"left out, {self._reason()}"
        if self.kind == "text":
            return f"text, hashed to {len(self.idf)} columns of TF-IDF"
        found = {"number": self._number, "flag": self._flag, "category": self._category, "date": self._date}
        return found[self.kind]()

    def _reason(self) -> str:
        """Why it is left out."""
        return self.why if self.kind == "out" else "text (--set input.text=tfidf uses it)"

    def _number(self) -> str:
        cells = f"{self._missing()} imputed, with an indicator" if self.gaps else ""
        if self.blank:
            cells += f", among them {', '.join(map(repr, self.blank))}"
        if self.how != "as it is":
            return f"number, {'; '.join(filter(None, [f'{self.how} (median {self.centre:.6g}', cells]))})"
        return f"number, {self.how}" + (f" ({cells})" if cells else "")

    def _flag(self) -> str:
        return "yes/no, as 1/0" + (f" ({self._missing()} indicated)" if self.gaps else "")

    def _category(self) -> str:
        notes = [f"{self.num_rare} rare ones together"] if self.num_rare else []
        notes += [f"{self.gaps} missing as a category of its own"] if self.gaps else []
        return f"{self._count()}, one-hot" + (f" ({'; '.join(notes)})" if notes else "")

    def _count(self) -> str:
        """How many distinct values, the rare ones among them."""
        count = len([value for value in self.values if value not in (RARE, GAP)]) + self.num_rare
        return f"{count} categor{'y' if count == 1 else 'ies'}"

    def _missing(self) -> str:
        return f"{self.gaps} missing cell{'s' * (self.gaps != 1)}"

    def _date(self) -> str:
        said = ", ".join(self.parts[:-1]) + " and " * (len(self.parts) > 1) + self.parts[-1]
        cyclic = " (cyclic)" if len(self.parts) > 1 else ""
        return f"date, {said}{cyclic}" + (f"; {self._missing()} imputed, with an indicator" if self.gaps else "")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without what is as by default."""
        fields = dataclasses.fields(self)
        found = {f.name: getattr(self, f.name) for f in fields}
        kept = {f.name: found[f.name] for f in fields if f.default is dataclasses.MISSING or found[f.name] != f.default}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Column:
        """The column that `to_dict` wrote; InputError where it is none."""
        try:
            values: dict[str, Any] = {key: tuple(v) if key in TUPLES else v for key, v in found.items()}
            column = cls(**values)
            if column.kind not in ("number", "flag", "category", "date", "text", "out"):
                raise ValueError(f"kind {column.kind!r}")
            numbers = (column.centre, column.scale, *column.weights, *column.idf)
            if not all(isinstance(number, int | float) for number in numbers) or not column.scale > 0:
                raise ValueError("constants that are no numbers")
        except (TypeError, ValueError, AttributeError) as error:
            raise wrong(
                "plan of the features", f"a damaged column ({error})", "one that FeaturePlan.to_dict wrote"
            ) from error
        return column
