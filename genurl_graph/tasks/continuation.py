r"""A 2-d map that goes on from a finished one: samples that were there stay where they were, new ones join them.

1. A new sample begins at the mean of its neighbours, weighted by P. Sweeps over the graph reach those whose neighbours
   are new, too; a component of P that is all new begins outside the map.
2. The given map has a scale of its own, and only the width of the kernel gives a map its scale: ``loss.temperature``
   becomes the one at which the divergence of the given coordinates is least. A map of more samples therefore keeps its
   extent; its samples lie closer.
3. The new samples are embedded among the others, which stay (`STEPS` steps).
4. All samples move, by small steps (`genurl_graph.tasks.resolve.resolve_start`), and an identity edge pulls each that
   was there back to where it was (`genurl_graph.objectives.bipartite.IdentityEdges`).

Identity edges between the layers of a supra-graph are those of temporal and multilayer networks (Kivelä et al., J.
Complex Networks 2:203, 2014); AlignedUMAP has a quadratic pull in their stead. The rest is ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.config.parameters import LossConfig
from genurl_graph.graph.affinity import log_kernel
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.inputs.start import Start
from genurl_graph.objectives.fft_repulsion import Mesh
from genurl_graph.runtime.random import randn

# Sweeps over new samples, at least, and at most in long chains of them.
SWEEPS = 5
MOST_SWEEPS = 1000
# Steps in which new samples alone move.
STEPS = 30
# Noise that parts new samples with the same neighbours, in widths of the kernel.
NOISE = 0.01
# A component that is all new begins this far from the centre, in radii of the map.
OUTSIDE = 1.2
# A temperature is searched up to 2^8 times that of a kernel as wide as a usual edge, and down to its inverse.
DOUBLINGS = 8
# Factor of the attraction at which a finished map counts as balanced, whatever phase ended it. MNIST: at 1 the kernel
# is so narrow that neighbourhoods are lost (temperature 0.9 for 10), at 1.5 so wide that the map grows (13).
BALANCE = 1.2


def continued(start: Start, merged: MergedGraph, config: Config) -> tuple[Tensor, Config]:
    """Coordinates [n, d] of all samples from a map of some of them, and the configuration at the map's temperature.

    Random numbers, which part new samples with the same neighbours, are the run's.
    """
    z, known = join(merged.edge_index.cpu(), merged.edge_weight.cpu(), start), start.known
    config = at_fitting_temperature(z, merged, config)
    width = math.sqrt(config.loss.temperature * config.loss.nu)
    return torch.where(known[:, None], z, z + NOISE * width * randn(tuple(z.shape))), config


def at_fitting_temperature(z: Tensor, merged: MergedGraph, config: Config) -> Config:
    """The configuration with the temperature that suits coordinates [n, d].

    Steps stay as long as they were in widths of the kernel. Where not all pairs are counted, or the loss has no
    profiled scale, nothing changes.
    """
    if config.sampling.negatives != "all" or not isinstance(config.loss.scale, str):
        return config
    temperature = fitting_temperature(merged.edge_index.cpu(), merged.edge_weight.cpu(), z, config.loss)
    lr = float(config.training.lr) * math.sqrt(temperature / config.loss.temperature)
    return config.override({"loss.temperature": temperature, "training.lr": lr})


def join(edge_index: Tensor, p: Tensor, start: Start) -> Tensor:
    """Coordinates [n, d]: those that are known, and for each other sample the mean of its neighbours'.

    Parameters
    ----------
    edge_index, p : Tensor [2, E], [E]
        Of a symmetric P, on the CPU.
    start : Start
        At least one sample is known.

    Examples
    --------
    >>> join(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), torch.ones(4), start)  # 0 and 2 are known: 1 lies between
    """
    row, col = edge_index
    new, n, z = ~start.known, len(start.known), start.z.clone()
    into = new[row]  # edges at whose other ends the known samples are looked up
    row, col, p = row[into], col[into], p[into]
    reached = start.known.clone()
    for sweep in range(MOST_SWEEPS):
        before, weight = int(reached.sum()), p * reached[col]
        total = torch.zeros(n).index_add_(0, row, weight)
        mean = torch.zeros_like(z).index_add_(0, row, z[col] * weight[:, None]) / total.clamp_min(1e-30)[:, None]
        found = new & (total > 0)
        z = torch.where(found[:, None], mean, z)
        reached |= found
        if sweep + 1 >= SWEEPS and int(reached.sum()) == before:
            break
    return z if bool(reached.all()) else _outside(edge_index, z, start.known, reached)


def _outside(edge_index: Tensor, z: Tensor, known: Tensor, reached: Tensor) -> Tensor:
    """The components of P that no known sample belongs to, each at one point around the map."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    row, col = edge_index.numpy()
    n, d = z.shape
    label = connected_components(csr_array((np.ones(len(row), dtype=np.int8), (row, col)), shape=(n, n)), False)[1]
    _, which = np.unique(label[~reached.numpy()], return_inverse=True)
    centre = z[known].mean(0)
    radius = OUTSIDE * float((z[known] - centre).norm(dim=1).max())
    direction = torch.nn.functional.normalize(randn((int(which.max()) + 1, d)))
    z = z.clone()
    z[~reached] = (centre + radius * direction)[torch.from_numpy(which)]
    return z


def fitting_temperature(edge_index: Tensor, p: Tensor, z: Tensor, loss: LossConfig) -> float:
    """The temperature T at which the divergence of fixed coordinates is least.

    With the profiled scale, and E = `BALANCE`, that is the minimum over T of::

        - E sum_ij p_ij log kappa_T(z_i - z_j) / P + log sum_ij kappa_T(z_i - z_j)

    at which the map wants neither to grow nor to shrink.

    Parameters
    ----------
    edge_index, p : Tensor [2, E], [E]
        Edges of P, on the CPU.
    z : Tensor, float32, shape [n, d]
        d at most 2.
    loss : LossConfig
        Its temperature is returned where no edge has a length.
    """
    row, col = edge_index
    share = (p / p.sum(dtype=torch.float64)).float()
    distance = (z[row] - z[col]).square().sum(1)
    if not bool((distance > 0).any()):
        return loss.temperature
    # On the scale of the map, whatever that is: there the kernel's width is that of a usual edge.
    begin = float(distance[distance > 0].median()) / loss.nu

    def divergence(exponent: float) -> float:
        temperature = begin * 2.0**exponent
        attraction = torch.dot(share, log_kernel(distance / temperature, loss.nu))
        return float(Mesh(temperature, loss.nu).log_total(z) - BALANCE * attraction)

    found: float = begin * 2.0 ** _minimum(divergence)
    return found


def _minimum(function: Callable[[float], float]) -> float:
    """Where a smooth function of one dip is least: from 0 downhill by steps of 1, then the vertex of a parabola."""
    low, middle, high = (function(float(x)) for x in (-1, 0, 1))
    at = 0
    while middle > min(low, high) and abs(at) < DOUBLINGS:
        if low < high:
            at, low, middle, high = at - 1, function(at - 2.0), low, middle
        else:
            at, low, middle, high = at + 1, middle, high, function(at + 2.0)
    bend = low - 2 * middle + high
    return at if bend <= 0 else at + min(max((low - high) / (2 * bend), -1.0), 1.0)
