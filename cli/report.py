"""What the commands print for people, and the figures they write that no library module knows."""

import platform
import resource
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from torch_geometric.data import Data

LIBRARIES = ("genurl-graph", "torch", "torch-geometric", "numpy", "scipy", "scikit-learn")


class Report:
    """Lines and tables on standard output, or (`err`) on standard error, or silence."""

    def __init__(self, quiet: bool = False, err: bool = False) -> None:
        self.quiet, self.err = quiet, err

    def line(self, text: str = "") -> None:
        if not self.quiet:
            click.echo(text, err=self.err)

    def table(self, rows: Iterable[Sequence[str]], header: Sequence[str] | None = None) -> None:
        """Aligned columns: the first to the left, the others to the right."""
        lines = [tuple(row) for row in rows]
        if header:
            lines = [tuple(header), *lines]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        for first, *rest in lines:
            cells = [first.ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
            self.line("  " + "   ".join(cells).rstrip())


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def n_edges(data: "Data") -> int:
    """Columns of `edge_index`, each direction of an edge apart; 0 for a plain matrix."""
    return 0 if getattr(data, "edge_index", None) is None else int(data.edge_index.size(1))


def n_features(data: "Data") -> int:
    return 0 if getattr(data, "x", None) is None else int(data.x.size(1))


def describe(name: str, data: "Data") -> str:
    """One line on what came in."""
    parts = [f"{data.num_nodes:,} nodes"]
    if n_edges(data):
        parts.append(f"{n_edges(data):,} edges (each direction counted)")
    parts.append(f"{n_features(data):,} features" if n_features(data) else "no features")
    y = getattr(data, "y", None)
    parts.append("no labels" if y is None else f"{int(y.unique().numel())} classes")
    return f"{name}: {', '.join(parts)}"


def peak_memory_mb() -> float:
    """Largest resident set size of this process so far, Python and all libraries included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def versions() -> dict[str, str | None]:
    """Versions of Python and of the libraries that numbers depend on."""
    return {"python": platform.python_version(), **{name: version_of(name) for name in LIBRARIES}}


def version_of(distribution: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and unbiased standard deviation; None for the latter where one value has no spread."""
    import statistics

    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def mean_std_percent(values: Sequence[float]) -> str:
    mean, std = mean_std(values)
    return percent(mean) if std is None else f"{percent(mean)} ± {percent(std)}"


def as_config(config: Any) -> dict[str, Any]:
    """The resolved configuration as plain nested dictionaries."""
    plain: dict[str, Any] = config.to_dict()
    return plain


def bar(total: int, quiet: bool) -> Any:
    """A progress bar over runs, on a terminal only."""
    from tqdm import tqdm

    # disable=None: a bar on a terminal only.
    return tqdm(total=total, desc="runs", leave=False, disable=True if quiet else None)
