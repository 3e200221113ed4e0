"""How far features count in the graph task: resolved from the data once, and applied to what later stages read."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from genurl_graph.config import Config, load_preset
from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_attributes.heed import weigh_attributes
from genurl_graph.graph.evidence import WIDE, Evidence, measure_evidence
from genurl_graph.graph.role_features import KERNEL_COLUMNS
from genurl_graph.graph.structural_features import ONE_HOT
from genurl_graph.inputs.input import Input
from genurl_graph.nn.build import DENSE
from genurl_graph.nn.gnn import GNNS
from genurl_graph.runtime.processes import world_size

# Encoders that read a node's own row: they keep features that show nothing, for want of anything else to read.
ROW_ENCODERS = ("sign", "module", *DENSE)
# Structural columns stand beside features that weigh less than so many columns in full, or have less evidence.
FEW_COLUMNS, LITTLE = 8.0, 0.5
# What a run reads that has features, by ``encoder.beside``.
READS = {"never": "features", "always": "both", "apart": "apart"}
# Embeddings of fewer columns are maps, and trained as a whole.
LEAST_DIM = 16
# Nodes up to which one-hot columns stand beside features.
MOST_NODES = 100_000


def weigh_evidence(
    data: Input, asked: dict[str, Any], metric: Callable[..., str], task: str = "graph"
) -> tuple[Input, dict[str, Any]]:
    """Resolve ``merge.edge_attributes`` and ``merge.evidence`` of the graph task.

    Parameters
    ----------
    data : Input
    asked : dict
        What was asked for, by dotted name.
    metric : callable
        ``metric(data, config)``, the metric of features under a configuration.
    task : "graph" or "edges"

    Returns
    -------
    data : Input
        As `heed_evidence` leaves it.
    asked : dict
        With ``merge.evidence`` as a number and the metric it was measured with, or "none" if it is not to be measured.
    """
    data, asked = weigh_attributes(data, asked, task)
    config = load_preset(task).override(asked)
    # Geodesics are as long as features are apart, and without the edges features are all there is.
    full = config.merge.evidence == "none" or config.merge.weighting == "none" or config.merge.how == "geodesic"
    if full or data.x is None or data.types is not None:
        return data, asked | {"merge.evidence": "none"}
    how, evidence = metric(data, config), config.merge.evidence
    found: dict[str, Any] = {"neighbors.metric": how, "merge.evidence": evidence}
    if evidence == "auto":
        measured = measure_evidence(data, how)
        found["merge.evidence"] = measured.overall
        c = config.encoder
        # They stand in the skip, or nowhere.
        room = task == "graph" and c.beside == "auto" and c.skip != 0 and c.dim >= LEAST_DIM
        if measured.undecided and room and why_not_apart(config) is None:
            found["encoder.beside"] = "apart"
    return heed_evidence(data, config.override(found))[0], asked | found


def resolve_beside(data: Input, config: Config) -> dict[str, Any]:
    """``encoder.beside`` of a run whose evidence is resolved: "always", "never" or "apart".

    InputError if structural columns are asked for beside features of an encoder that is no GNN, or features apart from
    them where they cannot be.
    """
    beside, evidence = config.encoder.beside, config.merge.evidence
    if beside == "apart":
        why = "HeteroData" if data.types is not None else "no features" if data.x is None else why_not_apart(config)
        if why is not None:
            raise wrong("encoder.beside", f"apart with {why}", "always or never")
        return {"encoder.beside": beside}
    if beside == "always" and (config.encoder.name not in GNNS or data.types is not None):
        found = f"always with encoder {config.encoder.name}" if data.types is None else "always with HeteroData"
        raise wrong("encoder.beside", found, "a GNN, or never")
    if data.x is None or evidence == "none" or config.encoder.name not in GNNS:
        few = False
    else:
        weight = data.column_weight
        full = data.num_features if weight is None else float(weight.sum() / weight.max())
        few = data.num_features < WIDE or full < FEW_COLUMNS or float(evidence) < LITTLE
        few = few and data.num_nodes <= MOST_NODES
    if data.x is not None and beside == "always":
        few = True
    return {"encoder.beside": "always" if few and beside != "never" else "never"}


def resolve_structure(data: Input, config: Config) -> str:
    """``encoder.structure`` of a run whose evidence is resolved.

    Role features and one-hot rows for GNNs on one type of nodes without features; role features for encoders that know
    no node by its own column; one-hot rows elsewhere, where features tell roles or each type has structure of its own.
    InputError if both are asked for that cannot be.
    """
    structure, name = config.encoder.structure, config.encoder.name
    if config.encoder.beside == "apart":
        return "identity"
    able = name in GNNS and data.types is None and config.embeds_graph
    if structure == "both" and not able:
        found = "HeteroData" if data.types is not None else f"task {config.task}, encoder {name}"
        raise wrong("encoder.structure", f"both with {found}", "a GNN in the graph task on one type of nodes, or roles")
    bare = data.types is None and (data.x is None or reads_structure_alone(config)) and config.embeds_graph
    if structure == "both" and not bare and config.encoder.beside != "always":
        return "identity"  # neither is read
    if structure != "auto":
        return structure
    return "identity" if not bare else "both" if able else "roles"


def why_not_apart(config: Config) -> str | None:
    """What keeps the features of a run apart from a network that reads one-hot rows; None if nothing does."""
    c, merge = config.encoder, config.merge
    if c.name not in GNNS or not config.embeds_graph:
        return f"task {config.task}, encoder {c.name}"
    if c.structure not in ("auto", "identity"):
        return f"encoder.structure {c.structure}"
    if config.sampling.negatives == "batch":
        return "sampling.negatives batch"
    if merge.column_weight > 0:
        return f"merge.column_weight {merge.column_weight:g}"
    if merge.evidence == "none" or merge.weighting == "none":
        return "kNN edges that count in any case"
    return None if world_size() == 1 else "several processes"


def reads_structure_alone(config: Config) -> bool:
    """Whether features of no evidence leave the run: those that read rows, batches or columns need them."""
    c = config.encoder
    if c.beside == "apart":
        return False
    rows = c.name in ROW_ENCODERS or config.sampling.negatives == "batch" or config.merge.column_weight > 0
    return config.merge.evidence == 0 and not rows and world_size() == 1


def goes_around(data: Input, config: Config) -> bool:
    """Whether what `encoder_input` makes goes around the network, which reads one-hot rows."""
    c = config.encoder
    return c.beside == "apart" or (data.x is None and c.structure == "both")


def widened(config: Config, columns: int) -> int:
    """Columns of the skip's input that random cosines of the features add: to few, and to those that stand apart."""
    c = config.encoder
    few = c.beside == "always" and config.task == "graph" and c.structure in ONE_HOT and 0 < columns < WIDE
    few = few and config.sampling.negatives != "batch"
    return KERNEL_COLUMNS if few or c.beside == "apart" else 0


def without_features(data: Input, config: Config) -> Input:
    """`data` without features of no evidence: the run is that on the edges alone, where it can be."""
    return data._replace(x=None) if reads_structure_alone(config) else data


def heed_evidence(data: Input, config: Config) -> tuple[Input, Evidence | None]:
    """What later stages of the graph task read: features with weights of their columns, or none at all."""
    if not config.embeds_graph or config.merge.evidence == "none" or data.x is None:
        return data, None
    found = measure_evidence(data, config.neighbors.metric)
    weights = None if config.encoder.beside == "apart" else found.weights
    if weights is not None and not bool(weights.any()):
        weights = None  # asked for, or read by an encoder of rows: nothing tells one column from another
    return without_features(data._replace(column_weight=weights), config), found


def describe_evidence(found: Evidence | None, data: Input, config: Config) -> dict[str, Any]:
    """Evidence in the summary of a graph (`genurl_graph.tasks.TrainingProblem`)."""
    if found is None:
        return {}
    return {
        "evidence": config.merge.evidence,
        "evidence_by": found.by,
        "evidence_figure": found.figure,
        "reads": "structure" if data.x is None else READS[config.encoder.beside],
        "metric_by_edges": data.known.get("metric") == "cosine" == config.neighbors.metric,
    }


def warn_of_degrees(found: Evidence | None, data: Input) -> None:
    """Say which columns are left out because they are the degree, by name where they have names."""
    if found is not None and found.degrees:
        names = data.plan.names if data.plan is not None and data.plan.named else None
        named = ", ".join(f"column {j + 1}" if names is None else names[j] for j in found.degrees)
        warnings.warn(f"features: {named} is the degree of the nodes, which the edges tell; left out", stacklevel=4)
