"""Descriptors of whole graphs that need no training: Weisfeiler-Lehman labels, kinds of nodes, degrees, sizes."""

from genurl_graph.graph.descriptors.fitted import GraphDescriptors
from genurl_graph.graph.descriptors.statistics import degree_histogram, label_histogram, size_and_degree
from genurl_graph.graph.descriptors.weisfeiler_lehman import WLVocabulary, wl_histogram

__all__ = [
    "GraphDescriptors",
    "WLVocabulary",
    "degree_histogram",
    "label_histogram",
    "size_and_degree",
    "wl_histogram",
]
