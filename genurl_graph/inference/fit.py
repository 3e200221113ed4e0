"""One fit: from checked data and a resolved configuration to a trained model."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.graph.edge_attributes.heed import attribute_tensors, describe_attributes, heed_attributes
from genurl_graph.inference.fitted import TrainedModel
from genurl_graph.inference.known_nodes import fitted_nodes, knows_nodes
from genurl_graph.inference.temporal.fitted_time import FittedTime
from genurl_graph.inference.triples.fitted_triples import FittedTriples
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.triples import TripleSet
from genurl_graph.nn.gnn import DESCRIBED
from genurl_graph.objectives.distillation import Teacher
from genurl_graph.objectives.temporal import TemporalObjective
from genurl_graph.runtime.devices import one_thread
from genurl_graph.runtime.memory import named_shortage
from genurl_graph.runtime.progress import showing
from genurl_graph.runtime.random import seeded
from genurl_graph.tasks import distillation, graph, graphs, images, reduction, temporal, triples
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.evidence import describe_evidence, heed_evidence, warn_of_degrees
from genurl_graph.training.checkpoint import Checkpoint, KeptNeighbors, checksum
from genurl_graph.training.loop import Callback, train

log = logging.getLogger(__name__)

LESS_MEMORY = (
    "what needs less: a smaller encoder.hidden, sampling.n_negatives or sampling.batch_size, and for graphs with "
    "features the encoder sign, which reads them in mini-batches"
)


def fit_model(
    data: Input,
    config: Config,
    seed: int,
    device: torch.device,
    *,
    teacher: Teacher | None = None,
    module: nn.Module | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    deterministic: bool = False,
    started: float | None = None,
) -> TrainedModel:
    """The model of a task on `data`, trained; arguments and errors as of `genurl_graph.estimator.GenURL.fit`.

    `config` is resolved, `teacher` that of a distillation, `module` the user's own encoder, of which a copy is trained;
    `started` is the ``time.perf_counter()`` from which on the stage ``graph`` counts.
    """
    started = time.perf_counter() if started is None else started
    shape = f"{data.num_nodes:,} nodes, {data.num_features:,} features"
    log.info("fit of %s: task %s, encoder %s, seed %d, %s", shape, config.task, config.encoder.name, seed, device)
    data, attributes = heed_attributes(data, config.merge)
    state = None if checkpoint is None else Checkpoint(checkpoint, _describe(data, config, seed, teacher))
    kept = None if state is None else KeptNeighbors(state, resume)
    module = copy.deepcopy(module)
    with (
        seeded(seed),
        showing(progress),
        one_thread() if deterministic else nullcontext(),
        named_shortage(f"task {config.task}, encoder {config.encoder.name}", LESS_MEMORY),
    ):
        seen, evidence = heed_evidence(data, config)
        warn_of_degrees(evidence, data)
        # Graphs are read by their encoder itself, events window by window, triples row by row.
        apart = config.task in ("graphs", "temporal", "triples")
        x, statistics = (None, {}) if apart else encoder_input(seen, config, device)
        if teacher is not None:
            problem = distillation.build(data, x, config, seed, device, teacher, module)
        elif config.task == "images":
            problem = images.build(data, x, config, module)
        elif config.embeds_graph:
            problem = graph.build(seen, x, config, seed, device, kept)
        elif config.task == "graphs":
            problem = graphs.build(data, config, seed, device, kept)
        elif config.task == "temporal":
            problem = temporal.build(data, config, seed, device)
        elif config.task == "triples":
            problem = triples.build(data, config, seed, device)
        else:
            problem = reduction.build(data, x, config, seed, device, statistics, kept)
        del x
        objective, config = problem.objective, problem.config or config
        told = describe_evidence(evidence, seen, config) | describe_attributes(attributes, data)
        summary = problem.summary(data) | told
        # Kept as the reference "untrained"; small beside the training.
        initial = {k: v.detach().clone() for k, v in objective.encoder.state_dict().items()}
        objective.to(device)
        prepared = time.perf_counter()
        log.info("graph and similarities after %.1f s: %s", prepared - started, summary)
        history = train(
            objective,
            config.training,
            checkpoint=state,
            resume=resume and not (kept is not None and kept.alone()),
            callbacks=callbacks,
            progress=progress,
        )
    took = time.perf_counter() - prepared
    log.info("trained %d epochs in %.1f s, loss %.4g", len(history), took, history[-1])
    past = None
    if isinstance(objective, TemporalObjective) and data.events is not None:
        past = FittedTime.of(objective, data.names, data.events.unit)
    return TrainedModel(
        encoder=objective.encoder,
        config=config,
        embedding=objective.embed().cpu() if past is None else past.trajectory.invariant(),
        statistics=statistics | attribute_tensors(attributes, data, config.encoder.name in DESCRIBED),
        space=problem.space,
        seed=seed,
        n_features_in=data.num_features if data.plan is None else len(data.plan.columns),
        loss_history=history,
        graph_summary=summary,
        seconds={"graph": prepared - started, "train": time.perf_counter() - prepared},
        knn_backend=problem.neighbors.backend if problem.neighbors else None,
        knn_recall=problem.neighbors.recall if problem.neighbors else None,
        mass=problem.merged.total_weight() / (problem.rows or data.num_nodes),
        **_node_types(data),
        device=device.type,
        plan=data.plan,
        edge_plan=data.edge_plan,
        time=past,
        facts=None if data.triples is None else FittedTriples.of(data.triples),
        nodes=fitted_nodes(data) if data.types is None and knows_nodes(config, seen.x is None) else None,
        objective=objective,
        initial=initial,
        graph=problem.merged.cpu(),
        kind=data.kind,
    )


def _describe(data: Input, config: Config, seed: int, teacher: Teacher | None) -> dict[str, Any]:
    """The run that a checkpoint belongs to: configuration, seed, sizes and the content of the data."""
    shape = [data.num_nodes, 0 if data.x is None else int(data.x.size(1))]
    edges = 0 if data.edge_index is None else int(data.edge_index.size(1))
    many = () if data.graphs is None else tuple(data.graphs)
    events = None if data.events is None else data.events.edges
    timed = () if events is None else (events.source, events.target, events.time, events.weight, events.attr)
    facts = () if data.triples is None else _tensors_of(data.triples)
    taught = None if teacher is None else teacher.features
    start = () if data.start is None else (data.start.z, data.start.known if data.start.finished else None)
    content = checksum(data.x, data.edge_index, data.edge_weight, taught, *start, *many, *timed, *facts)
    found = {"config": config.to_dict(), "seed": seed, "x": shape, "edges": edges, "checksum": content}
    return found if data.plan is None else found | {"plan": data.plan.to_dict()}


def _tensors_of(data: TripleSet) -> list[Tensor]:
    """The triples of the training, and the features of the entities."""
    parts = ((part.entity, part.x) for part in data.modalities)
    return [data.triples.rows(), *(tensor for pair in parts for tensor in pair)]


def _node_types(data: Input) -> dict[str, Any]:
    """Rows and features of the node types of a ``HeteroData``; of typed edges, too."""
    if data.types is not None:
        return {"node_slices": data.types.rows, "node_widths": data.types.widths()}
    if data.triples is None or data.triples.rows is None:
        return {}
    widths = {part.name: int(part.x.size(1)) for part in data.triples.modalities}
    rows = data.triples.rows
    return {"node_slices": rows, "node_widths": {name: widths.get(name, 0) for name in rows}}
