"""Train the encoder of a run on partitions, in as many workers as the process group has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from genurl_graph.config import Config
from genurl_graph.nn.mlp import MLP
from genurl_graph.nn.skip import SAMPLE, sample_rows
from genurl_graph.objectives.partitioned.encoder import (
    ENCODER,
    UNTRAINED,
    new_encoder,
    read_arrays,
    save_encoder,
    saved_note,
)
from genurl_graph.objectives.partitioned.held import HeldRows, Share, held_rows, held_similarities
from genurl_graph.objectives.partitioned.objective import PartitionedObjective
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.memory import named_shortage
from genurl_graph.runtime.partitions import Store
from genurl_graph.runtime.processes import agreed, connected, rank, sent
from genurl_graph.runtime.random import seeded
from genurl_graph.training.checkpoint import Checkpoint
from genurl_graph.training.loop import Callback, train

# What the checkpoint is called in the folder of a run.
CHECKPOINT = "training.ckpt"
# Numbers of the sample that principal axes are found on: 256 MB.
SAMPLED = 1 << 26
LESS_MEMORY = "what needs less: more workers, a smaller encoder.hidden, encoder.hops or sampling.batch_size"


def train_partitions(
    work: Store,
    config: Config,
    seed: int,
    device: str = "auto",
    progress: bool = False,
    *,
    callbacks: Sequence[Callback] = (),
) -> list[float]:
    """Train on the rows and similarities of a store; in a process group all workers call it, together.

    Reads ``average0`` (and ``average1``, ... for the encoder "sign"), ``p_crow``, ``p_col`` and ``p``. Writes into the
    folder of the store ``untrained.safetensors`` and ``encoder.safetensors``, the encoder before and after the
    training, and ``training.ckpt`` after every epoch.
    Where a checkpoint of this run is there, also of another number of workers, the training goes on from it; with as
    many workers on CPUs as it would have gone on: one or two to the bit, more up to the order in which their gradients
    are added. A finished training is not repeated.

    Parameters
    ----------
    work : Store
        On storage that all workers see.
    config : Config
        Resolved, with ``sampling.negatives`` "batch" and an encoder that reads each row alone.
    seed : int
    device : str
        "auto", "cpu" or "cuda": of each worker.
    progress : bool
        Show a progress bar (the first worker does, on a terminal).
    callbacks : sequence of callables
        As of `genurl_graph.training.loop.train`.

    Returns
    -------
    list of float
        The mean loss of every epoch.

    Raises
    ------
    InputError
        A configuration that partitions do not train, a checkpoint of another run, or an array that is missing.
    DivergenceError, LostProcessError, KeyboardInterrupt
        As of `genurl_graph.training.loop.train`.
    ShortMemoryError
        The rows of a worker do not fit its memory.
    """
    names = read_arrays(config)
    columns = int(work.shape(names[0], 0)[1])
    run = {"config": config.to_dict(), "seed": seed, "rows": work.num_rows, "columns": columns}
    path = work.path / ENCODER
    done: list[float] | None = agreed(_finished(work, run))
    if done is not None:
        return done
    there = choose_device(device)
    checkpoint = Checkpoint(work.path / CHECKPOINT, run)
    resume = agreed(checkpoint.trained())
    with seeded(seed), named_shortage("training", LESS_MEMORY):
        encoder = new_encoder(config, columns).to(there)
        share = Share.of(work.num_rows)
        rows = held_rows(work, names, share).to(there)
        if not resume:
            # Before the edges, which are then in its memory.
            with connected("before the training"):
                _fit_skip(encoder, rows)
            if rank() == 0:
                save_encoder(work.path / UNTRAINED, encoder, run, [])
        edges, p = held_similarities(work, share)
        edges = edges._replace(crow=edges.crow.to(there), col=edges.col.to(there))
        stages = (config.loss, config.sampling, config.views)
        objective = PartitionedObjective(encoder, rows, None, edges, p.to(there), work.num_rows, *stages)
        objective.to(there)
        del edges, p
        loop = replace(config.training, checkpoint_every=1)
        history = train(objective, loop, checkpoint=checkpoint, resume=resume, callbacks=callbacks, progress=progress)
    if rank() == 0:
        save_encoder(path, encoder, run, history)
    # Nobody goes on before it is there.
    return list(agreed(history))


def _finished(work: Store, run: dict[str, Any]) -> list[float] | None:
    """The losses of this run where its training has ended; None for none, or for one of other epochs."""
    path = work.path / ENCODER
    note = saved_note(path) if path.is_file() else None
    return None if note is None or note["run"] != json.loads(json.dumps(run)) else list(note["history"])


@torch.no_grad()
def _fit_skip(encoder: MLP, rows: HeldRows) -> None:
    """Find the principal axes on a sample of all rows: the first worker does, the others take them over."""
    if encoder.components is None:
        return
    sample = sample_rows(rows.share.cuts[-1], min(SAMPLE, SAMPLED // rows.num_features)).to(rows.cuts.device)
    positions = rows.fetch(sample if rank() == 0 else sample[:0])
    if rank() == 0:
        encoder.components.fit(rows.rows(positions), None)
    rows.fetched = None
    for axes in encoder.components.buffers():
        axes.copy_(sent(axes, 0))
