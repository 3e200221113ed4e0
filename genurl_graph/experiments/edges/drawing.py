"""Drawings of an embedding of edges: where they lie, in the colours of what was learnt."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.experiments.edges.source import is_edge_set

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL

# Clusters of k-means where no labels say how many there are.
CLUSTERS = 10


def has_place(data: Any) -> bool:
    """Whether `data` are edges of which it is known where they lie."""
    return is_edge_set(data) and data.lines is not None


def draw_edges(path: Path, name: str, estimator: "GenURL", data: Any) -> dict[str, Path]:
    """Draw edges where they lie, coloured by k-means clusters of their embedding and, where known, by their labels.

    Returns
    -------
    dict
        The file by what it shows.
    """
    from genurl_graph.experiments.sources import named_labels
    from genurl_graph.plotting.edges import edge_panels
    from genurl_graph.plotting.explorer.measures import clusters

    z, label = estimator.embedding_, named_labels(data)
    classes = 0 if data.y is None else int((data.y.unique() >= 0).sum())
    found = clusters(z.numpy(), classes if classes > 1 else CLUSTERS, estimator.seed_ % 2**32)
    maps: dict[str, Any] = {f"{len(found.names)} clusters of the embedding": [found.names[k] for k in found.codes]}
    maps |= {} if label is None else {"labels": label}
    told = f"{len(z):,} edges, encoder {estimator.encoder_name_}, {z.size(1)} dimensions, seed {estimator.seed_}"
    edge_panels(data, maps, path=path, title=f"{name}: {told}")
    return {"map of edges": path}
