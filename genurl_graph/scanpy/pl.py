"""Plots of a map that `genurl_graph.scanpy.tl` has added, by scanpy's own functions."""

from __future__ import annotations

from typing import Any

from genurl_graph.exceptions import InputError


def genurl(adata: Any, *, basis: str = "genurl", **options: Any) -> Any:
    """Draw the map of the cells: ``scanpy.pl.embedding(adata, basis="genurl", ...)``.

    Parameters
    ----------
    adata : AnnData
        With the map in ``obsm["X_genurl"]``.
    basis : str
        Key of ``obsm``, with or without ``X_``: the `key_added` of `genurl_graph.scanpy.tl.genurl`.
    **options
        Of ``scanpy.pl.embedding``: ``color``, ``legend_loc``, ``ax``, ``show``, ``return_fig``, ...

    Returns
    -------
    Axes, list of Axes, Figure or None
        As ``scanpy.pl.embedding``.

    Raises
    ------
    InputError
        Without scanpy.

    Examples
    --------
    >>> genurl(adata, color=["louvain", "n_genes"])  # doctest: +SKIP
    """
    try:
        import scanpy
    except ImportError as error:
        raise InputError("pl.genurl: plots need scanpy: pip install 'genurl-graph[scanpy]'") from error
    return scanpy.pl.embedding(adata, basis=basis, **options)
