"""Everything the page of an embedding shows, of whatever its points are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from genurl_graph.exceptions import unknown
from genurl_graph.experiments.explorer.own_columns import feature_columns
from genurl_graph.experiments.explorer.rows import triple_graph, what_rows
from genurl_graph.experiments.explorer.runs import Run, input_of
from genurl_graph.experiments.explorer.texts import name_clusters
from genurl_graph.experiments.explorer.thumbnails import thumbnails
from genurl_graph.experiments.sources import is_graph_set, named_labels
from genurl_graph.experiments.triples.source import is_triple_set

if TYPE_CHECKING:
    from torch import Tensor

    from genurl_graph.graph.knn import Neighbors
    from genurl_graph.inputs.collection.graph_set import GraphSet
    from genurl_graph.plotting.explorer.colours import Column
    from genurl_graph.plotting.explorer.drawings import Drawings
    from genurl_graph.plotting.explorer.scene import Scene

# Neighbours in the embedding that a node's card lists.
NEAREST = 10
# Clusters of k-means where no labels say how many there are.
CLUSTERS = 10
NO_GRAPH = "Neighbours: those in the embedding; --dataset NAME or --input FILE shows the edges of the graph as well"


class Choices(NamedTuple):
    """What a user may choose about a page; the options of ``genurl-graph explore``.

    Attributes
    ----------
    clusters : int, optional
        Clusters of k-means.
    words : str, optional
        The column whose words name the clusters, or "ids".
    color_by, size_by : str, optional
        Columns.
    images : Path, optional
        A folder of images that are called by the points' ids.
    no_images : bool
    """

    clusters: int | None = None
    words: str | None = None
    color_by: str | None = None
    size_by: str | None = None
    images: Path | None = None
    no_images: bool = False


def drawn(data: "GraphSet") -> "tuple[list[Column], Drawings]":
    """Sizes of the graphs as columns, and a drawing of each."""
    import torch

    from genurl_graph.plotting.explorer.colours import Numbers
    from genurl_graph.plotting.explorer.drawings import drawings

    found, plan = data.collection, data.feature_plan
    sizes = Numbers("Nodes", "Nodes of the graph", found.sizes().float().numpy())
    # Both directions, and parallel edges, are one.
    low, high = found.edge_index.sort(0).values
    pairs = torch.unique(low * found.num_nodes + high)
    owner = found.graph_of_node()[pairs // max(found.num_nodes, 1)]
    count = torch.bincount(owner, minlength=found.num_graphs).float()
    edges = Numbers("Edges", "Edges of the graph, each counted once", count.numpy())
    return [sizes, edges], drawings(found, None if plan is None else plan.names)


def compose(
    z: "Tensor",
    stored: dict[str, Any],
    name: str,
    run: Run | None,
    names: Sequence[str],
    own: "Sequence[Column]",
    choices: Choices,
    dataset: str | None = None,
) -> "Scene":
    """Everything the page shows.

    Parameters
    ----------
    z : Tensor, shape [n, d]
        The embedding, in the order of the run's data if there is a run.
    stored : dict
        What the file holds.
    name : str
        The page's title.
    run : Run, optional
    names : sequence of str, length n
    own : sequence of Column
        A user's own columns.
    choices : Choices
    dataset : str, optional
        Name of the data set of the registry.

    Raises
    ------
    InputError
        A column that is named and not there; what `genurl_graph.experiments.explorer.thumbnails` raises.
    """
    import torch

    from genurl_graph.graph.knn import knn
    from genurl_graph.inference.drawing import as_map
    from genurl_graph.inputs.collection.convert import as_collection
    from genurl_graph.inputs.columns import FeatureOptions
    from genurl_graph.plotting.explorer import measures
    from genurl_graph.plotting.explorer.colours import Categories, labels
    from genurl_graph.plotting.explorer.scene import Scene
    from genurl_graph.tasks import graphs
    from genurl_graph.tasks.merged_graph import merged_graph

    label: Any = stored.get("label")
    merged, neighbors = None, None
    if run:
        label = named_labels(run.data)
        if is_triple_set(run.data):
            merged = triple_graph(run.data)
        elif is_graph_set(run.data):
            merged = graphs.build(as_collection(run.data), run.config, run.seed, torch.device("cpu"), None).merged
        else:
            read = FeatureOptions(run.config.input.scale, run.config.input.text)
            given = input_of(run.data, read, run.config.edges)
            merged, neighbors = merged_graph(given, run.config, run.seed, torch.device("cpu"))
    n, d = z.shape
    points, how = as_map(z, run.seed if run else 0)
    # Angles are what the graph task trains; the origin of a 2-d map means nothing.
    metric = "cosine" if d > 2 and run and run.config.task not in ("reduce", "images") else "euclidean"
    nearest = knn(z, NEAREST, metric=metric, clamp=True).indices

    known = labels("Label", "Classes of the data", label) if label is not None else None
    count = choices.clusters or (len(known.names) if isinstance(known, Categories) else 0)
    columns: list[Column] = [] if known is None else [known]
    columns += own
    if run and not is_graph_set(run.data):
        columns += feature_columns(run.data, [one.name for one in columns])
    clusters = measures.clusters(z.numpy(), count if count > 1 else CLUSTERS)
    clusters = name_clusters(clusters, columns[known is not None :], names, run and run.data, choices.words)
    sizes, drawings = drawn(run.data) if run and is_graph_set(run.data) else ([], None)
    columns += sizes
    degrees = measures.degrees(merged, n) if merged else []
    columns += degrees[:1] if run and is_triple_set(run.data) else degrees
    columns.append(clusters)
    columns += preserved(z, points, nearest, run, neighbors)
    check_columns(columns, choices)
    space = f"{d} dimensions" if d > 2 else "the 2-d map"
    return Scene(
        title=name,
        points=points.numpy(),
        notes=[f"{n:,} {what_rows(stored, run.data if run else None)}; {how or 'embedding of 2 dimensions'}"],
        columns=columns,
        node_id=None if names == list(map(str, range(n))) else names,
        nearest=nearest,
        nearest_about=f"In {space}, {measures.METRIC_NAMES[metric]}",
        merged=merged,
        merged_about=run.about if run else NO_GRAPH,
        drawings=drawings,
        images=None if choices.no_images else thumbnails(run and run.data, dataset, names, choices.images),
        color_by=choices.color_by,
        size_by=choices.size_by,
    )


def check_columns(columns: "Sequence[Column]", choices: Choices) -> None:
    """Check that the columns that points are to be coloured and sized by are there."""
    from genurl_graph.plotting.explorer.colours import Numbers

    numbers = [one.name for one in columns if isinstance(one, Numbers)]
    for option, chosen, known in (
        ("--color-by", choices.color_by, [one.name for one in columns]),
        ("--size-by", choices.size_by, numbers),
    ):
        if chosen is not None and chosen not in known:
            raise unknown(option, chosen, known)


def preserved(
    z: "Tensor", points: "Tensor", nearest: "Tensor", run: Run | None, neighbors: "Neighbors | None"
) -> "list[Column]":
    """How far the 2-d map keeps neighbourhoods: of the features, and of an embedding of more dimensions.

    Local trustworthiness of each point where all can be ranked against all; beyond that the share of neighbours kept.
    """
    from genurl_graph.evaluation.preservation import EXACT_UP_TO
    from genurl_graph.graph.knn import knn
    from genurl_graph.plotting.explorer import measures

    n, d = z.shape
    columns: list[Any] = []
    if n <= EXACT_UP_TO:
        if run and not is_graph_set(run.data) and getattr(run.data, "x", None) is not None:
            metric = "cosine" if run.config.neighbors.metric == "cosine" else "euclidean"
            columns.append(measures.local_trustworthiness(run.data.x, points, metric, "features"))
        if d > 2:
            columns.append(measures.local_trustworthiness(z, points, "euclidean", "embedding"))
    else:
        references = {"features": neighbors.indices if neighbors else None}
        references["embedding"] = nearest if d > 2 else None
        for what, reference in references.items():
            if reference is not None:
                shown = knn(points, reference.size(1)).indices
                columns.append(measures.preserved_neighbours(reference.cpu(), shown, what))
    return [one for one in columns if one is not None]
