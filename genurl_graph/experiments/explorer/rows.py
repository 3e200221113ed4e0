"""What the points of a page are, where they are neither nodes nor graphs: edges, or entities of typed edges."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genurl_graph.graph.merge import MergedGraph
    from genurl_graph.inputs.temporal.trajectory_files import Stored
    from genurl_graph.inputs.triples import TripleSet


def read_rows(path: Path) -> "Stored":
    """What any file of an embedding holds; of edges with ``source`` and ``target`` among the columns."""
    from genurl_graph.inputs.edge_rows.files import read_edge_embedding
    from genurl_graph.inputs.temporal.trajectory_files import Stored, read_trajectory

    found = read_edge_embedding(path)
    return Stored(found) if "source" in found else read_trajectory(path)


def row_names(stored: dict[str, Any], data: Any = None) -> list[str]:
    """What the rows of a file are called, or those of the data that it is shown with.

    Examples
    --------
    >>> row_names({"embedding": z, "source": ["a", "b"], "target": ["b", "c"], "key": [0, 1]})
    ['a - b, 0', 'b - c, 1']
    """
    from genurl_graph.experiments.edges.source import is_edge_set
    from genurl_graph.inputs.edge_rows.files import columns_of

    columns = columns_of(data.edges) if is_edge_set(data) else stored if data is None else {}
    if "source" in columns:
        names = [f"{one} - {other}" for one, other in zip(columns["source"], columns["target"], strict=True)]
        return (
            [f"{name}, {key}" for name, key in zip(names, columns["key"], strict=True)] if "key" in columns else names
        )
    ids = stored.get("node_id") if data is None else getattr(data, "node_id", None)
    return [str(node) for node in (range(len(stored["embedding"])) if ids is None else ids)]


def what_rows(stored: dict[str, Any], data: Any) -> str:
    """The rows in a word."""
    from genurl_graph.experiments.sources import is_graph_set
    from genurl_graph.experiments.triples.source import is_triple_set

    if "source" in stored:
        return "edges"
    return "graphs" if is_graph_set(data) else "entities" if is_triple_set(data) else "nodes"


def triple_graph(data: "TripleSet") -> "MergedGraph":
    """The graph of entities that share a triple, in both directions; weights count the triples."""
    import torch

    from genurl_graph.graph.merge import PREDEFINED, MergedGraph

    n, triples = data.num_nodes, data.triples
    head, tail = (torch.cat(pair) for pair in ((triples.head, triples.tail), (triples.tail, triples.head)))
    pair, count = torch.unique((head * n + tail)[head != tail], return_counts=True)
    source = torch.full((len(pair),), PREDEFINED, dtype=torch.uint8)
    return MergedGraph(torch.stack([pair // n, pair % n]), count.float(), source, n)
