"""Windows that follow those of a saved model, in a file of their own."""

from pathlib import Path
from typing import TYPE_CHECKING

from genurl_graph.experiments.sources import named_labels

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.temporal.event_set import EventSet


def write_later(path: Path, estimator: "GenURL", data: "EventSet", windows: str | None) -> dict[str, Path]:
    """Move a model on by later events, and write what is new; the files by what they hold.

    The trajectory is that of the new windows, counted from 0; the embedding the time-invariant part of all nodes of
    the model, over all of its windows. Labels of the nodes in `data` go along.
    """
    import pandas as pd

    from genurl_graph.inputs.temporal.trajectory import Trajectory
    from genurl_graph.inputs.temporal.trajectory_files import trajectory_path, write_trajectory

    before = estimator.trajectory_.num_windows
    whole = estimator.update(data, windows=windows).trajectory_
    first = whole.rows(before).start
    later = Trajectory(
        whole.node[first:],
        whole.window[first:] - before,
        whole.embedding[first:],
        whole.events[first:],
        whole.starts[before:],
        whole.num_nodes,
    )
    z, names, labels = estimator.embedding_, [*map(str, estimator.node_id_)], named_labels(data)
    if labels is not None:
        own = data.node_id if data.node_id is not None else range(len(data))
        told = [label if isinstance(label, str) else str(int(label)) for label in labels]
        labels = pd.Series(told, index=[*map(str, own)]).reindex(names, fill_value="").tolist()
    write_trajectory(path, z, later, names, labels, data.unit)
    return {
        f"embedding {z.size(0):,} x {z.size(1)}": path,
        f"trajectory {len(later.node):,} x {z.size(1)}": trajectory_path(path),
    }
