"""A map of the cells of an AnnData object, by the conventions of ``scanpy.tl.umap``."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from genurl_graph.config.toml import flatten
from genurl_graph.estimator import GenURL
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.validation import check_matrix
from genurl_graph.runtime.random import RandomState

# Of the object, what the defaults read.
FEATURES, NEIGHBORS = "X_pca", "neighbors"
KEY = "genurl"


class Source(NamedTuple):
    """What a map is computed from, and how ``uns`` and the log name it."""

    data: Any
    arguments: dict[str, Any]
    names: dict[str, Any]
    line: str


def genurl(
    adata: Any,
    *,
    use_rep: str | None = None,
    n_components: int = 2,
    n_neighbors: int | None = None,
    neighbors_key: str | None = None,
    random_state: RandomState = 0,
    key_added: str | None = None,
    copy: bool = False,
    **params: Any,
) -> Any:
    """Add a map of the cells to `adata`.

    The map is made of the neighbour graph that ``scanpy.pp.neighbors`` has stored, if there is one: P are its
    ``connectivities`` as they are, the graph that ``scanpy.tl.umap`` lays out and ``scanpy.tl.leiden`` partitions.
    Without one, or with `use_rep`, `n_neighbors` or `metric`, neighbours are searched here, in ``obsm``.

    Parameters
    ----------
    adata : AnnData
        Cells in rows. A view becomes a copy, as anndata warns, once the map is written; of an object in backed mode
        only `use_rep` = "X" reads the file.
    use_rep : str, optional
        Key of ``obsm``, or "X": where neighbours are searched. By default ``X_pca``.
    n_components : int
        Columns of the map.
    n_neighbors : int, optional
        Neighbours of each cell that are searched in `use_rep`; by default those of the preset.
    neighbors_key : str, optional
        Key of ``uns`` where the neighbour graph is described: the `key_added` of ``scanpy.pp.neighbors``. By default
        "neighbors".
    random_state : int or generator, optional
        As of `genurl_graph.estimator.GenURL`.
    key_added : str, optional
        Key of ``obsm`` for the map and of ``uns`` for the parameters. By default ``X_genurl`` and ``genurl``.
    copy : bool
        Return a copy with the map instead of adding it to `adata`.
    **params
        Other arguments of `genurl_graph.estimator.GenURL`: ``exaggeration``, ``epochs``, ``metric``, ``device``, ...
        ``init`` may also be a key of ``obsm``, such as "X_umap", where the map is to start.

    Returns
    -------
    AnnData or None
        The copy, if one was asked for. ``obsm["X_genurl"]`` is float32 [cells, n_components].
        ``uns["genurl"]["params"]`` says what the map was computed from (``use_rep`` or ``neighbors_key``), the seed and
        the version; ``uns["genurl"]["config"]`` the resolved configuration, by dotted names.

    Raises
    ------
    InputError
        No neighbours and no ``X_pca``; a key that is not there; a sparse or non-finite matrix in ``obsm``; two sources
        at once; arguments that `GenURL` does not have.

    Examples
    --------
    >>> import scanpy as sc  # doctest: +SKIP
    >>> adata = sc.datasets.pbmc68k_reduced()  # doctest: +SKIP
    >>> genurl(adata)  # doctest: +SKIP
    >>> sc.pl.embedding(adata, basis="genurl", color="bulk_labels")  # doctest: +SKIP
    """
    if not all(hasattr(adata, part) for part in ("obsm", "obsp", "uns", "n_obs")):
        raise wrong("adata", type(adata).__name__, "an AnnData object")
    _check_names(params)
    start = params.get("init")
    if isinstance(start, str) and start in adata.obsm:
        params["init"] = check_matrix(np.asarray(adata.obsm[start]), f"obsm[{start!r}]")
    source = _find_source(adata, use_rep, n_neighbors, neighbors_key, params.get("metric"))
    model = GenURL(n_components, random_state=random_state, **source.arguments, **params)
    _tell(f"computing GenURL from {source.line}")
    z = model.fit_transform(source.data)
    found = adata.copy() if copy else adata
    key, about = (f"X_{KEY}", KEY) if key_added is None else (key_added, key_added)
    found.obsm[key] = np.asarray(z)
    found.uns[about] = {
        "params": {
            **source.names,
            **({"init": start} if isinstance(start, str) else {}),
            "n_components": n_components,
            "random_state": model.seed_,
            "version": version("genurl-graph"),
        },
        # Names alone, of the user's own metric, too: no file holds a function.
        "config": {
            key: str(value) if isinstance(value, str) else value
            for key, value in flatten(model.config_.to_dict()).items()
        },
    }
    done = f"    finished ({sum(model.seconds_.values()):.1f} s): added"
    _tell(f"{done} {key!r}, coordinates (adata.obsm), and {about!r}, parameters (adata.uns)")
    return found if copy else None


def _check_names(params: dict[str, Any]) -> None:
    """InputError for arguments that the map does not have, or that it sets itself."""
    fixed = ("task", "checkpoint", "resume", "scale", "encoder")
    known = [name for name in GenURL._get_param_names() if name not in fixed]
    for name in params:
        if name not in known:
            raise unknown("tl.genurl: argument", name, known)
    if params.get("metric") == "precomputed":
        raise wrong("tl.genurl: metric", "'precomputed'", "a metric of use_rep, or the neighbours in obsp without one")


def _find_source(
    adata: Any, use_rep: str | None, n_neighbors: int | None, neighbors_key: str | None, metric: Any
) -> Source:
    search = {"use_rep": use_rep, "n_neighbors": n_neighbors, "metric": metric}
    asked = [f"{name}={value!r}" for name, value in search.items() if value is not None]
    if asked and neighbors_key is not None:
        raise wrong("tl.genurl: neighbors_key", f"{neighbors_key!r} beside {asked[0]}", "one source of neighbours")
    if neighbors_key is not None or (not asked and NEIGHBORS in adata.uns):
        return _neighbor_graph(adata, neighbors_key or NEIGHBORS)
    return _features(adata, use_rep, n_neighbors)


def _neighbor_graph(adata: Any, key: str) -> Source:
    """The graph that ``uns[key]`` describes, whose weights are P."""
    import scipy.sparse as sp
    import torch
    from torch_geometric.data import Data

    if key not in adata.uns:
        known = [each for each in adata.uns if "connectivities_key" in _entries(adata.uns[each])]
        raise unknown("tl.genurl: neighbors_key", key, known)
    # Old versions of scanpy did not store the names of the parts.
    usual = "connectivities" if key == NEIGHBORS else f"{key}_connectivities"
    name = str(_entries(adata.uns[key]).get("connectivities_key", usual))
    if name not in adata.obsp:
        raise wrong(f"uns[{key!r}]", f"no obsp[{name!r}]", "the neighbours themselves; run scanpy.pp.neighbors again")
    matrix = sp.coo_matrix(check_matrix(adata.obsp[name], f"obsp[{name!r}]"))
    alone = adata.n_obs - len(np.unique(matrix.row[(matrix.data > 0) & (matrix.row != matrix.col)]))
    if alone:
        warnings.warn(
            f"{alone} of {adata.n_obs} cells have no neighbours in obsp[{name!r}], and their place on the map says "
            "nothing; after cells were left out run scanpy.pp.neighbors again",
            stacklevel=4,
        )
    edges = torch.from_numpy(np.stack([matrix.row, matrix.col]).astype(np.int64))
    data = Data(edge_index=edges, edge_weight=torch.from_numpy(matrix.data.astype(np.float32)), num_nodes=adata.n_obs)
    return Source(data, {"task": "reduce"}, {"neighbors_key": key}, f"obsp[{name!r}], {len(matrix.data):,} entries")


def _features(adata: Any, use_rep: str | None, n_neighbors: int | None) -> Source:
    """The matrix of cells that `use_rep` names."""
    key = FEATURES if use_rep is None else use_rep
    if key == "X":
        x = adata.X
        if x is None:
            raise wrong(
                "tl.genurl: use_rep", "'X' of an object that has none", f"a key of obsm: {', '.join(adata.obsm)}"
            )
        if getattr(adata, "isbacked", False):
            x = x.to_memory() if hasattr(x, "to_memory") else x[:]
    elif key in adata.obsm:
        x = adata.obsm[key]
        x = check_matrix(x.to_numpy() if hasattr(x, "to_numpy") else x, f"obsm[{key!r}]", sparse=False)
    elif use_rep is not None:
        raise unknown("tl.genurl: use_rep", key, ["X", *adata.obsm])
    else:
        raise wrong(
            "tl.genurl: adata", f"neither uns[{NEIGHBORS!r}] nor obsm[{key!r}]", "one; run scanpy.pp.pca or .neighbors"
        )
    where = key if key == "X" else f"obsm[{key!r}]"
    arguments = {"task": "reduce", "n_neighbors": n_neighbors, "scale": False}
    names = {"use_rep": key} | ({} if n_neighbors is None else {"n_neighbors": n_neighbors})
    return Source(x, arguments, names, f"{where}, {x.shape[1]:,} columns")


def _entries(value: Any) -> Mapping[str, Any]:
    """A part of ``uns`` as a mapping; an empty one if it is none."""
    return value if isinstance(value, Mapping) else {}


def _tell(line: str) -> None:
    """Log a line where scanpy's own go, as `scanpy.settings.verbosity` says, or to the logger of this module."""
    theirs = getattr(sys.modules.get("scanpy"), "logging", None)
    (theirs or logging.getLogger(__name__)).info(line)
