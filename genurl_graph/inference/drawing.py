"""The 2-d map of an embedding, whatever its number of columns."""

from __future__ import annotations

from torch import Tensor

from genurl_graph.inference.fit import fit_model
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.runtime.devices import choose_device
from genurl_graph.tasks.resolve import feature_options, resolve_config


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
    '128 dimensions brought to 2 by GenURL's reduction'
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
