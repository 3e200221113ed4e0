"""Embed graphs, vectors and images: everything becomes a graph, and one sparse GKL loss embeds it.

Public names are loaded when they are first used (PEP 562), so that ``import genurl_graph`` costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import DivergenceError, InputError

if TYPE_CHECKING:
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

__all__ = ["DivergenceError", "InputError", "__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("genurl-graph")
    elif name in _EXPORTS:
        value = getattr(import_module(f"genurl_graph.{_EXPORTS[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
