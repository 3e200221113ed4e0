"""Where a map is drawn: matplotlib's pyplot where it shows figures, a figure of nobody else elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import wrong
from genurl_graph.runtime.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Backends of matplotlib without a window.
WITHOUT_WINDOW = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


def new_figure(size: tuple[float, float], *, saved: bool) -> Figure:
    """An empty figure with the layout "constrained".

    In a notebook, and in a script that has imported pyplot and has windows, pyplot knows the figure: the notebook draws
    it under its cell and forgets it, ``plt.show()`` opens its window. Everywhere else, and in a script that saves it,
    the figure goes with the last reference to its axes, and ``plt.get_fignums()`` does not list it.

    Parameters
    ----------
    size : (width, height), inches
    saved : bool
        The figure is for a file.
    """
    if _is_shown(saved):
        from matplotlib import pyplot

        shown: Figure = pyplot.figure(figsize=size, layout="constrained")
        return shown
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def _is_shown(saved: bool) -> bool:
    shell = sys.modules.get("IPython")
    notebook = shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None
    if not notebook and (saved or "matplotlib.pyplot" not in sys.modules):
        return False
    # Only now: to ask pyplot for its backend is to choose one.
    from matplotlib import pyplot

    return pyplot.get_backend().lower() not in WITHOUT_WINDOW


def check_axes(ax: Any) -> Axes:
    """Axes that a map can be drawn in; InputError for anything else."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes) or ax.name != "rectilinear":
        found = f"{ax.name} axes" if isinstance(ax, Axes) else f"{type(ax).__name__}"
        raise wrong("ax", found, "one of matplotlib's Axes, as of plt.subplots()")
    return ax


def save_figure(figure: Any, target: Any) -> None:
    """Write a figure to a file, completely or not at all."""
    # The backend follows from the suffix (Agg for PNG), so no display is needed.
    with atomic_write(target) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight")
