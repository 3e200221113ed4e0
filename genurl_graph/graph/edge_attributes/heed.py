"""Edge attributes in the graph task: measured once, and then part of the weights of the edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config import load_preset
from genurl_graph.config.parameters import MergeConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_attributes.columns import attribute_statistics
from genurl_graph.graph.edge_attributes.learn import AttributeEvidence, judge_attributes
from genurl_graph.graph.edge_attributes.weights import AttributeWeights
from genurl_graph.inputs.input import Input


def weigh_attributes(data: Input, asked: dict[str, Any], task: str = "graph") -> tuple[Input, dict[str, Any]]:
    """Resolve ``merge.edge_attributes`` of the task "graph" or "edges".

    Returns
    -------
    data : Input
        Its edges weighted by their attributes, as far as these tell.
    asked : dict
        With ``merge.edge_attributes`` as a number, or "none" where there are no attributes or none are to be read.

    Raises
    ------
    InputError
        A share was asked for, and there are no attributes.
    """
    key = "merge.edge_attributes"
    wanted = load_preset(task).override(asked).merge.edge_attributes
    if data.edge_attr is None or data.types is not None:
        if not isinstance(wanted, str) and wanted > 0:
            raise wrong(
                "merge.edge_attributes",
                f"{wanted:g} without edge attributes",
                "auto, or edges with attributes (on one type of nodes)",
            )
        return data, asked | {key: "none"}
    if wanted == "none":
        return data, asked
    found = measure_attributes(data, wanted)
    return _weighed(data, found.weights), asked | {key: found.share}


def measure_attributes(data: Input, wanted: str | float) -> AttributeEvidence:
    """What the attributes of the edges of `data` tell, measured once; `wanted` is ``merge.edge_attributes``."""
    known, key = data.known, f"edge_attributes.{wanted}"
    # A share that was resolved from "auto" is not one that was asked for.
    auto = known.get("edge_attributes.auto")
    if auto is not None and wanted == auto.share:
        key = "edge_attributes.auto"
    if key not in known:
        ends, weight, attributes = _undirected(data)
        asked = None if isinstance(wanted, str) else wanted
        known[key] = judge_attributes(ends, weight, attributes, data.num_nodes, data.x, asked)
    found: AttributeEvidence = known[key]
    return found


def heed_attributes(data: Input, merge: MergeConfig) -> tuple[Input, AttributeEvidence | None]:
    """What later stages of a run read: edges weighted as ``merge.edge_attributes``, resolved, says."""
    if data.edge_attr is None or isinstance(merge.edge_attributes, str) or data.types is not None:
        return data, None
    found = measure_attributes(data, merge.edge_attributes)
    return _weighed(data, found.weights), found


def describe_attributes(found: AttributeEvidence | None, data: Input) -> dict[str, Any]:
    """Evidence of the attributes in the summary of a graph (`genurl_graph.tasks.TrainingProblem`)."""
    if found is None or data.edge_attr is None:
        return {}
    numbers = {name: getattr(found, name) for name in ("share", "auc", "error", "before", "after")}
    return {"edge_attributes": {"columns": int(data.edge_attr.size(1)), **numbers}}


def attribute_tensors(found: AttributeEvidence | None, data: Input, read: bool) -> dict[str, Tensor]:
    """What a model keeps of edge attributes: their weights, and the scales of those that its encoder reads."""
    kept = {} if found is None else found.tensors()
    return kept | (attribute_statistics(data) if read else {})


def weigh_as_fitted(data: Input, statistics: Mapping[str, Tensor]) -> Input:
    """New edges, weighted by their attributes as the fitted ones were.

    Raises
    ------
    InputError
        No attributes, or another number of columns.
    """
    weights = AttributeWeights.stored(statistics)
    if weights is None and "edge_attr.mean" not in statistics:
        return data
    columns = len(statistics["edge_attr.mean"] if weights is None else weights.knots)
    found = 0 if data.edge_attr is None else int(data.edge_attr.size(1))
    if found != columns:
        raise wrong("transform: edge attributes", f"{found} columns", f"the {columns} that the model reads")
    return _weighed(data, weights)


def _weighed(data: Input, weights: AttributeWeights | None) -> Input:
    if weights is None or data.edge_attr is None:
        return data
    factor = weights.of(data.edge_attr)
    return data._replace(edge_weight=factor if data.edge_weight is None else data.edge_weight * factor)


def _undirected(data: Input) -> tuple[Any, Any, Tensor]:
    """Each pair of nodes with an edge once, int64 [2, m], its larger weight [m], and its attributes [m, a]."""
    from torch_geometric.utils import scatter

    assert data.edge_index is not None
    assert data.edge_attr is not None
    low, high = data.edge_index.sort(0).values
    between = low != high
    keys, place = torch.unique((low * data.num_nodes + high)[between], return_inverse=True)
    weight = torch.ones(len(low)) if data.edge_weight is None else data.edge_weight.float()
    largest = torch.as_tensor(scatter(weight[between], place, dim_size=len(keys), reduce="max"))
    # Both directions have the same attributes.
    first = torch.empty(len(keys), dtype=torch.long).index_put_((place,), between.nonzero()[:, 0])
    ends = np.stack(np.divmod(keys.numpy(), data.num_nodes))
    return ends, largest.double().numpy(), data.edge_attr[first]
