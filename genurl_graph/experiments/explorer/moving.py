"""The page of nodes that move with time, out of a file with their trajectory."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import wrong
from genurl_graph.experiments.sources import named_labels

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

    from genurl_graph.inputs.temporal.trajectory import Trajectory
    from genurl_graph.plotting.explorer.colours import Column
    from genurl_graph.plotting.explorer.scene import Scene

# Neighbours in a window that a node's card lists, and clusters where no labels say how many there are.
NEAREST, CLUSTERS = 10, 10
KEYS = ("trajectory", "trajectory_node", "trajectory_window", "trajectory_events", "window_start", "time_unit")
ABOUT = "Neighbours are those in the embedding, among the nodes of the same window"


def compose_moving(
    path: Path,
    stored: "dict[str, npt.NDArray[Any]]",
    name: str,
    data: Any,
    names: Sequence[str],
    own: "Sequence[Column]",
    clusters: int | None,
) -> "Scene":
    """Everything the page of a trajectory shows.

    Parameters
    ----------
    path
        Of the file, for messages.
    stored
        What `genurl_graph.inputs.embeddings.read_embedding` returns of a file with a trajectory.
    name : str
    data : EventSet, or None
        With labels of the nodes, and of planted events what each node is in which span of time.
    names : sequence of str, length n
    own : sequence of Column
        A user's own columns of the n nodes.
    clusters : int, optional
    """
    import torch

    from genurl_graph.inference.drawing import trajectory_map
    from genurl_graph.plotting.explorer import measures
    from genurl_graph.plotting.explorer.colours import Categories, Numbers, labels
    from genurl_graph.plotting.explorer.scene import Scene
    from genurl_graph.plotting.explorer.timeline import Timeline, nearest_in_windows
    from genurl_graph.plotting.temporal import movement, window_names
    from genurl_graph.plotting.temporal.movement import windows_seen

    whole, unit = trajectory_of(path, stored), str(stored.get("time_unit", getattr(data, "unit", "numbers")))
    drawn = trajectory_map(whole, 0)
    kept, node = torch.unique(drawn.trajectory.node, return_inverse=True)
    on_map = drawn.trajectory._replace(node=node, num_nodes=len(kept))
    full = on_map._replace(embedding=whole.embedding[drawn.rows])
    chosen = kept.numpy()

    d = full.embedding.size(1)
    own_rows = None if data is None else rows_of_data(path, names, name, data)
    label: Any = stored.get("label") if data is None else named_labels(data)
    if label is not None and own_rows is not None:
        label = [label[row] for row in own_rows] if isinstance(label, list) else label[own_rows]
    known = labels("Label", "Classes of the data", label) if label is not None else None
    count = clusters or (len(known.names) if isinstance(known, Categories) else 0)
    count = count if count > 1 else CLUSTERS
    given = own if known is None else [known, *own]
    found: list[Column] = [of_nodes(one, chosen) for one in given]
    found.append(measures.clusters(full.invariant().numpy(), count)._replace(name="Cluster by mean"))
    moved = "Distance from the node's own mean, as a root mean square over its windows; unknown for nodes of one window"
    found.append(Numbers("Moved", moved, movement(full).numpy()))
    found.append(Numbers("Windows", "Windows in which the node has an event", windows_seen(full).float().numpy()))

    changing: list[Column] = [] if own_rows is None else states_in_windows(full, data, own_rows[kept])
    changing.append(measures.clusters(full.embedding.numpy(), count)._replace(name="Cluster in this window"))
    if "trajectory_events" in stored:
        changing.append(Numbers("Events in this window", "Ends of events that the node has in it", full.events.numpy()))
    times = window_names(full.starts, unit)
    line = Timeline(on_map, times, changing)
    metric = "cosine" if d > 2 else "euclidean"
    notes = [
        f"{len(kept):,} nodes in {full.num_windows:,} windows from {times[0]} to {times[-1]}",
        f"{len(node):,} rows; {drawn.how or 'embedding of 2 dimensions'}",
    ]
    own_names = [names[one] for one in chosen]
    return Scene(
        title=name,
        points=line.last_points().numpy(),
        notes=notes,
        columns=found,
        node_id=None if own_names == list(map(str, range(len(kept)))) else own_names,
        nearest=nearest_in_windows(full, NEAREST, metric),
        nearest_about=f"In {d} dimensions, {measures.METRIC_NAMES[metric]}, among the nodes of the window",
        merged_about=ABOUT,
        timeline=line,
    )


def with_trajectory(path: Path, stored: "dict[str, npt.NDArray[Any]]") -> "dict[str, npt.NDArray[Any]]":
    """What is read of an embedding, and the trajectory beside it where the file holds one."""
    from genurl_graph.inputs.safe_load import load_archive

    if path.suffix.lower() != ".npz":
        return stored
    return {**load_archive(path, KEYS), **stored}


def trajectory_of(path: Path, stored: "dict[str, npt.NDArray[Any]]") -> "Trajectory":
    """The trajectory that a file holds; InputError where its parts do not fit."""
    import torch

    from genurl_graph.inputs.temporal.trajectory import Trajectory

    z, node, window = (torch.from_numpy(stored[f"trajectory{end}"]) for end in ("", "_node", "_window"))
    starts, n = torch.from_numpy(stored["window_start"]).double(), len(stored["embedding"])
    if not len(z) or len(node) != len(z) or len(window) != len(z):
        raise wrong(f"{path}: trajectory", f"{len(z):,} rows of {len(node):,} nodes", "as many, and some")
    if int(node.min()) < 0 or int(node.max()) >= n:
        raise wrong(f"{path}: trajectory_node", f"{int(node.max())}", f"0 to {n - 1:,}, rows of the embedding")
    if len(starts) == int(window.max()) + 1:  # without an end: that of the last window is its begin
        starts = torch.cat([starts, starts[-1:]])
    if int(window.min()) < 0 or int(window.max()) >= len(starts) - 1:
        raise wrong(f"{path}: trajectory_window", f"{int(window.max())}", f"0 to {len(starts) - 2}, those that begin")
    order = torch.argsort(window.long() * n + node.long())
    events = (
        torch.from_numpy(stored["trajectory_events"]).float() if "trajectory_events" in stored else torch.ones(len(z))
    )
    return Trajectory(node.long()[order], window.long()[order], z.float()[order], events[order], starts, n)


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


def states_in_windows(full: "Trajectory", data: Any, own_rows: "Tensor") -> "list[Column]":
    """Of planted events: what each node is in the middle of each window, as a column of the rows.

    `own_rows` says which node of the data each node is.
    """
    import torch

    from genurl_graph.plotting.explorer.colours import labels

    states = getattr(data, "states", None)
    if states is None:
        return []
    middle = (full.starts[:-1] + full.starts[1:]) / 2
    span = (torch.searchsorted(states.starts.double(), middle, right=True) - 1).clamp_min(0)
    truth = states.label[own_rows[full.node], span[full.window]]
    return [labels("State in this window", "What the node is, as it was planted", truth.numpy())]
