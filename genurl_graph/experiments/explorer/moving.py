"""The page of nodes that move with time, out of a file with their trajectory."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import wrong
from genurl_graph.experiments.explorer.compose import CLUSTERS, NEAREST, Choices, check_columns
from genurl_graph.experiments.explorer.own_columns import feature_columns
from genurl_graph.experiments.explorer.texts import name_clusters
from genurl_graph.experiments.explorer.thumbnails import thumbnails
from genurl_graph.experiments.sources import named_labels

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

    from genurl_graph.inputs.temporal.events import TemporalEdges
    from genurl_graph.inputs.temporal.trajectory import Trajectory
    from genurl_graph.inputs.temporal.trajectory_files import Stored
    from genurl_graph.plotting.explorer.colours import Column
    from genurl_graph.plotting.explorer.scene import Scene

WITHOUT_EVENTS = (
    "No events were named, so neighbours are those in the embedding; --dataset or --input shows who shares events"
)
WITH_EVENTS = "Neighbours: who shares events in the window, and who is near in the embedding"


def compose_moving(
    path: Path,
    stored: "Stored",
    name: str,
    data: Any,
    names: Sequence[str],
    own: "Sequence[Column]",
    choices: Choices,
) -> "Scene":
    """Everything the page of a trajectory shows.

    Parameters
    ----------
    path
        Of the file, for messages.
    stored
        What `genurl_graph.inputs.temporal.trajectory_files.read_trajectory` returns of a file with a trajectory.
    name : str
    data : EventSet, or None
        With labels of the nodes, and of planted events what each node is in which span of time.
    names : sequence of str, length n
    own : sequence of Column
        A user's own columns of the n nodes.
    choices : Choices
    """
    import torch

    from genurl_graph.inference.drawing import trajectory_map
    from genurl_graph.plotting.explorer import measures
    from genurl_graph.plotting.explorer.colours import Categories, Numbers, labels
    from genurl_graph.plotting.explorer.scene import Scene
    from genurl_graph.plotting.explorer.timeline import Timeline, contacts_in_windows, nearest_in_windows
    from genurl_graph.plotting.temporal import movement, window_names
    from genurl_graph.plotting.temporal.movement import windows_seen

    if stored.trajectory is None:
        raise wrong(path, "no trajectory", "what embed writes of events with a time")
    whole = stored.trajectory
    drawn = trajectory_map(whole, 0)
    kept, node = torch.unique(drawn.trajectory.node, return_inverse=True)
    on_map = drawn.trajectory._replace(node=node, num_nodes=len(kept))
    full = on_map._replace(embedding=whole.embedding[drawn.rows])
    chosen = kept.numpy()

    d = full.embedding.size(1)
    own_rows = None if data is None else rows_of_data(path, names, name, data)
    label: Any = stored.columns.get("label") if data is None else named_labels(data)
    if label is not None and own_rows is not None:
        label = [label[row] for row in own_rows] if isinstance(label, list) else label[own_rows]
    known = labels("Label", "Classes of the data", label) if label is not None else None
    count = choices.clusters or (len(known.names) if isinstance(known, Categories) else 0)
    count = count if count > 1 else CLUSTERS
    given = [*own] if known is None else [known, *own]
    if own_rows is not None:
        taken = [one.name for one in given]
        given += [of_nodes(one, own_rows.numpy()) for one in feature_columns(data, taken)]
    found: list[Column] = [of_nodes(one, chosen) for one in given]
    own_names = [names[one] for one in chosen]
    clusters = measures.clusters(full.invariant().numpy(), count)._replace(name="Cluster by mean")
    found.append(name_clusters(clusters, found[known is not None :], own_names, None, choices.words))
    moved = "Distance from the node's own mean, as a root mean square over its windows; unknown for nodes of one window"
    far = movement(full)
    if not bool(far.isnan().all()):
        found.append(Numbers("Moved", moved, far.numpy()))
    found.append(Numbers("Windows", "Windows in which the node has an event", windows_seen(full).float().numpy()))

    changing: list[Column] = [] if own_rows is None else states_in_windows(full, data, own_rows[kept])
    changing.append(measures.clusters(full.embedding.numpy(), count)._replace(name="Cluster in this window"))
    changing.append(Numbers("Events in this window", "Ends of events that the node has in it", full.events.numpy()))
    check_columns([*found, *changing], choices)
    times = window_names(full.starts, stored.unit)
    contacts = None if own_rows is None else contacts_in_windows(full, edges_among(data.edges, own_rows[kept]))
    line = Timeline(on_map, times, changing, contacts)
    metric = "cosine" if d > 2 else "euclidean"
    spans = "1 window" if full.num_windows == 1 else f"{full.num_windows:,} windows"
    notes = [
        f"{len(kept):,} nodes in {spans} from {times[0]} to {times[-1]}",
        f"{len(node):,} rows; {drawn.how or 'embedding of 2 dimensions'}",
    ]
    return Scene(
        title=name,
        points=line.last_points().numpy(),
        notes=notes,
        columns=found,
        node_id=None if own_names == list(map(str, range(len(kept)))) else own_names,
        nearest=nearest_in_windows(full, NEAREST, metric),
        nearest_about=f"In {d} dimensions, {measures.METRIC_NAMES[metric]}, among the nodes of the window",
        merged_about=WITHOUT_EVENTS if own_rows is None else WITH_EVENTS,
        timeline=line,
        images=None if choices.no_images else thumbnails(None, None, own_names, choices.images),
        color_by=choices.color_by,
        size_by=choices.size_by,
    )


def rows_of_data(path: Path, names: Sequence[str], name: str, data: Any) -> "Tensor":
    """Which node of the data each node of the file is, int64 [n]; InputError for one that the data do not have."""
    import torch

    ids = range(len(data)) if data.node_id is None else data.node_id
    row = {str(one): at for at, one in enumerate(ids)}
    strange = next((one for one in names if one not in row), None)
    if strange is not None:
        raise wrong(path, f"node_id {strange!r}", f"nodes of {name}, such as {next(iter(row))!r}")
    return torch.tensor([row[one] for one in names])


def of_nodes(one: "Column", chosen: "npt.NDArray[Any]") -> "Column":
    """A column of some of the nodes."""
    from genurl_graph.plotting.explorer.colours import Numbers

    if isinstance(one, Numbers):
        return one._replace(values=one.values[chosen])
    return one._replace(codes=one.codes[chosen])


def edges_among(edges: "TemporalEdges", own_rows: "Tensor") -> "TemporalEdges":
    """The events among some nodes, int64 [k], counted from 0 in their order."""
    import torch

    from genurl_graph.inputs.temporal.events import TemporalEdges

    place = torch.full((edges.num_nodes,), -1)
    place[own_rows] = torch.arange(len(own_rows))
    source, target = place[edges.source], place[edges.target]
    both = (source >= 0) & (target >= 0)
    return TemporalEdges(source[both], target[both], edges.time[both], None, len(own_rows))


def states_in_windows(full: "Trajectory", data: Any, own_rows: "Tensor") -> "list[Column]":
    """Of planted events: what each node is in the middle of each window, as a column of the rows.

    `own_rows` says which node of the data each node is.
    """
    from genurl_graph.evaluation.temporal_nodes import row_labels
    from genurl_graph.plotting.explorer.colours import labels

    states = getattr(data, "states", None)
    if states is None:
        return []
    truth = row_labels(full, states._replace(label=states.label[own_rows]))
    names = data.label_names or []
    called: Any = truth.numpy()
    if int(truth.max()) < len(names):
        called = [names[code] if code >= 0 else "" for code in truth.tolist()]
    return [labels("State in this window", "What the node is, as it was planted", called)]
