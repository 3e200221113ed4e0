"""What an encoder reads: normalised features, and structural columns of nodes without any."""

from __future__ import annotations

import torch
from scipy.sparse import hstack
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.graph.edge_reliability import weighed_features
from genurl_graph.graph.line_graph.strokes import stroke_features
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.projection import encoder_projection, principal_axes, scale_for_axes
from genurl_graph.graph.role_features import kernel_columns, role_weights
from genurl_graph.graph.structural_features import ONE_HOT, structural_features
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.hashing import hash_columns
from genurl_graph.inputs.hetero import normalize_blocks
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import column_statistics, normalize_features
from genurl_graph.inputs.sparse import csr_tensor, scale_columns, to_scipy_or_numpy
from genurl_graph.tasks.evidence.around import put_beside, with_cosines
from genurl_graph.tasks.evidence.columns import measure_roles, stroke_columns
from genurl_graph.tasks.resolve import COMPONENTS, resolve_type_normalization

# Of the randomised search for principal axes that an encoder reads: they are a property of the features.
PCA_SEED = 0


def encoder_input(
    data: Input, config: Config, device: torch.device | str = "cpu", statistics: dict[str, Tensor] | None = None
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """What an encoder reads: normalised features, and structural columns of nodes without any.

    Parameters
    ----------
    data : Input
    config : Config
        Resolved.
    device : torch.device
        Where random walks are computed.
    statistics : dict or None
        What the call for the fitted graph returned; None for that graph.

    Returns
    -------
    x : Tensor, float32, shape [n, f], on the CPU, or None
        Strided or CSR. None for one-hot rows alone, which are not stored, and for an embedding table. Role columns
        without features and with ``encoder.structure = both``, or features and functions of them with
        ``encoder.beside = apart``, go around the network.
    statistics : dict
        Means and scales of standardised columns, or principal axes.
    """
    how, bare = config.encoder.normalize, data.bare_nodes()
    if bare.numel() == 0 and data.types is None:
        x, taken = _features(data, config, statistics)
        if config.encoder.beside == "apart":
            return with_cosines(x, x.size(1), config), taken
        if config.encoder.beside != "always":
            return x, taken
        return _beside(x, taken, data, config, device, statistics)
    structural, taken = _structural_columns(data, config, bare, device, statistics)
    if data.x is None or data.types is None:
        return None if structural is None else as_features(structural), taken
    x, found = normalize_blocks(data.x, data.types, resolve_type_normalization(data, how, statistics), statistics)
    if structural is None:
        return as_features(x), found
    return as_features(hstack([to_scipy_or_numpy(part) for part in (x, structural)], format="csr")), found | taken


def _features(data: Input, config: Config, statistics: dict[str, Tensor] | None) -> tuple[Tensor, dict[str, Tensor]]:
    """Normalised features, their columns weighed by their evidence, and statistics, among which are these weights."""
    assert data.x is not None
    how, weight, most = config.encoder.normalize, data.column_weight, config.input.hash_columns
    if how == "pca":
        x = hash_columns(weighed_features(data), most)
        taken = _component_statistics(x, config) if statistics is None else statistics
        projection = encoder_projection(taken)
        assert projection is not None
        x = projection.apply(scale_for_axes(x, config.neighbors.metric)) / taken["scale"]
    else:
        # Columns are weighed when they are normalised; those that are hashed are no columns any more.
        hashed = weight is not None and 0 < int(most) < weight.numel()
        x = hash_columns(weighed_features(data) if hashed else data.x, most)
        taken = (column_statistics(x) if how == "columns" else {}) if statistics is None else statistics
        x = normalize_features(x, how, taken)
        x = x if weight is None or hashed else scale_columns(x, weight)
    return x, taken if weight is None else taken | {"weight": weight}


def _beside(
    x: Tensor,
    taken: dict[str, Tensor],
    data: Input,
    config: Config,
    device: torch.device | str,
    statistics: dict[str, Tensor] | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Features with structural columns on their right."""
    own = config.override({"encoder.normalize": "auto"})
    structural, found = _structural_columns(data, own, torch.arange(data.num_nodes), device, statistics)
    assert structural is not None
    return put_beside(x, structural), taken | found


def _component_statistics(x: Tensor, config: Config) -> dict[str, Tensor]:
    """Principal axes [f, c], mean [f] and the largest deviation [1] along one of them, one scale for all.

    As many axes as neighbours are searched in, or as the embedding has columns if these are more; `COMPONENTS` at most,
    if neighbours are searched in the features.
    """
    c = int(config.neighbors.pca)
    x, centre = scale_for_axes(x, config.neighbors.metric), config.neighbors.metric != "cosine"
    projection = principal_axes(x, max(c or COMPONENTS, config.encoder.dim), PCA_SEED, centre)
    # Along the first axis, if the axes are those of centred features.
    scale = projection.apply(x).std(0, correction=0).amax(keepdim=True)
    found = {"axes": projection.axes.float().contiguous(), "scale": torch.where(scale > 0, scale, 1.0)}
    if x.layout == torch.strided:
        # Axes for cosines are found around the origin; what an encoder reads lies around its mean all the same.
        found["mean"] = (x.double().mean(0) if projection.mean is None else projection.mean).float()
    return found


def role_columns(
    data: Input, device: torch.device | str = "cpu", statistics: dict[str, Tensor] | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """What the skip reads with ``encoder.structure = both``, float32 [n, `KERNEL_COLUMNS`], and statistics.

    `kernel_columns` of standardised role features, weighed by their distance (`role_weights`), which the scales
    hold: a saved model keeps its own. Arguments as in `encoder_input`.
    """
    own = measure_roles(data, device)
    if statistics is None:
        found = column_statistics(own)
        statistics = {"mean.": found["mean"], "scale.": found["scale"] / role_weights()}
    own = normalize_features(own, "columns", {key: statistics[f"{key}."] for key in ("mean", "scale")})
    return kernel_columns(own), statistics


def _structural_columns(
    data: Input, config: Config, bare: Tensor, device: torch.device | str, statistics: dict[str, Tensor] | None
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """CSR [n, c] for nodes without features, 0 for others; None if one-hot rows, or nothing, are all of x."""
    n, c = data.num_nodes, config.encoder
    if bare.numel() == 0 or c.name == "free" or (c.structure == "identity" and data.x is None):
        return None, {}
    if c.structure == "both" and data.x is None:
        return role_columns(data, device, statistics)
    crow = torch.zeros(n + 1, dtype=torch.long)
    if c.structure in ONE_HOT:
        crow[bare + 1] = 1
        return csr_tensor(crow.cumsum(0), torch.arange(len(bare)), torch.ones(len(bare)), (n, len(bare))), {}
    given = predefined_graph(data)
    own = structural_features(c.structure, c.structure_dim, given.edge_index, given.edge_weight, n, device)[bare]
    if stroke_columns(data.num_features, config):
        ends = data.ends
        assert ends is not None
        assert ends.bearings is not None
        own = torch.cat([own, stroke_features(ends.ends, ends.num_nodes, ends.bearings, data.x)], 1)
    # Walks and eigenvectors differ by orders of magnitude from column to column.
    how = "columns" if c.normalize == "auto" else c.normalize
    if statistics is None:
        statistics = {f"{key}.": value for key, value in column_statistics(own).items()} if how == "columns" else {}
    own = normalize_features(own, how, {key: statistics[f"{key}."] for key in ("mean", "scale") if how == "columns"})
    width = own.size(1)
    crow[bare + 1] = width
    columns = torch.arange(width).repeat(len(bare))
    return csr_tensor(crow.cumsum(0), columns, own.reshape(-1), (n, width)), statistics
