"""Static scatter plots and, in `genurl_graph.plotting.explorer`, interactive pages."""

from genurl_graph.plotting.figure import PLOT_SUFFIXES, panel, scatter

__all__ = ["PLOT_SUFFIXES", "panel", "scatter"]
