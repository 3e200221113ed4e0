"""Plots of an ablation: bars by factor, or a heat map of all combinations; both of validation accuracies."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from genurl_graph.experiments.ablation import BASE, AblationTable, Factors
from genurl_graph.experiments.results import mean_std

COLOUR, PALE = "#3b6ea8", "#b9cde3"


def draw(results: AblationTable, factors: Factors, full: bool, path: Path) -> None:
    """Write the plot that fits the grid to `path`."""
    from genurl_graph.runtime.files import atomic_write

    figure = heat_map(results, factors) if full else bars(results, factors)
    figure.suptitle(f"{results.header['dataset']}: validation accuracy in per cent", fontsize=12)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight")


def bars(results: AblationTable, factors: Factors) -> Any:
    """matplotlib ``Figure``: one panel a factor, mean and deviation of each level, the preset as a dashed line."""
    from matplotlib.figure import Figure

    heights = [len(levels) for levels in factors.values()]
    figure = Figure(figsize=(6, 1 + 0.32 * sum(heights) + 0.35 * len(heights)), layout="constrained")
    panels = figure.subplots(len(factors), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (factor, levels) in zip(panels, factors.items(), strict=True):
        for place, label in enumerate(levels):
            name = named(results, {factor: label})
            if name is None:
                axes.text(0.01, place, "cannot run", transform=axes.get_yaxis_transform(), va="center", fontsize=8)
                continue
            mean, std = accuracy(results, name)
            axes.barh(place, mean, xerr=std, color=COLOUR if name == BASE else PALE, height=0.7, ecolor="#555555")
        axes.set(yticks=range(len(levels)), yticklabels=list(levels), ylabel=factor, ylim=(len(levels) - 0.5, -0.5))
        axes.axvline(accuracy(results, BASE)[0], color=COLOUR, linestyle="--", linewidth=1)
        axes.spines[["top", "right"]].set_visible(False)
    means = [accuracy(results, name)[0] for name in results.settings if results.ran(name)]
    # Bars that began at 0 would all look alike; what is compared is written on the axis.
    low, high = min(means), max(means)
    panels[0].set_xlim(max(0.0, low - 0.3 * (high - low) - 1), min(100.0, high + 0.15 * (high - low) + 1))
    return figure


def heat_map(results: AblationTable, factors: Factors) -> Any:
    """matplotlib ``Figure``: levels of the first factor down, combinations of all others across; test in brackets."""
    from matplotlib.figure import Figure

    first, *rest = factors
    across = [dict(zip(rest, labels, strict=True)) for labels in itertools.product(*(factors[name] for name in rest))]
    names = [[named(results, {first: label, **levels}) for levels in across] for label in factors[first]]
    values = np.array([[np.nan if name is None else accuracy(results, name)[0] for name in line] for line in names])
    figure = Figure(figsize=(2 + 0.9 * len(across), 1.6 + 0.5 * len(names)), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(np.ma.masked_invalid(values), cmap="viridis", aspect="auto")
    figure.colorbar(shown, ax=axes, shrink=0.8)
    ran = values[np.isfinite(values)]
    middle = (ran.min() + ran.max()) / 2 if ran.size else 0.0
    for (i, j), value in np.ndenumerate(values):
        name = names[i][j]
        if name is None:
            axes.text(j, i, "cannot\nrun", ha="center", va="center", fontsize=7)
            continue
        test = mean_std(results.runs[name]["probe_test"])[0]
        style: dict[str, Any] = {"color": "black" if value > middle else "white", "fontsize": 8}
        style["fontweight"] = "bold" if name == BASE else "normal"
        axes.text(j, i, f"{value:.1f}\n({100 * test:.1f})", ha="center", va="center", **style)
    axes.set(yticks=range(len(names)), yticklabels=list(factors[first]), ylabel=first, xlabel=", ".join(rest))
    axes.set_xticks(range(len(across)), ["\n".join(levels.values()) for levels in across])
    test = 100 * mean_std(results.runs[BASE]["probe_test"])[0]
    preset = f"{accuracy(results, BASE)[0]:.1f} ({test:.1f})"
    axes.set_title(f"test accuracy in brackets; preset {preset}, bold if shown", fontsize=8, color="#555555")
    return figure


def named(results: AblationTable, levels: dict[str, str]) -> str | None:
    """The row of these levels; None if it did not run."""
    for name, row in results.settings.items():
        if levels.items() <= row.levels.items() and results.ran(name):
            return name
    return None


def accuracy(results: AblationTable, name: str) -> tuple[float, float | None]:
    """Mean and deviation of the validation accuracy in per cent."""
    mean, std = mean_std(results.runs[name]["probe_val"])
    return 100 * mean, None if std is None else 100 * std
