"""Embed graphs, vectors and images: everything becomes a graph, and one sparse GKL loss embeds it.

Public names are loaded when they are first used (PEP 562), so that ``import genurl_graph`` costs no torch.

The stages behind them are packages of their own: ``datasets``, ``evaluation``, ``plotting`` and the others that
``dir(genurl_graph)`` lists.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import DivergenceError, InputError

if TYPE_CHECKING:
    from genurl_graph import baselines as baselines
    from genurl_graph import config as config
    from genurl_graph import datasets as datasets
    from genurl_graph import evaluation as evaluation
    from genurl_graph import exceptions as exceptions
    from genurl_graph import graph as graph
    from genurl_graph import losses as losses
    from genurl_graph import nn as nn
    from genurl_graph import plotting as plotting
    from genurl_graph import scanpy as scanpy
    from genurl_graph.estimator import GenURL as GenURL
    from genurl_graph.estimator import distill as distill
    from genurl_graph.graph.affinity import similarities as similarities
    from genurl_graph.graph.knn import knn as knn
    from genurl_graph.graph.knn import knn_graph as knn_graph
    from genurl_graph.graph.line_graph import LineGraph as LineGraph
    from genurl_graph.graph.line_graph import line_graph as line_graph
    from genurl_graph.graph.merge import merge_graphs as merge_graphs
    from genurl_graph.graph.transforms import FeatureKNN as FeatureKNN
    from genurl_graph.graph.transforms import MergeFeatureEdges as MergeFeatureEdges
    from genurl_graph.inference.aligned import align_maps as align_maps

    __version__: str

# Public name -> module that defines it.
_EXPORTS = {
    "GenURL": "estimator",
    "align_maps": "inference.aligned",
    "distill": "estimator",
    "knn": "graph.knn",
    "knn_graph": "graph.knn",
    "merge_graphs": "graph.merge",
    "similarities": "graph.affinity",
    "FeatureKNN": "graph.transforms",
    "LineGraph": "graph.line_graph",
    "line_graph": "graph.line_graph",
    "MergeFeatureEdges": "graph.transforms",
}

# Packages and modules that users import from; the others are how the inside is divided.
_MODULES = (
    "baselines",
    "config",
    "datasets",
    "evaluation",
    "exceptions",
    "graph",
    "losses",
    "nn",
    "plotting",
    "scanpy",
)

__all__ = ["DivergenceError", "InputError", "__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("genurl-graph")
    elif name in _EXPORTS:
        value = getattr(import_module(f"genurl_graph.{_EXPORTS[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"genurl_graph.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    # What TAB offers: no name that only this file needs.
    return sorted((*__all__, *_MODULES))
