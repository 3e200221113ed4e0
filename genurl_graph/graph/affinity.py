"""From distances on a graph to similarities P: kernel, calibration of every row, fuzzy union.

Equations (reconstructed from GenURL, arXiv 2110.14553; the calibration is UMAP's, arXiv 1802.03426,
algorithm 3, with Student's t kernel in place of the exponential)::

    rho_i   = min_j d_ij
    p_{j|i} = kappa((d_ij - rho_i) / sigma_i; nu)      sigma_i such that  sum_j p_{j|i} = log2(perplexity)
    p_ij    = p_{j|i} + p_{i|j} - p_{j|i} p_{i|j}

Everything is a list over edges: memory O(E), and nothing depends on the order of nodes or edges.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_lists import both_directions, values_at
from genurl_graph.inputs.validation import check_edges
from genurl_graph.runtime.workers import share_jobs

# From so many rows on, rows of equal length are calibrated as a table, so many at a time: 1 MB of float64 for k = 15.
LARGE, SOLVED_ROWS = 1 << 15, 1 << 13


class Calibration(NamedTuple):
    """Result of `calibrate`: one similarity for each edge, the rest for each row."""

    p_conditional: Tensor  # [E], dtype of the distances: p_{j|i} in the order of the edges
    rho: Tensor  # [rows] float64: distance of the nearest neighbour, 0 for a row without neighbours
    sigma: Tensor  # [rows] float64: bandwidth; 0 or inf where the row saturates
    reached: Tensor  # [rows] bool: the row sums to log2(perplexity)


def log_kernel(d: Tensor, nu: float, normalize: bool = True) -> Tensor:
    """Logarithm of Student's t kernel, ``2 pi g(nu)^2 (1 + d / nu)^-(nu + 1)``.

    ``g(nu) = Gamma((nu + 1) / 2) / (sqrt(nu pi) Gamma(nu / 2))``. Large nu is nearly ``exp(-d)``, small
    nu has heavy tails. The raw kernel at 0 falls with nu (0.637 at nu = 1, 0.0155 at nu = 0.01), which is why
    the default divides by it: then log kappa(0) = 0.

    Parameters
    ----------
    d : Tensor, float, any shape
        Distances >= 0 (squared Euclidean in the embedding).
    nu : float
        Degrees of freedom, > 0.
    normalize : bool
        Divide by the value at 0.

    Returns
    -------
    Tensor, the shape of `d`
        Never above 0 if normalised; finite for every finite d, where the kernel itself may underflow.
    """
    if not 0 < nu < math.inf:
        raise wrong("nu", nu, "a finite number > 0")
    log_shape = -(nu + 1) * torch.log1p(d / nu)
    if normalize:
        return log_shape
    log_g = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi)
    return log_shape + (math.log(2 * math.pi) + 2 * log_g)


def kernel(d: Tensor, nu: float, normalize: bool = True) -> Tensor:
    """Student's t kernel, the exponential of `log_kernel`; in [0, 1] if normalised."""
    return log_kernel(d, nu, normalize).exp()


@torch.no_grad()
def calibrate(
    row: Tensor,
    distance: Tensor,
    num_rows: int,
    perplexity: float,
    nu: float = 100.0,
    tol: float = 1e-4,
    whole: int | None = None,
) -> Calibration:
    """Conditional similarities p_{j|i} of the neighbours j of every row i: nodes of a graph, or new samples.

    The row sum grows with sigma from the number of neighbours at distance rho (sigma -> 0) to the number of
    all neighbours (sigma -> inf). A bisection finds sigma between the two, for all rows at once, in float64.
    A row whose range excludes log2(perplexity) saturates at the nearer end and has ``reached`` False:

    * at most log2(perplexity) neighbours (one neighbour, none): sigma = inf, every p_{j|i} = 1;
    * that many ties at the nearest distance (duplicates, constant distances): sigma = 0, the ties have
      p_{j|i} = 1 and farther neighbours 0.

    Multiplying all distances of a row by c > 0 multiplies rho and sigma by c and leaves p unchanged.

    Parameters
    ----------
    row : Tensor, int64, shape [E]
        Row of each entry, in any order; of a graph ``edge_index[0]``.
    distance : Tensor, float, shape [E]
        Finite distances >= 0.
    num_rows : int
        Number of rows; rows without entries are allowed.
    perplexity : float
        Effective number of neighbours, > 2 (the nearest neighbour alone contributes 1 = log2 2).
    nu : float
        Degrees of freedom of the kernel; 100 is nearly Gaussian (in the distance: exponential).
    tol : float
        Largest error of a row sum.
    whole : int, optional
        Of how many rows these are a part: from `LARGE` on, each comes out as it would among all.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        A distance that is negative or not finite, shapes that do not match, a row out of range,
        perplexity <= 2, tol <= 0 or nu <= 0.
    """
    _check_rows(row, distance, num_rows, perplexity, tol)
    target = math.log2(perplexity)
    d = distance.double()
    rho = _scatter(d, row, dim_size=num_rows, reduce="min")
    u = d - rho[row]
    count = torch.bincount(row, minlength=num_rows)
    ties = torch.bincount(row[u == 0], minlength=num_rows)

    sigma = torch.where(count <= target, math.inf, 0.0).to(d)
    solvable = (ties < target) & (target < count)
    if (num_rows if whole is None else whole) >= LARGE and _is_table(row, num_rows):
        sigma = _solve(u.view(num_rows, -1), ties, solvable, sigma, target, nu, 0.5 * tol)
    elif bool(solvable.any()):
        entry = solvable[row] & (u > 0)
        local = solvable.cumsum(0) - 1
        remainder = target - ties[solvable].double()
        sigma[solvable] = _bisect(local[row[entry]], u[entry], remainder, nu, 0.5 * tol)

    # 0 / 0 at the ties of sigma = 0, and u / inf = 0: a distance of rho has similarity 1 whatever sigma is.
    p = torch.where(u == 0, 1.0, kernel(u / sigma[row], nu))
    total = _scatter(p, row, dim_size=num_rows, reduce="sum")
    return Calibration(p.to(distance.dtype), rho, sigma, (total - target).abs() <= tol)


def _scatter(values: Tensor, row: Tensor, dim_size: int, reduce: str) -> Tensor:
    """PyG's `scatter` of numbers, without seconds of its import."""
    zeros = values.new_zeros(dim_size)
    if reduce == "sum":
        return zeros.scatter_add_(0, row, values)
    return zeros.scatter_reduce_(0, row, values, "a" + reduce, include_self=False)


def _is_table(row: Tensor, num_rows: int) -> bool:
    """Whether all rows have the same number of entries, one row after the other."""
    width = row.numel() // num_rows
    if width == 0 or row.numel() != width * num_rows:
        return False
    table = row.view(num_rows, width)
    number = torch.arange(num_rows, device=row.device)
    return torch.equal(table[:, 0], number) and torch.equal(table, number[:, None].expand_as(table))


def _solve(u: Tensor, ties: Tensor, solvable: Tensor, sigma: Tensor, target: float, nu: float, tol: float) -> Tensor:
    """`_bisect` for a table u [R, k] of many rows, by Newton's steps in log(sigma) within the bracket of a bisection.

    With ``x = u / (nu sigma)`` a similarity is ``(1 + x)^-(nu + 1)``, and its derivative ``(nu + 1) x / (1 + x)`` times
    itself. Four to six steps are enough where a bisection takes 15 to 20.
    """
    count = u.size(1) - ties.double()
    remainder = (target - ties.double()).clamp(min=0.0)

    def solve(part: slice) -> Tensor:
        rows = solvable[part].nonzero().squeeze(1)
        found = sigma[part].clone()
        v, wanted, tied = u[part][rows] / nu, remainder[part][rows], ties[part][rows].double()
        if not len(rows):
            return found
        # As in `_bisect`: were all as near as the nearest, or as far as the farthest, sigma would have a closed form.
        x = torch.expm1(-(wanted / count[part][rows]).log() / (nu + 1))
        low = (v.masked_fill(v == 0, math.inf).amin(1) / x).log()
        high = (v.amax(1) / x).log()
        at = 0.5 * (low + high)
        for _ in range(64):
            y = v * (-at).exp()[:, None]
            p = torch.log1p(y).mul_(-(nu + 1)).exp_()
            # Ties are 1 in the sum, but do not count.
            error = p.sum(1) - tied - wanted
            if bool((error.abs() <= tol).all()):
                break
            low, high = torch.where(error > 0, low, at), torch.where(error > 0, at, high)
            slope = p.mul_(y.div_(1 + y)).sum(1).mul_(nu + 1)
            step = at - error / slope
            step = torch.where((step > low) & (step < high), step, 0.5 * (low + high))
            at = torch.where(error.abs() <= tol, at, step)
        found[rows] = at.exp()
        return found

    parts = [slice(start, start + SOLVED_ROWS) for start in range(0, len(u), SOLVED_ROWS)]
    return torch.cat(share_jobs(solve, parts, u.device))


def _bisect(row: Tensor, u: Tensor, target: Tensor, nu: float, tol: float) -> Tensor:
    """sigma [R] with ``sum kappa(u / sigma) = target`` over each row's entries u > 0; 0 < target < count."""
    num_rows = target.numel()
    count = torch.bincount(row, minlength=num_rows)
    # If every entry were as near as the nearest, or as far as the farthest, sigma would have a closed form:
    # kappa(x) = target / count at x = nu expm1(-log(target / count) / (nu + 1)). The root lies between.
    x = nu * torch.expm1(-(target / count).log() / (nu + 1))
    low = (_scatter(u, row, dim_size=num_rows, reduce="min") / x).log()
    high = (_scatter(u, row, dim_size=num_rows, reduce="max") / x).log()

    sigma = torch.empty_like(target)
    active = torch.arange(num_rows, device=u.device)
    # 64 halvings exhaust float64 from any bracket; most rows need 15 to 20.
    for _ in range(64):
        middle = 0.5 * (low + high)
        sigma[active] = middle.exp()
        total = _scatter(kernel(u / sigma[active][row], nu), row, dim_size=active.numel(), reduce="sum")
        above = total > target
        high, low = torch.where(above, middle, high), torch.where(above, low, middle)
        open_ = (total - target).abs() > tol
        still = int(open_.sum())
        if still == 0:
            break
        if still < 0.7 * active.numel():
            keep = open_[row]
            row, u = (open_.cumsum(0) - 1)[row[keep]], u[keep]
            active, low, high, target = active[open_], low[open_], high[open_], target[open_]
    return sigma


def symmetrize(edge_index: Tensor, p_conditional: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Fuzzy union of the two directions, ``p_ij = p_{j|i} + p_{i|j} - p_{j|i} p_{i|j}``.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Row 0 is the node i whose row is calibrated, row 1 its neighbour j. No self loops, each edge once; an edge
        that is missing in one direction has p = 0 there.
    p_conditional : Tensor, float, shape [E]
        Values in [0, 1].
    num_nodes : int
        Number of nodes.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E']
        Every edge in both directions, once, sorted by row.
    p : Tensor, float, shape [E']
        In [0, 1]; p_ij and p_ji are equal to the last bit. Edges with p = 0 are kept.

    Raises
    ------
    InputError
        Self loops, duplicate edges, nodes out of range, or values outside [0, 1].
    """
    edge_index, _ = check_edges(edge_index, num_nodes, loops=False)
    if p_conditional.shape != edge_index.shape[1:]:
        raise wrong("p_conditional", f"shape {list(p_conditional.shape)}", f"[{edge_index.size(1)}]")
    if not bool(((p_conditional >= 0) & (p_conditional <= 1)).all()):
        raise wrong("p_conditional", "values outside [0, 1]", "probabilities")
    if not edge_index.is_cuda:
        edges, *places = both_directions(edge_index, num_nodes)
        one, two = (values_at(p_conditional, place) for place in places)
        return edges, fuzzy_union(one, two)
    key = (edge_index[0] * num_nodes + edge_index[1]).sort().values
    repeated = int((key[1:] == key[:-1]).sum())
    if repeated:
        raise wrong("edge_index", f"{repeated} duplicate edges", "each edge once")
    from torch_geometric.utils import coalesce

    # Two columns, forward and backward: `coalesce` puts p_{j|i} beside p_{i|j}, 0 where one is missing.
    both = torch.cat([edge_index, edge_index.flip(0)], dim=1)
    none = torch.zeros_like(p_conditional)
    columns = torch.stack([torch.cat([p_conditional, none]), torch.cat([none, p_conditional])], dim=1)
    edges, columns = coalesce(both, columns, num_nodes)
    return edges, fuzzy_union(*columns.unbind(1))


def fuzzy_union(one: Tensor, two: Tensor) -> Tensor:
    """``one + two - one two`` of probabilities [E]."""
    # Written so that rounding can neither leave [max, 1] nor break the symmetry.
    high, low = torch.maximum(one, two), torch.minimum(one, two)
    return high + low * (1 - high)


def similarities(
    edge_index: Tensor, distance: Tensor, num_nodes: int, perplexity: float, nu: float = 100.0
) -> tuple[Tensor, Tensor]:
    """P of a graph with distances on its edges: `calibrate`, then `symmetrize`.

    Parameters
    ----------
    edge_index, num_nodes
        As in `symmetrize`.
    distance, perplexity, nu
        As in `calibrate`.

    Returns
    -------
    edge_index, p
        As from `symmetrize`.

    Examples
    --------
    >>> edge_index, distance = knn_graph(x, n_neighbors=15)
    >>> edge_index, p = similarities(edge_index, distance, num_nodes=len(x), perplexity=15)
    """
    edge_index, _ = check_edges(edge_index, num_nodes, loops=False)
    p_conditional = calibrate(edge_index[0], distance, num_nodes, perplexity, nu).p_conditional
    return symmetrize(edge_index, p_conditional, num_nodes)


def _check_rows(row: Tensor, distance: Tensor, num_rows: int, perplexity: float, tol: float) -> None:
    if row.dim() != 1 or distance.shape != row.shape:
        raise wrong("distance", f"shape {list(distance.shape)} for rows {list(row.shape)}", "[E] both")
    if row.numel() and (int(row.min()) < 0 or int(row.max()) >= num_rows):
        raise wrong("row", f"{int(row.min())} to {int(row.max())}", f"0 to {num_rows - 1}")
    if not distance.is_floating_point():
        raise wrong("distance", f"dtype {distance.dtype}", "a floating-point one")
    bad = (~(torch.isfinite(distance) & (distance >= 0))).nonzero()
    if len(bad):
        first = int(bad[0])
        found = f"{len(bad)} negative or non-finite values, the first ({float(distance[first])}) at position {first}"
        raise wrong("distance", found, "finite distances >= 0")
    if not 2 < perplexity < math.inf:
        raise wrong("perplexity", perplexity, "a finite number > 2")
    if not tol > 0:
        raise wrong("tol", tol, "a number > 0")
