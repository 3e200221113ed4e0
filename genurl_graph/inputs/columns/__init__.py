"""Feature columns: what each is, and what becomes of it."""

from genurl_graph.inputs.columns.kinds import matrix_kind
from genurl_graph.inputs.columns.make import (
    AS_THEY_ARE,
    FeatureOptions,
    make_features,
    read_data_features,
    read_features,
)
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.columns.plan import FeaturePlan

__all__ = [
    "AS_THEY_ARE",
    "FeatureOptions",
    "FeaturePlan",
    "as_features",
    "make_features",
    "matrix_kind",
    "read_data_features",
    "read_features",
]
