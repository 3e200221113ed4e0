"""The plot of a fitted model: its embedding as a 2-d map, whatever its number of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inference.fit import fit_model
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.plotting import scatter
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.files import StrPath
from genurl_graph.tasks.resolve import feature_options, resolve_config

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from genurl_graph.plotting.palette import Cmap, Norm


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
        That takes the time of a fit, once: further plots of the same fit have the same map.

        Parameters
        ----------
        labels : Tensor, array, sequence, or pandas Series, Index or Categorical, shape [n], optional
            They colour the finished map. They never enter the training, nor the reduction to two columns.
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
