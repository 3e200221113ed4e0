"""What is said of an embedding after a run: a map's neighbourhoods, or what labels say, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sklearn.preprocessing import normalize
from torch import Tensor

from genurl_graph.config.choices import ProtocolName
from genurl_graph.evaluation.budget.clock import Clock
from genurl_graph.evaluation.budget.plan import BUDGET, Plan, nodes_to_cluster, plan_probes
from genurl_graph.evaluation.budget.rows import (
    PARTS,
    Row,
    clustered,
    fixed_row,
    judge_rows,
    reference_rows,
    reference_widths,
    width_of,
)
from genurl_graph.evaluation.clustering import too_few_to_cluster
from genurl_graph.evaluation.preservation import cross_validated, knn_accuracy, plan_effort, reduce_scores
from genurl_graph.evaluation.probe import voters
from genurl_graph.evaluation.ranks import Points
from genurl_graph.evaluation.splits import default_protocol, named_parts, shortage
from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Figures of a metrics file, why some are None, and how much was looked at.
KEYS = ("reduce", "probe", "knn", "cluster", "reference", "left_out", "evaluation")
# Embeddings of vectors with at most so many columns are looked at, and judged as maps.
MAP_COLUMNS = 3
# Of the budget the part for the vote of raw features beside a map; its fewest points, and seconds of a number.
RAW_SHARE, FEWEST_RAW, RAW_SECONDS = 0.3, 1_000, 4.2e-11
WIDE_ROWS = {"raw": "raw features", "propagated": "propagated features", "teacher": "teacher"}


def no_probe(data: Any) -> str | None:
    """Why a run's embedding is not probed, in words; None where it is."""
    y = getattr(data, "y", None)
    if y is None:
        return "no labels, so no evaluation"
    lack = None if default_protocol(data) == "public" else shortage(y.numpy())
    return None if lack is None else f"no linear probe: {lack[0]}; it takes {lack[1]}"


class Asked(NamedTuple):
    """Which evaluation is wanted."""

    budget: float | None = BUDGET
    """Estimated seconds that it may take; None: the whole protocol."""
    as_map: bool | None = None
    """Whether the embedding is judged as a map; by default if it is one (`wants_map`)."""
    plan: Plan | None = None
    """What an earlier run looked at."""
    protocol: ProtocolName | None = None
    """Of the splits; by default the data set's."""
    parts: tuple[str, ...] = PARTS
    """Which figures of labels."""
    metric: str | None = None
    """Distance of the vectors, where a map is judged by their neighbourhoods; by default the one the run was told."""

    @classmethod
    def recorded(cls, stored: Mapping[str, Any]) -> Asked | None:
        """What a metrics file has the figures of; None where nothing was evaluated."""
        if "evaluation" not in stored:
            # Earlier versions judged no map as one, and said how many splits they took.
            splits = (stored.get("probe") or {}).get("splits")
            return cls(None, as_map=False, plan=Plan(splits, splits, budget=None) if splits else None)
        record = stored["evaluation"]
        if record is None:
            return None
        plan = Plan.recorded(record) if "splits" in record else None
        return cls(record["budget"], plan=plan, metric=record.get("metric", "euclidean"))


def wants_map(asked: Asked, task: str, z: Tensor, data: Any) -> bool:
    """Whether an embedding [n, d] is judged as a map: by default one of few columns that the task reduce has made."""
    if asked.as_map is not None:
        return asked.as_map
    few = task == "reduce" and z.size(1) <= MAP_COLUMNS
    return asked.protocol is None and few and getattr(data, "x", None) is not None


def judge(
    z: Tensor,
    data: Any,
    task: str,
    seed: int,
    asked: Asked,
    *,
    beside: Mapping[str, Tensor] | None = None,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Judge an embedding, for `embed` and for `evaluate`: both find the same figures for one file and seed.

    Parameters
    ----------
    z : Tensor, float, shape [n, d]
    data : Data
        Vectors, labels, masks and edges, as far as there are any.
    task : str
        That made the embedding: maps of "reduce" are judged by their neighbourhoods, other embeddings by labels.
    seed : int
        Of splits, folds and samples.
    asked : Asked
    beside : mapping of str to Tensor, optional
        Rows "untrained" and "teacher". With any, raw and propagated features are probed, too.
    clock : Clock, optional
        Shows progress, and may end the probes between two splits.

    Returns
    -------
    dict
        `KEYS`.
    """
    scores: dict[str, Any] = dict.fromkeys(KEYS)
    if wants_map(asked, task, z, data):
        return scores | map_scores(
            z, data.x, data, seed, asked.budget, clock, raw=True, metric=asked.metric or "euclidean"
        )
    why = no_probe(data) if asked.protocol is None else None
    if why is None:
        return scores | label_scores(z, data, task, seed, asked, beside or {}, clock)
    return scores | scores_without_probe(z, data, task, seed, asked, (beside or {}).get("teacher"), why, clock)


def map_scores(
    z: Tensor,
    x: Any,
    data: Any,
    seed: int,
    budget: float | None,
    clock: Clock | None,
    *,
    raw: bool,
    metric: str = "euclidean",
) -> dict[str, Any]:
    """The protocol reduce against vectors `x`; where there are labels the vote of these beside that of the map."""
    n, columns = x.shape
    given = Points(x, "input", metric)
    # The vote of the vectors is by products of matrices, for which angles are lengths of unit rows.
    labels = getattr(data, "y", None) if raw and metric in ("euclidean", "cosine") else None
    clock, part = clock or Clock(), 1 - RAW_SHARE * (labels is not None)
    own = None if budget is None else budget * part
    found = reduction_run(z, data, seed, budget=own, progress=lambda share: clock.show(part * share), x=given)
    effort, whole = (plan_effort(n, given.work, most, given.projectable) for most in (own, None))
    cut = [f"neighbourhoods of {effort.rows:,} of {n:,} points"] if effort.rows < whole.rows else []
    cut += [f"vectors: first {effort.columns} principal components"] if effort.columns else []
    if labels is not None:
        most = n
        if budget is not None:
            most = max(FEWEST_RAW, int(RAW_SHARE * budget / (RAW_SECONDS * n * columns)))
        vectors = normalize(to_scipy_or_numpy(x)) if metric == "cosine" else x
        found["raw_knn_accuracy"], found["how"]["raw_knn_accuracy"] = cross_validated(vectors, labels, seed, most)
        cut += [f"raw features: vote of {most:,} points"] if most < n else []
    return {"reduce": found, "evaluation": {"budget": budget, "metric": metric, "left_out": cut}}


def scores_without_probe(
    z: Tensor,
    data: Any,
    task: str,
    seed: int,
    asked: Asked,
    teacher: Tensor | None,
    why: str,
    clock: Clock | None,
) -> dict[str, Any]:
    """Where labels are too few to be learned, or none: clusters if they can be judged, and what needs no labels."""
    y = getattr(data, "y", None)
    lack = None if y is None else too_few_to_cluster(y.numpy())
    reasons, found = dict.fromkeys(("probe", "knn", "reference"), why), None
    cut = []
    if y is None or lack or teacher is not None:
        reasons["cluster"] = lack or why
    else:
        nodes = nodes_to_cluster(z.size(0), z.size(1), len(y[y >= 0].unique()), asked.budget)
        found = clustered(z.numpy(), y.numpy(), nodes, seed)
        cut = [] if nodes is None else [f"k-means of {nodes:,} random nodes"]
    scores: dict[str, Any] = {"cluster": found, "evaluation": {"budget": asked.budget, "left_out": cut}}
    given = data.x if teacher is None and task == "reduce" else teacher
    if given is not None and asked.as_map is None:
        metric = asked.metric if asked.metric and teacher is None else "euclidean"
        scores |= map_scores(z, given, data, seed, asked.budget, clock, raw=False, metric=metric)
        scores["evaluation"]["left_out"] += cut
    return {**scores, "left_out": reasons}


def label_scores(
    z: Tensor,
    data: Any,
    task: str,
    seed: int,
    asked: Asked,
    beside: Mapping[str, Tensor],
    clock: Clock | None,
) -> dict[str, Any]:
    """Linear probe, vote and k-means, and with rows beside it the probes of these and of the features."""
    protocol = asked.protocol or default_protocol(data)
    # The rows of an `embed`, also where a file is judged alone: so that both do as many splits.
    widths = {"embedding": width_of(z, "embedding"), "untrained": width_of(z, "embedding")}
    widths |= reference_widths(data)
    if "teacher" in beside:
        widths["teacher"] = width_of(beside["teacher"])
    plan = asked.plan or plan_probes(data, protocol, widths, seed=seed, budget=asked.budget)
    others = {name: Row(row) for name, row in beside.items() if name != "teacher"}
    if "teacher" in beside:
        others["teacher"] = fixed_row(beside["teacher"].numpy(), plan.columns, seed)
    if beside:
        others |= reference_rows(data, plan.columns, seed)
    # Angles, seen from an origin that means nothing, mean nothing either.
    metric, distilled = "euclidean" if task == "reduce" else "cosine", "teacher" in beside
    found = judge_rows(
        z,
        others,
        data,
        protocol,
        plan,
        seed=seed,
        metric=metric,
        parts=("probe",) if distilled else asked.parts,
        clock=clock,
    )
    done = found.pop("splits")
    shown = {name: width for name, width in widths.items() if name in others or name == "embedding"}
    cut = plan.cuts(z.size(0), shown, WIDE_ROWS)
    if done < plan.splits:
        cut.append(f"ended by the clock after {done} of {plan.splits} splits into training and test labels")
    names = ("teacher", "untrained", "propagated", "raw") if distilled else ("raw", "propagated", "untrained")
    reference = {name: found["reference"].get(name) for name in names} if beside else None
    record = {**plan._replace(splits=done)._asdict(), "left_out": cut}
    return {**found, "reference": reference, "evaluation": record}


def reduction_run(
    z: Tensor,
    data: Any,
    seed: int,
    *,
    budget: float | None = None,
    progress: Callable[[float], None] | None = None,
    x: Any = None,
) -> dict[str, Any]:
    """Scores of the protocol reduce; where the data set names its test part, also that against the training part.

    `budget` and `progress` as in `genurl_graph.evaluation.preservation.reduce_scores`; `x`: other vectors than the
    data's.
    """
    vectors, y = data.x if x is None else x, getattr(data, "y", None)
    scores = reduce_scores(vectors, z, y, seed=seed, budget=budget, progress=progress)
    parts = named_parts(data)
    if parts and y is not None:
        scores["knn_test"] = knn_accuracy(z.numpy(), y.numpy(), *parts)
        voting = voters(10, len(parts[0]))
        scores["how"]["knn_test"] = f"{voting} nearest, {len(parts[1]):,} points against {len(parts[0]):,}"
    return scores
