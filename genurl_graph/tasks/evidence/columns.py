"""How many columns of the graph task's embedding are trained, components and positions: resolved from the data once."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_reliability import measure_consistency
from genurl_graph.graph.evidence import FEW, measure_evidence, measure_held_out, measure_structure
from genurl_graph.graph.line_graph.strokes import stroke_width
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.role_features import KERNEL_COLUMNS, ROLE_COLUMNS, role_features
from genurl_graph.graph.role_features.share import RoleShare, role_share
from genurl_graph.graph.sources import measure_reliability, share_of
from genurl_graph.inputs.input import Input
from genurl_graph.nn.build import skip_blocks
from genurl_graph.nn.gnn import GNNS
from genurl_graph.tasks.evidence import LEAST_DIM, MOST_NODES, heed_evidence, widened

# Feature consistency beyond chance from which components get all the columns that there are for them. Citation graphs
# have 0.08 to 0.24, product graphs, web pages and co-authors 0.35 and more.
FULL = 0.25
# Mean edge reliability down to which fewer columns are trained: unreliable edges have little to teach. WebKB's graphs
# have 0.2 to 0.3, Actor 0.1, citation graphs 1.
LEAST_RELIABLE = 0.25
# Share of the columns that positions get at most, and what fewer are not worth having.
POSITIONS, FEWEST = 1 / 3, 8
# By so much the structure has to predict held-out edges better than features do to count as ahead of them, one half,
# and the steepness there. A road network has 0.025, a product graph 0.00.
MARGIN, SLOPE = 0.015, 0.005
# Share of roles in what explains the edges from which they get all columns of components, and nodes for each column
# where communities explain all, of so many columns.
ROLES_FULL, NODES, FULL_COLUMNS = 0.45, 16, 85
# Share of the variance of roles between communities from which the network that learns these gets all its columns:
# motifs far apart have 0.01, citation graphs 0.08 to 0.10.
CONFOUNDED = 0.075
# Shares of the columns that positions and components get of edges as rows: an eighth is trained.
OF_EDGES, COMPONENTS = 1 / 8, 3 / 4


def resolve_columns(data: Input, config: Config) -> dict[str, Any]:
    """``encoder.structure_columns`` and ``encoder.skip`` of a resolved run: dotted keys.

    What "auto" is: of positions up to a third of ``encoder.dim`` (`share_of_positions`), of components up to two thirds
    in all blocks (`share_of_skip`), and at least a quarter is left to the network; where edges are unreliable
    (`edge_reliability`), or roles are of no community (`communities_taught`), components get up to eleven twelfths.
    Features apart from the network get half of the columns or more (`share_apart`).

    Raises
    ------
    InputError
        Columns that were asked for and cannot be: another task or encoder, no features, or too many.
    """
    c = config.encoder
    why = why_none_beside(data, config)
    left = 0 if why else c.dim - 1
    why_structure = why or why_no_positions(data, config)
    roles, edges = why is None and reads_roles(data, config), config.task == "edges"
    # A network that reads features as well as one-hot rows learns positions of its own.
    wanted = 0
    if c.structure_columns == "auto" and why_structure is None and c.dim >= LEAST_DIM:
        if edges:
            share = OF_EDGES
        elif roles or c.beside == "apart":
            share = share_by_communities(data)
        else:
            share = share_of_positions(data, config) if c.beside == "never" else 0.0
        wanted = min(int(c.dim * share), data.num_nodes - 2)
    wanted = wanted if wanted >= FEWEST else 0
    largest = max(min(left, data.num_nodes - 2), 0)
    structure = _asked("structure_columns", c.structure_columns, wanted, largest, why_structure)
    blocks = skip_blocks(config)
    # Hashed columns are what the encoder reads.
    width = KERNEL_COLUMNS if roles else int(config.input.hash_columns) or data.num_features
    width += ROLE_COLUMNS if c.beside == "always" and c.structure == "roles" else 0
    width += stroke_columns(data.num_features, config) + widened(config, width)
    most = 0 if why else min((left - structure) // blocks, width, data.num_nodes - 1)
    wanted = 0
    if c.skip == "auto" and why is None and c.dim >= LEAST_DIM:
        taught = max(communities_taught(data) if roles else edge_reliability(data, config), LEAST_RELIABLE)
        share = share_of_roles(data) if roles else share_of_skip(data, config)
        room = min((1 - taught / 3) * c.dim * share, (1 - taught / 4) * c.dim - structure)
        room = COMPONENTS * c.dim if edges else room
        room = c.dim * share_apart(data, config) if c.beside == "apart" else room
        wanted = max(min(most, int(room / blocks)), 0)
    skip = _asked("skip", c.skip, wanted, most, why)
    # Role features are read by the skip alone.
    one_hot = {"encoder.structure": "identity"} if roles and not skip else {}
    return {"encoder.structure_columns": structure, "encoder.skip": skip, **one_hot}


def share_apart(data: Input, config: Config) -> float:
    """How many of all columns features apart from the network get, as a share.

    Half of them where a network has communities to learn (`communities_taught`): if the features are noise, the other
    half tells what the edges know. Where it has none, seven eighths. Undecided in part, they get that part of it.
    """
    undecided = measure_evidence(data, config.neighbors.metric).undecided or 1.0  # asked for
    return undecided * (1 - max(communities_taught(data), LEAST_RELIABLE) / 2)


def stroke_columns(num_features: int, config: Config) -> int:
    """Columns that say of an edge what stroke it is in, beside its features and its roles; 0 where there are none."""
    c = config.encoder
    straight = config.task == "edges" and config.edges.straight != 0 and c.beside == "always" and c.structure == "roles"
    return stroke_width(num_features) if straight else 0


def _asked(key: str, value: int | str, wanted: int, most: int, why: str | None) -> int:
    """The number of columns that was asked for, or else `wanted`."""
    if isinstance(value, str):
        return wanted
    if value and why is not None:
        raise wrong(f"encoder.{key}", f"{value} with {why}", 0)
    if value > most:
        raise wrong(f"encoder.{key}", value, f"at most {most}")
    return value


def why_none_beside(data: Input, config: Config) -> str | None:
    """What keeps a run from having components beside trained columns; None if nothing does."""
    if not config.embeds_graph:
        return f"task {config.task}"
    if config.encoder.name not in (*GNNS, "sign"):
        return f"encoder {config.encoder.name}"
    if data.types is not None:
        return "HeteroData"
    return "no features" if heed_evidence(data, config)[0].x is None and not reads_roles(data, config) else None


def share_of_roles(data: Input) -> float:
    """How many of the columns that there are for components role features get, as a share.

    As far as they explain the predefined edges (`genurl_graph.graph.role_features.share`): their share s in it over
    `ROLES_FULL`, to the power of 4 times `communities_taught`. On small graphs fewer, the more communities explain, of
    which few nodes tell more.
    """
    share = measure_role_share(data).of_edges
    enough = data.num_nodes / (FULL_COLUMNS * NODES * max(1 - share, 1e-9))
    return min(float((share / ROLES_FULL) ** (4 * communities_taught(data))), enough, 1.0)


def communities_taught(data: Input) -> float:
    """How much room a network gets that learns communities, in [0, 1].

    None where communities tell nothing of edges, or nodes of every role are in every community: then roles are what
    tells nodes apart.
    """
    found = measure_role_share(data)
    return min(found.by_communities / CONFOUNDED, 1.0) * min(2 * (1 - found.of_edges), 1.0)


def measure_role_share(data: Input) -> RoleShare:
    """`role_share` of a graph, computed once."""
    known = data.known
    if "role share" not in known:
        known["role share"] = role_share(measure_roles(data), predefined_graph(data).edge_index)
    found: RoleShare = known["role share"]
    return found


def measure_roles(data: Input, device: torch.device | str = "cpu") -> Tensor:
    """Role features of a graph, computed once: both their share and the skip read them."""
    known = data.known
    if "roles" not in known:
        given = predefined_graph(data)
        known["roles"] = role_features(given.edge_index, given.edge_weight, data.num_nodes, device)
    found: Tensor = known["roles"]
    return found


def reads_roles(data: Input, config: Config) -> bool:
    """Whether the skip reads role features, for want of others."""
    return config.encoder.structure == "both" and heed_evidence(data, config)[0].x is None


def why_no_positions(data: Input, config: Config) -> str | None:
    """What keeps a run from having positions, where it can have components."""
    if config.encoder.name not in GNNS or config.sampling.negatives == "batch":
        return f"encoder {config.encoder.name} and sampling.negatives {config.sampling.negatives}"
    return None if data.num_nodes <= MOST_NODES else f"{data.num_nodes} nodes"


def share_of_positions(data: Input, config: Config) -> float:
    """How many of all columns positions get, as a share.

    ``D^2 (a + (1 - a) r D^2)`` times `POSITIONS`, with ``D = 2 s - 1`` and ``a = 1 / (1 + exp((p + MARGIN - s) /
    SLOPE))``: s and p are the AUC of held-out edges by the structure and by propagated features
    (`genurl_graph.graph.evidence.held_out`), r is the mean edge reliability. Where features predict the edges as well,
    only a structure that predicts nearly all of them says more than trained columns do.
    """
    found = measure_held_out(data, config.neighbors.metric)
    structure, features = found.structure, found.features
    ahead = 1 / (1 + math.exp(min((features + MARGIN - structure) / SLOPE, 700.0)))
    explained = (2 * structure - 1) ** 2
    return POSITIONS * explained * (ahead + (1 - ahead) * edge_reliability(data, config) * explained)


def share_by_communities(data: Input) -> float:
    """How many of all columns positions get beside a network that reads the structure alone, as a share.

    ``D^2 t`` times `POSITIONS`, D as in `share_of_positions`, t as `communities_taught` has it: roles have no position.
    """
    return POSITIONS * (2 * measure_structure(data) - 1) ** 2 * communities_taught(data)


def edge_reliability(data: Input, config: Config) -> float:
    """Mean reliability of the predefined edges: 1 where they count as they are, 0 where they are not read."""
    if config.encoder.beside == "apart":
        return 1.0
    if config.merge.weighting != "adaptive":
        return 0.0 if config.merge.weighting == "none" else 1.0
    data, edges = heed_evidence(data, config)[0], predefined_graph(data).edge_index
    found = measure_reliability(data, edges, config.neighbors.metric, share_of(config.merge.evidence))
    return float(found.of_nodes.mean())


def share_of_skip(data: Input, config: Config) -> float:
    """How many of the columns that there are for components they get, as a share.

    The evidence of the features, times ``min(1, ((c - 1/2) / FULL)^4)`` with their consistency c: twice an AUC less one
    is a rank correlation (Somers' D), its square a share of explained variance, and the square of that share leaves
    little to features that say little. It is no less than what edges lack in reliability, for then features are all
    there is. A table of few columns is kept whole, as far as there is evidence for it: halves of few columns predict
    nothing.
    """
    evidence = 1.0 if config.merge.evidence == "none" else float(config.merge.evidence)
    if data.num_features <= FEW:
        return evidence
    consistency = measure_consistency(data, config.neighbors.metric).value
    return evidence * max(min(max((consistency - 0.5) / FULL, 0.0) ** 4, 1.0), 1 - edge_reliability(data, config))
