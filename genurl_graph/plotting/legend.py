"""Legends and colour bars beside a map, which keeps its place and size."""

from __future__ import annotations

from typing import Any

from genurl_graph.plotting.palette import Paint

ROWS = 20  # names in a column of a legend
LONGEST = 32  # letters of a name; fewer in several columns
SEVERAL = 24
BAR = (0.15, 0.7)  # lower end and height of a colour bar, in heights of its map


def draw_key(axes: Any, paint: Paint) -> Any:
    """Draw what explains the colours to the right of axes, which keep their size: a legend or a colour bar.

    Returns the artist, or None where there is nothing to explain.
    """
    if paint.scale is not None:
        return draw_bar(axes.inset_axes([1.03, BAR[0], 0.035, BAR[1]]), paint)
    return draw_legend(axes, paint, loc="center left", bbox_to_anchor=(1.02, 0.5)) if paint.entries else None


def draw_bar(cax: Any, paint: Paint) -> Any:
    """Fill the axes `cax` with a colour bar; dates are written as briefly as they can be."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    ticks: dict[str, Any] = {}
    if paint.dates:
        locator = AutoDateLocator()
        ticks = {"ticks": locator, "format": ConciseDateFormatter(locator)}
    cax.figure.colorbar(paint.scale, cax=cax, label=paint.title or "", **ticks)
    return cax


def draw_legend(owner: Any, paint: Paint, **place: Any) -> Any:
    """Draw a legend in columns of at most 20 names by the method ``legend`` of a figure or of axes."""
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 6, "markeredgewidth": 0}
    handles = [Line2D([], [], color="none" if colour is None else colour, **dot) for _, colour in paint.entries]
    columns = -(-len(handles) // ROWS)
    names = shorten([name for name, _ in paint.entries], LONGEST if columns == 1 else SEVERAL)
    # matplotlib leaves out names that begin with "_", and reads "$" as mathematics.
    legend = owner.legend(
        handles,
        [" "] * len(handles),
        ncols=columns,
        frameon=False,
        fontsize=9,
        title=paint.title,
        title_fontsize=9,
        alignment="left",
        handletextpad=0.2,
        labelspacing=0.35,
        columnspacing=1.0,
        borderaxespad=0.0,
        **place,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
    return legend


def shorten(names: list[str], longest: int) -> list[str]:
    """Names of at most `longest` letters, with an ellipsis at their ends, or within where ends tell them apart.

    Examples
    --------
    >>> shorten(["monocytes", "T cell, early", "T cell, late"], 8)
    ['monocyt…', 'T cel…ly', 'T cel…te']
    """
    names = [" ".join(name.split()) for name in names]
    cut = [name if len(name) <= longest else name[: longest - 1].rstrip() + "…" for name in names]
    twice = {one for one in cut if cut.count(one) > 1}
    end = longest // 3
    return [
        name[: longest - 1 - end].rstrip() + "…" + name[-end:] if short in twice and short != name else short
        for name, short in zip(names, cut, strict=True)
    ]
