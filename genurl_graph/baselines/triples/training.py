"""Training of a baseline of typed edges, with the epoch chosen on the validation triples."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from genurl_graph.baselines.triples.model import EntityModel
from genurl_graph.evaluation.triples.protocol import judge_triples
from genurl_graph.exceptions import DivergenceError
from genurl_graph.inputs.triples import TripleSet
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.random import randperm, seeded_globally

# Validation triples that an epoch is chosen by.
MOST_VALID = 2_000


def fit(
    name: str,
    build: type[EntityModel],
    data: TripleSet,
    seed: int,
    device: str | torch.device,
    settings: dict[str, Any],
) -> EntityModel:
    """Train on the triples of a set; see `genurl_graph.baselines.triples.get_triple_baseline`.

    Parameters
    ----------
    name : str
    build : class
    data : TripleSet
    seed : int
    device : str or torch.device
    settings : dict
        Of them ``batch``, ``epochs`` at most, ``check`` (epochs between two looks at the validation triples),
        ``patience`` (looks without a better one after which the training ends), ``lr`` and ``weight_decay`` are read
        here.

    Raises
    ------
    DivergenceError
        A loss that is not finite.
    """
    there, triples = choose_device(device), data.triples
    rows = triples.rows().to(there)
    watched = _watched(data)
    with seeded_globally(seed):
        model = build(triples.num_entities, triples.num_relations, settings).to(there)
        optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])
        found: list[float] = []
        kept: dict[str, torch.Tensor] = {}
        for epoch in range(settings["epochs"]):
            model.train()
            for batch in torch.split(randperm(len(rows)).to(there), settings["batch"]):
                loss = model.loss(rows[batch])
                if not bool(loss.isfinite()):
                    raise DivergenceError(f"{name}: the loss is not finite in epoch {epoch}; try a smaller lr")
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            model.eval()
            if watched is None or ((epoch + 1) % settings["check"] and epoch + 1 < settings["epochs"]):
                continue
            found.append(judge_triples(model, watched, "valid").mrr)
            if found[-1] == max(found):
                kept = {key: value.detach().clone() for key, value in model.named_parameters()}
            elif len(found) - 1 - found.index(max(found)) >= settings["patience"]:
                break
    if kept:
        model.load_state_dict(kept)
    return model.eval().requires_grad_(False)


def _watched(data: TripleSet) -> TripleSet | None:
    """The set with a few validation triples, evenly out of all; what the test part holds is not known here."""
    if data.valid is None or not len(data.valid):
        return None
    every = max(len(data.valid) // MOST_VALID, 1)
    few = data.valid.chosen(torch.arange(0, len(data.valid), every))
    return dataclasses.replace(data, valid=few, test=None)
