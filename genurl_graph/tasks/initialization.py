"""Start of an embedding table: principal components, eigenvectors of P, noise, or coordinates of the user's own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.graph.projection import FeatureSpace, principal_components
from genurl_graph.inputs.hashing import hash_columns
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.validation import value_range
from genurl_graph.runtime.random import randn

# Deviation of the first coordinate at the start: small, so that the attraction shapes the layout first.
START_SCALE = 1e-2
# Share of noise beside it, which parts duplicates.
NOISE = 0.01
# Deviations below this share of the largest entry are rounding, not structure.
ROUNDING = 1e-6


def resolve_start(data: Input, config: Config) -> dict[str, str]:
    """The start of an embedding table whose coordinates come along: dotted keys of a configuration.

    InputError for such a start of another encoder or of another width, and for one that does not come.
    """
    if data.start is None:
        if config.encoder.init in ("given", "previous"):
            found = f"{config.encoder.init!r} without coordinates"
            raise wrong("encoder.init", found, "GenURL(init=...) or fit(X, init=...), or pca, spectral, random")
        return {}
    if config.encoder.name != "free":
        raise wrong("init", f"coordinates for the encoder {config.encoder.name}", "an embedding table (encoder free)")
    if data.start.finished and config.task != "reduce":
        raise wrong("init", f"a finished map for the task {config.task}", "the task reduce")
    width = data.start.z.size(1)
    if width != config.encoder.dim:
        raise wrong("init", f"{width} columns", f"{config.encoder.dim}, those of the embedding (n_components)")
    return {"encoder.init": "previous" if data.start.finished else "given"}


def start(data: Input, space: FeatureSpace | None, merged: MergedGraph, config: Config, seed: int) -> Tensor:
    """First coordinates, float32 [n, d], on the scale `START_SCALE`; random numbers are the run's.

    `space` is None without features; of `merged` the start ``spectral`` takes the eigenvectors.
    InputError for principal components without features, or eigenvectors that do not converge.
    """
    n, d, how = data.num_nodes, config.encoder.dim, config.encoder.init
    noise = randn((n, d))
    if data.start is not None:
        return _scaled(data.start.z, noise)
    if how == "random":
        return noise * START_SCALE
    if how == "spectral":
        found = _eigenvectors(merged, n, d, seed)
    elif data.x is None or space is None:
        raise wrong("encoder.init", "pca without features", "spectral or random")
    elif space.projection is not None and not space.unit and space.vectors.size(1) >= d and not config.neighbors.hops:
        found = space.vectors[:, :d]  # they are there already
    else:
        found = principal_components(hash_columns(data.x, config.input.hash_columns), d, seed)
    # Columns beyond those (d > f) start as noise.
    out = noise * NOISE
    scale = float(found[:, 0].std()) if n > 1 else 0.0
    if scale > ROUNDING * (0.0 if data.x is None else max(map(abs, value_range(data.x)))):
        out[:, : found.size(1)] += found / scale
    else:
        out = noise
    return out * START_SCALE


def _scaled(given: Tensor, noise: Tensor) -> Tensor:
    """Coordinates around 0 with a deviation of `START_SCALE` along their widest axis, and a little noise."""
    centred = given - given.mean(0)
    scale = float(centred.std(0).max())
    if not scale > ROUNDING * max(map(abs, value_range(given))):
        return noise * START_SCALE
    return (centred / scale + noise * NOISE) * START_SCALE


def _eigenvectors(merged: MergedGraph, n: int, d: int, seed: int) -> Tensor:
    """Eigenvectors of ``D^-1/2 P D^-1/2`` after the first, [n, min(d, n - 1)]: Laplacian eigenmaps (Neural Computation
    15:1373). On a graph in several parts the first ones tell the parts from each other.
    """
    import scipy.sparse as sp
    from scipy.sparse.linalg import ArpackNoConvergence, eigsh

    row, col = merged.edge_index.cpu().numpy()
    p = sp.csr_matrix((merged.edge_weight.cpu().double().numpy(), (row, col)), shape=(n, n))
    degree = np.asarray(p.sum(1)).ravel()
    inverse = np.divide(1.0, np.sqrt(degree), out=np.zeros(n), where=degree > 0)
    matrix = sp.diags(inverse) @ p @ sp.diags(inverse)
    wanted = min(d, n - 1) + 1
    if n <= 3 * wanted + 20:
        vectors = np.linalg.eigh(matrix.toarray())[1]
    else:
        guess = np.random.default_rng(seed).standard_normal(n)
        try:
            # A start, not a result: two digits are enough. The shift makes all eigenvalues positive.
            vectors = eigsh(matrix + sp.identity(n), wanted, which="LA", v0=guess, tol=1e-2, maxiter=20 * n)[1]
        except ArpackNoConvergence as error:
            raise wrong("encoder.init", "eigenvectors of P that do not converge", "random") from error
    found: Tensor = torch.from_numpy(vectors[:, ::-1][:, 1:wanted].copy()).float()
    return found.mul_(n**0.5)
