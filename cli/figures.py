"""Figures of two runs side by side, and what differs in their circumstances."""

from typing import Any, NamedTuple

# Where bits cannot agree: 2 points of accuracy, or 2 per cent of another figure.
TOLERANCE = 0.02
SHARES = ("probe", "knn", "cluster", "reference")
COUNTS = ("n_nodes", "n_edges", "n_features", "dim")
CHECKSUM = "embedding_crc32"


class Figure(NamedTuple):
    """One figure of both runs."""

    name: str
    stored: Any
    now: Any
    agrees: bool


def figures_of(metrics: dict[str, Any]) -> dict[str, Any]:
    """All figures of a metrics file that a repetition has to give again, by dotted names."""
    found: dict[str, Any] = {key: metrics.get(key) for key in (*COUNTS, "loss")}
    for group in ("graph", *SHARES):
        for key, value in (metrics.get(group) or {}).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[f"{group}.{key}"] = value
    return found | {CHECKSUM: metrics.get(CHECKSUM)}


def compare(stored: dict[str, Any], now: dict[str, Any], tolerance: float) -> list[Figure]:
    """Every figure of both; with a tolerance of 0 the embedding's checksum, too."""
    names = [name for name in dict.fromkeys([*stored, *now]) if tolerance == 0 or name != CHECKSUM]
    return [Figure(name, stored.get(name), now.get(name), agree(name, stored, now, tolerance)) for name in names]


def agree(name: str, stored: dict[str, Any], now: dict[str, Any], tolerance: float) -> bool:
    a, b = stored.get(name), now.get(name)
    if tolerance == 0 or a is None or b is None or name in COUNTS:
        return bool(a == b)
    scale = 1.0 if name.partition(".")[0] in SHARES else max(abs(a), abs(b))
    return bool(abs(a - b) <= tolerance * scale)


def circumstances(stored: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs between two runs besides their figures, in words."""
    titles = {"versions": "version of ", "hardware": "hardware: ", "environment": ""}
    found = []
    for group, title in titles.items():
        for key in dict.fromkeys([*stored[group], *now[group]]):
            a, b = stored[group].get(key), now[group].get(key)
            if a != b:
                name = "the input's checksum (the data are not the same)" if key == "data" else f"{title}{key}"
                found.append(f"{name} was {a}, is {b}")
    for key, name in (("processes", "number of processes"), ("teacher_crc32", "the teacher's checksum")):
        a, b = stored["run"].get(key), now["run"].get(key)
        if a != b:
            found.append(f"{name} was {a}, is {b}")
    return found
