"""The plot of a fitted model: its embedding as a 2-d map, whatever its number of columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inference.fit import fit_model
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting import PLOT_SUFFIXES, scatter
from genurl_graph.plotting.explorer.measures import clusters
from genurl_graph.plotting.temporal import paths, window_panels
from genurl_graph.plotting.temporal.movement import most_moving, most_text
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.files import StrPath, check_output
from genurl_graph.tasks.resolve import feature_options, resolve_config

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from genurl_graph.plotting.palette import Cmap, Norm

# Rows of a trajectory that are reduced together: beyond, a sample of the nodes is drawn.
MOST_ROWS = 50_000
# Colours of nodes without labels, so that the eye can follow them from window to window.
CLUSTERS = 10
# Nodes whose paths are drawn.
PATHS = 8


class Drawing:
    """The method `plot` of `genurl_graph.estimator.GenURL`."""

    model_: FittedModel
    # Of which model, and what `as_map` made of it: colouring it anew takes no second reduction.
    _map: tuple[FittedModel, Tensor, str] | None = None

    def plot(
        self,
        labels: Any = None,
        *,
        ax: Axes | None = None,
        path: StrPath | None = None,
        title: str | None = None,
        subtitle: str | None = None,
        label: str | None = None,
        cmap: Cmap = None,
        norm: Norm = None,
        size: float | None = None,
        alpha: float | None = None,
        legend: bool = True,
    ) -> Axes:
        """Draw the embedding of the fitted samples as a 2-d map; a notebook shows it under its cell.

        An embedding of more than two columns is first brought to two, as by
        ``GenURL(2, task="reduce", random_state=model.seed_).fit_transform(model.embedding_)``; the subtitle says so.
        This takes as long as a fit, but only once: further plots of the same fit use the same map.

        Parameters
        ----------
        labels : Tensor, array, sequence, or pandas Series, Index or Categorical, shape [n], optional
            They colour the finished map. They are used neither in the training nor in the reduction to two columns.
        ax, path, title, subtitle, label, cmap, norm, size, alpha, legend
            As of `genurl_graph.plotting.scatter`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, InputError
            Not fitted; an embedding of one column, and what `genurl_graph.plotting.scatter` refuses.

        Examples
        --------
        >>> model = GenURL(n_components=2, random_state=0).fit(data)
        >>> ax = model.plot(data.y, title="Cora")
        >>> ax.figure.savefig("cora.pdf")
        """
        check_is_fitted(self)
        z = self.model_.embedding
        if z.shape[1] < 2:
            raise wrong("plot", "an embedding of one column", "at least two")
        if self._map is None or self._map[0] is not self.model_:
            self._map = (self.model_, *as_map(z, self.model_.seed))
        _, points, how = self._map
        return scatter(
            points,
            labels,
            ax=ax,
            path=path,
            title=title,
            subtitle="; ".join(part for part in (subtitle, how) if part) or None,
            label=label,
            cmap=cmap,
            norm=norm,
            size=size,
            alpha=alpha,
            legend=legend,
        )


def as_map(z: Tensor, seed: int) -> tuple[Tensor, str]:
    """Bring an embedding to two columns, as ``GenURL(2, task="reduce", random_state=seed)`` does.

    Parameters
    ----------
    z : Tensor, float, shape [n, d], on the CPU
    seed : int

    Returns
    -------
    points : Tensor, float32, shape [n, 2]
        `z` itself if it has two columns.
    how : str
        In words, how `z` became a map; "" if it was one.

    Examples
    --------
    >>> points, how = as_map(model.embedding_, model.seed_)
    >>> how
    "128 dimensions brought to 2 by GenURL's reduction"
    """
    n, d = z.shape
    if d == 2:
        return z, ""
    data = as_graph(z, features=feature_options(None, "auto", False))
    device = choose_device("auto")
    # A graph smaller than the preset's neighbourhood still gets its map.
    arguments = {"encoder.dim": 2, "neighbors.n_neighbors": n - 1 if n <= 10 else None}
    config = resolve_config(data, "reduce", None, arguments, device)
    return fit_model(data, config, seed, device).embedding, f"{d} dimensions brought to 2 by GenURL's reduction"


class TrajectoryMap(NamedTuple):
    """A trajectory on a 2-d map.

    Attributes
    ----------
    trajectory : Trajectory
        Of two columns; all nodes of the given one are counted, but those not drawn have no rows.
    rows : Tensor, int64, shape [R']
        Which rows of the given one are drawn, ascending.
    how : str
        In words, how it was made; "" if all rows are drawn as they were.
    """

    trajectory: Trajectory
    rows: Tensor
    how: str


def trajectory_map(trajectory: Trajectory, seed: int, most: int = MOST_ROWS) -> TrajectoryMap:
    """Bring a trajectory to two columns by one reduction of all its rows, so that the maps of all windows agree.

    If there are more than `most` rows, a random sample of the nodes is drawn, each with all its rows.

    Parameters
    ----------
    trajectory : Trajectory
        Of two columns or more, on the CPU.
    seed : int
        Seed of the sample and of the reduction (`as_map`): the same seed gives the same map.
    most : int

    Raises
    ------
    InputError
        No rows, or one column.

    Examples
    --------
    >>> found = trajectory_map(model.trajectory_, model.seed_)
    >>> found.how
    "64 dimensions brought to 2 by GenURL's reduction of all windows together"
    """
    z = trajectory.embedding
    if not len(z) or z.size(1) < 2:
        raise wrong("trajectory", f"shape {list(z.shape)}", "some rows of at least two columns")
    rows, notes = torch.arange(len(z)), []
    if len(z) > most:
        count = torch.bincount(trajectory.node, minlength=trajectory.num_nodes)
        order = torch.randperm(trajectory.num_nodes, generator=torch.Generator().manual_seed(seed))
        order = order[count[order] > 0]
        kept = torch.zeros(trajectory.num_nodes, dtype=torch.bool)
        kept[order[count[order].cumsum(0) <= most]] = True
        kept[order[0]] = True  # even if that one alone has more rows
        rows = kept[trajectory.node].nonzero().flatten()
        notes.append(f"a random sample of {int(kept.sum()):,} of {len(order):,} nodes, with all their windows")
    points, how = as_map(z[rows], seed)
    if how:
        notes.append(f"{how} of all windows together")
    drawn = trajectory._replace(
        node=trajectory.node[rows],
        window=trajectory.window[rows],
        embedding=points,
        events=trajectory.events[rows],
    )
    return TrajectoryMap(drawn, rows, "; ".join(notes))


def plot_trajectory(
    path: StrPath,
    trajectory: Trajectory,
    labels: Any = None,
    *,
    seed: int = 0,
    unit: str = "numbers",
    names: Sequence[Any] | None = None,
    title: str | None = None,
    subtitle: str | None = None,
) -> list[Path]:
    """Draw nodes that move with time, in two files: window by window, and the paths of those that move most.

    Parameters
    ----------
    path
        Of the small multiples by window, ``map.png``; ``map-trajectory.png`` gets the paths.
    trajectory : Trajectory
        Of two columns or more.
    labels : Tensor, array or sequence, shape [n], optional
        They colour both plots. Without labels, colours are k-means clusters of the nodes' time-invariant parts.
    seed : int
        Of the 2-d map (`trajectory_map`).
    unit, title, subtitle
        As of `genurl_graph.plotting.temporal.window_panels`.
    names : sequence, length n, optional
        Of the nodes.

    Returns
    -------
    list of Path
        The two files.

    Raises
    ------
    InputError
        What `trajectory_map`, `genurl_graph.plotting.temporal.window_panels` and `paths` refuse.

    Examples
    --------
    >>> plot_trajectory("map.png", model.trajectory_, seed=model.seed_)
    [PosixPath('map.png'), PosixPath('map-trajectory.png')]
    """
    first = check_output(path, PLOT_SUFFIXES)
    second = check_output(first.with_name(f"{first.stem}-trajectory{first.suffix}"), PLOT_SUFFIXES)
    found = trajectory_map(trajectory, seed)
    lines = "; ".join(part for part in (subtitle, found.how) if part) or None
    colours, label = labels, None
    if labels is None:
        # Of the drawn nodes; that of the others is not seen.
        kept = torch.unique(found.trajectory.node)
        colours, label = torch.ones(trajectory.num_nodes, dtype=torch.int64), "cluster by mean"
        colours[kept] += torch.from_numpy(clusters(trajectory.invariant()[kept].numpy(), CLUSTERS, seed).codes)
    window_panels(found.trajectory, colours, unit=unit, path=first, title=title, subtitle=lines, label=label)
    # Chosen before the reduction, which may tear a node's rows apart.
    chosen = most_moving(found.trajectory._replace(embedding=trajectory.embedding[found.rows]), PATHS)
    if len(chosen):
        most = f"{most_text(len(chosen))} in {trajectory.embedding.size(1)} dimensions"
        lines = f"{most}; {lines}" if lines else most
    nodes = chosen.tolist() or None
    paths(found.trajectory, nodes, labels, names=names, path=second, title=title, subtitle=lines)
    return [first, second]
