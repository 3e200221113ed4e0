"""Training of a model of events, with the epoch chosen on the validation windows, and its scores of later windows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from genurl_graph.baselines.temporal.model import Scale, TemporalModel
from genurl_graph.evaluation.temporal_links.history import Scorer
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
from genurl_graph.exceptions import DivergenceError, wrong
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.nn.layers import evaluating
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.random import seeded_globally

Build = Callable[[TemporalEdges, dict[str, Any], Scale], TemporalModel]


class Predictor:
    """A trained model of events: scores of pairs in any window, by the events before it.

    Attributes
    ----------
    name : str
    precision : list of float
        Average precision on the validation windows after each epoch, against random negatives.
    cpu_seconds : list of float
        Of the training in each epoch, without the validation.
    epoch : int
        The one whose parameters these are, from 0.
    """

    def __init__(
        self, name: str, model: TemporalModel, num_nodes: int, precision: list[float], cpu_seconds: list[float]
    ) -> None:
        self.name, self.model, self.num_nodes = name, model, num_nodes
        self.precision, self.cpu_seconds = precision, cpu_seconds
        self.epoch = int(np.argmax(precision))

    def scorer(self, split: TemporalSplit, window: int) -> Scorer:
        """Scores of the pairs of a window, by the events before it.

        Parameters
        ----------
        split : TemporalSplit
            The nodes are those of the training; the events may be others.
        window : int

        Raises
        ------
        InputError
            Another number of nodes.
        """
        if split.edges.num_nodes != self.num_nodes:
            raise wrong(self.name, f"{split.edges.num_nodes} nodes", f"the {self.num_nodes} of the training")
        return scorer_of(self.model, split, window)

    def scorers(self, split: TemporalSplit, window: int) -> dict[str, Scorer]:
        """`scorer` under the name of the baseline, as `judge` of the protocol asks for it."""
        return {self.name: self.scorer(split, window)}


def fit(
    name: str, build: Build, split: TemporalSplit, seed: int, device: str | torch.device, settings: dict[str, Any]
) -> Predictor:
    """Train on the windows before validation; see `genurl_graph.baselines.temporal.get_temporal_baseline`.

    Parameters
    ----------
    name : str
    build : callable
        ``build(events of training, settings, scale)`` makes the model.
    split : TemporalSplit
    seed : int
    device : str or torch.device
    settings : dict
        Of them ``epochs``, at most; ``patience``, the number of epochs without a better one after which the training
        ends; ``lr`` and ``weight_decay`` are read here.

    Raises
    ------
    DivergenceError
        A loss that is not finite.
    """
    training = split.windows.before(split.edges, split.first_val)
    with seeded_globally(seed):
        model = build(training, settings, Scale.of(training, settings["clock"])).to(choose_device(device))
        optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])
        precision: list[float] = []
        seconds: list[float] = []
        kept: dict[str, torch.Tensor] = {}
        for epoch in range(settings["epochs"]):
            began = time.process_time()
            model.train()
            for loss in model.losses(split):
                if not bool(loss.isfinite()):
                    raise DivergenceError(f"{name}: the loss is not finite in epoch {epoch}; try a smaller lr")
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            seconds.append(time.process_time() - began)
            model.forget()
            precision.append(validation_precision(model, split))
            if precision[-1] == max(precision):
                kept = {key: value.detach().clone() for key, value in model.named_parameters()}
            elif epoch - int(np.argmax(precision)) >= settings["patience"]:
                break
    model.load_state_dict(kept, strict=False)
    model.eval().requires_grad_(False)
    model.forget()
    return Predictor(name, model, split.edges.num_nodes, precision, seconds)


def scorer_of(model: TemporalModel, split: TemporalSplit, window: int) -> Scorer:
    """Scores of the pairs of a window, by the events before it; the model is in evaluation mode."""
    with torch.no_grad():
        return model.decoder.scorer(model.rows(split, window))


def validation_precision(model: TemporalModel, split: TemporalSplit) -> float:
    """Average precision on the validation windows against the same random negatives at each call, weighted by pairs."""
    from sklearn.metrics import average_precision_score

    found, counts = [], []
    # Once for all windows: a memory must not see the training mode between them.
    with evaluating(model):
        for window in split.parts()["val"]:
            sampler = split.sampler(window)
            pairs = sampler.now.pairs()
            pairs = pairs[:, pairs[0] != pairs[1]]
            negatives = sampler.draw("random", pairs[0], torch.Generator().manual_seed(window))
            if not pairs.size(1) or not negatives.size(1):
                continue
            scores = scorer_of(model, split, window)(*torch.cat([pairs, negatives], 1))
            label = np.arange(len(scores)) < pairs.size(1)
            found.append(float(average_precision_score(label, scores.numpy())))
            counts.append(pairs.size(1))
    if not found:
        raise wrong("validation", "no window that has both pairs and random negatives", "some events")
    return float(np.average(found, weights=counts))
