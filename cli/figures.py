"""Figures of two runs side by side, and what differs in their circumstances."""

from collections.abc import Iterator
from typing import Any, NamedTuple

# Where bits cannot agree: 2 points of accuracy, or 2 per cent of another figure.
TOLERANCE = 0.02
SHARES = ("probe", "knn", "cluster", "reference")
# Of tables of many runs: lists with a value a seed, and what stands so below the scorers and parts of links.
COLUMNS = (
    *("probe_val", "probe_test", "linear_val", "linear_test", "mlp_val", "mlp_test"),
    *("knn_accuracy", "trustworthiness", "continuity", "spearman"),
)
LINKS = ("auc", "ap", "hits50")
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
    for group in ("methods", "rows"):
        if group in metrics:
            return dict(_of_table(metrics[group], metrics["seeds"]))
    found: dict[str, Any] = {key: metrics.get(key) for key in (*COUNTS, "loss")}
    for group in ("graph", *SHARES):
        for key, value in (metrics.get(group) or {}).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[f"{group}.{key}"] = value
    return found | {CHECKSUM: metrics.get(CHECKSUM)}


def _of_table(rows: dict[str, Any], seeds: list[int]) -> Iterator[tuple[str, Any]]:
    for name, row in rows.items():
        columns = {f"{key}.{name}": row[key] for key in COLUMNS if key in row}
        for scorer, parts in row.items():
            for part, figures in parts.items() if isinstance(parts, dict) else ():
                for key in LINKS:
                    if isinstance(figures, dict) and figures.get(key):
                        columns[f"{key}.{name} {scorer} {part}"] = figures[key]["values"]
        for column, values in columns.items():
            for seed, value in zip(seeds, values, strict=False):
                yield f"{column}.seed {seed}", value


def compare(stored: dict[str, Any], now: dict[str, Any], tolerance: float) -> list[Figure]:
    """Every figure of both; with a tolerance of 0 the embedding's checksum, too."""
    names = [name for name in dict.fromkeys([*stored, *now]) if tolerance == 0 or name != CHECKSUM]
    return [Figure(name, stored.get(name), now.get(name), agree(name, stored, now, tolerance)) for name in names]


def agree(name: str, stored: dict[str, Any], now: dict[str, Any], tolerance: float) -> bool:
    a, b = stored.get(name), now.get(name)
    if tolerance == 0 or a is None or b is None or name in COUNTS:
        return bool(a == b)
    scale = 1.0 if name.partition(".")[0] in (*SHARES, *COLUMNS, *LINKS) else max(abs(a), abs(b))
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
        a, b = (metrics.get("run", {}).get(key) for metrics in (stored, now))
        if a != b:
            found.append(f"{name} was {a}, is {b}")
    return found
